"""Adaptation: towards what the innovations say, within bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from statsmodels.regression.linear_model import WLS
from support.parameters import default_parameters
from support.stages import one

from mmfast.filter import adapt
from mmfast.filter.state import FILTER


def begun(theta: float = 0.2) -> Any:
    state = one(FILTER)
    adapt.begin(state, default_parameters(theta=theta))
    return state


@pytest.mark.parametrize(("score", "scale"), [(8.0, adapt.FACTOR_MAX), (-0.9, adapt.FACTOR_MIN), (0.0, 1.0)])
def test_drift_size_follows_its_score_up_to_its_bounds(score: float, scale: float) -> None:
    state = begun()
    for _ in range(3000):
        adapt.learn_drift_size(state, 1.0, score, 0.02)
    assert state["drift_scale"] == pytest.approx(scale)


def test_no_rate_no_learning() -> None:
    state = begun()
    for _ in range(300):
        adapt.learn_drift_size(state, 9.0, 8.0, 0.0)
    assert state["drift_scale"] == 1.0


@pytest.mark.parametrize("true_scale", [0.2, 1.0, 5.0])
def test_the_noise_of_the_value_is_scaled_until_its_innovations_are_as_large_as_they_say(true_scale: float) -> None:
    state, random = begun(), np.random.default_rng(1)
    for square in true_scale * random.normal(size=40_000) ** 2:
        adapt.judge_value(state, square / state["value_scale"], 0.02)
    assert state["value_scale"] == pytest.approx(true_scale, rel=0.15)
    assert state["nis_value"] == pytest.approx(1.0, abs=0.5)
    assert state["nis_count"] == 40_000


def test_the_account_of_innovations_counts_those_inside_their_band() -> None:
    state, random = begun(), np.random.default_rng(2)
    for square in random.normal(size=5000) ** 2:
        adapt.judge_value(state, square, 0.02)
    assert state["nis_inside_count"] / 5000 == pytest.approx(0.95, abs=0.012)
    assert state["nis_sum"] / 5000 == pytest.approx(1.0, abs=0.08)
    adapt.judge_value(state, math.inf, 0.02)
    assert math.isfinite(state["nis_sum"] + state["value_scale"])


@pytest.mark.parametrize("true", [0.6, 1.0, 4.0])
def test_the_noise_of_readings_of_ln_sigma_is_learned_beside_the_belief_s_own_doubt(true: float) -> None:
    state, random, doubt = begun(), np.random.default_rng(5), 0.5
    for draw in random.normal(size=20_000):
        total = doubt + state["reading_scale"]
        adapt.learn_reading_noise(state, draw * draw * (doubt + true) / total, state["reading_scale"] / total, 0.01)
    assert state["reading_scale"] == pytest.approx(true, rel=0.25)
    kept = float(state["reading_scale"])
    adapt.learn_reading_noise(state, 9.0, 1.0, 0.0)
    assert state["reading_scale"] == kept


@pytest.mark.parametrize(("true", "learned"), [(0.1, 0.1), (0.3, 0.3), (0.001, 0.05), (50.0, 0.8)])
def test_theta_is_that_of_the_drift_within_bounds(true: float, learned: float) -> None:
    state, random, mu = begun(), np.random.default_rng(4), 0.0
    params, keep = default_parameters(theta=0.2), math.exp(-true * 5.0)
    for k in range(1, 4 * 720):
        mu = keep * mu + random.normal(0.0, math.sqrt(1.0 - keep * keep))
        state["mu_bps_s"] = mu
        adapt.learn_theta(state, k * 5 * 10**9, params)
    assert state["theta"] == pytest.approx(learned, rel=0.2)


def test_theta_is_the_regression_of_the_drift_on_the_one_before_newer_pairs_weighing_more() -> None:
    state, random, params, pairs = begun(), np.random.default_rng(9), default_parameters(theta=0.2), 720
    mu = np.zeros(pairs + 2)
    for k in range(1, len(mu)):
        mu[k] = math.exp(-0.15 * 5.0) * mu[k - 1] + random.normal(0.0, 0.1)
    for k in range(len(mu)):
        state["mu_bps_s"] = mu[k]
        adapt.learn_theta(state, (k + 1) * 5 * 10**9, params)
    assert state["theta_ns"] == len(mu) * 5 * 10**9  # learned from the last pair
    weights = adapt.LAG_KEEP ** np.arange(pairs, -1, -1)
    (kept,) = WLS(mu[1:], mu[:-1], weights=weights).fit().params
    assert state["theta"] == pytest.approx(-math.log(kept) / 5.0, rel=1e-9)


def test_theta_waits_an_hour() -> None:
    state, params = begun(), default_parameters(theta=0.2)
    for k in range(1, 700):
        state["mu_bps_s"] = 1.0
        adapt.learn_theta(state, k * 5 * 10**9, params)
    assert state["theta"] == 0.2
