"""Modes: the interacting multiple model against filterpy, its clock against scipy, its sums against probability."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from filterpy.kalman import IMMEstimator, KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from support.stages import one

from mmfast.filter import modes, ou
from mmfast.filter.state import FILTER, MODES

DWELL_S = np.array([1800.0, 300.0, 60.0])
SPLIT = np.array([[0.0, 0.9, 0.1], [0.8, 0.0, 0.2], [0.3, 0.7, 0.0]])
USUAL = (0.0, math.log(1.5), math.log(4.0))
THETA, RATES, SDS = 0.2, (0.8, 1.0, 1.4), (0.02, 0.08, 0.30)


def generator(dwell_s: np.ndarray, split: np.ndarray) -> np.ndarray:
    rates = split / dwell_s[:, None]
    return rates - np.diag(rates.sum(axis=1))


def a_state() -> Any:
    state = one(FILTER)
    state["mode_p"] = (0.7, 0.2, 0.1)
    for r in range(MODES):
        mode = state["modes"][r]
        mode["v_bps"], mode["mu_bps_s"], mode["log_sigma"] = 0.1 * r, 0.01 * r, 0.3 * r
        mode["v_var"], mode["mu_var"], mode["vmu_cov"] = 1.0 + r, 0.01 + 0.01 * r, 0.02
        mode["log_sigma_var"] = 0.1 + 0.01 * r
    modes.combine(state)
    return state


@pytest.mark.parametrize("dt_s", [0.0, 1e-9, 0.01, 0.5, 3.0, 60.0, 3600.0, 1e6])
def test_transitions_are_the_exponential_of_the_generator(dt_s: float) -> None:
    state = one(FILTER)
    modes.transition(state, dt_s, DWELL_S, SPLIT)
    want = expm(generator(DWELL_S, SPLIT) * dt_s)
    np.testing.assert_allclose(state["transition"], want, atol=1e-7)
    np.testing.assert_allclose(state["transition"].sum(axis=1), 1.0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1e-3, 1e5), min_size=3, max_size=3), st.lists(st.floats(0.0, 1.0), min_size=9, max_size=9),
       st.floats(0.0, 1e4))
def test_transitions_of_any_generator_are_probabilities(dwell: list[float], split: list[float], dt_s: float) -> None:
    state = one(FILTER)
    modes.transition(state, dt_s, np.array(dwell), np.array(split).reshape(3, 3))
    assert state["transition"].min() > -1e-6
    np.testing.assert_allclose(state["transition"].sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("dwell", [(0.0, 0.0, 0.0), (math.nan, -1.0, math.inf)])
def test_modes_without_a_dwell_time_never_end(dwell: tuple[float, ...]) -> None:
    state = one(FILTER)
    modes.transition(state, 1.0, np.array(dwell), SPLIT)
    np.testing.assert_allclose(state["transition"], np.eye(3), atol=1e-9)


def linear_filter(rate: float, sd: float, dt_s: float, r: float, state: Any, mode: int) -> KalmanFilter:
    """filterpy's filter of one mode, its matrices from the closed forms of the exact discretisation."""
    kf = KalmanFilter(dim_x=2, dim_z=1)
    decay = math.exp(-THETA * dt_s)
    kf.F = np.array([[1.0, (1.0 - decay) / THETA], [0.0, decay]])
    spread = dt_s - 2.0 * (1.0 - decay) / THETA + (1.0 - decay**2) / (2.0 * THETA)
    cross = sd**2 * (1.0 - decay) ** 2 / THETA
    kf.Q = np.array([[rate * dt_s + 2.0 * sd**2 / THETA * spread, cross], [cross, sd**2 * (1.0 - decay**2)]])
    kf.H, kf.R = np.array([[1.0, 0.0]]), np.array([[r]])
    begun = state["modes"][mode]
    kf.x = np.array([[begun["v_bps"]], [begun["mu_bps_s"]]])
    kf.P = np.array([[begun["v_var"], begun["vmu_cov"]], [begun["vmu_cov"], begun["mu_var"]]])
    return kf


def test_the_interacting_filters_are_those_of_filterpy() -> None:
    state, dt_s, r, random = a_state(), 0.5, 0.3, np.random.default_rng(5)
    power = expm(generator(DWELL_S, SPLIT) * dt_s)
    filters = [linear_filter(RATES[k], SDS[k], dt_s, r, state, k) for k in range(MODES)]
    oracle = IMMEstimator(filters, np.array(state["mode_p"]), power)
    value = 0.0
    for _ in range(60):
        value += random.normal(0.0, math.sqrt(RATES[0] * dt_s))
        z = value + random.normal(0.0, math.sqrt(r))
        oracle.predict()
        oracle.update(np.array([[z]]))
        modes.transition(state, dt_s, DWELL_S, SPLIT)
        modes.mix(state, *USUAL)
        for k in range(MODES):
            ou.predict(state["modes"][k], dt_s, RATES[k], THETA, SDS[k])
        modes.combine(state)
        modes.observe(state, 1.0, 0.0, z, r, 1.0)
        np.testing.assert_allclose(state["mode_p"], oracle.mu, rtol=1e-7)
        got = [state[name] for name in ("v_bps", "mu_bps_s", "v_var", "vmu_cov", "mu_var")]
        want = [oracle.x[0, 0], oracle.x[1, 0], oracle.P[0, 0], oracle.P[0, 1], oracle.P[1, 1]]
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-10)


def test_moments_of_the_mixture_are_those_of_its_draws() -> None:
    state, random, n = a_state(), np.random.default_rng(2), 400_000
    which = random.choice(MODES, n, p=state["mode_p"])
    draws = np.empty((n, 2))
    for r in range(MODES):
        mode = state["modes"][r]
        mean, cov = (mode["v_bps"], mode["mu_bps_s"]), mode["vmu_cov"]
        part = random.multivariate_normal(mean, [[mode["v_var"], cov], [cov, mode["mu_var"]]], n)
        draws[which == r] = part[which == r]
    want = np.cov(draws.T)
    got = [[state["v_var"], state["vmu_cov"]], [state["vmu_cov"], state["mu_var"]]]
    np.testing.assert_allclose(got, want, rtol=0.02)
    assert state["v_bps"] == pytest.approx(draws[:, 0].mean(), abs=0.01)


def test_mixing_leaves_the_mean_of_the_mixture_alone() -> None:
    state = a_state()
    before = [float(state[name]) for name in ("v_bps", "mu_bps_s", "v_var", "mu_var", "log_sigma")]
    modes.transition(state, 20.0, DWELL_S, SPLIT)
    modes.mix(state, 0.7, 0.7, 0.7)
    modes.combine(state)
    after = [float(state[name]) for name in ("v_bps", "mu_bps_s", "v_var", "mu_var", "log_sigma")]
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_what_sigma_deviates_by_from_its_mode_is_taken_along_when_the_mode_ends() -> None:
    state, random, n, dt_s = a_state(), np.random.default_rng(6), 400_000, 20.0
    was = random.choice(MODES, n, p=state["mode_p"])
    level, variance = (np.array([float(mode[name]) for mode in state["modes"]])
                       for name in ("log_sigma", "log_sigma_var"))
    usual = np.array(USUAL)
    deviation = random.normal(level[was], np.sqrt(variance[was])) - usual[was]
    modes.transition(state, dt_s, DWELL_S, SPLIT)
    now = (random.random((n, 1)) > np.cumsum(state["transition"], axis=1)[was]).sum(axis=1)
    modes.mix(state, *USUAL)
    for r in range(MODES):
        here = (deviation + usual[now])[now == r]
        error = here.std() / math.sqrt(len(here))
        assert state["modes"][r]["log_sigma"] == pytest.approx(here.mean(), abs=5.0 * error)
        assert state["modes"][r]["log_sigma_var"] == pytest.approx(here.var(), rel=0.03)


def test_a_reading_of_ln_sigma_may_decide_more_than_one_of_the_value() -> None:
    state = a_state()
    odds = state["mode_p"][2] / state["mode_p"][0]
    state["modes"]["log_sigma"], state["modes"]["log_sigma_var"] = USUAL, 0.05
    modes.observe_log_sigma(state, 1.4, 0.05)
    assert math.exp(modes.ODDS_MAX) < state["mode_p"][2] / state["mode_p"][0] / odds <= math.exp(
        modes.READING_ODDS_MAX) * (1.0 + 1e-9)


def test_a_mode_is_never_ruled_out() -> None:
    state = a_state()
    for _ in range(100):
        modes.reweigh(state, 0.0, -50.0, -900.0)
    assert state["mode_p"].min() == pytest.approx(modes.P_MIN, rel=1e-3)
    modes.reweigh(state, 0.0, -50.0, math.nan)
    assert state["mode_p"].sum() == pytest.approx(1.0)


def test_one_observation_moves_the_odds_by_a_bounded_factor() -> None:
    state = a_state()
    odds = state["mode_p"][2] / state["mode_p"][0]
    modes.reweigh(state, -900.0, -900.0, 0.0)
    assert state["mode_p"][2] / state["mode_p"][0] == pytest.approx(odds * math.exp(modes.ODDS_MAX))
