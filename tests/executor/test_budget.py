"""The budget never lets more out than the venue allows, and knows how long it lasts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.executor import budget as bud
from mmfast.units import NS_PER_MS, NS_PER_S


def fresh(**kwargs):
    return bud.new_budget(0, **kwargs)[0]


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=3_000))
@settings(max_examples=30, deadline=None)
def test_no_minute_sees_more_than_2000_messages(gaps_ms):
    b, now, sent = fresh(cap=10**9), 0, []
    for gap_ms in gaps_ms:
        now += gap_ms * NS_PER_MS // 100
        bud.refill(b, now)
        while bud.can_cancel(b, 1):
            bud.spend(b, 1, 1)
            sent.append(now)
    times = np.array(sent)
    first = np.searchsorted(times, times - 60 * NS_PER_S, side="right")
    assert (np.arange(len(times)) - first + 1).max() <= 2_000


def test_orders_leave_a_quarter_of_the_messages_to_cancels():
    b = fresh(cap=10**9)
    orders = cancels = 0
    while bud.can_place(b, 1):
        bud.spend(b, 1, 1)
        orders += 1
    while bud.can_cancel(b, 1):
        bud.spend(b, 1, 1)
        cancels += 1
    assert (orders, cancels) == (112, 38)


def test_orders_leave_the_reserve_and_cancels_may_go_beyond_the_cap():
    b = fresh(used=0, cap=10_000, reserve=2_000)
    assert bud.can_place(b, 8_000)
    assert not bud.can_place(b, 8_001)
    assert bud.can_cancel(b, 20_000)
    assert not bud.can_cancel(b, 20_001)
    rich = fresh(cap=10**6)
    assert bud.can_cancel(rich, 10**6 + 100_000)
    assert not bud.can_cancel(rich, 10**6 + 100_001)


def test_clock_that_stands_or_runs_backwards_gives_nothing():
    b = fresh()
    bud.refill(b, 5 * NS_PER_S)
    bud.spend(b, 10, 10)
    before = b.copy()
    bud.refill(b, 5 * NS_PER_S)
    bud.refill(b, 0)
    assert b == before


def test_long_silence_fills_the_credit_and_not_more():
    b = fresh()
    bud.spend(b, 0, 400)
    bud.refill(b, 2**62)
    assert b["credit_ns"] == bud.CREDIT_MAX_NS


@given(st.lists(st.integers(0, 5_000_000), max_size=40))
@settings(max_examples=50, deadline=None)
def test_volume_earns_one_action_for_each_whole_dollar(volumes):
    b = fresh()
    for volume in volumes:
        bud.earn(b, volume)
    assert b["address_cap"] == bud.ADDRESS_FREE + sum(volumes) // 1_000_000


def test_price_rises_when_half_and_when_four_fifths_are_gone():
    prices = [bud.price_multiplier(fresh(used=used, cap=1_000)) for used in (0, 500, 501, 800, 801, 2_000)]
    assert prices == [1.0, 1.0, 4.0, 4.0, 20.0, 20.0]


def test_price_rises_with_the_square_of_the_haste():
    b = fresh(cap=100_000, reserve=2_000, horizon_s=98_000.0)  # affordable: one a second
    spent = int(3 * bud.PACE_WINDOW_S)
    bud.spend(b, spent, 1)  # 3 a second over the window
    haste = bud.pace_ratio(b)
    assert haste == pytest.approx(3.0 * 98_000 / (98_000 - spent))
    assert bud.price_multiplier(b) == pytest.approx(haste**2)


def test_forecast_is_exact_at_a_steady_pace():
    b = fresh(cap=1_000_000, reserve=0)
    seconds = int(6 * bud.PACE_WINDOW_S)
    for second in range(seconds):
        bud.refill(b, second * NS_PER_S)
        bud.spend(b, 2, 1)
    assert bud.forecast_s(b) == pytest.approx((1_000_000 - 2 * seconds) / 2, rel=0.01)


def test_earning_more_than_spending_lasts_for_ever():
    b = fresh()
    bud.spend(b, 10, 1)
    bud.earn(b, 50_000_000)
    assert bud.forecast_s(b) == np.inf
    assert bud.price_multiplier(b) == 1.0


def test_venues_own_count_replaces_ours():
    b = fresh()
    bud.earn(b, 999_999)
    bud.resync(b, 123, 10_456)
    bud.earn(b, 1)
    assert (b["address_used"], b["address_cap"]) == (123, 10_456)


@pytest.mark.parametrize("kwargs", [{"used": -1}, {"cap": -1}, {"reserve": -1}, {"horizon_s": 0.0},
                                    {"horizon_s": np.nan}])
def test_senseless_budget_is_refused(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        bud.new_budget(0, **kwargs)
