"""Margin against a recorded account and by its own definitions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast.sim import margin
from mmfast.sim.accounts import Account, Leverage
from mmfast.sim.listing import LISTED
from mmfast.sim.universe import MARGIN_TIERS
from mmfast.units import UUSD_PER_USD


def instrument(asset=0, mark_ticks=1_000_000, max_leverage=40):
    return SimpleNamespace(asset=asset, mark_ticks=mark_ticks, max_leverage=max_leverage, tiers=((0, max_leverage),),
                           listing=LISTED)


def tiered(mark_ticks=1_000_000):
    """BTC of the venue: 40x up to 150 million dollars, then 20x."""
    return SimpleNamespace(asset=0, mark_ticks=mark_ticks, max_leverage=40, tiers=MARGIN_TIERS[56], listing=LISTED)


def account(raw_uusd, lots=0, cost_uusd=0):
    made = Account("0x01", 1, raw_uusd=raw_uusd)
    if lots:
        made.position(0).lots, made.position(0).cost_uusd = lots, cost_uusd
    return made


def test_recorded_tradable_sizes_of_a_short_are_reproduced():
    # Real account of March 2023: BTC short 0.00785 worth 211.64542 at 20x; 1010.57173 free; sizes 0.76534, 0.74964.
    btc = instrument(mark_ticks=269_612, max_leverage=50)
    held = account(raw_uusd=1_010_571_730 + 785 * 269_612 + 785 * 269_612 // 20, lots=-785)
    assert margin.available_uusd(held, [btc]) == 1_010_571_730
    buy, sell = (margin.max_trade_lots(held, btc, sign, [btc]) for sign in (1, -1))
    assert abs(buy - 76_534) <= 1
    assert abs(sell - 74_964) <= 1


@given(st.integers(0, 10**12), st.integers(-10**5, 10**5), st.integers(1, 40), st.sampled_from([1, -1]))
def test_greatest_order_is_let_in_and_a_clearly_greater_one_is_not(raw, lots, gear, side):
    btc = instrument()
    held = account(raw + max(-lots, 0) * btc.mark_ticks, lots)
    held.leverages[0] = Leverage(gear)
    size = margin.max_trade_lots(held, btc, side, [btc])
    assert not margin.may_hold(held, btc, side * (size + 2 + 2 * abs(lots)), [btc])
    if size and margin.available_uusd(held, [btc]) > 0:
        assert margin.may_hold(held, btc, side * max(size - 2, 0), [btc])


@given(st.integers(-10**12, 10**12), st.integers(-10**5, 10**5).filter(bool))
def test_closing_is_always_let_in(raw, lots):
    btc = instrument()
    assert margin.may_hold(account(raw, lots), btc, -lots, [btc])


@given(st.integers(10**9, 10**12), st.integers(-10**5, 10**5).filter(bool))
def test_value_at_the_liquidation_price_is_the_maintenance_margin(raw, lots):
    btc = instrument()
    held = account(raw - lots * btc.mark_ticks, lots)
    ticks = margin.liquidation_ticks(held, btc, [btc])
    if ticks is None:
        assert held.raw_uusd >= 0
        return
    value = held.raw_uusd + lots * ticks
    assert value == pytest.approx(abs(lots) * ticks / 80, rel=1e-6, abs=100)


def test_summary_adds_notionals_without_sign_and_values_with_it():
    first, second = instrument(0, 100), instrument(1, 200)
    held = account(1000, lots=5)
    held.position(1).lots = -3
    sums = margin.summary(held, [first, second])
    assert sums.account_value_uusd == 1000 + 500 - 600
    assert sums.notional_uusd == 1100


def test_default_leverage_is_twenty_or_the_assets_greatest():
    assert margin.leverage(account(0), instrument()).value == 20
    assert margin.leverage(account(0), instrument(max_leverage=10)).value == 10


@pytest.mark.parametrize("table", MARGIN_TIERS)
@given(notional=st.integers(0, 10**15))
def test_maintenance_is_notional_times_rate_less_the_tiers_deduction(table, notional):
    deduction, needed = 0.0, 0.0
    for k, (lower, greatest) in enumerate(MARGIN_TIERS[table]):
        rate = 1 / (2 * greatest)
        if k:
            deduction += lower * (rate - 1 / (2 * MARGIN_TIERS[table][k - 1][1]))
        if notional >= lower:
            needed = notional * rate - deduction
    one = SimpleNamespace(tiers=MARGIN_TIERS[table])
    assert margin.maintenance_uusd(one, notional) == pytest.approx(needed, rel=1e-12, abs=len(MARGIN_TIERS[table]))


def test_greatest_leverage_falls_beyond_a_tier():
    edge = 150_000_000 * UUSD_PER_USD
    assert margin.greatest_leverage(tiered(), edge) == 40
    assert margin.greatest_leverage(tiered(), edge + 1) == 20


@given(st.integers(10**9, 10**14), st.integers(-10**9, 10**9).filter(bool), st.integers(1, 40), st.booleans())
def test_value_is_the_maintenance_margin_at_the_liquidation_price_in_whatever_tier(raw, lots, gear, cross):
    btc, held = tiered(), account(0)
    held.leverages[0] = Leverage(gear, cross)
    held.raw_uusd = raw - lots * btc.mark_ticks
    held.position(0).lots = lots
    held.position(0).isolated_uusd = 0 if cross else raw // 2 - lots * btc.mark_ticks
    ticks = margin.liquidation_ticks(held, btc, [btc])
    if ticks is None:
        return
    value = (held.raw_uusd if cross else held.position(0).isolated_uusd) + lots * ticks
    assert value == pytest.approx(margin.maintenance_uusd(btc, round(abs(lots) * ticks)), rel=1e-6, abs=1000)


def test_isolated_position_takes_its_initial_margin_and_gives_it_back():
    btc, held = instrument(), account(10**12)
    held.leverages[0] = Leverage(10, cross=False)
    held.trade(0, 1000, 1_000_000, 0)
    assert margin.isolated_summary(held, btc) == (10**8, 10**9, -9 * 10**8, 10**8, 10**9 // 80)
    assert margin.cross_summary(held, [btc]).account_value_uusd == 10**12 - 10**8
    assert margin.summary(held, [btc]).account_value_uusd == 10**12
    held.trade(0, -500, 1_100_000, 0)  # equity 200 dollars at that price: half of it is released
    assert held.position(0).isolated_value_uusd(1_100_000) == 10**8
    held.trade(0, -500, 1_100_000, 0)
    assert held.isolated_uusd == 0
    assert held.raw_uusd == 10**12 + 10**8


@given(st.lists(st.tuples(st.integers(-2000, 2000).filter(bool), st.integers(900_000, 1_100_000)), max_size=12))
def test_isolated_cash_is_part_of_the_accounts_cash_and_gone_with_the_position(fills):
    held, twin = account(10**12), account(10**12)
    held.leverages[0] = Leverage(7, cross=False)
    for lots, px in fills:
        assert held.trade(0, lots, px, 5) == twin.trade(0, lots, px, 5)
        assert held.raw_uusd == twin.raw_uusd
        assert held.lots(0) != 0 or held.isolated_uusd == 0


def test_a_tenth_of_the_notional_never_leaves():
    btc, held = instrument(), account(10**12 - 1000 * 1_000_000, lots=1000)
    held.leverages[0] = Leverage(40)
    assert margin.withdrawable_uusd(held, [btc]) == 10**12 - 10**8
    assert margin.available_uusd(held, [btc]) == 10**12 - 10**9 // 40
