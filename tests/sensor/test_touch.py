"""Touch: all layers of the value, and the direction of what it says."""

from __future__ import annotations

import math

import pytest
from support.stages import Desk

from mmfast.records.feature import (
    LAYER_DEPTH,
    LAYER_MID,
    LAYER_STOIKOV,
    LAYER_WEIGHTED,
    SOURCE_MICROPRICE,
    SOURCE_OFI,
    SOURCE_TOUCH,
)


def test_the_weighted_mid_speaks_before_calibration() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010, 600_000, 400_000)
    features = desk.features
    assert features["layer"] == LAYER_WEIGHTED
    assert features["layer_bps"][LAYER_MID] == 0.0
    assert features["layer_bps"][LAYER_WEIGHTED] == pytest.approx(0.02, abs=1e-4)
    assert features["obs_z"][SOURCE_MICROPRICE] == features["layer_bps"][LAYER_WEIGHTED]
    assert features["layer_bps"][LAYER_STOIKOV] == pytest.approx(0.03, rel=1e-4)  # 0.3 steps of 1 USD
    assert math.isnan(features["layer_bps"][LAYER_DEPTH])


def test_the_depth_layer_is_silent_when_its_book_is_old() -> None:
    desk = Desk()
    desk.book(1.0, [(999_990 - 10 * k, 300) for k in range(5)], [(1_000_010 + 10 * k, 100) for k in range(5)])
    desk.bbo(1.5, 999_990, 1_000_010)
    assert desk.features["layer_bps"][LAYER_DEPTH] > 0.0
    desk.bbo(3.0, 999_990, 1_000_010)
    assert math.isnan(desk.features["layer_bps"][LAYER_DEPTH])


def test_sides_swapped_flip_every_sign() -> None:
    up, down = Desk(), Desk()
    for k, (lots, other) in enumerate([(100, 500), (400, 300), (900, 50)]):
        up.bbo(k, 999_990, 1_000_010, lots, other)
        down.bbo(k, 999_990, 1_000_010, other, lots)
    for source in (SOURCE_MICROPRICE, SOURCE_TOUCH, SOURCE_OFI):
        assert up.features["obs_z"][source] == pytest.approx(-down.features["obs_z"][source], abs=1e-6)
        assert up.features["obs_z"][source] > 0.0
