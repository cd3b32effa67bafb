"""Open interest: differences over a minute, and a running first percentile."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, one

from mmfast.sensor import interest
from mmfast.sensor.state import SENSOR

SECOND = 1_000_000_000


def fresh() -> np.void:
    sensor = one(SENSOR)
    interest.restart(sensor)
    return sensor


def test_the_change_is_over_a_minute() -> None:
    sensor = fresh()
    seen = [interest.change(sensor, 1000.0 * math.exp(1e-4 * k), 2.0 * k, START_NS + k * SECOND) for k in range(100)]
    assert all(math.isnan(change) for change, _ in seen[:60])
    assert seen[60] == pytest.approx((60.0, 120.0))
    assert seen[99] == pytest.approx((60.0, 120.0))


def test_a_silence_of_the_venue_is_no_change_over_a_minute() -> None:
    sensor = fresh()
    interest.change(sensor, 1000.0, 0.0, START_NS)
    assert math.isnan(interest.change(sensor, 900.0, 0.0, START_NS + 80 * SECOND)[0])


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -5.0])
def test_what_is_no_open_interest_is_left_out(bad: float) -> None:
    sensor = fresh()
    assert math.isnan(interest.change(sensor, bad, 0.0, START_NS)[0])
    assert sensor["interest_next"] == 0


def test_the_percentile_is_found() -> None:
    sensor, hits = fresh(), 0
    changes = np.random.default_rng(4).normal(0.0, 3.0, 20_000)
    for k, change in enumerate(changes):
        hits += interest.learn_low(sensor, change, 3.0) and k >= 2_000
    assert sensor["interest_low"] == pytest.approx(-2.326 * 3.0, rel=0.15)
    assert hits / 18_000 == pytest.approx(0.01, abs=0.005)
