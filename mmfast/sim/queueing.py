"""
Queue position: where a user's order stands among background volume of which only the sum is known.

In      a BOOK; joins, cancels, changes of displayed volume.
Out     ``user_ahead`` of every resting order of a user.
Source  the probabilistic queue model with proportional cancels (hftbacktest, "Order Fill"; Rigtorp 2013,
        "Estimating order queue position"): of c lots cancelled at a level, c x ahead / (ahead + behind) were
        ahead.

Behind is not stored: it is the level's lots minus ahead. Users' orders at one price keep their order of
arrival, those that paid for a better place excepted, and ``ahead`` never decreases along the queue.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.book import ENDLESS, LEVELS, UNSEEN, USERS
from mmfast.sim.levels import better, insert_level, level_lots, level_row, remove_level

LOCKED_AFTER_MS = 400  # a place in a level cannot be passed any more


@kernel
def user_row(book: Any, side: int, order_id: int) -> int:
    """Row of an order in its side's list, -1 if it does not rest."""
    for row in range(book["user_count"][side]):
        if book["user_id"][side, row] == order_id:
            return row
    return -1


@kernel
def first_user(book: Any, side: int, px: int) -> int:
    """First row of ``side`` whose price is not better than ``px``."""
    row = 0
    count = book["user_count"][side]
    while row < count and better(side, book["user_px"][side, row], px):
        row += 1
    return row


@kernel
def move_user(book: Any, side: int, to: int, of: int) -> None:
    """Copy the order in row ``of`` to row ``to``."""
    book["user_id"][side, to] = book["user_id"][side, of]
    book["user_owner"][side, to] = book["user_owner"][side, of]
    book["user_px"][side, to] = book["user_px"][side, of]
    book["user_lots"][side, to] = book["user_lots"][side, of]
    book["user_ahead"][side, to] = book["user_ahead"][side, of]
    book["user_room"][side, to] = book["user_room"][side, of]
    book["user_shrinks"][side, to] = book["user_shrinks"][side, of]
    book["user_rate"][side, to] = book["user_rate"][side, of]
    book["user_joined_ms"][side, to] = book["user_joined_ms"][side, of]


@kernel
def in_view(book: Any, side: int, px: int) -> bool:
    """True if the depth at ``px`` is known: an absent level there is an empty one."""
    return not better(side, book["view_px"][side], px)


@kernel
def row_to_join(book: Any, side: int, px: int, rate: int, now_ms: int) -> int:
    """
    Row of a new order at ``px``: the back, before those that paid less and whose place is not locked by age yet.
    """
    count = book["user_count"][side]
    row = first_user(book, side, px)
    while row < count and book["user_px"][side, row] == px:
        row += 1
    while (row > 0 and book["user_px"][side, row - 1] == px and book["user_rate"][side, row - 1] < rate
           and now_ms - book["user_joined_ms"][side, row - 1] <= LOCKED_AFTER_MS):
        row -= 1
    return row


@kernel
def join(book: Any, side: int, order_id: int, owner: int, px: int, lots: int, rate: int = 0, now_ms: int = 0) -> bool:
    """
    Rest an order at the back of its price: all displayed volume there is ahead of it. False if the side is
    full.

    One that passes users' younger orders by its ``rate`` passes the background that came after them too; all other
    background counts as older.
    """
    count = book["user_count"][side]
    if count >= USERS:
        return False
    row = row_to_join(book, side, px, rate, now_ms)
    ahead = level_lots(book, side, px)
    if ahead == 0 and not in_view(book, side, px):
        ahead = UNSEEN
    if row < count and book["user_px"][side, row] == px:
        ahead = book["user_ahead"][side, row]
    for k in range(count, row, -1):
        move_user(book, side, k, k - 1)
    book["user_id"][side, row] = order_id
    book["user_owner"][side, row] = owner
    book["user_px"][side, row] = px
    book["user_lots"][side, row] = lots
    book["user_ahead"][side, row] = ahead
    book["user_rate"][side, row] = rate
    book["user_joined_ms"][side, row] = now_ms
    book["user_room"][side, row] = ENDLESS
    book["user_shrinks"][side, row] = 0
    book["user_count"][side] = count + 1
    return True


@kernel
def remove_user(book: Any, side: int, row: int) -> None:
    """Close the gap that the order in ``row`` leaves."""
    count = book["user_count"][side] - 1
    for k in range(row, count):
        move_user(book, side, k, k + 1)
    book["user_count"][side] = count


@kernel
def shrink_ahead(book: Any, side: int, px: int, before: int, after: int) -> None:
    """
    Displayed volume at ``px`` went from ``before`` to ``after`` without trades: cancels fall in proportion.
    """
    row = first_user(book, side, px)
    while row < book["user_count"][side] and book["user_px"][side, row] == px:
        ahead = book["user_ahead"][side, row]
        if ahead == UNSEEN or before <= 0:  # the level comes into view: what was unknown is all ahead
            book["user_ahead"][side, row] = after if ahead == UNSEEN else min(ahead, after)
        elif after < before:
            book["user_ahead"][side, row] = (ahead * after + before - 1) // before  # a lot that may be ahead is
        row += 1


@kernel
def drop_level(book: Any, side: int, row: int) -> None:
    """Makers cancel all that rests in the level of ``row``."""
    shrink_ahead(book, side, book["px_ticks"][side, row], book["lots"][side, row], 0)
    remove_level(book, side, row)


@kernel
def set_level(book: Any, side: int, px: int, lots: int, count: int) -> None:
    """
    Makers change the background volume at ``px`` to ``lots`` (0: none): less is cancels, more joins behind.
    """
    row = level_row(book, side, px)
    there = row < book["level_count"][side] and book["px_ticks"][side, row] == px
    if not there and lots > 0 and book["level_count"][side] == LEVELS:
        if row == LEVELS:
            return
        drop_level(book, side, LEVELS - 1)
    if there and lots <= 0:
        drop_level(book, side, row)
        return
    shrink_ahead(book, side, px, book["lots"][side, row] if there else 0, lots)
    if there:
        book["lots"][side, row] = lots
        book["count"][side, row] = count
    elif lots > 0:
        insert_level(book, side, row, px, lots, count)


@kernel
def consume_ahead(book: Any, side: int, px: int, lots: int) -> None:
    """``lots`` traded at the front of the queue at ``px``."""
    row = first_user(book, side, px)
    while row < book["user_count"][side] and book["user_px"][side, row] == px:
        if book["user_ahead"][side, row] != UNSEEN:
            book["user_ahead"][side, row] = max(book["user_ahead"][side, row] - lots, 0)
        row += 1
