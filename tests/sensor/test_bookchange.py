"""Change of the book: a ramp has its slope, a rest has none."""

from __future__ import annotations

import math

import pytest
from support.stages import START_NS, one

from mmfast.sensor.bookchange import change
from mmfast.sensor.state import SENSOR


def test_a_ramp_has_its_slope_in_the_limit() -> None:
    sensor, step_s = one(SENSOR), 0.05
    for k in range(600):
        x = change(sensor, 0.001 * k, START_NS + round(k * step_s * 1e9))
    assert x == pytest.approx(0.02, rel=0.05)


def test_the_first_reading_and_what_follows_nothing_have_no_change() -> None:
    sensor = one(SENSOR)
    assert math.isnan(change(sensor, 0.5, START_NS))
    assert change(sensor, 0.5, START_NS) == 0.0
    assert math.isnan(change(sensor, math.nan, START_NS))
    assert math.isnan(change(sensor, -0.5, START_NS))
