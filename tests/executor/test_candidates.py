"""Candidates: legal prices, rounded outward, never across the touch, never twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters
from support.stages import a_belief, decide, one

from mmfast.executor.candidates import ladder, legal_price, level_spacing
from mmfast.records.quote import QUOTE, SURFACE
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.rounding import is_legal


def a_surface(bid_depth: float, ask_depth: float) -> object:
    return one(SURFACE, depth_bps=(bid_depth, ask_depth), kappa=(0.5, 0.5), intensity=(0.2, 0.2),
               cost_bps=(2.0, 2.0), a_bps=0.08)


def prices(side: int, depth: float, **changes: object) -> list[int]:
    quote = one(QUOTE)
    count = ladder(side, a_belief(), a_surface(depth, depth), default_parameters(**changes), quote)
    return [int(px) for px in quote["px_ticks"][side, :count]]


def test_each_level_has_the_wanted_share_of_the_fills_of_the_one_before() -> None:
    quote, params = one(QUOTE), default_parameters()
    assert ladder(BID, a_belief(), a_surface(4.0, 4.0), params, quote) == 3
    rates = quote["fill_rate"][BID, :3]
    assert rates[1] / rates[0] == pytest.approx(0.6, rel=0.05)  # whole dollars are 0.1 bp
    assert level_spacing(params) == pytest.approx(1.0217, abs=1e-4)


def test_levels_beyond_the_deepest_depth_are_left_out() -> None:
    assert len(prices(BID, 7.5)) == 1
    assert prices(BID, 8.1) == []


def test_a_quote_below_the_fair_value_stops_before_the_other_touch_as_one_level() -> None:
    assert prices(ASK, -3.0) == [1_000_000]
    assert prices(BID, -3.0) == [1_000_000]
    assert prices(ASK, -0.5)[0] == 1_000_000
    assert len(prices(ASK, -0.5)) == 3


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([BID, ASK]), st.floats(-50.0, 50.0), st.integers(1, 99_999_999), st.integers(1, 1000),
       st.sampled_from([1, 10, 100, 10_000, 1_000_000]), st.floats(-30.0, 30.0))
def test_prices_are_legal_outward_and_never_cross(side: int, depth: float, bid: int, width: int, ticks_per_usd: int,
                                                  off_bps: float) -> None:
    ask = bid + width
    fair = (bid + ask) / 2 / ticks_per_usd * (1 + off_bps * 1e-4)
    belief = a_belief(fair_px=fair, touch_ticks=(bid, ask))
    px = legal_price(side, depth, belief, default_parameters(ticks_per_usd=ticks_per_usd))
    if px <= 0:
        return
    assert is_legal(px, ticks_per_usd)
    wanted = fair * (1 - (depth if side == BID else -depth) * 1e-4) * ticks_per_usd
    if side == BID:
        assert px < ask
        assert px <= wanted + 1e-6
    else:
        assert px > bid
        assert px >= wanted - 1e-6


@pytest.mark.parametrize("fair", [0.0, -1.0, 1e300, float("nan"), float("inf")])
def test_a_fair_value_that_is_no_price_has_no_candidates(fair: float) -> None:
    assert legal_price(BID, 4.0, a_belief(fair_px=fair), default_parameters()) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40_000), st.floats(-0.02, 0.02), st.floats(-0.9, 0.9), st.floats(0.3, 3.0))
def test_edge_is_antisymmetric_in_inventory_drift_and_flow(position: int, mu: float, imbalance: float,
                                                           sigma: float) -> None:
    params = default_parameters(depth_max_bps=1e3, edge_min_bps=-1e3)
    here = decide(a_belief(mu_bps_s=mu, imbalance=imbalance, sigma_bps=sigma), position, params)
    there = decide(a_belief(mu_bps_s=-mu, imbalance=-imbalance, sigma_bps=sigma), -position, params)
    for side in (BID, ASK):
        np.testing.assert_allclose(here["edge_bps"][side], there["edge_bps"][1 - side], rtol=1e-6, atol=1e-6)
        np.testing.assert_array_equal(here["px_ticks"][side, :1] + there["px_ticks"][1 - side, :1],
                                      2_000_000 if here["level_count"][side] else 0)
