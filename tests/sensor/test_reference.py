"""Reference: open interest that supports a move, and orders that are forced."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, Desk, one

from mmfast.records.feature import SOURCE_FUNDING, SOURCE_OPEN_INTEREST
from mmfast.records.market import CTX
from mmfast.sensor import sense
from mmfast.units import ASK


def ctx(desk: Desk, at_s: float, **fields: float) -> None:
    usual = {"open_interest": math.nan, "premium": math.nan, "oracle_px": math.nan, "funding_rate_h": math.nan}
    record = one(CTX, ts_recv_ns=START_NS + round(at_s * 1e9), **{**usual, **fields})
    sense.on_ctx(desk.sensor, record, desk.features, desk.params)


def minutes(moves: float, count: int = 200) -> Desk:
    """Open interest that is noise, then grows, while the price goes one way."""
    desk, random = Desk(), np.random.default_rng(2)
    for k in range(count):
        px = 1_000_000 + 10 * round(moves * k)
        desk.bbo(float(k), px - 10, px + 10)
        extra = max(k - 150, 0) * 1e-4
        ctx(desk, k + 0.1, open_interest=1000.0 * math.exp(random.normal(0, 1e-4) + extra))
    return desk


def test_money_that_comes_in_supports_the_move() -> None:
    rising, falling = minutes(1.0), minutes(-1.0)
    assert rising.features["open_interest_z"] > 0.0
    assert rising.features["obs_z"][SOURCE_OPEN_INTEREST] > 0.0 > falling.features["obs_z"][SOURCE_OPEN_INTEREST]


def test_a_fall_of_open_interest_with_a_sweep_and_a_move_is_a_forced_order() -> None:
    desk = minutes(0.0, 150)
    for k in range(200):
        desk.trade(150.0 + 0.001 * k, k % 2, 100, 1_000_000, taker=1000 + k)
    for k in range(6):
        px = 1_000_000 - 1_000 * (k + 1)
        for level in range(4):
            desk.trade(151.0 + k, ASK, 400, px + 2_000 - 10 * level, taker=5000 + k)
        desk.bbo(151.1 + k, px - 10, px + 10)
        ctx(desk, 151.2 + k, open_interest=1000.0 * (1.0 - 0.01 * (k + 1)))
    assert desk.features["liquidation_ratio"] > 3.0
    assert desk.features["cascade"] == 1.0
    assert desk.features["liquidation_side"] == -1.0
    desk.timer(900.0)
    assert desk.features["cascade"] == 0.0


def test_open_interest_without_a_touch_is_left_out() -> None:
    desk = Desk()
    for k in range(100):
        ctx(desk, float(k), open_interest=1000.0)
    assert desk.sensor["interest_next"] == 0


def test_funding_needs_the_venues_time_and_three_hours() -> None:
    desk = Desk()
    ctx(desk, 1.0, premium=1e-3)
    assert math.isnan(desk.features["funding_forecast_bps_s"])
    for k in range(5):
        at_s = 3600.0 * (k + 1)
        desk.bbo(at_s, 999_990, 1_000_010)
        ctx(desk, at_s + 0.1, premium=1e-3 * (k + 1))
        assert desk.features["valid_mask"] >> SOURCE_FUNDING & 1 == (k >= 3)
    assert desk.features["funding_forecast_bps_s"] == pytest.approx((5e-3 - 5e-4) / 8 * 1e4 / 3600)
    assert desk.features["obs_z"][SOURCE_FUNDING] < 0.0  # dear to hold: less of it wanted
