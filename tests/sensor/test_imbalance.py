"""Imbalance: bid-positive, bounded, unknown where there is nothing."""

from __future__ import annotations

import math

import pytest
from support.stages import one

from mmfast.records.market import BOOK
from mmfast.sensor.imbalance import band_imbalance, book_imbalance, imbalance


@pytest.mark.parametrize(("bid", "ask", "value"), [(6.0, 4.0, 0.2), (4.0, 6.0, -0.2), (5.0, 5.0, 0.0), (5.0, 0.0, 1.0)])
def test_heavier_bid_is_positive(bid: float, ask: float, value: float) -> None:
    assert imbalance(bid, ask) == pytest.approx(value)


@pytest.mark.parametrize(("bid", "ask"), [(0.0, 0.0), (math.nan, 1.0), (-1.0, 3.0), (3.0, -1.0)])
def test_what_is_no_size_is_unknown(bid: float, ask: float) -> None:
    assert math.isnan(imbalance(bid, ask))


def test_book_counts_five_levels_and_no_more() -> None:
    book = one(BOOK, level_count=(7, 5))
    book["lots"][0, :7] = [1, 1, 1, 1, 1, 100, 100]
    book["lots"][1, :5] = [3, 3, 3, 3, 3]
    assert book_imbalance(book) == pytest.approx(-0.5)
    book["level_count"] = (7, 4)
    assert math.isnan(book_imbalance(book))


def test_a_band_is_there_only_where_the_book_reaches() -> None:
    book = one(BOOK, level_count=(20, 20))
    for k in range(20):
        book["px_ticks"][:, k] = 1_000_000 - 100 * (k + 1), 1_000_000 + 100 * (k + 1)
        book["lots"][:, k] = (30, 10) if k < 10 else (10, 50)
    assert band_imbalance(book, 1e6, 10.0) == pytest.approx(0.5)
    assert band_imbalance(book, 1e6, 15.0) == pytest.approx((350 - 350) / 700)
    assert math.isnan(band_imbalance(book, 1e6, 25.0))
    assert math.isnan(band_imbalance(book, math.nan, 10.0))
    book["level_count"] = (20, 0)
    assert math.isnan(band_imbalance(book, 1e6, 10.0))
