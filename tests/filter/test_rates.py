"""Rates: kappa and A come out as the prints were made, and as configured while nothing was seen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import WLS
from support.parameters import default_parameters
from support.stages import START_NS, one

from mmfast.filter import rates
from mmfast.filter.state import FILTER
from mmfast.records.feature import FEATURES
from mmfast.units import ASK, BID, NS_PER_S

BEGIN = START_NS // NS_PER_S * NS_PER_S
PX = 100_000.0


def after(seconds: int, intensity: float, kappa: float, sigma_bps: float = 0.89, activity: float = 1.0, seed: int = 1,
          **changes: Any) -> Any:
    """A filter that has seen prints of these rates in a market that stands still at PX."""
    params, state, features = default_parameters(**changes), one(FILTER), one(FEATURES, activity=activity)
    rates.begin(state)
    state["placed"], state["anchor_px"], state["sigma_bps"] = 1, PX, sigma_bps
    random = np.random.default_rng(seed)
    for k in range(seconds):
        rates.learn(state, features, params, BEGIN + k * NS_PER_S + NS_PER_S // 2)  # ahead of the next second
        for side in (BID, ASK):
            depths = random.exponential(1.0 / kappa, random.poisson(intensity))
            sign = -1.0 if side == BID else 1.0
            features["reach_ticks"][side] = round(PX * 10 * (1.0 + sign * max(depths) * 1e-4)) if len(depths) else 0
        features["reach_ns"] = BEGIN + (k + 1) * NS_PER_S
        rates.learn(state, features, params, BEGIN + (k + 2) * NS_PER_S)
    return state


def test_while_nothing_is_seen_the_rates_are_the_configured_ones() -> None:
    state, params = one(FILTER), default_parameters()
    rates.begin(state)
    assert (state["kappa_gain"], state["intensity_gain"]) == (1.0, 1.0)
    state["placed"], state["anchor_px"], state["sigma_bps"] = 1, PX, 0.89
    rates._fit(state, params)
    assert (state["kappa_gain"], state["intensity_gain"]) == pytest.approx((1.0, 1.0), rel=1e-9)


@pytest.mark.parametrize(("intensity", "kappa"), [(0.2, 0.5), (0.4, 0.5), (0.2, 0.8), (0.1, 0.3)])
def test_prints_of_a_day_show_their_rates_whatever_was_configured(intensity: float, kappa: float) -> None:
    state = after(12_000, intensity, kappa, rates_prior_s=60.0)
    assert 0.5 * state["kappa_gain"] == pytest.approx(kappa, rel=0.15)
    assert 0.2 * state["intensity_gain"] == pytest.approx(intensity, rel=0.15)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=8, max_size=8), st.floats(600.0, 86_400.0), st.floats(0.5, 2.0))
def test_the_line_is_the_weighted_least_squares_of_statsmodels(shares: list[float], seconds: float,
                                                              activity: float) -> None:
    """Counts fall with depth; ln rate = ln A - kappa depth, each depth weighing its count."""
    params, state = default_parameters(), one(FILTER)
    rates.begin(state)
    state["reach_count"] = 0.3 * seconds * np.cumprod(0.3 + 0.7 * np.array(shares))
    state["reach_s"], state["reach_weight_s"] = seconds, activity * seconds
    rates._fit(state, params)
    depth, prior_s = np.array(rates.DEPTH), 2.0 * params["rates_prior_s"]
    count = state["reach_count"] + prior_s * -np.expm1(-params["intensity"] * np.exp(-depth))
    whole_s, weight_s = state["reach_s"] + prior_s, state["reach_weight_s"] + prior_s
    log_rate = np.log(-np.log1p(-count / whole_s) * whole_s / weight_s)
    base, slope = WLS(log_rate, np.column_stack([np.ones(8), depth]), weights=count).fit().params
    assert state["kappa_gain"] == pytest.approx(min(max(-slope, rates.KAPPA_MIN), rates.KAPPA_MAX), rel=1e-9)
    gain = math.exp(base) / params["intensity"]
    assert state["intensity_gain"] == pytest.approx(min(max(gain, rates.INTENSITY_MIN), rates.INTENSITY_MAX), rel=1e-9)


def test_what_was_configured_weighs_as_much_as_the_seconds_it_stands_for() -> None:
    doubts = [after(4000, 0.2, 1.0, rates_prior_s=prior_s)["kappa_gain"] for prior_s in (60.0, 4000.0, 1e9)]
    assert doubts[0] > doubts[1] > doubts[2] == pytest.approx(1.0, abs=1e-3)
    assert doubts[0] == pytest.approx(2.0, rel=0.2)


def test_a_volatile_or_busy_market_is_no_news_about_the_usual_one() -> None:
    power = default_parameters()["kappa_sigma_power"]
    state = after(12_000, 0.4, 0.5 * 4.0**-power, sigma_bps=4 * 0.89, activity=2.0, rates_prior_s=60.0)
    assert (state["kappa_gain"], state["intensity_gain"]) == pytest.approx((1.0, 1.0), rel=0.15)


def test_prints_reach_further_in_a_volatile_market() -> None:
    """With the power of one half it is the design's 1, 0.8 and 0.5 at the usual volatilities of the three modes."""
    params = default_parameters(kappa_sigma_power=0.5)
    assert [round(rates.calm(0.89 * ratio, params), 1) for ratio in (1.0, 1.5, 4.0)] == [1.0, 0.8, 0.5]
    assert rates.calm(5.0, default_parameters(kappa_sigma_power=0.0)) == 1.0
    for absurd in (0.0, 1e300, -1.0):
        assert 0.0 < rates.calm(absurd, params) < math.inf


def test_seconds_without_a_usable_belief_are_not_counted() -> None:
    params, state, features = default_parameters(), one(FILTER), one(FEATURES)
    rates.begin(state)
    for k in range(10):
        features["reach_ns"], features["reach_ticks"] = BEGIN + k * NS_PER_S, (1, 10**9)
        rates.learn(state, features, params, BEGIN + (k + 1) * NS_PER_S)
    assert state["reach_s"] == 0.0
    assert state["kappa_gain"] == 1.0


def test_absurd_prints_keep_the_gains_within_their_bounds() -> None:
    for intensity, kappa in ((0.0, 1.0), (50.0, 1e-6), (50.0, 1e6)):
        state = after(600, intensity, kappa, rates_prior_s=60.0)
        assert rates.KAPPA_MIN <= state["kappa_gain"] <= rates.KAPPA_MAX
        assert rates.INTENSITY_MIN <= state["intensity_gain"] <= rates.INTENSITY_MAX
