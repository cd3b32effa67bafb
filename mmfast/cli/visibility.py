"""
Visibility: how much of what everybody sees at a price is ours.

In      resting orders; the newest books of their coin that the market ring still holds. In a book of merged prices an
        order is part of the next price outwards.
Out     the share of each order's level that is ours, None where no book has shown it since it rested.
Source  a book shows us among the others: whoever is most of a level tells where he stands, and moves it by leaving.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.records.market import BBO, BOOK, KIND_BOOK, MARKET
from mmfast.rings.broadcast import READ, head, receive
from mmfast.rings.region import House
from mmfast.topology import MARKET_SLOTS
from mmfast.units import BID

KINDS = 3  # fast books are fresh, slow ones reach further, those of merged prices furthest


def visibility(house: House, inst: int, orders: list[np.void]) -> list[float | None]:
    """The share of each of ``orders`` of a coin in the level it rests at."""
    books = newest_books(house, inst) if orders else []
    return [next((share for book in books if (share := share_of(order, book)) is not None), None) for order in orders]


def share_of(order: Any, book: Any) -> float | None:
    """Share of an order in its level of a book, at most 1; None if the book is older or does not show the level."""
    resting_ns = int(order["ts_open_ns"]) or int(order["ts_acked_ns"])
    if not 0 < resting_ns < int(book["ts_recv_ns"]):
        return None
    side = int(order["side"])
    levels, px = book["px_ticks"][side, : int(book["level_count"][side])], int(order["px_ticks"])
    outwards = px - levels if side == BID else levels - px
    step = int(np.abs(np.diff(levels)).min()) if book["wide"] and len(levels) > 1 else 1
    at = np.flatnonzero((outwards >= 0) & (outwards < step))
    shown = int(book["lots"][side, at[0]]) if len(at) else 0
    return min((int(order["lots"]) - int(order["filled_lots"])) / shown, 1.0) if shown > 0 else None


def newest_books(house: House, inst: int) -> list[Any]:
    """The newest book of a coin of each kind in the ring; those of merged prices last, else newest first."""
    found: list[Any] = []
    ring, buffer = house.address["market"], np.zeros(1, MARKET)
    newest = head(ring)
    for position in range(newest - 1, max(newest - MARKET_SLOTS, -1), -1):
        if receive(ring, position, buffer.ctypes.data, BBO.itemsize) != READ:
            break
        if buffer["kind"][0] != KIND_BOOK or buffer["inst"][0] != inst:
            continue
        if receive(ring, position, buffer.ctypes.data, BOOK.itemsize) != READ:
            break
        book = buffer.view(BOOK)[0].copy()
        if all((book["fast"], book["wide"]) != (other["fast"], other["wide"]) for other in found):
            found.append(book)
        if len(found) == KINDS:
            break
    return sorted(found, key=lambda book: int(book["wide"]))
