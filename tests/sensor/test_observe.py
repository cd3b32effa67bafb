"""Observations: inverse regression, and sources that fall silent."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.parameters import default_parameters
from support.stages import one

from mmfast.records.feature import FEATURES, OBS_DRIFT, SOURCE_OFI
from mmfast.sensor.observe import drift_reading, say, say_drift
from mmfast.sensor.state import SENSOR

DRIFT_SD = 0.05


@pytest.mark.parametrize(("x", "rho", "z", "r"), [
    (0.5, 0.20, 0.125, 0.06), (0.8, 0.25, 0.160, 0.0375), (-0.3, -0.15, 0.100, 0.1086), (0.6, -0.05, -0.600, 0.9975)])
def test_readings_of_the_worked_example(x: float, rho: float, z: float, r: float) -> None:
    assert drift_reading(x, rho, DRIFT_SD) == (pytest.approx(z), pytest.approx(r, rel=1e-3))


def test_a_feature_without_correlation_says_nothing() -> None:
    assert drift_reading(3.0, 0.0, DRIFT_SD) == (0.0, math.inf)


def test_reading_has_the_moments_it_claims() -> None:
    random, rho = np.random.default_rng(5), 0.3
    mu = random.normal(0.0, DRIFT_SD, 400_000)
    x = rho / DRIFT_SD * mu + math.sqrt(1.0 - rho * rho) * random.normal(size=mu.size)
    _, r = drift_reading(1.0, rho, DRIFT_SD)
    error = x * DRIFT_SD / rho - mu
    assert error.mean() == pytest.approx(0.0, abs=4.0 * math.sqrt(r / mu.size))
    assert error.var() == pytest.approx(r, rel=0.01)


@pytest.mark.parametrize(("z", "r"), [(math.nan, 1.0), (1.0, math.inf), (1.0, 0.0), (1.0, -1.0), (math.inf, 1.0)])
def test_a_source_that_cannot_speak_is_omitted_not_zero(z: float, r: float) -> None:
    sensor, features = one(SENSOR), one(FEATURES)
    params = default_parameters()
    say(sensor, features, params, SOURCE_OFI, OBS_DRIFT, 0.1, 0.2, 5)
    assert features["valid_mask"] == 1 << SOURCE_OFI
    say(sensor, features, params, SOURCE_OFI, OBS_DRIFT, z, r, 6)
    assert features["valid_mask"] == 0


def test_a_source_that_is_off_does_not_speak() -> None:
    sensor, features = one(SENSOR), one(FEATURES)
    say_drift(sensor, features, default_parameters(source_mask=~(1 << SOURCE_OFI)), SOURCE_OFI, 1.0, 5)
    assert features["valid_mask"] == 0
    say_drift(sensor, features, default_parameters(), SOURCE_OFI, 1.0, 5)
    assert features["valid_mask"] == 1 << SOURCE_OFI
    assert features["obs_tau_s"][SOURCE_OFI] == 2.0
