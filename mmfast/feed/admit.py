"""
Admission: which decoded market records are let through, and which are quarantined and counted.

In      one decoded BBO, BOOK or TRADE and the FEED_STATE of its instrument.
Out     0 to let it through, or why not.
Source  quality checks of market data: crossed, levels or times out of order, repeated by the venue after a
        subscription.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.units import ASK, BID

# last_bbo_ns, last_book_ns: venue time of the newest record let through. replay_until_ns: venue time up to
# which prints are a repetition; set by the first frame after a subscription.
FEED_STATE = bare(("last_bbo_ns", "i8"), ("last_book_ns", "i8"), ("last_trade_ns", "i8"), ("replaying", "i8"),
                  ("stale", "i8"), size=64)

ADMIT, CROSSED, REGRESSED = 0, 1, 2


@kernel
def admit_bbo(state: Any, bbo: Any) -> int:
    """Refuse a touch that is crossed or older than the last one; an empty side is allowed."""
    if bbo["ts_exch_ns"] < state["last_bbo_ns"]:
        return REGRESSED
    if bbo["lots"][BID] > 0 and bbo["lots"][ASK] > 0 and bbo["px_ticks"][BID] >= bbo["px_ticks"][ASK]:
        return CROSSED
    state["last_bbo_ns"] = bbo["ts_exch_ns"]
    return ADMIT


@kernel
def admit_book(state: Any, book: Any) -> int:
    """Refuse a book that is crossed in itself or older than the last one; fast and slow books share one clock."""
    if book["ts_exch_ns"] < state["last_book_ns"]:
        return REGRESSED
    both = book["level_count"][BID] > 0 and book["level_count"][ASK] > 0
    if (both and book["px_ticks"][BID, 0] >= book["px_ticks"][ASK, 0]) or not _leads_away(book):
        return CROSSED
    state["last_book_ns"] = book["ts_exch_ns"]
    return ADMIT


@kernel
def _leads_away(book: Any) -> bool:
    """True if every level of a side is further from the other side than the one before it."""
    px, wrong = book["px_ticks"], 0
    for level in range(1, book["level_count"][BID]):
        wrong += px[BID, level] >= px[BID, level - 1]
    for level in range(1, book["level_count"][ASK]):
        wrong += px[ASK, level] <= px[ASK, level - 1]
    return wrong == 0


@kernel
def mark_replayed(state: Any, trade: Any) -> int:
    """
    Mark prints that the venue repeats: 1 if ``trade`` is one.

    The first frame after a subscription repeats the last 30 prints, unflagged. On the first connection all of
    it is old; after a reconnect what is newer than the last print seen was missed, and counts.
    """
    last_ns = state["last_trade_ns"]
    old = 1 if state["replaying"] != 0 and (last_ns == 0 or trade["ts_exch_ns"] <= last_ns) else 0
    trade["replayed"] = old
    return old
