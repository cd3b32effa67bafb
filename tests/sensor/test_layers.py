"""Layers: the one that foresees the mid is chosen, and not before it is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, one

from mmfast.records.feature import LAYER_DEPTH, LAYER_MID, LAYER_STOIKOV, LAYER_WEIGHTED, LAYERS
from mmfast.sensor import layers
from mmfast.sensor.state import PENDING, SENSOR

STEP_NS = 250_000_000


def walk(sensor: np.void, steps: int, best: int, seed: int = 1) -> list[int]:
    """A mid whose two-second move one layer tells in part, the others not; the layers chosen on the way."""
    random, chosen = np.random.default_rng(seed), []
    moves = random.normal(0.0, 1.0, steps + 8)
    mid = np.cumsum(moves)
    for k in range(steps):
        for layer in range(LAYERS):
            sensor["layer_bps"][layer] = random.normal(0.0, 0.1)
        sensor["layer_bps"][best] = 0.5 * (mid[k + 8] - mid[k])
        layers.compare(sensor, mid[k], START_NS + k * STEP_NS)
        chosen.append(int(sensor["layer"]))
    return chosen


@pytest.mark.parametrize("best", [LAYER_MID, LAYER_WEIGHTED, LAYER_STOIKOV, LAYER_DEPTH])
def test_the_layer_that_foresees_the_mid_is_chosen_once_it_is_known(best: int) -> None:
    sensor = one(SENSOR)
    layers.restart(sensor)
    chosen = walk(sensor, 400, best)
    assert set(chosen[:100]) == {LAYER_WEIGHTED}
    assert set(chosen[200:]) == {best}


def test_errors_are_mean_squares_against_the_mid_of_two_seconds_later() -> None:
    sensor, mid = one(SENSOR), np.random.default_rng(3).normal(0.0, 1.0, 90)
    layers.restart(sensor)
    for k in range(90):
        sensor["layer_bps"][:] = (0.0, 0.1, -0.2, math.nan)
        layers.compare(sensor, mid[k], START_NS + k * STEP_NS)
    for layer, offset in enumerate((0.0, 0.1, -0.2)):
        assert sensor["layer_var"][layer] == pytest.approx(np.mean((mid[8:] - mid[:-8] - offset) ** 2))
    assert sensor["layer_count"][LAYER_DEPTH] == 0


def test_a_mid_that_comes_too_late_is_no_answer() -> None:
    sensor = one(SENSOR)
    layers.restart(sensor)
    sensor["layer_bps"][:] = 0.0
    layers.compare(sensor, 0.0, START_NS)
    layers.compare(sensor, 50.0, START_NS + 10_000_000_000)
    assert not sensor["layer_count"].any()


def test_a_chosen_layer_that_is_silent_is_replaced_by_the_weighted_mid() -> None:
    sensor = one(SENSOR, layer=LAYER_DEPTH, layer_bps=(0.0, 0.3, 0.4, math.nan))
    assert layers.spoken_bps(sensor) == 0.3


def test_many_touches_in_a_moment_leave_room() -> None:
    sensor = one(SENSOR)
    layers.restart(sensor)
    for k in range(1000):
        layers.compare(sensor, 0.0, START_NS + k)
    assert sensor["layer_next"] - sensor["layer_first"] <= PENDING
