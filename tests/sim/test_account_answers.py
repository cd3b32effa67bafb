"""Sums of an account's life, and what it never had to do with."""

from __future__ import annotations

import json
from decimal import ROUND_DOWN, Decimal

import pytest
from support import shapes
from support.venue import MID_TICKS, Client, order

from mmfast.sim.answers import answer
from mmfast.sim.asked import NotServed
from mmfast.units import ASK


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


def test_tier_of_the_day_is_what_fees_tell_and_fills_pay(venue):
    client = venue.client(usd=1e9)
    books = venue.exchange.instruments[0].market.books
    seen = []
    for day in range(17):
        client.nonce = venue.now_ms
        for side, px in (("B", "100030"), ("S", "99970")) * (2 if day == 1 else 0):  # 7.6 million dollars
            client.place(order(side, px, "19", "Ioc"))
            venue.source.start(books, 5, 0)  # what was taken is there again
        made = client.oid(order("B", "100000", "0.001"))
        venue.source.strike(ASK, MID_TICKS, 100)
        venue.block()
        client.place(order("B", "100030", "0.001", "Ioc"))
        told = ask(venue, "userFees", user=client.address)
        taken, filled = ask(venue, "userFills", user=client.address)[:2]
        assert (taken["crossed"], filled["crossed"], filled["oid"]) == (True, False, made)
        for fill, rate in ((taken, told["userCrossRate"]), (filled, told["userAddRate"])):
            fee_usd = Decimal(fill["px"]) * Decimal(fill["sz"]) * Decimal(rate)
            assert Decimal(fill["fee"]) == fee_usd.quantize(Decimal("0.000001"), ROUND_DOWN)
        seen.append(told["userCrossRate"])
        venue.block(86_400_000)
    assert seen == ["0.00045"] * 2 + ["0.0004"] * 14 + ["0.00045"]


def test_volume_before_the_start_is_in_the_tier_and_in_each_of_fourteen_days(venue):
    client = venue.client()
    venue.exchange.traded_before(client.address, 30_000_001 * 10**6)
    told = ask(venue, "userFees", user=client.address)
    assert (told["userCrossRate"], told["userAddRate"]) == ("0.00035", "0.00008")
    assert len(told["dailyUserVlm"]) == 14
    assert sum(float(day["userCross"]) for day in told["dailyUserVlm"]) == pytest.approx(30_000_001.0)
    assert ask(venue, "userRateLimit", user=client.address)["nRequestsCap"] == 30_010_001
    venue.block(10 * 86_400_000)
    later = ask(venue, "userFees", user=client.address)
    assert later["userCrossRate"] == "0.0004"  # four of the fourteen days are left


def test_fills_cost_what_user_fees_says_less_the_referral(venue):
    client = venue.client()
    venue.exchange.stake(client.address, 150 * 10**8)
    assert client.do({"type": "setReferrer", "code": "ABC"})["status"] == "ok"
    assert client.do({"type": "setReferrer", "code": "DEF"})["response"] == "Referrer already set."
    client.place(order("B", "100001", "0.03", "Ioc"))
    told = ask(venue, "userFees", user=client.address)
    assert (told["userCrossRate"], told["userAddRate"]) == ("0.000405", "0.000135")
    assert told["activeReferralDiscount"] == "0.04"
    assert told["activeStakingDiscount"] == {"bpsOfMaxSupply": "0.0015", "discount": "0.1"}
    (fill,) = ask(venue, "userFills", user=client.address)
    exact = Decimal("100001.0") * Decimal("0.03") * Decimal("0.000405") * Decimal("0.96")
    assert Decimal(fill["fee"]) == exact.quantize(Decimal("0.000001"), ROUND_DOWN)
    assert ask(venue, "referral", user=client.address)["referredBy"]["code"] == "ABC"


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


def test_web_state_names_the_coins_at_their_cap(venue):
    from mmfast.sim.account_answers import web_state

    client = venue.client()
    for guards, shown in ((frozenset(), {"totalVaultEquity": "0.0"}),
                          (frozenset({"cap"}), {"totalVaultEquity": "0.0", "perpsAtOpenInterestCap": ["BTC"]})):
        venue.exchange.instruments[0].guards = guards
        assert web_state(venue.exchange, {"user": client.address})["perpDexStates"] == [shown]


def ask_web(venue, client):
    from mmfast.sim.account_answers import web_state

    return web_state(venue.exchange, {"user": client.address})["userState"]
