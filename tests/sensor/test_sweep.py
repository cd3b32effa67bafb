"""Sweep: levels and size, forgotten after three seconds."""

from __future__ import annotations

import math

import pytest
from support.stages import START_NS, Desk, one

from mmfast.sensor import sweep
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID

SECOND = 1_000_000_000


@pytest.mark.parametrize(("levels", "size", "score"), [(0, 9.0, 0.0), (1, 9.0, 0.0), (2, 1.0, 1.0), (5, 4.0, 8.0)])
def test_one_level_is_no_sweep(levels: int, size: float, score: float) -> None:
    assert sweep.worth(levels, size) == score


def test_the_score_fades_and_is_gone_after_three_seconds() -> None:
    sensor = one(SENSOR)
    sweep.fade(sensor, START_NS)
    sweep.add(sensor, BID, 4.0)
    sweep.fade(sensor, START_NS + 2 * SECOND)
    assert sensor["sweep"][BID] == pytest.approx(4.0 * math.exp(-2.0))
    sweep.fade(sensor, START_NS + 3 * SECOND + 1)
    assert sensor["sweep"][BID] == 0.0


def test_an_order_over_three_levels_scores_as_one_however_it_is_printed() -> None:
    split, whole = Desk(), Desk()
    for desk in (split, whole):
        for k in range(20):
            desk.trade(0.01 * k, k % 2, 100, taker=100 + k)
    for px in (1_000_010, 1_000_020, 1_000_030):
        split.trade(1.0, BID, 50, px, taker=7)
        split.trade(1.0, BID, 50, px, taker=7)
        whole.trade(1.0, BID, 100, px, taker=7)
    assert split.features["sweep"][BID] == pytest.approx(whole.features["sweep"][BID])
    assert split.features["sweep"][BID] > 2.0
    assert split.features["sweep"][ASK] == 0.0
