"""Evidence: bustle speaks for a mode, silence says nothing, and a level is not heard over and over."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters
from support.stages import one

from mmfast.filter.evidence import TEMPER, log_likelihood, weigh
from mmfast.filter.state import CRISIS, FILTER, QUIET, TRENDING

NAN = math.nan


def score(mode: int, activity: float = NAN, imbalance: float = NAN, liquidation: float = NAN, rv: float = NAN,
          dt_s: float = 1.0) -> float:
    return log_likelihood(mode, dt_s, activity, imbalance, liquidation, rv, math.log(0.89 * (1.0, 1.5, 4.0)[mode]))


@pytest.mark.parametrize("wrong", [NAN, 0.0, -1.0, math.inf])
def test_what_is_missing_says_nothing(wrong: float) -> None:
    assert score(QUIET, wrong, NAN, wrong, wrong) == 0.0
    assert score(QUIET, imbalance=0.0) == 0.0


def test_a_calm_market_is_quiet_and_a_storm_a_crisis() -> None:
    calm = [score(mode, 1.0, 0.2, 1.0, 0.79) for mode in range(3)]
    storm = [score(mode, 4.0, 0.9, 5.0, 12.7) for mode in range(3)]
    assert calm[QUIET] > calm[TRENDING] > calm[CRISIS]
    assert storm[CRISIS] > storm[TRENDING] > storm[QUIET]


def test_a_reading_that_stands_for_its_memory_counts_once() -> None:
    often = sum(score(CRISIS, 1.0, dt_s=0.1) for _ in range(100))
    assert often == pytest.approx(score(CRISIS, 1.0, dt_s=10.0))
    assert score(CRISIS, 1.0, dt_s=1e9) == score(CRISIS, 1.0, dt_s=10.0)
    assert score(CRISIS, 1.0, dt_s=10.0) == pytest.approx(-TEMPER * 0.5 * (1.1 / 0.7) ** 2)


def test_no_time_no_evidence() -> None:
    state = one(FILTER, mode_p=(0.5, 0.3, 0.2))
    weigh(state, 0.0, 9.0, 0.9, 9.0, 50.0, default_parameters())
    assert tuple(state["mode_p"]) == (0.5, 0.3, 0.2)


anything = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=100, deadline=None)
@given(anything, anything, anything, anything, st.floats(0.0, 1e9))
def test_probabilities_stay_probabilities(activity: float, imbalance: float, liquidation: float, rv: float,
                                          dt_s: float) -> None:
    state = one(FILTER, mode_p=(0.5, 0.3, 0.2))
    weigh(state, dt_s, activity, imbalance, liquidation, rv, default_parameters())
    assert state["mode_p"].sum() == pytest.approx(1.0)
    assert state["mode_p"].min() > 0.0


def test_what_the_signs_always_say_is_no_news() -> None:
    state, params = one(FILTER), default_parameters()
    state["mode_p"] = (0.85, 0.13, 0.02)
    for _ in range(40_000):
        weigh(state, 0.5, 1.0, 0.9, math.nan, math.nan, params)
    state["mode_p"] = (0.85, 0.13, 0.02)
    for _ in range(200):
        weigh(state, 0.5, 1.0, 0.9, math.nan, math.nan, params)
    assert state["mode_p"] == pytest.approx((0.85, 0.13, 0.02), rel=0.02)
    for _ in range(200):
        weigh(state, 0.5, 5.0, 0.9, math.nan, math.nan, params)
    assert state["mode_p"][2] > 0.1
