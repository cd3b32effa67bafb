"""The exchange's judgement of prices agrees with the engine's, though neither knows the other."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast.sim import rules
from mmfast.sim.accounts import Account
from mmfast.sim.rules import price_ticks, reduce_only_lots, scaled
from mmfast.venues.hyperliquid.rounding import is_legal


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


def test_price_that_64_bits_could_not_hold_is_off_the_grid():
    assert price_ticks("9" * 18, 1) is None
    assert price_ticks("1" + "0" * 14, 1) == 10**15
