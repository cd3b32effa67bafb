"""Volatility: reverts, learns, and is never below what the last minutes realised."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX
from support.stages import one

from mmfast.filter.state import FILTER
from mmfast.filter.volatility import predict, quoting_sigma, update, update_log, variance_rate


def test_prediction_is_exact_in_time() -> None:
    whole, parts = one(FILTER, log_sigma=1.0, log_sigma_var=0.5), one(FILTER, log_sigma=1.0, log_sigma_var=0.5)
    predict(whole, 100.0, -0.1, 1 / 300, 0.35)
    for _ in range(10):
        predict(parts, 10.0, -0.1, 1 / 300, 0.35)
    assert parts["log_sigma"] == pytest.approx(whole["log_sigma"])
    assert parts["log_sigma_var"] == pytest.approx(whole["log_sigma_var"])
    predict(whole, 1e9, -0.1, 1 / 300, 0.35)
    assert whole["log_sigma"] == pytest.approx(-0.1)
    assert whole["log_sigma_var"] == pytest.approx(0.35**2)


def test_it_learns_the_volatility_of_brownian_motion() -> None:
    random, state = np.random.default_rng(6), one(FILTER, log_sigma=math.log(0.89), log_sigma_var=0.1225)
    late = []
    for k in range(600):
        predict(state, 10.0, math.log(0.89), 1 / 300, 0.35)
        update(state, math.log(1.4) + random.normal(0.0, math.sqrt(0.072)), 0.072)
        if k > 50:
            late.append(state["log_sigma"])
    # It settles between the long-run mean and what it sees, nearer to what it sees.
    assert math.log(1.25) < np.mean(late) < math.log(1.4)


@pytest.mark.parametrize(("sd", "r"), [(0.35, 0.072), (1.0, 0.01), (0.2, 2.0)])
def test_readings_every_ten_seconds_are_an_autoregression_in_noise(sd: float, r: float) -> None:
    """The exact likelihood of statsmodels' AR(1) with a mean and an error of measurement, and its filtered levels."""
    random, keep, mean = np.random.default_rng(7), math.exp(-10.0 / 300.0), math.log(0.89)
    level, seen = mean, []
    for _ in range(300):
        level = mean + keep * (level - mean) + random.normal(0.0, sd * math.sqrt(1.0 - keep * keep))
        seen.append(level + random.normal(0.0, math.sqrt(r)))
    model = SARIMAX(np.array(seen) - mean, order=(1, 0, 0), measurement_error=True)
    model.ssm.tolerance = 0.0  # it would take a variance that hardly moves for one that stands still
    told = model.filter([keep, r, sd * sd * (1.0 - keep * keep)])
    state, likelihood = one(FILTER, log_sigma=mean, log_sigma_var=sd * sd), 0.0
    for k, z in enumerate(seen):
        if k > 0:
            predict(state, 10.0, mean, 1.0 / 300.0, sd)
        likelihood += update_log(state, z, r) - 0.5 * math.log(2.0 * math.pi)
        assert state["log_sigma"] - mean == pytest.approx(told.filtered_state[0, k], abs=1e-9)
        assert state["log_sigma_var"] == pytest.approx(told.filtered_state_cov[0, 0, k], rel=1e-9)
    assert likelihood == pytest.approx(told.llf, rel=1e-9)


def test_mean_variance_is_that_of_a_lognormal() -> None:
    random, state = np.random.default_rng(9), one(FILTER, log_sigma=-0.1, log_sigma_var=0.1)
    sigma2 = np.exp(2.0 * random.normal(-0.1, math.sqrt(0.1), 400_000))
    assert variance_rate(state, 0.0, 15.0) == pytest.approx(sigma2.mean(), rel=0.01)
    assert variance_rate(state, 5e-3, 15.0) - variance_rate(state, 0.0, 15.0) == pytest.approx(5e-3 * 225.0)


@pytest.mark.parametrize(("short", "long", "sigma"), [
    (math.nan, math.nan, 0.89), (0.0, 0.0, 0.89), (1.0, 1.0, 1.0), (16.0, 1.0, 2.0), (0.1, 4.0, 2.0),
    (0.01, 0.04, 0.89)])
def test_quoting_volatility_is_bounded_below_by_the_long_one(short: float, long: float, sigma: float) -> None:
    assert quoting_sigma(math.log(0.89), short, long) == pytest.approx(sigma)


@pytest.mark.parametrize("z", [-1e300, 1e300, -50.0, 50.0])
def test_absurd_readings_leave_it_finite(z: float) -> None:
    state = one(FILTER, log_sigma=0.0, log_sigma_var=0.1)
    for _ in range(50):
        update(state, min(max(z, -1e100), 1e100), 0.07)
    assert math.isfinite(variance_rate(state, 0.0, 0.0))
    assert math.isfinite(quoting_sigma(state["log_sigma"], math.inf, 1e300))
