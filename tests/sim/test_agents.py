"""Who may sign for whom, how many and how long; the official SDK approves its own in test_sdk."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.venue import order

from mmfast.sim import answers
from mmfast.sim.agents import AGENT_DAYS_MS, do_approve_agent, do_approve_builder_fee
from mmfast.sim.placing import ActionError

BUILDER = "0x" + "bb" * 20


@pytest.fixture
def master(venue):
    return venue.client(1)


def approve(venue, master, number, name=""):
    address = f"0x{number:040x}"
    action = {"type": "approveAgent", "agentAddress": address, "agentName": name}
    assert do_approve_agent(venue.exchange.ledger, master.account, action) == {"type": "default"}
    return address


def known(venue, master):
    return {agent.name: agent for agent in venue.exchange.accounts.agents_of(master.account)}


def test_one_unnamed_and_three_named_agents_are_let_in(venue, master):
    for number, name in enumerate(("", "a", "b", "c"), 1):
        approve(venue, master, number, name)
    with pytest.raises(ActionError, match="Too many"):
        approve(venue, master, 9, "d")
    approve(venue, master, 10, "a")  # of the same name: replaced
    assert set(known(venue, master)) == {"", "a", "b", "c"}
    venue.exchange.accounts.create_sub(master.account, "sub")
    approve(venue, master, 11, "d")
    approve(venue, master, 12, "e")
    with pytest.raises(ActionError):
        approve(venue, master, 13, "f")


def test_agent_of_a_replaced_name_signs_no_more(venue, master):
    first = approve(venue, master, 1, "a")
    approve(venue, master, 2, "a")
    assert venue.exchange.accounts.signer(first, venue.now_ms) is None


def test_address_is_an_agent_once(venue, master):
    approve(venue, master, 1, "a")
    with pytest.raises(ActionError, match="Extra agent already used"):
        approve(venue, venue.client(2), 1, "b")
    with pytest.raises(ActionError, match="Extra agent already used"):
        do_approve_agent(venue.exchange.ledger, master.account,
                         {"agentAddress": venue.client(3).address, "agentName": ""})


def test_approval_ends_when_its_name_says_so_or_after_half_a_year(venue, master):
    now = venue.exchange.ledger.now_ms
    soon = approve(venue, master, 1, f"bot valid_until {now + 1000}")
    approve(venue, master, 2, f"late valid_until {now + 2 * AGENT_DAYS_MS}")
    agents = known(venue, master)
    assert (agents["bot"].valid_until_ms, agents["late"].valid_until_ms) == (now + 1000, now + AGENT_DAYS_MS)
    assert venue.exchange.accounts.signer(soon, now) is master.account
    assert venue.exchange.accounts.signer(soon, now + 1000) is None


def builder_order(fee):
    return {"type": "order", "orders": [order("B", "100001", "0.1", "Ioc")], "grouping": "na",
            "builder": {"b": BUILDER, "f": fee}}


def test_builder_takes_its_fee_once_it_is_approved(venue, master):
    assert master.do(builder_order(10))["response"] == "Builder fee has not been approved"
    approved = do_approve_builder_fee(venue.exchange.ledger, master.account,
                                      {"builder": BUILDER, "maxFeeRate": "0.01%"})
    assert approved == {"type": "default"}
    assert answers.answer(venue.exchange, {"type": "maxBuilderFee", "user": master.address, "builder": BUILDER}) == 10
    assert master.do(builder_order(11))["status"] == "err"
    assert master.do(builder_order(10))["status"] == "ok"
    (fill,) = venue.exchange.ledger.fills[master.account.owner]
    assert (fill["fee"], fill["builderFee"]) == ("5.500055", "1.00001")  # 4.5 bp and 1 bp of 10,000.1 dollars


@pytest.mark.parametrize("rate", ["0.2%", "1", "-0.01%", "abc%"])
def test_builder_fee_out_of_bounds_is_refused(rate):
    with pytest.raises(ActionError):
        do_approve_builder_fee(SimpleNamespace(), SimpleNamespace(), {"builder": BUILDER, "maxFeeRate": rate})
