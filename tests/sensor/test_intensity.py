"""Intensity: a ratio of rates, unknown before the first order."""

from __future__ import annotations

import math

import pytest
from support.stages import START_NS, one

from mmfast.sensor.intensity import activity, age, arrive, take_back
from mmfast.sensor.state import SENSOR


def after(gaps_s: list[float]) -> float:
    sensor, now_ns = one(SENSOR), START_NS
    for gap in gaps_s:
        now_ns += round(gap * 1e9)
        age(sensor, now_ns)
        arrive(sensor)
    return activity(sensor)


def test_nothing_is_known_before_the_first_order() -> None:
    assert math.isnan(activity(one(SENSOR)))
    assert after([1.0]) == pytest.approx(1.0, abs=0.2)


def test_a_steady_market_is_usual_from_the_start() -> None:
    assert after([1.0] * 20) == pytest.approx(1.0, abs=0.1)
    assert after([1.0] * 3000) == pytest.approx(1.0, abs=0.05)


def test_ten_times_the_orders_show_within_a_minute() -> None:
    assert after([1.0] * 3000 + [0.1] * 600) > 5.0


def test_what_is_taken_back_was_never_there() -> None:
    with_ours, without = one(SENSOR), one(SENSOR)
    for sensor in (with_ours, without):
        age(sensor, START_NS)
        arrive(sensor)
        age(sensor, START_NS + 3_000_000_000)
    arrive(with_ours)
    for sensor in (with_ours, without):
        age(sensor, START_NS + 9_000_000_000)
    take_back(with_ours, START_NS + 3_000_000_000)
    assert with_ours["order_count"] == pytest.approx(without["order_count"])
