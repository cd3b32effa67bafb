"""Update: equal to filterpy, positive, gated but never deaf."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter
from support.stages import one

from mmfast.filter.kalman import GATE, gated, keep_positive, update_drift, update_log, update_value
from mmfast.filter.ou import predict
from mmfast.filter.state import FILTER

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    filterpy = pytest.importorskip("filterpy.kalman")


def twin(theta: float, rate: float, sd: float, dt_s: float) -> object:
    """The same filter in filterpy, with the process noise that `predict` adds to a state of certainty."""
    noise = one(FILTER)
    predict(noise, dt_s, rate, theta, sd)
    decay = np.exp(-theta * dt_s)
    other = filterpy.KalmanFilter(dim_x=2, dim_z=1)
    other.F = np.array([[1.0, (1.0 - decay) / theta], [0.0, decay]])
    other.Q = np.array([[noise["v_var"], noise["vmu_cov"]], [noise["vmu_cov"], noise["mu_var"]]])
    other.x, other.P = np.zeros(2), np.diag([0.3, 0.0025])
    return other


def test_a_hundred_steps_equal_filterpy() -> None:
    random, theta, rate, sd, dt_s = np.random.default_rng(8), 0.02, 0.79, 0.05, 0.1
    other, state = twin(theta, rate, sd, dt_s), one(FILTER, v_var=0.3, mu_var=0.0025)
    for k in range(100):
        predict(state, dt_s, rate, theta, sd)
        other.predict()
        on_value = k % 3 != 0
        z, r = random.normal(0.0, 0.3 if on_value else 0.05), 0.0425 if on_value else 0.18
        other.update(np.array([z]), R=r, H=np.array([[1.0, 0.0]] if on_value else [[0.0, 1.0]]))
        (update_value if on_value else update_drift)(state, z, r)
        np.testing.assert_allclose([state["v_bps"], state["mu_bps_s"]], other.x, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose([state["v_var"], state["vmu_cov"], state["mu_var"]],
                                   [other.P[0, 0], other.P[0, 1], other.P[1, 1]], rtol=1e-9, atol=1e-14)


def closed_form(theta: float, rate: float, sd: float, dt_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """F and Q of the exact discretisation, (2, 2, n), as they are written in the books."""
    decay = np.exp(-theta * dt_s)
    spread = dt_s - 2.0 * (1.0 - decay) / theta + (1.0 - decay**2) / (2.0 * theta)
    cross = sd**2 * (1.0 - decay) ** 2 / theta
    one_, zero = np.ones_like(dt_s), np.zeros_like(dt_s)
    move = np.array([[one_, (1.0 - decay) / theta], [zero, decay]])
    return move, np.array([[rate * dt_s + 2.0 * sd**2 / theta * spread, cross], [cross, sd**2 * (1.0 - decay**2)]])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.02, 1.0), st.floats(0.05, 20.0), st.floats(0.01, 0.5))
def test_beliefs_and_likelihoods_at_uneven_times_are_those_of_statsmodels(seed: int, theta: float, rate: float,
                                                                          sd: float) -> None:
    """Draws of the model itself: readings of the value, of the drift and of both, from a millisecond to a minute."""
    random, n = np.random.default_rng(seed), 120
    dt_s, r = np.exp(random.uniform(np.log(1e-3), np.log(60.0), n)), np.exp(random.uniform(-4.0, 2.0, n))
    move, noise = closed_form(theta, rate, sd, dt_s)
    rows = np.array([(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])[random.integers(0, 3, n)]
    true, seen = random.normal(0.0, (1.0, sd)), np.empty(n)
    for k in range(n):
        true = move[:, :, k] @ true + random.multivariate_normal((0.0, 0.0), noise[:, :, k])
        seen[k] = rows[k] @ true + random.normal(0.0, np.sqrt(r[k]))
    other = KalmanFilter(k_endog=1, k_states=2, k_posdef=2)  # a step of its own comes after each reading
    other.bind(seen)
    other["design"], other["obs_cov"] = rows.T[None], r[None, None]
    after = np.r_[1:n, n - 1]
    other["transition"], other["state_cov"], other["selection"] = move[:, :, after], noise[:, :, after], np.eye(2)
    start = np.diag([1.0, sd**2])
    other.initialize_known(np.zeros(2), move[:, :, 0] @ start @ move[:, :, 0].T + noise[:, :, 0])
    told = other.filter()
    state, likelihood = one(FILTER, v_var=1.0, mu_var=sd**2), 0.0
    for k in range(n):
        predict(state, dt_s[k], rate, theta, sd)
        likelihood += update_log(state, *rows[k], seen[k], r[k]) - 0.5 * np.log(2.0 * np.pi)
        np.testing.assert_allclose([state["v_bps"], state["mu_bps_s"]], told.filtered_state[:, k], rtol=1e-6, atol=1e-8)
        (v_var, cov), (_, mu_var) = told.filtered_state_cov[:, :, k]
        np.testing.assert_allclose([state["v_var"], state["vmu_cov"], state["mu_var"]], [v_var, cov, mu_var],
                                   rtol=1e-6, atol=1e-10)
        assert likelihood == pytest.approx(told.llf_obs[: k + 1].sum(), rel=1e-8, abs=1e-6)


def test_value_and_drift_of_the_worked_example() -> None:
    state = one(FILTER, v_var=0.30 + 0.7922 * 0.1, mu_var=0.0025)
    update_value(state, 0.370, 0.165)
    assert state["v_bps"] == pytest.approx(0.258, abs=5e-4)
    assert state["v_var"] ** 0.5 == pytest.approx(0.339, abs=5e-4)
    decay = np.exp(-0.02 * 0.5)
    drift = one(FILTER, mu_bps_s=0.010 * decay, v_var=1.0, mu_var=0.7 * 0.0025 * decay**2 + 0.0025 * (1 - decay**2))
    update_drift(drift, 0.1245, 0.1802)
    assert drift["mu_bps_s"] == pytest.approx(0.0110, abs=1e-4)
    assert drift["mu_var"] ** 0.5 == pytest.approx(0.0418, abs=1e-4)


def test_an_outlier_is_five_sigmas_away_and_still_heard() -> None:
    assert gated(1.0, 0.3, 0.1) == 0.1
    assert 100.0**2 / (0.3 + gated(100.0, 0.3, 0.1)) == pytest.approx(GATE)
    state = one(FILTER, v_var=0.3, mu_var=0.0025)
    assert update_value(state, 100.0, 0.1) == pytest.approx(100.0**2 / 0.4)
    assert 0.0 < state["v_bps"] < 0.1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(-1e3, 1e3), st.floats(1e-6, 1e3)), min_size=1, max_size=30))
def test_covariance_stays_positive(observations: list[tuple[bool, float, float]]) -> None:
    state = one(FILTER, v_var=25.0, mu_var=0.0025, vmu_cov=0.1)
    for on_value, z, r in observations:
        predict(state, 0.1, 0.79, 0.02, 0.05)
        (update_value if on_value else update_drift)(state, z, r)
        keep_positive(state, 4e-4, 2e-4)
        assert state["v_var"] * state["mu_var"] > state["vmu_cov"] ** 2
        assert state["v_var"] >= 4e-4
        assert state["mu_var"] >= 2e-4
