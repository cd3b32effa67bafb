"""Depth: bands, their gradient, and the change of the near book."""

from __future__ import annotations

import math

import pytest
from support.stages import Desk, one

from mmfast.records.feature import SOURCE_BOOK_CHANGE, SOURCE_DEEP_BOOK, SOURCE_GRADIENT
from mmfast.records.market import BOOK
from mmfast.sensor import sense

Levels = list[tuple[int, int]]


def wide(near: int, far: int) -> tuple[Levels, Levels]:
    """A book to 57 bps; bids of ``near`` lots within 10 bps and ``far`` beyond, asks of 100."""
    bids = [(1_000_000 - 300 * (k + 1), near if 3 * (k + 1) <= 10 else far) for k in range(19)]
    return bids, [(1_000_000 + 300 * (k + 1), 100) for k in range(19)]


def test_the_gradient_is_near_minus_far() -> None:
    desk = Desk()
    desk.book(1.0, *wide(300, 100))
    ten, _, fifty = desk.features["band_imbalance"]
    assert ten == pytest.approx(0.5)
    assert desk.features["gradient"] == pytest.approx(ten - fifty)
    assert desk.features["gradient"] > 0.0
    assert desk.features["valid_mask"] >> SOURCE_DEEP_BOOK & 1
    assert desk.features["valid_mask"] >> SOURCE_GRADIENT & 1


def test_a_book_that_does_not_reach_says_nothing_about_bands() -> None:
    desk = Desk()
    bids, asks = wide(300, 100)
    desk.book(2.0, bids[:8], asks[:8])
    assert desk.features["band_imbalance"][0] == pytest.approx(0.5)
    assert math.isnan(desk.features["band_imbalance"][2])
    assert math.isnan(desk.features["gradient"])
    assert desk.features["valid_mask"] >> SOURCE_GRADIENT & 1 == 0


def test_a_fast_book_leaves_the_bands_of_the_slow_one_for_a_while() -> None:
    desk = Desk()
    desk.book(1.0, *wide(300, 100))
    fast = one(BOOK, level_count=(5, 5), fast=1)
    for k in range(5):
        fast["px_ticks"][:, k], fast["lots"][:, k] = (999_990 - 10 * k, 1_000_010 + 10 * k), 50
    desk._feed(sense.on_book, fast, 2.0)
    assert desk.features["band_imbalance"][0] == pytest.approx(0.5)
    desk._feed(sense.on_book, fast, 20.0)
    assert math.isnan(desk.features["band_imbalance"][0])


def test_depth_that_is_put_up_reads_as_rising() -> None:
    desk = Desk()
    asks = [(1_000_010 + 10 * k, 100) for k in range(5)]
    for step in range(10):
        desk.book(1.0 + 0.5 * step, [(999_990 - 10 * k, 100 + 30 * step) for k in range(5)], asks)
    assert desk.features["book_change"] > 0.0
    assert desk.features["obs_z"][SOURCE_BOOK_CHANGE] > 0.0


def merged(step: int, lots: int, count: int = 20) -> object:
    """A book of merged prices around 100 000 USD, three times as heavy on the bid within 10 bps."""
    record = one(BOOK, level_count=(count, count), wide=1)
    for k in range(count):
        record["px_ticks"][:, k] = 1_000_000 - step * (k + 1), 1_000_000 + step * (k + 1)
        record["lots"][:, k] = 3 * lots if step * (k + 1) <= 1000 else lots, lots
    return record


def test_a_merged_book_tells_the_bands_and_nothing_else() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    touch = desk.features["touch_ticks"].tolist()
    desk._feed(sense.on_book, merged(500, 100), 1.5)
    assert desk.features["band_imbalance"][0] == pytest.approx(0.5)
    assert 0.0 < desk.features["band_imbalance"][2] < 0.5
    assert desk.features["gradient"] > 0.0
    assert desk.features["touch_ticks"].tolist() == touch
    assert desk.features["valid_mask"] >> SOURCE_BOOK_CHANGE & 1 == 0
    assert desk.features["valid_mask"] >> SOURCE_GRADIENT & 1


def test_a_book_too_coarse_for_the_near_band_tells_only_the_far_one() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    desk._feed(sense.on_book, merged(2500, 100), 1.5)
    near, _, far = desk.features["band_imbalance"]
    assert math.isnan(near)
    assert far == pytest.approx(0.0)
    desk._feed(sense.on_book, merged(100, 100), 1.6)
    assert desk.features["band_imbalance"][0] == pytest.approx(0.5)
    assert desk.features["gradient"] == pytest.approx(0.5)


def test_a_merged_book_without_a_touch_tells_nothing() -> None:
    desk = Desk()
    desk._feed(sense.on_book, merged(500, 100), 1.5)
    assert desk.features["valid_mask"] >> SOURCE_DEEP_BOOK & 1 == 0
