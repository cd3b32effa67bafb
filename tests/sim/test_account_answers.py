"""Sums of an account's life, and what it never had to do with."""

from __future__ import annotations

import json

import pytest
from support import shapes
from support.venue import Client, Venue, order

from mmfast.sim.answers import answer
from mmfast.sim.asked import NotServed


@pytest.fixture
def venue():
    return Venue()


def ask(venue, kind, **fields):
    return answer(venue.exchange, {"type": kind, **fields})


@pytest.mark.skipif(not shapes.SAMPLES.exists(), reason="captured samples are not beside the repository")
def test_portfolio_has_the_spans_of_a_recorded_one(venue):
    entries = json.loads((shapes.SAMPLES / "sdk-cassettes" / "test_portfolio.json").read_text())
    client = venue.client()
    told = ask(venue, "portfolio", user=client.address)
    assert [name for name, _ in told] == [name for name, _ in entries[0]["response"]]
    assert list(told[0][1]) == list(entries[0]["response"][0][1])


def test_portfolio_ends_with_todays_value(venue):
    client = venue.client(usd=1000.0)
    client.place(order("B", "100001", "0.01", "Ioc"))
    client.place(order("S", "99999", "0.01", "Ioc"))
    span = dict(ask(venue, "portfolio", user=client.address))["allTime"]
    value = ask(venue, "clearinghouseState", user=client.address)["marginSummary"]["accountValue"]
    assert span["accountValueHistory"][0][1] == "1000.0"
    assert span["accountValueHistory"][-1] == [venue.exchange.now_ms, value]
    assert float(span["pnlHistory"][-1][1]) == pytest.approx(float(value) - 1000.0, abs=1e-9)
    assert span["vlm"] == "2000.0"


def test_fees_name_the_rates_that_fills_are_charged(venue):
    client = venue.client()
    client.place(order("B", "100001", "0.1", "Ioc"))
    told = ask(venue, "userFees", user=client.address)
    (fill,) = ask(venue, "userFills", user=client.address)
    assert float(fill["fee"]) == pytest.approx(float(told["userCrossRate"]) * 10_000.1, abs=1e-6)
    assert (told["feeSchedule"]["cross"], told["feeSchedule"]["add"]) == ("0.00045", "0.00015")
    assert told["feeSchedule"]["tiers"]["vip"][0]["ntlCutoff"] == "5000000.0"


def test_builder_fee_needs_both_addresses(venue):
    assert ask(venue, "maxBuilderFee", user="0x" + "00" * 20, builder="0x" + "01" * 20) == 0
    with pytest.raises(NotServed):
        ask(venue, "maxBuilderFee", user="0x" + "00" * 20)


def test_web_state_names_the_agent_without_a_name(venue):
    client = venue.client()
    assert ask_web(venue, client)["agentAddress"] is None
    agent = Client(venue, 9)
    venue.exchange.approve(client.address, agent.address)
    told = ask_web(venue, client)
    assert told["agentAddress"] == agent.address
    assert told["agentValidUntil"] > venue.exchange.now_ms
    assert told["cumLedger"] == "1000000.0"


def ask_web(venue, client):
    from mmfast.sim.account_answers import web_state

    return web_state(venue.exchange, {"user": client.address})["userState"]
