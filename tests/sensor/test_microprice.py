"""Micro-price: between bid and ask, nearer to the thin side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.sensor.microprice import error_variance, weighted_mid

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
