"""Forced orders: all three signs together, an intensity by recursion, a cascade that starts and ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, one

from mmfast.sensor import forced
from mmfast.sensor.state import SENSOR

SECOND = 1_000_000_000


def fresh() -> np.void:
    sensor = one(SENSOR)
    forced.restart(sensor)
    return sensor


@pytest.mark.parametrize(("low", "swept", "move", "answer"), [
    (True, -2.0, -30.0, True), (True, 2.0, 30.0, True), (False, -2.0, -30.0, False), (True, 2.0, -30.0, False),
    (True, 0.0, -30.0, False), (True, -2.0, -10.0, False)])
def test_all_three_signs_are_needed(low: bool, swept: float, move: float, answer: bool) -> None:
    assert forced.is_forced(low, swept, move, 0.89) is answer  # 3 sigma sqrt(60 s) is 20.7 bps


def test_the_intensity_is_the_sum_over_events() -> None:
    sensor, times, sizes = fresh(), (0.0, 70.0, 200.0), []
    for t in times:
        usual = float(sensor["forced_usual"]) or 10.0
        sizes.append(min(10.0 / usual, forced.SIZE_MAX))
        forced.strike(sensor, 10.0, -50.0, START_NS + round(t * 1e9))
    forced.fade(sensor, START_NS + 230 * SECOND)
    naive = sum(forced.JUMP * s * math.exp(-(230.0 - t) * forced.DECAY) for t, s in zip(times, sizes))
    assert forced.ratio(sensor) == pytest.approx(1.0 + naive / forced.BASE)


def test_a_cascade_starts_at_three_and_ends_at_one_and_a_half() -> None:
    sensor = fresh()
    assert forced.ratio(sensor) == 1.0
    forced.strike(sensor, 10.0, -50.0, START_NS)
    assert forced.ratio(sensor) == pytest.approx(3.5)
    assert sensor["cascade"] == 1.0
    assert sensor["forced_side"] == -1.0
    forced.fade(sensor, START_NS + 120 * SECOND)
    assert sensor["cascade"] == 1.0
    forced.fade(sensor, START_NS + 240 * SECOND)
    assert sensor["cascade"] == 0.0


def test_one_minute_has_one_event() -> None:
    sensor = fresh()
    for k in range(10):
        forced.strike(sensor, 10.0, -50.0, START_NS + k * SECOND)
    assert forced.ratio(sensor) < 3.6
