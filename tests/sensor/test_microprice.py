"""Micro-price: between bid and ask, nearer to the thin side."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import one

from mmfast.records.market import BOOK
from mmfast.sensor.microprice import depth_weighted_bps, error_variance, weighted_mid

size = st.floats(1e-6, 1e9)


@settings(max_examples=50, deadline=None)
@given(size, size)
def test_it_stays_inside_the_touch_and_swaps_with_the_sides(bid_size: float, ask_size: float) -> None:
    here, there = weighted_mid(99.0, 101.0, bid_size, ask_size), weighted_mid(99.0, 101.0, ask_size, bid_size)
    assert 99.0 <= here <= 101.0
    assert here - 100.0 == pytest.approx(100.0 - there, abs=1e-9)


def test_touch_of_the_worked_example() -> None:
    assert weighted_mid(99_999.0, 100_001.0, 6.0, 4.0) == pytest.approx(100_000.20)
    assert error_variance(0.10) == pytest.approx(0.0425)


def test_the_depth_weighted_price_equals_its_definition() -> None:
    random, book = np.random.default_rng(3), one(BOOK, level_count=(20, 20))
    for k in range(20):
        book["px_ticks"][:, k] = 999_990 - 13 * k, 1_000_010 + 17 * k
        book["lots"][:, k] = random.integers(1, 900, 2)
    means, sizes = [], []
    for side in range(2):
        px, lots = book["px_ticks"][side] / 1.0, book["lots"][side]
        weight = lots * np.exp(-np.abs(px / 1e6 - 1.0) * 1e4 / 2.0)
        means.append((weight * px).sum() / weight.sum())
        sizes.append(weight.sum())
    px = (means[1] * sizes[0] + means[0] * sizes[1]) / sum(sizes)
    assert depth_weighted_bps(book, 1e6) == pytest.approx(1e4 * (px / 1e6 - 1.0), abs=1e-9)


def test_a_book_without_a_side_has_no_depth_weighted_price() -> None:
    assert math.isnan(depth_weighted_bps(one(BOOK), 1e6))
    assert math.isnan(depth_weighted_bps(one(BOOK, level_count=(3, 3)), 1e6))
    assert math.isnan(depth_weighted_bps(one(BOOK), math.nan))
