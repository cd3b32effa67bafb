"""
Matching: takers walk the opposite side by price, then time; every lot of a taker is given out once.

In      a BOOK and a taker: a user's order or background flow.
Out     executions and prints in the BOOK; levels and queues consumed in place.
Source  the venue's order-book page: price-time priority, maker prices, self-trade prevention by expiring the
        maker, margin of the resting side checked again at the match.

At one price the queue is: background ahead of the first user, that user, background up to the next user, ...

          front                                                  back
   asks   [ background ][ user A ][ background ][ user B ][ background ]
            ahead of A              ahead of B - ahead of A
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.book import (
    BACKGROUND,
    F_AGGRESSOR,
    F_LOTS,
    F_MAKER,
    F_ORDER,
    F_OTHER,
    F_PX,
    F_TID,
    P_AGGRESSOR,
    P_LOTS,
    P_PX,
    P_TAKER,
    P_TID,
    P_TIME,
    UNSEEN,
)
from mmfast.sim.levels import better, level_lots, level_row, take_level
from mmfast.sim.queueing import consume_ahead, first_user, remove_user
from mmfast.units import ASK, BID


@kernel
def best_px(book: Any, side: int) -> int:
    """Best price of a side, users' orders included; 0 if the side is empty."""
    px = 0
    if book["level_count"][side] > 0:
        px = book["px_ticks"][side, 0]
    if book["user_count"][side] > 0 and (px == 0 or better(side, book["user_px"][side, 0], px)):
        px = book["user_px"][side, 0]
    return px


@kernel
def would_cross(book: Any, side: int, px: int) -> bool:
    """True if an order of ``side`` at ``px`` would trade at once."""
    opposite = best_px(book, 1 - side)
    return opposite > 0 and not better(1 - side, px, opposite)


@kernel
def write_print(book: Any, px: int, lots: int, aggressor: int, tid: int, time_ms: int, taker: int) -> int:
    """Append a public trade; a ``tid`` of 0 takes the next one. The trade's id."""
    if tid == 0:
        tid = book["tid_next"]
        book["tid_next"] = tid + 1
    row = book["print_count"]
    book["print"][row, P_PX] = px
    book["print"][row, P_LOTS] = lots
    book["print"][row, P_AGGRESSOR] = aggressor
    book["print"][row, P_TID] = tid
    book["print"][row, P_TIME] = time_ms
    book["print"][row, P_TAKER] = taker
    book["print_count"] = row + 1
    book["volume_uusd"] += px * lots
    book["last_px"] = px
    return tid


@kernel
def write_fill(book: Any, order_id: int, lots: int, px: int, maker: int, other: int, aggressor: int, tid: int) -> None:
    """Append an execution of a user's order."""
    row = book["fill_count"]
    book["fill"][row, F_ORDER] = order_id
    book["fill"][row, F_LOTS] = lots
    book["fill"][row, F_PX] = px
    book["fill"][row, F_MAKER] = maker
    book["fill"][row, F_OTHER] = other
    book["fill"][row, F_AGGRESSOR] = aggressor
    book["fill"][row, F_TID] = tid
    book["fill_count"] = row + 1


@kernel
def use_room(book: Any, side: int, owner: int, lots: int) -> None:
    """A fill of one order leaves its owner's other orders of the side that much less room."""
    for row in range(book["user_count"][side]):
        if book["user_owner"][side, row] == owner:
            book["user_room"][side, row] -= lots


@kernel
def fillable(book: Any, side: int, row: int, lots: int) -> int:
    """What the order in ``row`` may fill of a taker's ``lots``; 0 if it is refused at the match."""
    mine = min(lots, book["user_lots"][side, row])
    room = max(book["user_room"][side, row], 0)
    if mine <= room:
        return mine
    return room if book["user_shrinks"][side, row] == 1 else 0


@kernel
def refuse_user(book: Any, side: int, row: int) -> None:
    """An order that may not fill goes; it is told from an expired one by its sign."""
    book["expired"][book["expired_count"]] = -1 - book["user_id"][side, row]
    book["expired_count"] += 1
    remove_user(book, side, row)


@kernel
def fill_user(book: Any, side: int, row: int, lots: int, px: int, order_id: int, time_ms: int, taker: int) -> None:
    """
    ``lots`` of the user's order in ``row`` of ``side`` trade at ``px`` with order ``order_id`` (BACKGROUND:
    flow).
    """
    aggressor = 1 - side
    tid = write_print(book, px, lots, aggressor, 0, time_ms, taker)
    maker_id = book["user_id"][side, row]
    write_fill(book, maker_id, lots, px, 1, order_id, aggressor, tid)
    if order_id != BACKGROUND:
        write_fill(book, order_id, lots, px, 0, maker_id, aggressor, tid)
    use_room(book, side, book["user_owner"][side, row], lots)
    book["user_lots"][side, row] -= lots
    if book["user_lots"][side, row] <= 0:
        remove_user(book, side, row)


@kernel
def expire_user(book: Any, side: int, row: int) -> None:
    """Self-trade prevention: the resting order goes instead of a trade."""
    book["expired"][book["expired_count"]] = book["user_id"][side, row]
    book["expired_count"] += 1
    remove_user(book, side, row)


@kernel
def take_background(book: Any, side: int, px: int, lots: int, order_id: int, time_ms: int, taker: int) -> None:
    """``lots`` of background volume at the front of ``px`` trade with order ``order_id``."""
    tid = book["tid_recorded"]
    book["tid_recorded"] = 0
    row = level_row(book, side, px)
    if row < book["level_count"][side] and book["px_ticks"][side, row] == px:
        take_level(book, side, row, lots)
    consume_ahead(book, side, px, lots)
    tid = write_print(book, px, lots, 1 - side, tid, time_ms, taker)
    if order_id != BACKGROUND:
        write_fill(book, order_id, lots, px, 0, BACKGROUND, 1 - side, tid)


@kernel
def take_users(book: Any, side: int, px: int, lots: int, hidden: int, order_id: int, owner: int, time_ms: int,
               taker: int) -> int:
    """
    A taker consumes ``px`` up to and including its last user; the lots the taker has left.

    ``hidden`` 1: the volume ahead of a user is taken as it stands, even where the displayed level is smaller
    (a recorded print is a fact, the level a guess), and an unseen queue is endless.
    """
    row = first_user(book, side, px)
    while lots > 0 and row < book["user_count"][side] and book["user_px"][side, row] == px:
        ahead = book["user_ahead"][side, row]
        if ahead == UNSEEN and hidden == 1:
            return lots
        first = min(lots, max(ahead, 0) if hidden == 1 else min(max(ahead, 0), level_lots(book, side, px)))
        if first > 0:
            take_background(book, side, px, first, order_id, time_ms, taker)
            lots -= first
        if lots > 0 and owner != BACKGROUND and book["user_owner"][side, row] == owner:
            expire_user(book, side, row)
            continue
        mine = fillable(book, side, row, lots)
        if mine > 0:
            fill_user(book, side, row, mine, px, order_id, time_ms, taker)
            lots -= mine
        elif lots > 0:
            refuse_user(book, side, row)
    return lots


@kernel
def take(book: Any, side: int, limit_px: int, lots: int, order_id: int, owner: int, time_ms: int, taker: int) -> int:
    """
    A taker of ``side`` (BID buys) walks the other side down to ``limit_px``; the lots left over.

    ``order_id`` and ``owner`` are BACKGROUND for background flow. ``notional_uusd`` of the BOOK grows by
    what traded.
    """
    other = 1 - side
    while lots > 0:
        px = best_px(book, other)
        if px == 0 or better(other, limit_px, px):
            break
        start = lots
        lots = take_users(book, other, px, lots, 0, order_id, owner, time_ms, taker)
        if lots > 0 and book["level_count"][other] > 0 and book["px_ticks"][other, 0] == px:
            rest = min(lots, book["lots"][other, 0])
            take_background(book, other, px, rest, order_id, time_ms, taker)
            lots -= rest
        book["notional_uusd"] += px * (start - lots)
    return lots


@kernel
def trade_through(book: Any, side: int, px: int, time_ms: int, taker: int) -> int:
    """
    Background flow traded beyond users' orders of ``side``: they are filled whole at their limits; the lots.
    """
    filled = 0
    while book["user_count"][side] > 0 and better(side, book["user_px"][side, 0], px):
        lots = fillable(book, side, 0, book["user_lots"][side, 0])
        if lots > 0:
            fill_user(book, side, 0, lots, book["user_px"][side, 0], BACKGROUND, time_ms, taker)
            filled += lots
        else:
            refuse_user(book, side, 0)
    return filled


@kernel
def apply_print(book: Any, aggressor: int, px: int, lots: int, tid: int, time_ms: int, taker: int) -> None:
    """
    A recorded trade happens again, with users' orders in its way.

    Orders at better prices are traded through and filled whole; orders at ``px`` are filled behind the
    volume ahead of them; what is left of the print's volume is printed as it was recorded. No lot of it is
    given out twice.
    """
    side = 1 - aggressor
    left = lots - trade_through(book, side, px, time_ms, taker)
    book["tid_recorded"] = tid
    if left > 0:
        left = take_users(book, side, px, left, 1, BACKGROUND, BACKGROUND, time_ms, taker)
    if left > 0:
        take_background(book, side, px, left, BACKGROUND, time_ms, taker)
    book["tid_recorded"] = 0


@kernel
def uncross(book: Any, time_ms: int, taker: int) -> None:
    """
    Background levels moved onto users' orders: they trade, at the users' prices, until the book is not
    crossed.

    The consumed background stays away until its level is shown again.
    """
    for side in (BID, ASK):
        other = 1 - side
        while book["user_count"][side] > 0 and book["level_count"][other] > 0:
            px = book["user_px"][side, 0]
            if better(other, px, book["px_ticks"][other, 0]):
                break
            lots = fillable(book, side, 0, book["lots"][other, 0])
            if lots > 0:
                fill_user(book, side, 0, lots, px, BACKGROUND, time_ms, taker)
                take_level(book, other, 0, lots)
            else:
                refuse_user(book, side, 0)
