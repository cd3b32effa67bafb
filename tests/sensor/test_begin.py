"""Begin: what a gap makes the sensor forget, and what it does not."""

from __future__ import annotations

import numpy as np
from support.stages import START_NS, Desk

from mmfast.records.feature import BOOK_UNKNOWN
from mmfast.sensor.begin import after_gap
from mmfast.units import BID


def test_a_gap_forgets_what_would_span_it() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    desk.trade(1.1, BID, 500, taker=5)
    after_gap(desk.sensor)
    for name in ("touch_ok", "grid_ns", "taker_lots", "mark_next", "layer_next", "good_ns", "ahead_known"):
        assert desk.sensor[name] == 0, name


def test_a_gap_does_not_forget_what_is_usual() -> None:
    desk = Desk()
    for k in range(50):
        desk.bbo(1.0 + k, 999_990, 1_000_010, 500 + k)
        desk.trade(1.5 + k, k % 2, 500 + k, taker=k)
    before = desk.sensor.copy()
    after_gap(desk.sensor)
    for name in ("depth_lots", "flow_usual_lots", "size_median", "volume_lots"):
        assert desk.sensor[name] == before[name] != 0, name


def test_a_market_may_come_back_elsewhere_after_a_gap() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    desk.gap(2.0)
    desk.bbo(3.0, 1_099_990, 1_100_010)
    assert desk.features["touch_ok"] == 1
    assert desk.features["odd_price_count"] == 0


def test_nothing_is_known_at_the_beginning() -> None:
    desk = Desk()
    desk.timer(START_NS * 1e-9)
    for name in ("rv_30", "rv_300", "kurtosis", "vpin", "basis_bps", "funding_forecast_bps_s", "open_interest_z",
                 "funding_bps_s", "liquidation_ratio", "activity", "size_shift", "informed_p", "class_p",
                 "touch_imbalance", "ofi", "half_spread_bps", "book_imbalance", "book_change", "band_imbalance",
                 "gradient", "density", "migration_bps_s", "flicker", "book_asymmetry", "wall_bps", "wall_lots"):
        assert np.isnan(desk.features[name]).all(), name
    assert desk.features["vol_term"] == desk.features["tail"] == 1.0
    assert desk.features["book_regime"] == BOOK_UNKNOWN


def test_what_is_unknown_changes_no_price() -> None:
    desk = Desk()
    desk.timer(START_NS * 1e-9)
    assert (desk.belief["activity"], desk.belief["funding_bps_s"]) == (1.0, 0.0)
