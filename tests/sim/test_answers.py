"""Replies of /info against recorded ones and against arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.venue import Client, cancel_action, order

from mmfast.sim.answers import ANSWERS, answer
from mmfast.sim.asked import NotServed, Unanswerable

SAMPLES = Path(__file__).parents[2].parent / "shared" / "hyperliquid" / "samples"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="captured samples are not beside the repository")


def ask(venue, kind, **fields):
    found = answer(venue.exchange, {"type": kind, **fields})
    json.dumps(found)
    return found


def test_account_value_is_raw_plus_signed_notional(venue, client):
    client.place(order("S", "99999", "0.5", "Ioc"))
    state = ask(venue, "clearinghouseState", user=client.address)
    sums = {key: float(value) for key, value in state["marginSummary"].items()}
    assert sums["accountValue"] == pytest.approx(sums["totalRawUsd"] - sums["totalNtlPos"], abs=1e-9)
    assert sums["totalMarginUsed"] == 50_000 / 20
    assert float(state["withdrawable"]) == pytest.approx(sums["accountValue"] - 50_000 / 10, abs=1e-9)
    (entry,) = state["assetPositions"]
    held = entry["position"]
    assert (held["szi"], held["entryPx"], held["positionValue"]) == ("-0.5", "99999.0", "50000.0")
    assert held["unrealizedPnl"] == "-0.5"


def test_liquidation_price_is_where_value_meets_maintenance(venue):
    client = venue.client(usd=6000.0)
    client.place(order("B", "100001", "1", "Ioc"))
    state = ask(venue, "clearinghouseState", user=client.address)
    px = float(state["assetPositions"][0]["position"]["liquidationPx"])
    assert float(state["marginSummary"]["totalRawUsd"]) + px == pytest.approx(px / 80)


def test_there_are_no_vaults_and_nobody_waits_to_be_liquidated(venue, client):
    assert ask(venue, "vaultDetails", vaultAddress=client.address) is None
    assert ask(venue, "vaultDetails", vaultAddress=client.address, user=client.address) is None
    assert ask(venue, "vaultSummaries") == ask(venue, "leadingVaults", user=client.address) == ask(
        venue, "liquidatable") == []
    with pytest.raises(NotServed):
        ask(venue, "vaultDetails", user=client.address)


def test_greatest_market_orders_are_told_by_leverage(venue):
    assert ask(venue, "maxMarketOrderNtls") == [
        [25, "30000000.0"], [20, "5000000.0"], [10, "2000000.0"], [1, "500000.0"]]


@needs_samples
def test_clearinghouse_state_has_the_keys_of_a_recorded_one(venue, client):
    line = (SAMPLES / "captured" / "rest_testnet_2026-07-28.jsonl").read_text().splitlines()[0]
    recorded = json.loads(line)["response"]
    assert {key: type(value) for key, value in recorded.items()} == {
        key: type(value) for key, value in ask(venue, "clearinghouseState", user=client.address).items()}


@needs_samples
def test_open_order_has_the_keys_of_a_recorded_one(venue, client):
    line = (SAMPLES / "captured" / "rest_testnet_2026-07-28.jsonl").read_text().splitlines()[1]
    recorded = json.loads(line)["response"][0]
    client.oid(order("B", "99990", "0.1", cloid=3))
    (made,) = ask(venue, "openOrders", user=client.address)
    assert {key: type(value) for key, value in recorded.items()} == {key: type(v) for key, v in made.items()}


@needs_samples
def test_historical_order_has_the_keys_of_a_recorded_one(venue, client):
    cassette = json.loads((SAMPLES / "sdk-cassettes" / "test_historical_orders.json").read_text())
    recorded = cassette[0]["response"][0]
    client.place(order("B", "99000", "0.1", "Ioc"))
    (made,) = ask(venue, "historicalOrders", user=client.address)
    assert list(made) == list(recorded)
    assert made["status"] == recorded["status"] == "iocCancelRejected"
    assert {key: type(value) for key, value in made["order"].items()} == {
        key: type(value) for key, value in recorded["order"].items()}


def test_order_status_follows_an_order_by_oid_and_cloid(venue, client):
    oid = client.oid(order("B", "99990", "0.1", cloid=3))
    cloid = f"0x{3:032X}".replace("0X", "0x")
    for key in (oid, cloid):
        assert ask(venue, "orderStatus", user=client.address, oid=key)["order"]["status"] == "open"
    client.do(cancel_action(oid))
    for key in (oid, cloid):
        assert ask(venue, "orderStatus", user=client.address, oid=key)["order"]["status"] == "canceled"
    other = venue.client(2)
    assert ask(venue, "orderStatus", user=other.address, oid=oid) == {"status": "unknownOid"}


def test_agents_address_is_answered_with_nothing(venue, client):
    agent = Client(venue, 2)
    venue.exchange.approve(client.address, agent.address, "maker")
    client.oid(order("B", "99990", "0.1"))
    assert ask(venue, "openOrders", user=agent.address) == []
    assert ask(venue, "userRole", user=agent.address)["data"] == {"user": client.address}
    assert ask(venue, "userRole", user=client.address) == {"role": "user"}
    assert ask(venue, "userRole", user="0x" + "00" * 20) == {"role": "missing"}


def test_tradable_sizes_reproduce_the_recorded_rule(venue):
    client = venue.client(usd=1000.0)
    client.place(order("S", "99999", "0.1", "Ioc"))
    data = ask(venue, "activeAssetData", user=client.address, coin="BTC")
    buy, sell = map(float, data["maxTradeSzs"])
    assert buy - sell == pytest.approx(0.2)
    assert "resting" in client.place(order("B", "99990", data["maxTradeSzs"][0]))[0]
    beyond = f"{buy + 0.00001:.5f}".rstrip("0")
    assert client.place(order("B", "99980", beyond))[0]["error"].startswith("Insufficient margin")


def test_rate_limit_counts_what_was_used(venue, client):
    client.place(order("B", "100001", "0.1", "Ioc"))
    assert ask(venue, "userRateLimit", user=client.address) == {
        "cumVlm": "10000.1", "nRequestsUsed": 1, "nRequestsCap": 20_000, "nRequestsSurplus": 0}


def test_fills_by_time_are_cut_to_their_span(venue, client):
    for _ in range(3):
        client.place(order("B", "100001", "0.1", "Ioc"))
    times = [fill["time"] for fill in ask(venue, "userFills", user=client.address)]
    assert times == sorted(times, reverse=True)
    inside = ask(venue, "userFillsByTime", user=client.address, startTime=times[1], endTime=times[0])
    assert [fill["time"] for fill in inside] == [times[1], times[0]]


def test_unknown_coin_has_a_null_book(venue):
    assert ask(venue, "l2Book", coin="DOGE") is None


@pytest.mark.parametrize("asked", [
    {"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 1},
    {"type": "fundingHistory", "coin": "DOGE", "startTime": 0},
    {"type": "candleSnapshot", "req": {"coin": "DOGE", "interval": "1m", "startTime": 0}},
    {"type": "metaAndAssetCtxs", "dex": "xyz"}, {"type": "meta", "dex": "xyz"}, {"type": "marginTable", "id": 1},
    {"type": "allMids", "dex": "xyz"}, {"type": "clearinghouseState", "user": "0x" + "00" * 20, "dex": "xyz"},
    {"type": "openOrders", "user": "0x" + "00" * 20, "dex": "xyz"}])
def test_request_for_what_is_not_there_is_unanswerable(venue, asked):
    with pytest.raises(Unanswerable):
        answer(venue.exchange, asked)


@pytest.mark.parametrize("asked", [
    None, [], {}, {"type": "sing"}, {"type": "openOrders"}, {"type": "openOrders", "user": "0x12"},
    {"type": "l2Book"}, {"type": "l2Book", "coin": "BTC", "nSigFigs": "5"},
    {"type": "orderStatus", "user": "0x" + "00" * 20},
    *({"type": "orderStatus", "user": "0x" + "00" * 20, "oid": oid} for oid in (True, -1, "0x12", 1.5)),
    {"type": "userFillsByTime", "user": "0x" + "00" * 20}])
def test_request_of_another_shape_is_not_served(venue, asked):
    with pytest.raises(NotServed):
        answer(venue.exchange, asked)


def test_every_request_answers_a_stranger(venue):
    fields = {"user": "0x" + "00" * 20, "coin": "BTC", "oid": 5, "startTime": 0, "id": 56, "builder": "0x" + "01" * 20,
              "vaultAddress": "0x" + "02" * 20,
              "req": {"coin": "BTC", "interval": "1h", "startTime": 0}}
    for kind in ANSWERS:
        ask(venue, kind, **fields)
