"""Positions and cash to the micro-dollar, whatever is traded."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast.sim.accounts import Account, Accounts, Agent, Position

FILL = st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10**7))


@given(st.lists(FILL, max_size=40))
def test_closed_profit_and_open_cost_account_for_every_dollar(fills):
    held = Position()
    for signed, px in fills:
        held.trade(signed, px)
    spent = sum(signed * px for signed, px in fills)
    assert held.lots == sum(signed for signed, _ in fills)
    assert held.cost_uusd - held.closed_pnl_uusd == spent
    if held.lots == 0:
        assert held.cost_uusd == 0


@given(st.lists(FILL, max_size=40))
def test_cost_is_the_average_entry_within_a_microdollar_a_fill(fills):
    held, lots, cost = Position(), 0, Fraction(0)
    for signed, px in fills:
        held.trade(signed, px)
        closing = min(abs(signed), abs(lots)) if lots * signed < 0 else 0
        if closing:
            cost -= cost * closing / abs(lots)
        cost += (abs(signed) - closing) * (1 if signed > 0 else -1) * px
        lots += signed
    assert abs(held.cost_uusd - cost) <= len(fills)


def test_reversal_realises_the_whole_old_position():
    held = Position()
    held.trade(10, 100)
    assert held.trade(-25, 90) == -100
    assert (held.lots, held.cost_uusd) == (-15, -1350)


def test_real_reversing_fill_of_a_maker_reproduces_its_profit():
    # BTC, "Long > Short": 0.00093 held from 79096.4, 0.001 sold at 79146; the venue said closedPnl 0.046128.
    held = Position(lots=93, cost_uusd=93 * 790_964)
    assert held.trade(-100, 791_460) == 46_128
    assert (held.lots, held.cost_uusd) == (-7, -7 * 791_460)


def test_agent_signs_for_its_master_until_it_expires():
    accounts = Accounts()
    master = accounts.deposit("0xAB", 5, 0)
    accounts.approve("0xab", Agent("0xcd", "maker", valid_until_ms=100))
    assert accounts.signer("0xcd", 99) is master
    assert accounts.signer("0xcd", 100) is None
    assert accounts.role("0xcd") == {"role": "agent", "data": {"user": "0xab"}}


def test_agent_of_the_same_name_replaces_the_old_one():
    accounts = Accounts()
    accounts.deposit("0xab", 5, 0)
    accounts.approve("0xab", Agent("0x01", "maker", 100))
    accounts.approve("0xab", Agent("0x02", "maker", 100))
    assert accounts.signer("0x01", 0) is None
    assert accounts.signer("0x02", 0) is not None


def test_agent_of_an_unknown_master_is_refused_by_name():
    with pytest.raises(ValueError, match="0xab has no account; deposit"):
        Accounts().approve("0xab", Agent("0x01", "", 100))


def test_stranger_is_funded_only_when_anyone_is():
    assert Accounts().signer("0x01", 0) is None
    assert Accounts(fund_anyone_uusd=7).signer("0x01", 0).raw_uusd == 7


def test_volume_counts_both_opening_and_closing():
    account = Account("0x01", 1)
    account.trade(0, 5, 100, fee_uusd=1)
    account.trade(0, -5, 110, fee_uusd=1)
    assert account.volume_uusd == 1050
    assert account.raw_uusd == 50 - 2
