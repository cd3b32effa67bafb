"""Observations: inverse regression, and sources that fall silent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import one

from mmfast.records.feature import FEATURES, OBS_DRIFT, SOURCE_OFI
from mmfast.sensor.observe import DRIFT_SD, drift_reading, say
from mmfast.sensor.state import SENSOR


@pytest.mark.parametrize(("x", "rho", "z", "r"), [
    (0.5, 0.20, 0.125, 0.06), (0.8, 0.25, 0.160, 0.0375), (-0.3, -0.15, 0.100, 0.1086), (0.6, -0.05, -0.600, 0.9975)])
def test_readings_of_the_worked_example(x: float, rho: float, z: float, r: float) -> None:
    assert drift_reading(x, rho) == (pytest.approx(z), pytest.approx(r, rel=1e-3))


def test_a_feature_without_correlation_says_nothing() -> None:
    assert drift_reading(3.0, 0.0) == (0.0, math.inf)


def test_reading_has_the_moments_it_claims() -> None:
    random, rho = np.random.default_rng(5), 0.3
    mu = random.normal(0.0, DRIFT_SD, 400_000)
    x = rho / DRIFT_SD * mu + math.sqrt(1.0 - rho * rho) * random.normal(size=mu.size)
    _, r = drift_reading(1.0, rho)
    error = x * DRIFT_SD / rho - mu
    assert error.mean() == pytest.approx(0.0, abs=4.0 * math.sqrt(r / mu.size))
    assert error.var() == pytest.approx(r, rel=0.01)


@pytest.mark.parametrize(("z", "r"), [(math.nan, 1.0), (1.0, math.inf), (1.0, 0.0), (1.0, -1.0), (math.inf, 1.0)])
def test_a_source_that_cannot_speak_is_omitted_not_zero(z: float, r: float) -> None:
    sensor, features = one(SENSOR), one(FEATURES)
    say(sensor, features, SOURCE_OFI, OBS_DRIFT, 0.1, 0.2, 2.0, 5)
    assert features["valid_mask"] == 1 << SOURCE_OFI
    say(sensor, features, SOURCE_OFI, OBS_DRIFT, z, r, 2.0, 6)
    assert features["valid_mask"] == 0
