"""Sense: what each record changes, and what bad records do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import Desk

from mmfast.records.feature import (
    OBS_DRIFT,
    OBS_LOG_SIGMA,
    OBS_VALUE,
    SOURCE_BIPOWER,
    SOURCE_BOOK,
    SOURCE_FLOW,
    SOURCE_HAWKES,
    SOURCE_INFORMED_ASK,
    SOURCE_INFORMED_BID,
    SOURCE_MICROPRICE,
    SOURCE_OFI,
    SOURCE_SWEEP,
    SOURCE_TOUCH,
)
from mmfast.units import ASK, BID

BIDS = [(999_990 - 10 * k, 100) for k in range(5)]
ASKS = [(1_000_010 + 10 * k, 300) for k in range(5)]


def test_a_touch_speaks_about_value_and_drift() -> None:
    desk = Desk()
    desk.bbo(1, 999_990, 1_000_010, 600_000, 400_000)
    features = desk.features
    assert features["valid_mask"] == 1 << SOURCE_MICROPRICE | 1 << SOURCE_TOUCH | 1 << SOURCE_OFI
    assert features["obs_kind"][SOURCE_MICROPRICE] == OBS_VALUE
    assert features["obs_z"][SOURCE_MICROPRICE] == pytest.approx(0.020, abs=1e-4)
    assert features["obs_r"][SOURCE_MICROPRICE] == pytest.approx(0.0425, abs=1e-6)
    assert features["obs_kind"][SOURCE_OFI] == OBS_DRIFT
    assert features["base_px"] == features["mid_px"] == 100_000.0
    assert features["half_spread_bps"] == pytest.approx(0.1)


@pytest.mark.parametrize("touch", [
    (1_000_010, 999_990, 5, 5), (1_000_000, 1_000_000, 5, 5), (999_990, 1_000_010, 0, 5), (999_990, 1_000_010, 5, 0),
    (0, 0, 0, 0), (-5, 10, 5, 5), (10, 2**62, 5, 5), (999_990, 1_000_010, -5, 5)])
def test_a_touch_that_is_crossed_one_sided_or_absurd_is_no_touch(touch: tuple[int, int, int, int]) -> None:
    desk = Desk()
    desk.bbo(1, 999_990, 1_000_010)
    desk.bbo(2, *touch)
    assert desk.features["touch_ok"] == 0
    assert desk.features["valid_mask"] & (1 << SOURCE_MICROPRICE) == 0
    desk.bbo(3, 999_990, 1_000_010)
    assert desk.features["touch_ok"] == 1


def test_replayed_trades_are_no_flow() -> None:
    desk = Desk()
    desk.trade(1, BID, 5000, replayed=1)
    assert desk.features["flow_imbalance"] == 0.0
    assert desk.features["valid_mask"] == 0
    desk.trade(2, BID, 5000)
    assert desk.features["flow_imbalance"] == 1.0
    assert desk.features["valid_mask"] == sum(1 << source for source in (
        SOURCE_FLOW, SOURCE_HAWKES, SOURCE_SWEEP, SOURCE_INFORMED_BID, SOURCE_INFORMED_ASK))


def test_sell_pressure_reads_as_falling() -> None:
    desk = Desk()
    desk.trade(1, ASK, 5000)
    assert desk.features["flow_imbalance"] == -1.0
    assert desk.features["obs_z"][SOURCE_FLOW] < 0.0


def test_a_book_gives_depth_and_a_newer_touch() -> None:
    desk = Desk()
    desk.bbo(1, 999_980, 1_000_020)
    desk.book(2, BIDS, ASKS)
    assert tuple(desk.features["touch_ticks"]) == (999_990, 1_000_010)
    assert desk.features["book_imbalance"] == pytest.approx(-0.5)
    assert desk.features["obs_z"][SOURCE_BOOK] < 0.0
    desk.bbo(3, 999_970, 1_000_030)
    desk.book(2.5, BIDS, ASKS)
    assert tuple(desk.features["touch_ticks"]) == (999_970, 1_000_030)


def test_a_thin_book_says_nothing_about_depth() -> None:
    desk = Desk()
    desk.book(1, BIDS, ASKS)
    assert desk.features["valid_mask"] >> SOURCE_BOOK & 1
    desk.book(2, BIDS[:2], ASKS)
    assert desk.features["valid_mask"] >> SOURCE_BOOK & 1 == 0
    assert desk.features["touch_ok"] == 1
    desk.book(3, [], [])
    assert desk.features["touch_ok"] == 0


def test_volatility_speaks_every_ten_seconds() -> None:
    desk, random = Desk(), np.random.default_rng(1)
    px = 1_000_000
    for k in range(301):
        px += int(random.normal(0, 28))
        desk.bbo(0.1 * k, px - 10, px + 10)
    assert desk.features["valid_mask"] >> SOURCE_BIPOWER & 1
    assert desk.features["obs_kind"][SOURCE_BIPOWER] == OBS_LOG_SIGMA
    assert math.exp(desk.features["obs_z"][SOURCE_BIPOWER]) == pytest.approx(0.89, rel=0.6)


def test_a_gap_silences_everything_until_the_next_touch() -> None:
    desk = Desk()
    desk.bbo(1, 999_990, 1_000_010)
    desk.gap(2, reason=3)
    assert desk.features["valid_mask"] == 0
    assert desk.features["gap"] == 3
    assert desk.features["touch_ok"] == 0
    desk.bbo(3, 999_990, 1_000_010)
    assert desk.features["gap"] == 0


def test_funding_is_kept_while_the_venue_is_silent_about_it() -> None:
    desk = Desk()
    desk.ctx(1, 1.25e-5)
    desk.ctx(2, math.nan)
    assert desk.features["funding_bps_s"] == pytest.approx(3.47e-5, rel=1e-2)


def test_features_say_where_they_come_from() -> None:
    desk = Desk()
    desk.features["inst"] = 4
    desk.timer(1)
    assert desk.features["inst"] == 4  # a timer is for everybody
    assert desk.features["ts_recv_ns"] == desk.features["ts_exch_ns"] > 0
