"""Dollars between accounts, and what may not leave."""

from __future__ import annotations

import pytest
from support.venue import Client, order

from mmfast.sim import answers
from mmfast.sim.funds import uusd_of
from mmfast.sim.placing import ActionError

USD = 1_000_000


@pytest.fixture
def master(venue):
    return venue.client(1, usd=10_000.0)


def sub_of(venue, master, usd=1_000):
    """A client that signs with the master's key for a sub-account of its own."""
    address = master.do({"type": "createSubAccount", "name": "two"})["response"]["data"]
    moved = master.do({"type": "subAccountTransfer", "subAccountUser": address, "isDeposit": True, "usd": usd * USD})
    assert moved == {"status": "ok", "response": {"type": "default"}}
    made = Client(venue, 1)
    made.account_address, made.nonce = address, master.nonce + 10**6
    return made


def ask(venue, kind, client, **more):
    return answers.answer(venue.exchange, {"type": kind, "user": client.account_address, **more})


def test_sub_account_trades_with_its_own_money_orders_and_budget(venue, master):
    sub = sub_of(venue, master)
    placed = sub.do({"type": "order", "orders": [order("B", "99990", "0.01")], "grouping": "na"},
                    vault=sub.account_address)
    assert "resting" in placed["response"]["data"]["statuses"][0]
    assert len(sub.account.orders.open) == 1
    assert not master.account.orders.open
    assert sub.account.budget.used == 1
    assert ask(venue, "userRole", sub) == {"role": "subAccount", "data": {"master": master.address}}
    (shown,) = ask(venue, "subAccounts", master)
    assert (shown["name"], shown["subAccountUser"]) == ("two", sub.account_address)
    assert shown["clearinghouseState"]["marginSummary"]["accountValue"] == "1000.0"


def test_only_its_masters_signers_act_for_a_sub_account(venue, master):
    sub, agent, stranger = sub_of(venue, master), Client(venue, 5), venue.client(6)
    venue.exchange.approve(master.address, agent.address)
    assert agent.do({"type": "noop"}, vault=sub.account_address)["status"] == "ok"
    refused = stranger.do({"type": "noop"}, vault=sub.account_address)
    assert refused["response"] == f"Vault not registered: {sub.account_address}"


def test_transfers_stand_in_the_ledger_updates_of_both(venue, master):
    sub = sub_of(venue, master)
    taken = master.do({"type": "subAccountTransfer", "subAccountUser": sub.account_address, "isDeposit": False,
                       "usd": 250 * USD})
    assert taken["status"] == "ok"
    assert (master.account.raw_uusd, sub.account.raw_uusd) == (9_250 * USD, 750 * USD)
    deltas = [one["delta"] for one in ask(venue, "userNonFundingLedgerUpdates", sub, startTime=0)]
    assert [delta["usdc"] for delta in deltas] == ["1000.0", "250.0"]
    assert deltas[1]["destination"] == master.address


def test_what_margin_needs_does_not_leave(venue, master):
    sub = sub_of(venue, master)
    sub.do({"type": "order", "orders": [order("B", "100001", "0.05", "Ioc")], "grouping": "na"},
           vault=sub.account_address)
    back = {"type": "subAccountTransfer", "subAccountUser": sub.account_address, "isDeposit": False}
    assert master.do({**back, "usd": 600 * USD})["response"] == "Insufficient balance for withdrawal."
    assert master.do({**back, "usd": 400 * USD})["status"] == "ok"


def test_transfer_to_a_foreign_account_is_none(venue, master):
    other = venue.client(2)
    answer = master.do({"type": "subAccountTransfer", "subAccountUser": other.address, "isDeposit": True, "usd": USD})
    assert answer["status"] == "err"


def test_requests_are_bought_by_the_master_alone(venue, master):
    agent = Client(venue, 5)
    venue.exchange.approve(master.address, agent.address)
    refused = agent.do({"type": "reserveRequestWeight", "weight": 100})
    assert refused["response"] == f"Must deposit before performing actions. User: {agent.address}"
    assert master.do({"type": "reserveRequestWeight", "weight": 100})["status"] == "ok"
    assert master.account.raw_uusd == 10_000 * USD - 50_000
    assert ask(venue, "userRateLimit", master)["nRequestsCap"] == 10_100


@pytest.mark.parametrize(("text", "uusd"), [("1", USD), ("1.0", USD), ("0.50", USD // 2), ("100", 100 * USD)])
def test_amounts_of_dollars_are_exact(text, uusd):
    assert uusd_of(text) == uusd


@pytest.mark.parametrize("text", ["", "0", "-1", "1e3", "nan", "0.0000001", "one"])
def test_what_is_no_amount_of_dollars_is_refused(text):
    with pytest.raises(ActionError):
        uusd_of(text)
