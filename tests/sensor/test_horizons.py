"""Horizons: decayed volumes against their definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import Desk, one

from mmfast.records.feature import HORIZON_S
from mmfast.sensor import horizons
from mmfast.sensor.state import HORIZONS, SENSOR
from mmfast.units import BID


def test_there_is_a_pair_for_each_horizon() -> None:
    assert len(HORIZON_S) == HORIZONS


def test_imbalances_are_those_of_decayed_volumes() -> None:
    desk, random = Desk(), np.random.default_rng(8)
    times, sides, lots = np.sort(random.uniform(0, 90, 150)), random.integers(0, 2, 150), random.integers(1, 900, 150)
    for t, side, size in zip(times, sides, lots):
        desk.trade(t, int(side), int(size))
    desk.timer(91.0)
    for h, memory in enumerate(HORIZON_S):
        left = lots * np.exp(-(91.0 - times) / memory)
        naive = (left[sides == 0].sum() - left[sides == 1].sum()) / left.sum()
        assert desk.features["flow_horizon"][h] == pytest.approx(naive, rel=1e-5)


def test_no_flow_is_balanced_at_every_horizon() -> None:
    assert [horizons.imbalance_at(one(SENSOR), h) for h in range(HORIZONS)] == [0.0] * HORIZONS


def test_what_is_taken_back_leaves_nothing() -> None:
    sensor = one(SENSOR)
    horizons.add(sensor, BID, 100.0, 0.0)
    horizons.add(sensor, BID, -200.0, 0.0)
    assert not sensor["horizon_lots"].any()
    assert math.isfinite(horizons.imbalance_at(sensor, 0))
