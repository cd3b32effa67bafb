"""Unwind: triggers where the model says, only ever reduces, and never without reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters
from support.stages import a_belief, decide

from mmfast.executor.unwind import COOLDOWN_NS, may_take, taking_cost_bps, target_clips, worth_bps
from mmfast.records.belief import BELIEF_STALE
from mmfast.records.quote import TAKE_NO_BELIEF, TAKE_NOT_WORTH, TAKE_TOO_SMALL, TAKE_WANTED
from mmfast.units import ASK, BID

SIGMA = 0.8900574
PLAIN = {"sigma_ref_bps": SIGMA, "adverse_bps": 0.5}


def quote_at(utilisation: float, belief: Any = None, **changes: Any) -> Any:
    belief = a_belief(sigma_bps=SIGMA, mode_p=(1.0, 0.0, 0.0), touch_lots=(10**7, 10**7)) if belief is None else belief
    return decide(belief, round(50_000 * utilisation), default_parameters(**PLAIN, **changes))


def test_cost_of_taking_is_that_of_the_worked_example() -> None:
    assert taking_cost_bps(4.5, 0.1) == pytest.approx(4.90)


@pytest.mark.parametrize(("u", "worth"), [(0.3, 1.07), (0.5, 2.39), (0.7, 4.29), (0.8, 5.48)])
def test_worth_of_the_way_out_by_utilisation(u: float, worth: float) -> None:
    assert worth_bps(u * 25, float(quote_at(u)["a_bps"]), 0.0) == pytest.approx(worth, abs=0.01)


def test_it_starts_at_three_quarters_of_the_limit_with_the_defaults() -> None:
    wanted = [u for u in np.arange(0.0, 1.0, 0.01) if quote_at(u)["take_reason"] == TAKE_WANTED]
    assert min(wanted) == pytest.approx(0.78, abs=0.01)
    assert len(wanted) == round((1.0 - min(wanted)) * 100)


@pytest.mark.parametrize("u", [0.85, -0.85])
def test_it_goes_on_to_where_the_next_clip_is_worth_its_cost(u: float) -> None:
    quote = quote_at(u)
    left = (abs(quote["position_lots"]) - quote["take_lots"]) / 2000
    assert worth_bps(left, float(quote["a_bps"]), 0.0) == pytest.approx(4.90, abs=1e-3)
    assert quote["take_side"] == (ASK if u > 0 else BID)
    touch = 999_990 if u > 0 else 1_000_010
    assert abs(quote["take_px_ticks"] - touch) <= 1e-4 * touch
    assert (quote["take_px_ticks"] - touch) * (1 if u > 0 else -1) <= 0


def test_a_drift_against_us_brings_the_exit_forward_and_one_for_us_delays_it() -> None:
    falling, rising = (a_belief(sigma_bps=SIGMA, mode_p=(1.0, 0.0, 0.0), touch_lots=(10**7, 10**7), mu_bps_s=mu)
                       for mu in (-0.05, 0.05))
    assert quote_at(0.7)["take_reason"] == TAKE_NOT_WORTH
    assert quote_at(0.7, falling)["take_reason"] == TAKE_WANTED
    assert quote_at(0.8)["take_reason"] == TAKE_WANTED
    assert quote_at(0.8, rising)["take_reason"] == TAKE_NOT_WORTH


def test_it_takes_at_most_a_quarter_of_the_touch() -> None:
    belief = a_belief(sigma_bps=SIGMA, mode_p=(1.0, 0.0, 0.0), touch_lots=(400, 10**7))
    assert quote_at(0.9, belief)["take_lots"] == 100
    belief["touch_lots"] = (3, 10**7)
    assert quote_at(0.9, belief)["take_reason"] == TAKE_TOO_SMALL


def test_an_unusable_belief_takes_nothing() -> None:
    quote = quote_at(0.9, a_belief(status=BELIEF_STALE))
    assert (quote["take_reason"], quote["take_lots"]) == (TAKE_NO_BELIEF, 0)


def test_target_leaves_no_side_of_zero() -> None:
    assert target_clips(0.2, 0.0, 4.9) == pytest.approx(12.75)
    assert target_clips(0.2, -50.0, 4.9) == 0.0


def test_a_second_must_pass_between_two() -> None:
    assert may_take(0, 5)
    assert not may_take(10**9, 10**9 + COOLDOWN_NS - 1)
    assert may_take(10**9, 10**9 + COOLDOWN_NS)


extreme = st.sampled_from([0.0, -1.0, 1e-300, 1e300, math.nan, math.inf, 0.89, 50.0])


@settings(max_examples=100, deadline=None)
@given(st.integers(-(2**40), 2**40), extreme, extreme, extreme, st.integers(0, 2**40))
def test_it_only_ever_reduces(position: int, sigma: float, mu: float, half_spread: float, lots: int) -> None:
    belief = a_belief(sigma_bps=sigma, mu_bps_s=mu, half_spread_bps=half_spread, touch_lots=(lots, lots))
    quote = decide(belief, position, default_parameters(**PLAIN))
    assert 0 <= quote["take_lots"] <= max(abs(position), 0)
    if quote["take_lots"] > 0:
        assert quote["take_side"] == (ASK if position > 0 else BID)
        assert quote["take_lots"] <= 0.25 * lots
        assert quote["take_lots"] * quote["take_px_ticks"] >= 10_500_000
        assert quote["take_px_ticks"] % 10 == 0
