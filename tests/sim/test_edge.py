"""Calls from the shell."""

from __future__ import annotations

import numpy as np

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.sim.book import new_book
from mmfast.sim.edge import mid_ticks, place_in_queue, show, submit, withdraw
from mmfast.sim.queueing import set_level
from mmfast.units import ASK, BID


def test_orders_trade_and_rest_as_their_tif_says() -> None:
    books = new_book("T")
    set_level(books[0], ASK, 101, 10, 1)
    assert submit(books, 1, 7, BID, 101, 5, TIF_ALO, 0) == -1
    assert submit(books, 2, 7, BID, 101, 4, TIF_IOC, 0) == 0
    assert books[0]["notional_uusd"] == 404
    assert submit(books, 3, 7, BID, 101, 9, TIF_GTC, 0) == 3
    assert place_in_queue(books, BID, 3) == (3, 0, 0)
    assert submit(books, 4, 7, BID, 101, 5, TIF_IOC, 0) == 5
    assert place_in_queue(books, BID, 4) == (0, 0, 0)


def test_withdrawing_part_keeps_the_place() -> None:
    books = new_book("T")
    set_level(books[0], BID, 100, 10, 1)
    submit(books, 1, 7, BID, 100, 8, TIF_ALO, 0)
    set_level(books[0], BID, 100, 25, 1)
    assert withdraw(books, BID, 1, 3) == 8
    assert place_in_queue(books, BID, 1) == (5, 10, 15)
    assert withdraw(books, BID, 1, 99) == 5
    assert withdraw(books, BID, 1, 99) == 0


def test_shows_the_book() -> None:
    books, out = new_book("T"), np.zeros((2, 1, 3), np.int64)
    set_level(books[0], BID, 100, 10, 1)
    set_level(books[0], ASK, 102, 10, 1)
    assert show(books, 1, out) == 1
    assert out.tolist() == [[[100, 10, 1]], [[102, 10, 1]]]
    assert mid_ticks(books) == 101.0
