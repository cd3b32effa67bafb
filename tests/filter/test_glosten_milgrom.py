"""Glosten-Milgrom: formula against Monte Carlo, signs, bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import one

from mmfast.filter.glosten_milgrom import absorb, informed_share, posterior
from mmfast.filter.state import FILTER


@pytest.mark.parametrize(("delta", "variance", "informed"), [(3.5, 8.06, 0.15), (0.5, 2.0, 0.4), (-1.0, 4.0, 0.3)])
def test_moments_equal_monte_carlo(delta: float, variance: float, informed: float) -> None:
    random, n = np.random.default_rng(12), 2_000_000
    value = random.normal(0.0, np.sqrt(variance), n)
    knows, buys = random.random(n) < informed, random.random(n) < 0.5
    traded = value[np.where(knows, value > delta, buys)]
    shift, left = posterior(delta, variance, informed)
    assert shift == pytest.approx(traded.mean(), abs=5.0 * traded.std() / traded.size**0.5)
    assert left == pytest.approx(traded.var(), rel=0.01)


def test_fill_of_the_worked_example() -> None:
    shift, _ = posterior(3.5, 0.339**2 + 0.7922 * 10.0, 0.15)
    assert shift == pytest.approx(0.18, abs=2e-3)


@pytest.mark.parametrize(("clips", "share"), [(1.0, 0.15), (4.0, 0.225), (0.25, 0.075), (0.0, 0.0), (1e9, 0.225)])
def test_larger_orders_know_more_up_to_half_as_much_again(clips: float, share: float) -> None:
    assert informed_share(0.15, clips) == pytest.approx(share)


def test_a_lifted_ask_raises_the_value_and_a_hit_bid_lowers_it_equally() -> None:
    up, down = (one(FILTER, v_var=0.1, vmu_cov=0.001, mu_var=0.002) for _ in range(2))
    absorb(up, 1, 3.0, 0.15, 8.0, 0.02, 4e-4, 2e-4)
    absorb(down, -1, 3.0, 0.15, 8.0, 0.02, 4e-4, 2e-4)
    assert up["v_bps"] == -down["v_bps"] > 0.0
    assert up["mu_bps_s"] == -down["mu_bps_s"] > 0.0
    assert up["v_var"] == down["v_var"]


def test_noise_takers_are_no_news() -> None:
    state = one(FILTER, v_var=0.1, vmu_cov=0.001, mu_var=0.002)
    absorb(state, 1, 3.0, 0.0, 8.0, 0.02, 4e-4, 2e-4)
    assert state["v_bps"] == 0.0
    assert state["v_var"] == pytest.approx(0.1)


@settings(max_examples=80, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.floats(0.0, 0.95), st.floats(-1.0, 1.0))
def test_belief_stays_positive_and_finite(delta: float, v_var: float, informed: float, correlation: float) -> None:
    state = one(FILTER, v_var=v_var, mu_var=0.0025, vmu_cov=0.99 * correlation * (v_var * 0.0025) ** 0.5)
    absorb(state, 1, delta, informed, 8.0, 0.02, 4e-4, 2e-4)
    assert np.isfinite(state["v_bps"])
    assert state["v_bps"] >= 0.0
    assert state["v_var"] > 0.0
    assert state["v_var"] * state["mu_var"] > state["vmu_cov"] ** 2
