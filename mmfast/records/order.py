"""
Orders: the shared table of everything we have told the venue to hold, written by the gateway alone.

In      the gateway's sends and the venue's answers.
Out     one ORDER in each slot of the table; the watchdog cancels from it and `status` reads it.

A cloid stands here before its bytes are written to a socket, so no order of ours can be unknown to us.
"""

from __future__ import annotations

from mmfast.records.header import bare, record

KIND_ORDER = 51

# FREE slots may be reused. SENT: written, no answer yet. CANCELING: open, with a cancel under way.
# AMBIGUOUS: the answer is lost; it may rest or not until the venue tells by cloid.
FREE, PENDING, SENT, OPEN, CANCELING, AMBIGUOUS, FILLED, CANCELED, REJECTED = 0, 1, 2, 3, 4, 5, 6, 7, 8
STATE_NAMES = ("free", "pending", "sent", "open", "canceling", "ambiguous", "filled", "canceled", "rejected")
LIVE_STATES = (PENDING, SENT, OPEN, CANCELING, AMBIGUOUS)

TIF_ALO, TIF_IOC, TIF_GTC = 0, 1, 2
TIF_NAMES = ("Alo", "Ioc", "Gtc")

ORDER = record(
    ("cloid_hi", "i8"),
    ("cloid_lo", "i8"),
    ("oid", "i8"),  # 0 until the venue tells
    ("px_ticks", "i8"),
    ("orig_lots", "i8"),  # as it was sent, for ever
    ("lots", "i8"),  # all that it may have traded in the end; when it has ended, what the venue says it has
    ("filled_lots", "i8"),
    ("side", "i4"),
    ("state", "i4"),
    ("tif", "i4"),
    ("reduce_only", "i4"),
    ("level_index", "i4"),
    ("reason", "i4"),
    ("edge_bps", "f8"),
    ("fair_px", "f8"),  # fair value when the order was made
    ("expires_after_ms", "i8"),
    ("nonce", "i8"),
    ("ts_decoded_ns", "i8"),
    ("ts_belief_ns", "i8"),
    ("ts_quote_ns", "i8"),
    ("ts_diffed_ns", "i8"),
    ("ts_signed_ns", "i8"),
    ("ts_written_ns", "i8"),
    ("ts_acked_ns", "i8"),
    ("ts_open_ns", "i8"),
    ("ts_cancel_ns", "i8"),
    size=256,
)
ORDER_SLOTS = 1024

ORDER_KINDS = ("bids", "asks", "orders that take")  # of until_ns: those that rest, by side, and those that take
TAKER = 2

# Nothing of that kind is sent before: the venue refuses it for a reason that lasts. The gateway obeys its own copy.
HELD = bare(("until_ns", "i8", (3,)), size=64)
