"""Prediction: exact in time, checked against matrix exponentials and against itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from support.stages import one

from mmfast.filter.ou import drift_spread, predict
from mmfast.filter.state import FILTER

COVARIANCE = ("v_var", "vmu_cov", "mu_var")


def start() -> np.void:
    return one(FILTER, v_bps=1.5, mu_bps_s=0.03, v_var=0.3, vmu_cov=0.002, mu_var=0.002)


def moments(state: np.void) -> np.ndarray:
    return np.array([state[name] for name in ("v_bps", "mu_bps_s", *COVARIANCE)])


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-6, 500.0), st.floats(0.005, 0.2), st.floats(0.05, 0.95))
def test_two_steps_equal_one(dt_s: float, theta: float, share: float) -> None:
    whole, parts = start(), start()
    predict(whole, dt_s, 0.79, theta, 0.05)
    predict(parts, share * dt_s, 0.79, theta, 0.05)
    predict(parts, (1.0 - share) * dt_s, 0.79, theta, 0.05)
    np.testing.assert_allclose(moments(parts), moments(whole), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("dt_s", [1e-3, 0.1, 1.0, 30.0, 300.0])
def test_moments_equal_the_matrix_exponential(dt_s: float) -> None:
    theta, rate, sd = 0.02, 0.79, 0.05
    drift = np.array([[0.0, 1.0], [0.0, -theta]])
    noise = np.diag([rate, 2.0 * theta * sd * sd])
    big = expm(np.block([[-drift, noise], [np.zeros((2, 2)), drift.T]]) * dt_s)  # Van Loan 1978
    f = big[2:, 2:].T
    state = start()
    x, p = np.array([1.5, 0.03]), np.array([[0.3, 0.002], [0.002, 0.002]])
    predict(state, dt_s, rate, theta, sd)
    p = f @ p @ f.T + f @ big[:2, 2:]
    np.testing.assert_allclose(moments(state), [*(f @ x), p[0, 0], p[0, 1], p[1, 1]], rtol=1e-8)


def test_drift_decays_at_its_rate_and_its_stationary_variance_is_a_fixed_point() -> None:
    state = one(FILTER, mu_bps_s=1.0, mu_var=0.0025)
    predict(state, 37.0, 0.0, 0.02, 0.05)
    assert state["mu_bps_s"] == pytest.approx(math.exp(-0.02 * 37.0))
    assert state["mu_var"] == pytest.approx(0.0025)


@pytest.mark.parametrize("dt_s", [0.0, -5.0])
def test_no_time_changes_nothing(dt_s: float) -> None:
    state = start()
    predict(state, dt_s, 0.79, 0.02, 0.05)
    np.testing.assert_array_equal(moments(state), moments(start()))


def test_spread_of_the_drift_is_smooth_where_series_and_formula_meet() -> None:
    assert drift_spread(0.01 * (1 - 1e-12)) == pytest.approx(drift_spread(0.01), rel=1e-8)
    assert drift_spread(1e-4) == pytest.approx(1e-12 / 3.0, rel=1e-3)
    assert drift_spread(50.0) == pytest.approx(48.5)


@pytest.mark.parametrize("theta", [0.0, -1.0, 1e-300])
def test_a_drift_that_does_not_revert_stays_finite(theta: float) -> None:
    state = start()
    predict(state, 1e9, 0.79, theta, 0.05)
    assert np.isfinite(moments(state)).all()
