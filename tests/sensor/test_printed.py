"""Printed: what buyers say is the mirror of what sellers say."""

from __future__ import annotations

import numpy as np
import pytest
from support.stages import Desk

from mmfast.records.feature import (
    OBS_INFORMED,
    SOURCE_FLOW,
    SOURCE_HAWKES,
    SOURCE_INFORMED_ASK,
    SOURCE_INFORMED_BID,
    SOURCE_SIZE,
    SOURCE_SWEEP,
)
from mmfast.units import ASK, BID


def told(flip: bool) -> Desk:
    desk, random = Desk(), np.random.default_rng(9)
    desk.bbo(0.0, 999_990, 1_000_010)
    for k in range(80):
        side = int(random.uniform() < 0.3) ^ int(flip)
        lots, levels = int(random.integers(1, 900)), int(random.integers(1, 4))
        for level in range(levels):
            sign = 1 if side == BID else -1
            desk.trade(0.1 * k, side, lots, 1_000_000 + sign * 10 * (level + 1), taker=k + 1)
    return desk


def test_sides_swapped_flip_every_sign() -> None:
    up, down = told(False), told(True)
    for source in (SOURCE_FLOW, SOURCE_HAWKES, SOURCE_SWEEP, SOURCE_SIZE):
        assert up.features["valid_mask"] >> source & 1, source
        assert up.features["obs_z"][source] == pytest.approx(-down.features["obs_z"][source], abs=1e-9), source
    assert up.features["hawkes"] == pytest.approx(down.features["hawkes"][::-1])
    assert up.features["informed_p"] == pytest.approx(down.features["informed_p"][::-1])


def test_buyers_raise_their_own_intensity_and_the_activity() -> None:
    desk = told(False)
    assert desk.features["hawkes"][BID] > desk.features["hawkes"][ASK] > desk.params["hawkes_rate"]
    assert desk.features["hawkes_activity"] > 1.0
    desk.timer(60.0)
    assert desk.features["hawkes_activity"] == pytest.approx(1.0)


def test_prints_of_one_order_count_once() -> None:
    split, whole = Desk(), Desk()
    for lots in (300, 500, 200):
        split.trade(1.0, BID, lots, taker=7)
    whole.trade(1.0, BID, 1000, taker=7)
    assert split.features["activity"] == whole.features["activity"]
    assert split.features["hawkes"] == pytest.approx(whole.features["hawkes"])
    assert split.sensor["recent_count"][BID] == 1


def test_the_informed_share_is_said_for_each_side() -> None:
    desk = told(False)
    for side, source in ((BID, SOURCE_INFORMED_BID), (ASK, SOURCE_INFORMED_ASK)):
        assert desk.features["obs_kind"][source] == OBS_INFORMED
        assert desk.features["obs_z"][source] == desk.features["informed_p"][side]


def test_a_silenced_share_is_unknown() -> None:
    desk = Desk(source_mask=~(1 << SOURCE_INFORMED_BID))
    desk.trade(1.0, BID, 100)
    assert np.isnan(desk.features["informed_p"][BID])
    assert desk.features["informed_p"][ASK] == pytest.approx(0.15)
