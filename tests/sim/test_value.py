"""The true value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.kernel import kernel
from mmfast.sim.generator import CRISIS, QUIET, TRENDING, new_generator
from mmfast.sim.value import ou_step, sigma_now, step_value, to_px

CALM = {"jump_rate": (0.0, 0.0, 0.0), "drift_sd": (0.0, 0.0, 0.0)}


@kernel
def walk(states: Any, dt_s: float, value: Any, regime: Any, variance: Any) -> None:
    state = states[0]
    for k in range(len(value)):
        step_value(state, dt_s)
        value[k] = state["value_bps"]
        regime[k] = state["regime"]
        variance[k] = sigma_now(state) ** 2


def path(steps: int, dt_s: float = 0.05, **overrides: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, regime, variance = np.zeros(steps), np.zeros(steps, np.int64), np.zeros(steps)
    walk(new_generator("BTC", 5, 11, 0, **overrides), dt_s, value, regime, variance)
    return value, regime, variance


@settings(deadline=None)
@given(st.floats(-5, 5), st.floats(1e-3, 2.0), st.floats(0.01, 5.0))
def test_two_half_steps_without_noise_equal_one_step(x: float, rate: float, dt_s: float) -> None:
    twice = ou_step(ou_step(x, rate, 1.0, dt_s / 2, 0.0), rate, 1.0, dt_s / 2, 0.0)
    assert twice == pytest.approx(ou_step(x, rate, 1.0, dt_s, 0.0), rel=1e-12, abs=1e-300)


def test_realised_variance_is_the_integral_of_the_true_one() -> None:
    value, _, variance = path(400_000, **CALM)
    assert np.sum(np.diff(value) ** 2) == pytest.approx(np.sum(variance[1:]) * 0.05, rel=0.01)


def test_the_mean_variance_is_that_of_the_regime() -> None:
    _, _, variance = path(400_000, 5.0, dwell_s=(1e12, 1.0, 1.0), **CALM)
    assert variance.mean() == pytest.approx(0.45**2, rel=0.05)


def test_regimes_last_as_long_as_they_should() -> None:
    _, regime, _ = path(400_000, 5.0)
    for which, dwell_s in ((QUIET, 1800.0), (TRENDING, 300.0), (CRISIS, 60.0)):
        inside = regime == which
        spells = np.sum(inside[1:] & ~inside[:-1])
        assert 5.0 * inside.sum() / spells == pytest.approx(dwell_s, rel=0.15)


def test_price_is_the_exponential_of_the_logarithm() -> None:
    assert to_px(new_generator("BTC", 5, 1, 0)[0], 100.0) == pytest.approx(110_000.0 * np.exp(0.01))
