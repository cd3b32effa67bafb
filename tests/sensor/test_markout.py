"""Markout: the price ten seconds after a taker, as a cost to the side he hit."""

from __future__ import annotations

import numpy as np
import pytest
from support.stages import START_NS, one

from mmfast.sensor import markout
from mmfast.sensor.state import MARKS, SENSOR
from mmfast.units import ASK, BID

SECOND = 1_000_000_000


def fresh() -> np.void:
    sensor = one(SENSOR, touch_ok=1, log_px_bps=100.0)
    markout.restart(sensor)
    return sensor


@pytest.mark.parametrize(("side", "later", "cost"), [(ASK, 103.0, 3.0), (ASK, 98.0, -2.0), (BID, 98.0, 2.0)])
def test_a_move_with_the_taker_costs_us(side: int, later: float, cost: float) -> None:
    sensor = fresh()
    markout.wait(sensor, side, START_NS)
    markout.mature(sensor, later, START_NS + 10 * SECOND - 1)
    assert sensor["impact_count"][side] == 0
    markout.mature(sensor, later, START_NS + 10 * SECOND)
    assert sensor["impact_bps"][side] == pytest.approx(cost)
    assert sensor["impact_count"][1 - side] == 0


def test_a_price_that_comes_too_late_says_nothing() -> None:
    sensor = fresh()
    markout.wait(sensor, ASK, START_NS)
    markout.mature(sensor, 150.0, START_NS + 13 * SECOND)
    assert sensor["impact_count"][ASK] == 0
    assert sensor["mark_first"] == sensor["mark_next"]


def test_the_mean_is_that_of_all_markouts() -> None:
    sensor, moves = fresh(), np.random.default_rng(2).normal(0.5, 2.0, 150)
    for k, move in enumerate(moves):
        markout.wait(sensor, ASK, START_NS + 20 * k * SECOND)
        markout.mature(sensor, 100.0 + move, START_NS + (20 * k + 10) * SECOND)
    assert sensor["impact_bps"][ASK] == pytest.approx(moves.mean())


def test_a_full_list_and_a_market_without_touch_wait_for_nothing() -> None:
    sensor = fresh()
    for _ in range(MARKS + 5):
        markout.wait(sensor, BID, START_NS)
    assert sensor["mark_next"] - sensor["mark_first"] == MARKS
    closed = fresh()
    closed["touch_ok"] = 0
    markout.wait(closed, BID, START_NS)
    assert closed["mark_next"] == 0


def test_an_order_that_is_cancelled_is_not_measured() -> None:
    sensor = fresh()
    markout.wait(sensor, ASK, START_NS)
    markout.wait(sensor, ASK, START_NS + SECOND)
    markout.cancel(sensor, ASK, START_NS)
    markout.mature(sensor, 130.0, START_NS + 11 * SECOND)
    assert sensor["impact_count"][ASK] == 1
