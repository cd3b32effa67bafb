"""Sizes: running quantiles near the true ones, the shift of one side against the other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import one

from mmfast.sensor import sizes
from mmfast.sensor.state import RECENT, SENSOR
from mmfast.units import ASK, BID


def fresh() -> np.void:
    sensor = one(SENSOR)
    sizes.restart(sensor)
    return sensor


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (8.0, 2.0), (3.0, 0.5)])
def test_median_and_deviation_come_near_the_true_ones(mean: float, sd: float) -> None:
    sensor, random = fresh(), np.random.default_rng(3)
    for x in random.normal(mean, sd, 5000):
        sizes.learn(sensor, x)
    assert sensor["size_median"] == pytest.approx(mean, abs=0.2 * sd)
    assert sensor["size_deviation"] == pytest.approx(0.6745 * sd, rel=0.25)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 20), min_size=10, max_size=60), st.lists(st.floats(0, 20), min_size=10, max_size=60))
def test_shift_is_the_difference_of_recent_medians(bought: list[float], sold: list[float]) -> None:
    sensor = fresh()
    sizes.learn(sensor, 5.0)
    for side, values in ((BID, bought), (ASK, sold)):
        for x in values:
            sizes.note(sensor, side, x, True)
    scores = [np.clip(np.median(v[-RECENT:]) - 5.0, -5.0, 5.0) for v in (bought, sold)]
    assert sizes.shift(sensor) == pytest.approx(scores[0] - scores[1], abs=1e-9)


def test_an_order_that_grows_is_one_size() -> None:
    sensor = fresh()
    for lots in (1.0, 3.0, 8.0):
        sizes.note(sensor, BID, lots, lots == 1.0)
    assert sensor["recent_count"][BID] == 1
    assert sensor["recent_size"][BID, 0] == 8.0


def test_few_orders_have_no_shift() -> None:
    sensor = fresh()
    for _ in range(9):
        sizes.note(sensor, BID, 1.0, True)
        sizes.note(sensor, ASK, 1.0, True)
    assert math.isnan(sizes.shift(sensor))


def test_unknown_sizes_are_usual() -> None:
    assert sizes.relative(fresh(), 5.0) == 1.0
    assert sizes.score(fresh(), 5.0) == 0.0
