"""Standard scores: mean zero and sd one on a stationary feature, finite on the first event."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW
from support.stages import one

from mmfast.sensor.state import SENSOR
from mmfast.sensor.zscore import LIMIT, MEMORY_S, PRIOR_S, forget, score


def scores(values: list[float], step_s: float = 0.1) -> list[float]:
    sensor = one(SENSOR)
    forget(sensor)
    return [score(sensor, 1, x, 1 + round(k * step_s * 1e9)) for k, x in enumerate(values)]


def test_a_stationary_feature_gets_mean_zero_and_deviation_one() -> None:
    x = np.random.default_rng(3).normal(0.3, 0.4, 60_000)
    late = np.array(scores(list(x)))[30_000:]
    assert abs(late.mean()) < 0.05
    assert late.std() == pytest.approx(1.0, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-50.0, 50.0), st.floats(1e-3, 9.0)), min_size=1, max_size=40))
def test_the_moments_are_the_weighted_ones_of_statsmodels(readings: list[tuple[float, float]]) -> None:
    """Each value weighs its seconds, fading as they pass; the prior is -1 and 1, half a minute each."""
    sensor, now_ns, values, weights = one(SENSOR), 10**9, [-1.0, 1.0], np.full(2, PRIOR_S / 2.0)
    forget(sensor)
    sensor["score_ns"][3] = now_ns
    for x, wait_s in readings:
        told = DescrStatsW(values, weights)
        now_ns += round(wait_s * 1e9)
        want = (x - told.mean) / told.std
        assert score(sensor, 3, x, now_ns) == pytest.approx(min(max(want, -LIMIT), LIMIT), rel=1e-6, abs=1e-9)
        values.append(x)
        weights = np.append(weights * math.exp(-wait_s / MEMORY_S), wait_s)
    told = DescrStatsW(values, weights)
    assert sensor["score_mean"][3] == pytest.approx(told.mean, rel=1e-6, abs=1e-9)
    assert sensor["score_var"][3] == pytest.approx(told.var, rel=1e-6, abs=1e-9)


def test_the_first_value_is_scored_by_the_prior() -> None:
    assert scores([0.7])[0] == pytest.approx(0.7)


def test_an_absurd_value_is_winsorised_and_unknown_ones_stay_unknown() -> None:
    out = scores([1e300, -1e300, math.nan, math.inf, 0.0])
    assert out[0] == LIMIT
    assert out[1] == -LIMIT
    assert math.isnan(out[2])
    assert math.isnan(out[3])
    assert math.isfinite(out[4])


def test_values_at_one_instant_do_not_move_the_moments() -> None:
    sensor = one(SENSOR)
    forget(sensor)
    first = [score(sensor, 0, 2.0, 5) for _ in range(10)]
    assert first == [2.0] * 10
