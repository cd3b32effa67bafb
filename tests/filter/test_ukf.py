"""Sigma points: the Kalman filter where that is exact, and the right moments where it is not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from filterpy.kalman import MerweScaledSigmaPoints, UnscentedKalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import one

from mmfast.filter import kalman, ukf, volatility
from mmfast.filter.state import MODE

NAMES = ("v_bps", "mu_bps_s", "v_var", "vmu_cov", "mu_var", "log_sigma", "log_sigma_var")


def a_mode(correlation: float = 0.5, v_var: float = 0.4, level_var: float = 0.1) -> Any:
    return one(MODE, v_bps=0.3, mu_bps_s=0.02, v_var=v_var, mu_var=0.01, vmu_cov=correlation * math.sqrt(v_var * 0.01),
               log_sigma=-0.1, log_sigma_var=level_var)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([ukf.SEES_VALUE, ukf.SEES_DRIFT, ukf.SEES_LOG_SIGMA]), st.floats(-5.0, 5.0),
       st.floats(1e-3, 10.0), st.floats(-0.95, 0.95), st.floats(1e-3, 50.0))
def test_it_is_the_closed_form_for_what_is_linear(what: int, z: float, r: float, correlation: float,
                                                  v_var: float) -> None:
    points, closed = a_mode(correlation, v_var), a_mode(correlation, v_var)
    seen = ukf.update(points, what, z, r)
    if what == ukf.SEES_LOG_SIGMA:
        want = volatility.update_log(closed, z, r)
    else:
        want = kalman.update_log(closed, float(what == ukf.SEES_VALUE), float(what == ukf.SEES_DRIFT), z, r)
    assert seen == pytest.approx(want, rel=1e-9, abs=1e-9)
    for name in NAMES:
        assert points[name] == pytest.approx(closed[name], rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("what", [ukf.SEES_VALUE, ukf.SEES_DRIFT, ukf.SEES_LOG_SIGMA, ukf.SEES_VARIANCE])
@pytest.mark.parametrize("correlation", [-0.7, 0.0, 0.6])
def test_it_is_the_unscented_filter_of_filterpy(what: int, correlation: float) -> None:
    mode, r, z = a_mode(correlation), 0.4, 1.1
    points = MerweScaledSigmaPoints(3, alpha=1.0, beta=2.0, kappa=0.0)
    other = UnscentedKalmanFilter(3, 1, 1.0, lambda x: np.array([ukf.seen(what, *x)]), lambda x, dt: x, points)
    other.x = np.array([mode["v_bps"], mode["mu_bps_s"], mode["log_sigma"]])
    other.P = np.diag([mode["v_var"], mode["mu_var"], mode["log_sigma_var"]])
    other.P[0, 1] = other.P[1, 0] = mode["vmu_cov"]
    other.Q, other.R = np.zeros((3, 3)), np.array([[r]])
    other.predict()
    other.update(np.array([z]))
    ukf.update(mode, what, z, r)
    assert [mode["v_bps"], mode["mu_bps_s"], mode["log_sigma"]] == pytest.approx(other.x, rel=1e-9)
    assert [mode["v_var"], mode["vmu_cov"], mode["mu_var"]] == pytest.approx(
        [other.P[0, 0], other.P[0, 1], other.P[1, 1]], rel=1e-9, abs=1e-12)
    assert mode["log_sigma_var"] == pytest.approx(other.P[2, 2], rel=1e-9)


@pytest.mark.parametrize("level_var", [0.01, 0.05, 0.12])
def test_the_mean_of_the_variance_rate_is_that_of_a_lognormal(level_var: float) -> None:
    mode = a_mode(level_var=level_var)
    mean, variance, cov_v, cov_mu, cov_l = ukf.predicted(mode, ukf.SEES_VARIANCE)
    assert mean == pytest.approx(math.exp(2.0 * (-0.1 + level_var)), rel=2e-3)
    assert cov_l == pytest.approx(2.0 * level_var * mean, rel=0.05)
    assert (cov_v, cov_mu) == (0.0, 0.0)
    assert variance > 0.0


def test_a_large_variance_raises_the_level_and_makes_it_surer() -> None:
    mode = a_mode()
    ukf.update(mode, ukf.SEES_VARIANCE, 3.0, 0.5)
    assert mode["log_sigma"] > -0.1
    assert 0.0 < mode["log_sigma_var"] < 0.1
    assert (mode["v_bps"], mode["v_var"]) == (0.3, 0.4)


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9), st.floats(-15.0, 15.0))
def test_it_stays_finite_and_positive(z: float, r: float, level: float) -> None:
    mode = a_mode()
    mode["log_sigma"] = level
    ukf.update(mode, ukf.SEES_VARIANCE, z, r)
    assert all(np.isfinite(mode[name]) for name in NAMES)
    assert mode["log_sigma_var"] > 0.0
