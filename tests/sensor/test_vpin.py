"""VPIN: buckets of equal volume, and their imbalance, against a plain twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, one

from mmfast.sensor import vpin
from mmfast.sensor.state import BUCKETS, SENSOR
from mmfast.units import ASK, BID


def fresh() -> np.void:
    sensor = one(SENSOR)
    vpin.restart(sensor)
    return sensor


def steady(sensor: np.void, prints: int, side_of: object, lots: float = 10.0) -> None:
    for k in range(prints):
        vpin.pour(sensor, side_of(k), lots, START_NS + k * 1_000_000_000)  # type: ignore[operator]


def test_nothing_is_said_before_fifty_buckets() -> None:
    sensor = fresh()
    steady(sensor, 3000, lambda k: k % 2)
    assert sensor["bucket_count"] < BUCKETS
    assert math.isnan(sensor["vpin"])


def test_buyers_only_are_one_and_a_fair_market_is_near_its_noise() -> None:
    one_sided, fair = fresh(), fresh()
    random = np.random.default_rng(1).integers(0, 2, 9000)
    steady(one_sided, 9000, lambda k: BID)
    steady(fair, 9000, lambda k: int(random[k]))
    assert one_sided["vpin"] == pytest.approx(1.0)
    assert fair["vpin"] == pytest.approx(math.sqrt(2.0 / math.pi / 72.0), rel=0.35)  # mean |n1 - n2| / n of 72 coins


def test_volume_is_poured_without_loss() -> None:
    sensor, random = fresh(), np.random.default_rng(2)
    sensor["bucket_goal"], total = 100.0, 0.0
    sensor["volume_weight_s"], sensor["volume_ns"] = 3600.0, START_NS
    sensor["volume_lots"] = 100.0 * BUCKETS
    for lots in random.uniform(1.0, 390.0, 15):
        vpin.pour(sensor, int(random.integers(0, 2)), lots, START_NS)
        total += lots
    closed = sensor["bucket_volume"][: sensor["bucket_count"]].sum()
    assert sensor["bucket_count"] < BUCKETS
    assert closed + sensor["bucket_lots"].sum() == pytest.approx(total)


def test_vpin_is_the_mean_gap_of_the_last_fifty_buckets() -> None:
    sensor = fresh()
    random = np.random.default_rng(3).integers(0, 2, 9000)
    steady(sensor, 9000, lambda k: int(random[k]))
    assert sensor["vpin"] == pytest.approx(sensor["bucket_gap"].sum() / sensor["bucket_volume"].sum())


def test_the_rank_is_high_after_a_rise_and_low_after_a_fall() -> None:
    sensor = fresh()
    flips = np.random.default_rng(4).integers(0, 2, 20_000)
    steady(sensor, 12_000, lambda k: int(flips[k]))
    for k in range(12_000, 15_000):
        vpin.pour(sensor, BID, 10.0, START_NS + k * 1_000_000_000)
    assert sensor["vpin_rank"] > 0.8
    for k in range(15_000, 19_000):
        vpin.pour(sensor, ASK if k % 2 else BID, 10.0, START_NS + k * 1_000_000_000)
    assert sensor["vpin_rank"] < 0.5


def test_a_huge_print_ends() -> None:
    sensor = fresh()
    steady(sensor, 1000, lambda k: k % 2)
    vpin.pour(sensor, BID, 1e15, START_NS + 1_000_000_000_000)
    assert np.isfinite(sensor["bucket_lots"]).all()


def test_a_print_of_ours_leaves_the_open_bucket() -> None:
    sensor = fresh()
    steady(sensor, 400, lambda k: k % 2)
    before = sensor["bucket_lots"].copy()
    vpin.pour(sensor, BID, 1.0, START_NS + 400_000_000_000)
    vpin.take_back(sensor, BID, 1.0)
    assert sensor["bucket_lots"] == pytest.approx(before)
