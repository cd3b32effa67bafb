"""
Marks: the watchdog's own reading of the market, straight from the feed's ring.

In      the market ring and a position on it.
Out     the latest mid and its age for each instrument, in MARK records.
Source  a loss limit must not depend on the belief of the process it guards, nor on one frame that cannot be.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.records.market import BBO, BOOK, KIND_BBO, KIND_BOOK
from mmfast.rings.atomics import as_record
from mmfast.rings.broadcast import EMPTY, LAPPED, receive, resync
from mmfast.units import ASK, BID

# mid_half_ticks is bid + ask: twice the mid, an integer. doubt_ns: since when nothing near it has been told, else 0.
MARK = bare(("mid_half_ticks", "i8"), ("last_ns", "i8"), ("doubt_ns", "i8"), size=64)
NEAR = 20  # a twentieth is as far as a market moves between two frames
DOUBT_NS = 1_000_000_000
BOOK_BYTES, MARK_BYTES = BOOK.itemsize, MARK.itemsize


@kernel
def take_mid(mark: Any, mid_half_ticks: int, now_ns: int) -> None:
    """The new mid; one that is far from the last is believed when nothing near it has been told for DOUBT_NS."""
    last = mark["mid_half_ticks"]
    near = last == 0 or abs(mid_half_ticks - last) * NEAR <= last
    if not near and mark["doubt_ns"] == 0:
        mark["doubt_ns"] = max(now_ns, 1)
    elif near or now_ns - mark["doubt_ns"] >= DOUBT_NS:
        mark["mid_half_ticks"] = mid_half_ticks
        mark["doubt_ns"] = 0


@kernel
def read_marks(ring: int, position: int, message: int, marks: int, limit: int) -> int:
    """
    Read up to ``limit`` messages from ``position`` on; returns the next position.

    ``message`` is the address of a scratch BOOK, ``marks`` of the first MARK.
    """
    for _ in range(limit):
        status = receive(ring, position, message, BOOK_BYTES)
        if status == EMPTY:
            break
        if status == LAPPED:
            position = resync(ring, position)
            continue
        position += 1
        touch = as_record(message, BBO)
        if touch["kind"] == KIND_BBO:
            bid, ask = touch["px_ticks"][BID], touch["px_ticks"][ASK]
            whole = touch["lots"][BID] > 0 and touch["lots"][ASK] > 0
        elif touch["kind"] == KIND_BOOK and as_record(message, BOOK)["wide"] == 0:
            book = as_record(message, BOOK)
            bid, ask = book["px_ticks"][BID, 0], book["px_ticks"][ASK, 0]
            whole = book["level_count"][BID] > 0 and book["level_count"][ASK] > 0
        else:
            continue
        mark = as_record(marks + touch["inst"] * MARK_BYTES, MARK)
        mark["last_ns"] = touch["ts_recv_ns"]
        if whole:
            take_mid(mark, bid + ask, touch["ts_recv_ns"])
    return position
