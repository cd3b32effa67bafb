"""Quality: odd prices wait for a second witness, odd times do not."""

from __future__ import annotations

import math

import pytest
from support.stages import START_NS, Desk, one

from mmfast.records.market import BBO, CTX
from mmfast.sensor import quality, sense
from mmfast.units import BID


def with_oracle(px: float) -> Desk:
    desk = Desk()
    sense.on_ctx(desk.sensor, one(CTX, oracle_px=px, ts_recv_ns=START_NS), desk.features, desk.params)
    return desk


def test_a_jump_is_believed_when_a_second_touch_confirms_it() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    desk.bbo(1.1, 1_009_990, 1_010_010)
    assert tuple(desk.features["touch_ticks"]) == (999_990, 1_000_010)
    assert desk.features["odd_price_count"] == 1
    assert desk.features["touch_ok"] == 0  # nobody should quote on a touch that is in doubt
    desk.bbo(1.2, 1_009_980, 1_010_000)
    assert tuple(desk.features["touch_ticks"]) == (1_009_980, 1_010_000)
    assert desk.features["touch_ok"] == 1
    assert desk.features["odd_price_count"] == 1


def test_one_odd_touch_changes_no_observation_and_is_no_sign_of_life() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    before = desk.features.copy()
    desk.bbo(1.1, 1_009_990, 1_010_010)
    for name in ("mid_px", "ofi", "touch_imbalance", "valid_mask", "alive_ns"):
        assert desk.features[name] == before[name], name
    assert desk.features["obs_serial"] == pytest.approx(before["obs_serial"])
    desk.bbo(1.2, 999_990, 1_000_010)
    assert desk.features["touch_ok"] == 1


def test_a_usual_move_is_never_odd() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    desk.bbo(1.07, 1_000_790, 1_000_810)  # 8 bps within a block
    assert desk.features["odd_price_count"] == 0


def test_the_reach_grows_with_time_and_volatility() -> None:
    desk = Desk()
    near, far = (quality.reach_bps(desk.sensor, desk.params, s) for s in (1.0, 100.0))
    assert near == pytest.approx(10.0 * 0.89 + 10.0)
    assert far == pytest.approx(10.0 * 0.89 * 10.0 + 10.0)
    desk.sensor["rv_300"] = 9.0
    assert quality.reach_bps(desk.sensor, desk.params, 1.0) == pytest.approx(40.0)


def test_touches_five_percent_off_the_oracle_are_refused_until_it_is_old() -> None:
    desk = with_oracle(100_000.0)
    desk.bbo(1.0, 1_059_990, 1_060_010)
    desk.bbo(1.1, 1_059_990, 1_060_010)
    assert desk.features["touch_ok"] == 0
    assert desk.features["odd_price_count"] == 2
    desk.bbo(62.0, 1_059_990, 1_060_010)
    assert desk.features["touch_ok"] == 1


def test_an_odd_print_is_no_flow() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    for px in (900_000, 0, -5):
        desk.trade(1.1, BID, 100, px)
    assert desk.features["flow_imbalance"] == 0.0
    assert desk.features["odd_price_count"] == 3
    desk.trade(1.2, BID, 100, 1_000_010)
    assert desk.features["flow_imbalance"] == 1.0


def test_a_record_from_the_future_is_refused_but_not_a_clock_that_stays_ahead() -> None:
    desk = Desk()
    for k, ahead_s in enumerate((0.0, 0.0, 5.0, 5.0, 5.0)):
        now_ns = START_NS + round((1 + 0.1 * k) * 1e9)
        record = one(BBO, px_ticks=(999_990 + 10 * k, 1_000_010 + 10 * k), lots=(5, 5), ts_recv_ns=now_ns,
                     ts_exch_ns=now_ns + round(ahead_s * 1e9))
        sense.on_bbo(desk.sensor, record, desk.features, desk.params)
        if k == 3:
            assert desk.features["touch_ticks"][BID] == 1_000_000
            assert desk.features["odd_time_count"] == 2
    assert desk.features["touch_ticks"][BID] == 1_000_030


def test_an_unknown_oracle_refuses_nothing() -> None:
    desk = with_oracle(math.nan)
    assert not quality.off_oracle(desk.sensor, 1.0, START_NS)
