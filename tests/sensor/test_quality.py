"""Quality: odd prices wait for a second witness, odd times do not."""

from __future__ import annotations

import math

import pytest
from support.stages import START_NS, Desk, one

from mmfast.filter import believe as believing
from mmfast.records.belief import BELIEF_OK, BELIEF_STALE
from mmfast.records.feature import SOURCE_MICROPRICE, SOURCE_TOUCH
from mmfast.records.market import BBO, CTX
from mmfast.sensor import quality, sense
from mmfast.units import BID, NS_PER_S


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


def late_touch(desk: Desk, at_s: float, late_s: float, up: int = 0) -> None:
    """A touch that was sent ``late_s`` before the time at which it comes, ``up`` ticks above 100 000."""
    now_ns = START_NS + round(at_s * 1e9)
    record = one(BBO, px_ticks=(999_990 + up, 1_000_010 + up), lots=(5, 5), ts_recv_ns=now_ns,
                 ts_exch_ns=now_ns + 7 * NS_PER_S - round(late_s * 1e9))
    sense.on_bbo(desk.sensor, record, desk.features, desk.params)
    believing.believe(desk.filter, desk.features, desk.belief, desk.params, now_ns)


def prompt_market(seconds: int = 20) -> Desk:
    desk = Desk(stale_ns=2 * NS_PER_S)
    for k in range(10 * seconds):
        late_touch(desk, 1.0 + 0.1 * k, 0.2 if k % 5 else 0.0, up=10 * (k % 3))
    assert desk.belief["status"] == BELIEF_OK
    return desk


def test_what_comes_late_is_as_old_as_it_is_late_and_counts_the_less() -> None:
    prompt, late = prompt_market(), prompt_market()
    late_touch(prompt, 21.5, 0.0, up=60)
    late_touch(late, 21.5, 1.5, up=60)
    for source in (SOURCE_MICROPRICE, SOURCE_TOUCH):
        older_s = (prompt.features["obs_ns"][source] - late.features["obs_ns"][source]) / NS_PER_S
        assert older_s == pytest.approx(1.5, abs=0.02)
    assert late.belief["status"] == BELIEF_OK
    assert late.belief["fair_px"] < prompt.belief["fair_px"] - 1.0
    assert late.belief["v_var"] > prompt.belief["v_var"] + 0.01


def test_a_feed_that_lags_by_more_than_the_limit_is_no_sign_of_life() -> None:
    desk = prompt_market()
    returns = int(desk.sensor["return_count"])
    for k in range(30):
        late_touch(desk, 21.0 + 0.1 * k, 3.0)
    assert desk.belief["status"] == BELIEF_STALE
    assert desk.sensor["return_count"] >= returns + 2  # but it has prices, second by second
    late_touch(desk, 24.1, 0.1)
    assert desk.belief["status"] == BELIEF_OK


def test_a_lag_of_minutes_is_the_distance_of_the_clocks() -> None:
    desk, seen = prompt_market(), []
    for k in range(400):
        late_touch(desk, 21.0 + k, 3.0)
        seen.append(int(desk.belief["status"]))
    assert seen[3:90] == [BELIEF_STALE] * 87
    assert seen[-100:] == [BELIEF_OK] * 100
    assert desk.sensor["late_ns"] == 0


def test_a_delay_of_less_than_a_second_changes_nothing() -> None:
    prompt, late = prompt_market(), prompt_market()
    late_touch(prompt, 21.0, 0.0, up=30)
    late_touch(late, 21.0, 0.9, up=30)
    assert prompt.features["obs_ns"].tolist() == late.features["obs_ns"].tolist()
    assert prompt.belief["v_var"] == late.belief["v_var"]


def test_an_unknown_oracle_refuses_nothing() -> None:
    desk = with_oracle(math.nan)
    assert not quality.off_oracle(desk.sensor, 1.0, START_NS)
