"""Intensity: a ratio of rates, one when nothing is known."""

from __future__ import annotations

import pytest
from support.stages import START_NS, one

from mmfast.sensor.intensity import activity, age, arrive
from mmfast.sensor.state import SENSOR


def after(gaps_s: list[float]) -> float:
    sensor, now_ns = one(SENSOR), START_NS
    for taker, gap in enumerate(gaps_s, 1):
        now_ns += round(gap * 1e9)
        age(sensor, now_ns)
        arrive(sensor, taker)
    return activity(sensor)


def test_nothing_known_is_usual() -> None:
    assert activity(one(SENSOR)) == 1.0


def test_a_steady_market_is_usual_from_the_start() -> None:
    assert after([1.0] * 20) == pytest.approx(1.0, abs=0.1)
    assert after([1.0] * 3000) == pytest.approx(1.0, abs=0.05)


def test_ten_times_the_orders_show_within_a_minute() -> None:
    assert after([1.0] * 3000 + [0.1] * 600) > 5.0


def test_prints_of_one_taker_order_count_once() -> None:
    sensor = one(SENSOR)
    for taker in (9, 9, 9, 0, 0, 8):
        arrive(sensor, taker)
    assert sensor["order_count"][0] == 4
