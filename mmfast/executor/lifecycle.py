"""
Life of an order: every state and every event in one table, and the state that follows.

In      the state of an order and something that happened to it.
Out     its next state; whether the pair is one that can happen at all.
Source  the venue's order statuses, its answers to order and cancel actions, and its user channels.

Answers (ACK_*, CANCEL_*) come over one socket, updates and fills over another: any order, any delay, doubled.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.order import AMBIGUOUS, FILLED, FREE, PENDING, REJECTED, STATE_NAMES

EVENT_NAMES = (
    "dropped", "written", "ack resting", "ack filled", "ack error", "update open", "update filled",
    "update canceled", "update rejected", "fill partial", "fill complete", "cancel written", "cancel ok",
    "cancel missing", "answer lost", "resolved open", "resolved gone",
)
(DROPPED, WRITTEN, ACK_RESTING, ACK_FILLED, ACK_ERROR, UPDATE_OPEN, UPDATE_FILLED,
 UPDATE_CANCELED, UPDATE_REJECTED, FILL_PARTIAL, FILL_COMPLETE, CANCEL_WRITTEN, CANCEL_OK,
 CANCEL_MISSING, ANSWER_LOST, RESOLVED_OPEN, RESOLVED_GONE) = range(17)

# Columns in the order of the states. A dot is a pair that cannot happen: the state stays, and it can be counted.
#
# Four thoughts decide every cell.
# 1  An order has one true story: written, open, fills, one end. News of an earlier chapter that arrives after
#    the end is late, not new, so FILLED and CANCELED take no "open", no "resting" and no partial fill back.
# 2  Only a look-up made after the end (RESOLVED_OPEN) revives CANCELED or REJECTED: the end may have been
#    concluded from silence ("unknown order" is no proof that it never arrives). A fill is money: FILLED is final.
# 3  "Rejected" and "open" exclude each other. Where both are heard, one of them is untrue, and the order is
#    AMBIGUOUS: it counts as live until the venue is asked by cloid. This is how an error answer for an order
#    that was accepted after all cannot leave an unknown order behind.
# 4  An AMBIGUOUS order is settled by what the venue recorded (update, fill, look-up, a cancel that worked) or by
#    a positive answer that was merely late. An error does not settle it, and a missing cancel neither: the cancel
#    may have overtaken its order.
LETTERS = "FPSOCAdxr"
TABLE = """
                  free  pending sent  open  canceling ambiguous filled canceled rejected
dropped           .     r       .     .     .         .         .      .        .
written           .     S       .     .     .         .         .      .        .
ack resting       .     .       O     O     C         O         d      x        A
ack filled        .     .       d     d     d         d         d      x        d
ack error         .     .       r     A     A         A         .      x        r
update open       .     .       O     O     C         O         d      x        A
update filled     .     .       d     d     d         d         d      d        d
update canceled   .     .       x     x     x         x         d      x        x
update rejected   .     .       r     A     r         r         .      x        r
fill partial      .     .       O     O     C         A         d      x        A
fill complete     .     .       d     d     d         d         d      x        d
cancel written    .     .       C     C     C         A         .      .        .
cancel ok         .     .       .     x     x         x         .      x        .
cancel missing    .     .       .     A     A         A         d      x        r
answer lost       .     A       A     O     A         A         d      x        r
resolved open     .     .       O     O     C         O         d      O        O
resolved gone     .     .       x     x     x         x         d      x        r
"""


def _parsed(text: str) -> np.ndarray:
    """The table as int8 (events, states); -1 where the pair cannot happen."""
    rows = [line for line in text.splitlines() if line.strip()]
    if tuple(rows[0].split()) != STATE_NAMES:
        raise ValueError(f"columns {rows[0].split()} are not the states {STATE_NAMES}")
    width = max(map(len, EVENT_NAMES)) + 2
    if tuple(row[:width].strip() for row in rows[1:]) != EVENT_NAMES:
        raise ValueError("rows of the life table are not the events, in their order")
    return np.array([[LETTERS.find(c) for c in row[width:].split()] for row in rows[1:]], np.int8)


NEXT = _parsed(TABLE)


@kernel
def is_legal(state: int, event: int) -> bool:
    """Whether ``event`` can happen to an order in ``state``; False also for numbers that name nothing."""
    return 0 <= state < NEXT.shape[1] and 0 <= event < NEXT.shape[0] and NEXT[event, state] >= 0


@kernel
def advance(state: int, event: int) -> int:
    """The state after ``event``; ``state`` itself where the pair cannot happen (see `is_legal`)."""
    if not is_legal(state, event):
        return state
    return int(NEXT[event, state])


@kernel
def is_live(state: int) -> bool:
    """Whether the order may rest at the venue, now or in a moment."""
    return PENDING <= state <= AMBIGUOUS


@kernel
def is_terminal(state: int) -> bool:
    """Whether the order has ended; its slot is free only once its fills are accounted too."""
    return FILLED <= state <= REJECTED


@kernel
def outstanding_lots(order: np.void) -> int:
    """
    Lots that may still reach our position through this order; 0 for a free slot.

    The size of an ended order is what it traded in the end, as far as the venue has told: an order that was
    canceled while a fill is on its way keeps counting until that fill is booked. A refused order traded nothing.
    """
    if order["state"] in (FREE, REJECTED):
        return 0
    return max(order["lots"] - order["filled_lots"], 0)


@kernel
def is_settled(order: np.void) -> bool:
    """Ended, with every traded lot booked: the slot may be used again."""
    return is_terminal(order["state"]) and outstanding_lots(order) == 0
