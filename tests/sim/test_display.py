"""The displayed book."""

from __future__ import annotations

import math

import numpy as np

from mmfast.sim.book import new_book
from mmfast.sim.display import background_mid, display
from mmfast.sim.queueing import join, set_level
from mmfast.units import ASK, BID


def test_background_and_users_of_one_price_are_one_level() -> None:
    book, out = new_book("T")[0], np.full((2, 3, 3), -1, np.int64)
    set_level(book, BID, 100, 30, 4)
    set_level(book, BID, 98, 10, 1)
    join(book, BID, 1, 7, 99, 5)
    join(book, BID, 2, 7, 98, 6)
    join(book, ASK, 3, 7, 101, 7)
    assert display(book, 3, out) == 3
    assert out[BID].tolist() == [[100, 30, 4], [99, 5, 1], [98, 16, 2]]
    assert out[ASK].tolist() == [[101, 7, 1], [0, 0, 0], [0, 0, 0]]


def test_the_mark_does_not_see_users() -> None:
    book = new_book("T")[0]
    assert math.isnan(background_mid(book))
    set_level(book, BID, 100, 30, 4)
    set_level(book, ASK, 110, 30, 4)
    join(book, BID, 1, 7, 109, 5)
    assert background_mid(book) == 105.0
