"""
Background depth: the levels of one side, best first, as sorted columns of a BOOK.

In      a price, its lots and its count of orders.
Out     the level's row; rows inserted, changed and removed.
Source  a level-2 book is a sorted map from price to volume; these are its verbs.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.book import LEVELS
from mmfast.units import BID


@kernel
def better(side: int, px: int, other: int) -> bool:
    """True if an order of ``side`` at ``px`` ranks before one at ``other``."""
    return px > other if side == BID else px < other


@kernel
def level_row(book: Any, side: int, px: int) -> int:
    """First row of ``side`` whose price is not better than ``px``: its row, or where it would be inserted."""
    row = 0
    count = book["level_count"][side]
    while row < count and better(side, book["px_ticks"][side, row], px):
        row += 1
    return row


@kernel
def level_lots(book: Any, side: int, px: int) -> int:
    """Background lots at ``px``, 0 if there is no such level."""
    row = level_row(book, side, px)
    if row < book["level_count"][side] and book["px_ticks"][side, row] == px:
        return book["lots"][side, row]
    return 0


@kernel
def insert_level(book: Any, side: int, row: int, px: int, lots: int, count: int) -> None:
    """Put a level into ``row``. The side must not be full."""
    last = min(book["level_count"][side], LEVELS - 1)
    for k in range(last, row, -1):
        book["px_ticks"][side, k] = book["px_ticks"][side, k - 1]
        book["lots"][side, k] = book["lots"][side, k - 1]
        book["count"][side, k] = book["count"][side, k - 1]
    book["px_ticks"][side, row] = px
    book["lots"][side, row] = lots
    book["count"][side, row] = count
    book["level_count"][side] = last + 1


@kernel
def remove_level(book: Any, side: int, row: int) -> None:
    """Close the gap that the level in ``row`` leaves."""
    count = book["level_count"][side] - 1
    for k in range(row, count):
        book["px_ticks"][side, k] = book["px_ticks"][side, k + 1]
        book["lots"][side, k] = book["lots"][side, k + 1]
        book["count"][side, k] = book["count"][side, k + 1]
    book["level_count"][side] = count


@kernel
def take_level(book: Any, side: int, row: int, lots: int) -> None:
    """
    Take ``lots`` off the level in ``row``; it goes when nothing is left. Orders leave in proportion to
    volume.
    """
    before = book["lots"][side, row]
    left = before - lots
    if left <= 0:
        remove_level(book, side, row)
        return
    book["lots"][side, row] = left
    book["count"][side, row] = (book["count"][side, row] * left + before - 1) // before
