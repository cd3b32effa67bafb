"""
Calls from the shell: one-row arrays of records in, the kernels on their rows.

In      arrays of one BOOK and of one GENERATOR.
Out     what the kernels return.
Source  numba takes microseconds to recognise a record that Python hands over, and a fraction of one for an
        array.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.records.order import TIF_ALO, TIF_IOC
from mmfast.sim.display import background_mid, display
from mmfast.sim.levels import level_lots
from mmfast.sim.matching import take, would_cross
from mmfast.sim.queueing import join, remove_user, user_row


@kernel
def submit(books: Any, order_id: int, owner: int, side: int, px: int, lots: int, tif: int, now_ms: int,
           rate: int = 0) -> int:
    """
    A user's order trades and rests as its ``tif`` says; the lots that did not trade, -1 for a post-only
    cross.
    """
    book = books[0]
    book["notional_uusd"] = 0
    left = lots
    if tif == TIF_ALO:
        if would_cross(book, side, px):
            return -1
    else:
        left = take(book, side, px, lots, order_id, owner, now_ms, order_id)
    if left > 0 and tif != TIF_IOC:
        join(book, side, order_id, owner, px, left, rate, now_ms)
    return left


@kernel
def withdraw(books: Any, side: int, order_id: int, lots: int) -> int:
    """Take ``lots`` off a resting order, all of it at most; the lots it had before, 0 if it does not rest."""
    book = books[0]
    row = user_row(book, side, order_id)
    if row < 0:
        return 0
    before = book["user_lots"][side, row]
    if lots >= before:
        remove_user(book, side, row)
    else:
        book["user_lots"][side, row] = before - lots
    return before


@kernel
def shrink_at_match(books: Any, side: int, order_id: int) -> None:
    """A resting order is reduce-only: beyond its owner's room it shrinks instead of being refused."""
    row = user_row(books[0], side, order_id)
    if row >= 0:
        books[0]["user_shrinks"][side, row] = 1


@kernel
def set_room(books: Any, side: int, owner: int, room: int, reducing: int) -> None:
    """What an owner may trade by orders of a side, and by those of them that are reduce-only."""
    book = books[0]
    for row in range(book["user_count"][side]):
        if book["user_owner"][side, row] == owner:
            book["user_room"][side, row] = reducing if book["user_shrinks"][side, row] == 1 else room


@kernel
def place_in_queue(books: Any, side: int, order_id: int) -> tuple[int, int, int]:
    """(lots, background ahead, background behind) of a resting order; 0 lots if it does not rest."""
    book = books[0]
    row = user_row(book, side, order_id)
    if row < 0:
        return 0, 0, 0
    ahead = book["user_ahead"][side, row]
    level = level_lots(book, side, book["user_px"][side, row])
    return book["user_lots"][side, row], ahead, max(level - max(ahead, 0), 0)


@kernel
def show(books: Any, levels: int, out: Any) -> int:
    """The displayed book, into ``out`` (2, levels, 3); the rows of its longer side."""
    return display(books[0], levels, out)


@kernel
def mid_ticks(books: Any) -> float:
    """Mid of the background touch [ticks]."""
    return background_mid(books[0])
