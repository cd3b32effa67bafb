"""
Replay: recorded touches, snapshots and trades happen again around the users' orders.

In      a BOOK; recorded events in order of exchange time.
Out     background levels as recorded, trades as recorded, users' fills by the queue rule.
Source  bbo rows rule the touch, snapshots the deeper levels, trades consume; queue rule in queueing.py.

Within one recorded block trades come before the book that they left behind. The book is never crossed:
background that is shown across a user's order trades with it.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.book import OUT, OUT_ROOM
from mmfast.sim.levels import better, remove_level
from mmfast.sim.matching import apply_print, uncross
from mmfast.sim.queueing import drop_level, in_view, set_level
from mmfast.units import ASK, BID

EVENT_TRADE, EVENT_SNAPSHOT, EVENT_TOUCH = 0, 1, 2
# columns of events, touches and trades
E_TIME, E_KIND, E_INDEX = range(3)
O_SIDE, O_PX, O_LOTS = range(3)
R_PX, R_LOTS, R_AGGRESSOR, R_TID = range(4)


@kernel
def drop_better(book: Any, side: int, px: int, inclusive: int) -> None:
    """Makers cancel every level of ``side`` that is better than ``px`` (or as good, with ``inclusive`` 1)."""
    while book["level_count"][side] > 0:
        top = book["px_ticks"][side, 0]
        if better(side, top, px) or (inclusive == 1 and top == px):
            drop_level(book, side, 0)
        else:
            return


@kernel
def apply_touch(book: Any, side: int, px: int, lots: int) -> None:
    """
    ``px`` is now the best of ``side`` with ``lots``; what the other side showed at or beyond it is gone.
    """
    drop_better(book, side, px, 0)
    drop_better(book, 1 - side, px, 1)
    set_level(book, side, px, lots, 1)
    if book["level_count"][side] == 1:
        book["view_px"][side] = px


@kernel
def snapshot_has(snapshot: Any, side: int, px: int) -> bool:
    """True if the snapshot shows ``px``."""
    found = False
    for k in range(snapshot.shape[1]):
        found = found or (snapshot[side, k, 1] > 0 and snapshot[side, k, 0] == px)
    return found


@kernel
def apply_side(book: Any, side: int, snapshot: Any) -> None:
    """Levels of one side become those of the snapshot; beyond its last level nothing is known."""
    worst = 0
    for k in range(snapshot.shape[1]):
        if snapshot[side, k, 1] > 0:
            worst = snapshot[side, k, 0]
    if worst == 0:
        return
    book["view_px"][side] = worst
    for row in range(book["level_count"][side] - 1, -1, -1):
        px = book["px_ticks"][side, row]
        if not in_view(book, side, px):
            remove_level(book, side, row)  # out of sight is not cancelled: the queue ahead stays
        elif not snapshot_has(snapshot, side, px):
            drop_level(book, side, row)
    for k in range(snapshot.shape[1]):
        if snapshot[side, k, 1] > 0:
            set_level(book, side, snapshot[side, k, 0], snapshot[side, k, 1], 1)


@kernel
def apply_snapshot(book: Any, snapshot: Any) -> None:
    """A snapshot (2, levels, 2) of prices and lots replaces the background of both sides."""
    apply_side(book, BID, snapshot)
    apply_side(book, ASK, snapshot)


@kernel
def meets_user(book: Any, side: int, px: int) -> bool:
    """True if background of ``side`` at ``px`` would trade with a user's order."""
    other = 1 - side
    return book["user_count"][other] > 0 and not better(other, px, book["user_px"][other, 0])


@kernel
def trades_at(book: Any, kind: int, touch: Any, snapshot: Any) -> bool:
    """True if the next event is a trade, or moves the book onto a user's order."""
    if kind == EVENT_TOUCH:
        return meets_user(book, touch[O_SIDE], touch[O_PX])
    if kind == EVENT_SNAPSHOT:
        return ((snapshot[BID, 0, 1] > 0 and meets_user(book, BID, snapshot[BID, 0, 0]))
                or (snapshot[ASK, 0, 1] > 0 and meets_user(book, ASK, snapshot[ASK, 0, 0])))
    return True


@kernel
def play_book(book: Any, kind: int, touch: Any, snapshot: Any, now_ms: int, taker: int) -> None:
    """A recorded touch or snapshot; what it moves onto users' orders trades."""
    if kind == EVENT_TOUCH:
        apply_touch(book, touch[O_SIDE], touch[O_PX], touch[O_LOTS])
    else:
        apply_snapshot(book, snapshot)
    uncross(book, now_ms, taker)


@kernel
def replay(books: Any, cursor: int, events: Any, touches: Any, snapshots: Any, trades: Any, until_ms: int, now_ms: int,
           takers: int) -> tuple[int, int]:
    """
    Play events into the one BOOK of ``books`` up to recorded time ``until_ms``; with ``takers`` 0 only up to
    the first event that trades. ``touches`` and ``snapshots`` have a row each at least.

    Returns the new cursor and 1 if the BOOK's output must be drained before the rest can be played, else 0.
    """
    book = books[0]
    while cursor < len(events) and events[cursor, E_TIME] <= until_ms:
        kind, index, time_ms = events[cursor, E_KIND], events[cursor, E_INDEX], events[cursor, E_TIME]
        touch = touches[index if kind == EVENT_TOUCH else 0]
        snapshot = snapshots[index if kind == EVENT_SNAPSHOT else 0]
        if takers == 0 and trades_at(book, kind, touch, snapshot):
            return cursor, 0
        if max(book["print_count"], book["fill_count"]) + OUT_ROOM > OUT:
            return cursor, 1
        if kind == EVENT_TRADE:
            aggressor = trades[index, R_AGGRESSOR]
            apply_print(book, aggressor, trades[index, R_PX], trades[index, R_LOTS], trades[index, R_TID], now_ms,
                        -(time_ms * 2 + aggressor) - 1)
        else:
            play_book(book, kind, touch, snapshot, now_ms, -(time_ms * 2) - 1)
        cursor += 1
    return cursor, 0
