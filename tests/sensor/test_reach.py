"""Reach: the furthest prints of each whole second, and nothing about a second that was not watched."""

from __future__ import annotations

from typing import Any

from support.stages import START_NS, one

from mmfast.records.feature import FEATURES
from mmfast.sensor import reach
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID, NS_PER_S

BEGIN = START_NS // NS_PER_S * NS_PER_S


def watched() -> tuple[Any, Any]:
    sensor, features = one(SENSOR), one(FEATURES)
    reach.advance(sensor, features, BEGIN)
    return sensor, features


def test_sellers_go_down_our_bids_and_buyers_up_our_asks() -> None:
    sensor, features = watched()
    for side, px in ((ASK, 1000), (ASK, 990), (ASK, 995), (BID, 1010), (BID, 1020), (BID, 1005)):
        reach.take(sensor, side, px)
    assert features["reach_ns"] == 0
    reach.advance(sensor, features, BEGIN + NS_PER_S)
    assert (features["reach_ns"], features["reach_ticks"].tolist()) == (BEGIN, [990, 1020])


def test_a_second_begins_with_nothing() -> None:
    sensor, features = watched()
    reach.take(sensor, BID, 1000)
    for k in (1, 2):
        reach.advance(sensor, features, BEGIN + k * NS_PER_S)
    assert (features["reach_ns"], features["reach_ticks"].tolist()) == (BEGIN + NS_PER_S, [0, 0])


def test_a_second_that_nobody_watched_to_its_end_is_not_told() -> None:
    sensor, features = watched()
    reach.take(sensor, BID, 1000)
    reach.advance(sensor, features, BEGIN + 3 * NS_PER_S)
    assert features["reach_ns"] == 0
    reach.restart(sensor)
    reach.advance(sensor, features, BEGIN + 4 * NS_PER_S)
    assert features["reach_ns"] == 0


def test_time_that_goes_back_changes_nothing() -> None:
    sensor, features = watched()
    reach.take(sensor, BID, 1000)
    reach.advance(sensor, features, BEGIN - 5 * NS_PER_S)
    reach.advance(sensor, features, BEGIN + NS_PER_S)
    assert features["reach_ticks"].tolist() == [0, 1000]
