"""
One coin's book as a single record: background depth, users' orders, and what came out of them.

In      nothing.
Out     BOOK, changed in place by the kernels of levels, queueing and matching.
Source  -

Row 0 is the bid side, row 1 the ask side, best first. Background depth is lots and a count of orders for each
price. A user's order stands in its side's list by price, then time; ``ahead`` is the background volume in
front of it at its own price. ``room`` is what its owner may still trade by all its orders of that side: beyond it
an order is refused at the match, or, reduce-only, shrinks to it. ``rate`` is what it paid for its place at
``joined`` ms. Executions and prints pile up in the record until
the shell drains them.

   bid side   px_ticks   99  98  97 ...      lots   30  12   9 ...   background
              user_px    99  99  97          ahead  10  30   0       users: the second joined behind all 30
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from mmfast.records.header import bare

LEVELS = 128  # prices with background depth on one side; the worst is dropped when there are more
USERS = 1024  # users' resting orders on one side
OUT = 16384  # executions, prints and expired orders between two drains
# One taker adds at most 3 x USERS + LEVELS rows. The takers of one step fill each user's order whole at most once,
# so they add 4 x USERS rows and LEVELS more for each of them: this is room for thirty.
OUT_ROOM = 4 * USERS + 30 * LEVELS

BACKGROUND = -1  # counterparty or owner that is no user
UNSEEN = -1  # ahead of an order at a price beyond the displayed depth
FAR_PX = 1 << 60
ENDLESS = 1 << 60  # room of an order that nothing limits

# columns of "fill" and of "print"
F_ORDER, F_LOTS, F_PX, F_MAKER, F_OTHER, F_AGGRESSOR, F_TID = range(7)
P_PX, P_LOTS, P_AGGRESSOR, P_TID, P_TIME, P_TAKER = range(6)

# view_px: the worst price of each side whose depth is known; an absent level within it is empty.
BOOK = bare(
    ("level_count", "i8", (2,)), ("view_px", "i8", (2,)), ("user_count", "i8", (2,)), ("tid_next", "i8"),
    ("fill_count", "i8"), ("print_count", "i8"), ("expired_count", "i8"), ("notional_uusd", "i8"),
    ("volume_uusd", "i8"), ("last_px", "i8"), ("tid_recorded", "i8"), ("_pad", "i8", (2,)),
    ("px_ticks", "i8", (2, LEVELS)), ("lots", "i8", (2, LEVELS)), ("count", "i8", (2, LEVELS)),
    ("user_id", "i8", (2, USERS)), ("user_owner", "i8", (2, USERS)), ("user_px", "i8", (2, USERS)),
    ("user_lots", "i8", (2, USERS)), ("user_ahead", "i8", (2, USERS)), ("user_room", "i8", (2, USERS)),
    ("user_shrinks", "i8", (2, USERS)), ("user_rate", "i8", (2, USERS)), ("user_joined_ms", "i8", (2, USERS)),
    ("fill", "i8", (OUT, 7)), ("print", "i8", (OUT, 6)), ("expired", "i8", (OUT,)),
    size=128 + 8 * (6 * LEVELS + 18 * USERS + 14 * OUT),
)


def new_book(name: str) -> Any:
    """
    An array of one empty BOOK for the coin ``name``.

    Trade ids count up from 32 bits below a hash of the name: positive, below 2^50 and distinct between coins.
    """
    book = np.zeros(1, BOOK)
    book["tid_next"] = ((zlib.crc32(name.encode()) & 0x3FFFF) << 32) + 1
    book["view_px"] = (0, FAR_PX)
    return book
