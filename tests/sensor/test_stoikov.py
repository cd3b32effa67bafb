"""Stoikov's micro-price: lookup by imbalance and spread."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters

from mmfast.sensor.stoikov import above_mid_bps

lots = st.integers(1, 10**9)


@settings(max_examples=60, deadline=None)
@given(lots, lots, st.integers(1, 50))
def test_it_is_antisymmetric_and_near_the_touch(bid_lots: int, ask_lots: int, steps: int) -> None:
    params = default_parameters()
    bid, ask = 1_000_000, 1_000_000 + 10 * steps
    there = above_mid_bps(params, bid, ask, bid_lots, ask_lots)
    back = above_mid_bps(params, bid, ask, ask_lots, bid_lots)
    reach_bps = 1e4 * (5 * steps + 20) / (1_000_000 + 5 * steps)
    assert abs(there) <= reach_bps + 1e-9
    if bid_lots * 10 % (bid_lots + ask_lots):  # not on the border of two bins
        assert there == pytest.approx(-back)


def test_a_touch_without_size_has_no_micro_price() -> None:
    params = default_parameters()
    assert math.isnan(above_mid_bps(params, 999_990, 1_000_010, 0, 0))
    assert math.isnan(above_mid_bps(params, 1_000_010, 999_990, 5, 5))
    assert math.isnan(above_mid_bps(params, 0, 10, 5, 5))
