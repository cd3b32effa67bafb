"""The exchange's judgement of prices agrees with the engine's, though neither knows the other."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.venue import Venue, order, trigger

from mmfast.sim import rules
from mmfast.sim.accounts import Account
from mmfast.sim.rules import price_ticks, reduce_only_lots, scaled
from mmfast.venues.hyperliquid.rounding import is_legal


@settings(deadline=None)  # the first one may compile
@given(st.integers(1, 10**9), st.integers(0, 5))
def test_legal_prices_are_those_of_the_engines_grid(ticks, sz_decimals):
    decimals = 6 - sz_decimals
    text = f"{Decimal(ticks).scaleb(-decimals):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    assert (price_ticks(text, decimals) == ticks) == bool(is_legal(ticks, 10**decimals))


@pytest.mark.parametrize(("text", "decimals", "ticks"), [
    ("1234.5", 2, 123_450), ("1234.56", 2, None), ("0.01234", 5, 1234), ("0.012345", 5, None), ("123456", 1, 1_234_560),
    ("12345.6", 1, None), ("0.001234", 6, 1234), ("0", 3, None), ("100000.5", 1, None)])
def test_documented_examples(text, decimals, ticks):
    assert price_ticks(text, decimals) == ticks


@given(st.integers(0, 10**12), st.integers(0, 8))
def test_scaling_is_exact(value, decimals):
    text = f"{Decimal(value).scaleb(-decimals):f}"
    assert scaled(text, decimals) == value


def test_reduce_only_is_cut_to_the_opposite_position():
    account = Account("0x01", 1)
    account.trade(0, 10, 100, 0)
    assert reduce_only_lots(account, 0, -1, 25) == 10
    assert reduce_only_lots(account, 0, -1, 5) == 5
    assert reduce_only_lots(account, 0, 1, 5) == 0
    assert reduce_only_lots(account, 1, -1, 5) == 0


def test_refusals_carry_their_asset():
    assert rules.refusal("tickRejected", "Words.", 7) == ("tickRejected", "Words. asset=7")


@pytest.mark.parametrize(("table", "market_usd"), [
    (56, 30_000_000), (55, 30_000_000), (54, 5_000_000), (52, 2_000_000)])
def test_order_value_is_bound_by_the_leverage_class_ten_times_as_high_for_limits(table, market_usd):
    instrument = Venue().exchange.instruments[0]
    instrument.margin_table = table
    assert rules.greatest_value_uusd(instrument, True) == market_usd * 10**6
    assert rules.greatest_value_uusd(instrument, False) == 10 * market_usd * 10**6


def test_orders_above_the_greatest_value_are_refused_and_one_at_it_is_not():
    venue = Venue()
    whale = venue.client(usd=1e10)
    placed = whale.place(
        order("B", "100000", "3000"), order("B", "100000", "3000.00001"),
        order("B", "100020", "300.01", "FrontendMarket"),
        order("B", "90000", "300.01", "Ioc"), trigger("S", "tp", "110000", "280", reduce_only=False),
        trigger("S", "tp", "110000", "270", reduce_only=False))
    words = "Order value too large. Max is ${}. asset=0"
    assert "resting" in placed[0]
    assert placed[1] == {"error": words.format(300_000_000)}
    assert placed[2] == placed[4] == {"error": words.format(30_000_000)}
    assert placed[3]["error"].startswith("Order could not immediately match")  # a limit order all the same
    assert "resting" in placed[5]


def test_price_that_64_bits_could_not_hold_is_off_the_grid():
    assert price_ticks("9" * 18, 1) is None
    assert price_ticks("1" + "0" * 14, 1) == 10**15
