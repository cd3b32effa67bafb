"""Answers to questions: recorded ones by value, damaged ones refused and nothing else."""

import json
import math
import random

import pytest

from mmfast.venues.hyperliquid import info
from mmfast.venues.hyperliquid.errors import RemoteError
from mmfast.venues.hyperliquid.messages import FOREIGN

COINS = {"BTC": (0, 5), "ETH": (1, 4), "ATOM": (2, 2), "ARB": (3, 1), "INJ": (4, 1), "MATIC": (5, 1), "TON": (6, 1)}
USER = "0xD42f2bB0e06455eDB652e27b7374FC2bDa8448ee"


@pytest.fixture
def cassette(samples):
    """The recorded exchange ``name`` of the official SDK: question and answer."""
    def read(name: str) -> tuple[dict, bytes]:
        recorded = json.loads((samples / "sdk-cassettes" / f"{name}.json").read_text())[-1]
        return recorded["request"], json.dumps(recorded["response"]).encode()
    return read


@pytest.fixture
def testnet(samples):
    """Recorded answers of the test network by question type."""
    lines = (samples / "captured" / "rest_testnet_2026-07-28.jsonl").read_text().splitlines()
    pairs = [json.loads(line) for line in lines[:3]]
    return {pair["request"]["type"]: json.dumps(pair["response"]).encode() for pair in pairs}


def test_questions_are_those_of_the_sdk(cassette):
    for name, kind in (("test_extra_agents", "extraAgents"), ("test_user_rate_limit", "userRateLimit"),
                       ("test_user_role", "userRole"), ("test_get_user_state", "clearinghouseState"),
                       ("test_get_frontend_open_orders", "frontendOpenOrders"), ("test_get_open_orders", "openOrders")):
        question = cassette(name)[0]
        ours = info.about(kind, question["user"])
        assert ours == {key: value.lower() if key == "user" else value for key, value in question.items() if value}
    question = cassette("test_get_user_fills_by_time")[0]
    assert info.user_fills_by_time(question["user"], question["startTime"], question["endTime"]) == question
    assert info.order_status(USER, 5)["oid"] == 5
    assert info.order_status(USER, 0, -1, 10)["oid"] == "0xffffffffffffffff000000000000000a"
    assert "endTime" not in info.user_fills_by_time(USER, 1)


def test_questions_have_their_weight():
    assert [info.weight(q) for q in (info.exchange_status(), info.meta(), info.about("userRole", USER))] == [2, 20, 60]


def test_the_universe_keeps_its_order(samples, testnet):
    coins = info.parse_meta(testnet["meta"])
    assert coins[1] == info.Coin("BTC", 1, 5, 40, False)
    odd = b'{"universe":[{"name":"A","szDecimals":1,"onlyIsolated":1,"marginMode":{}},'
    odd += b'{"name":"B","szDecimals":1,"marginMode":"noCross"}]}'
    assert [coin.isolated_only for coin in info.parse_meta(odd)] == [False, True]
    sample = info.parse_meta((samples / "nautilus" / "http_meta_perp_sample.json").read_bytes())
    assert [(c.name, c.asset, c.sz_decimals) for c in sample] == [("BTC", 0, 5), ("ETH", 1, 4), ("ATOM", 2, 2)]
    delisted = b'{"universe":[{"name":"X","szDecimals":1,"maxLeverage":3,"isDelisted":true}]}'
    assert info.parse_meta(delisted)[0].is_delisted


def test_contexts_are_joined_by_index(samples):
    universe = {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}]}
    context = {"markPx": "84148.0", "midPx": None, "oraclePx": "84198.0", "funding": "0.0000125"}
    ((coin, prices),) = info.parse_meta_and_contexts(json.dumps([universe, [context]]).encode())
    assert (coin.name, prices.mark_px, prices.oracle_px, prices.funding_rate_h) == ("BTC", 84148.0, 84198.0, 0.0000125)
    assert math.isnan(prices.mid_px)
    with pytest.raises(RemoteError, match="1 coins but 0 contexts"):
        info.parse_meta_and_contexts(json.dumps([universe, []]).encode())


def test_open_orders(cassette, testnet):
    (order,) = info.parse_open_orders(testnet["openOrders"], COINS)
    assert (order.px_ticks, order.lots, order.orig_lots, order.status) == (317950, 37, 37, "open")
    assert order.cloid_hi % 2**64 == 0xA1F0CDDC17303D07
    old = info.parse_open_orders(cassette("test_get_open_orders")[1], COINS)
    assert (old[0].coin, old[0].px_ticks, old[0].lots) == ("MATIC", 103570, 2087)
    assert {order.inst for order in old} >= {FOREIGN, 3, 5}
    frontend = info.parse_open_orders(cassette("test_get_frontend_open_orders")[1], COINS)
    assert all(order.reduce_only for order in frontend[:2])


def test_the_value_of_an_account_is_cash_and_signed_positions(cassette):
    body = cassette("test_get_user_state")[1]
    coins = {p["position"]["coin"]: (0, 6) for p in json.loads(body)["assetPositions"]}
    account = info.parse_account(body, coins)
    assert account.value_uusd == 1182312496
    signed = [p.value_uusd if p.lots > 0 else -p.value_uusd for p in account.positions]
    assert account.value_uusd == account.cash_uusd + sum(signed)


def test_positions_in_lots(cassette):
    account = info.parse_account(cassette("test_get_user_state")[1], COINS)
    btc, eth = account.positions[:2]
    assert (btc.inst, btc.lots, btc.entry_px, btc.leverage) == (0, -785, 26951.0, 20)
    assert (eth.lots, math.isnan(eth.liquidation_px)) == (1334, True)


def test_an_empty_account(testnet):
    account = info.parse_account(testnet["clearinghouseState"], COINS)
    assert account == (0, 0, 0, 0, 0, 0, 1785259956738, ())


def test_fills_in_ticks_and_lots(samples, cassette):
    body = (samples / "nautilus" / "http_user_fills_dust_conversion.json").read_bytes()
    arb, jup = info.parse_fills(body, COINS)[:2]
    assert (arb.inst, arb.px_ticks, arb.lots, arb.start_lots, arb.position_lots) == (3, 7482, 85523, 4320645, 4406168)
    assert (jup.inst, jup.px_ticks) == (FOREIGN, 0)
    with pytest.raises(RemoteError, match="tid"):  # fills of 2023 had none; without it they cannot be told apart
        info.parse_fills(cassette("test_get_user_fills_by_time")[1], COINS)


def test_the_status_of_an_order(cassette):
    recorded = json.loads(cassette("test_historical_orders")[1])[0]
    body = json.dumps({"status": "order", "order": recorded}).encode()
    update = info.parse_order_status(body, COINS)
    assert (update.coin, update.status, update.oid) == ("TON", "iocCancelRejected", 141682155424)
    assert update.px_ticks == 325020
    assert (update.cloid_hi, update.cloid_lo) == (0, 0)
    assert info.parse_order_status(b'{"status":"unknownOid"}', COINS) is None
    with pytest.raises(RemoteError, match="without an order"):
        info.parse_order_status(b'{"status":"order"}', COINS)


def test_the_address_budget(cassette):
    limit = info.parse_rate_limit(cassette("test_user_rate_limit")[1])
    assert (limit.used, limit.cap) == (36589831368, 170043731737)
    assert limit.cap == 10_000 + limit.volume_uusd // 10**6


def test_roles_agents_and_the_clock(cassette):
    assert info.parse_role(cassette("test_user_role")[1]) == ("vault", "")
    assert info.parse_role(b'{"role":"agent","data":{"user":"0xABC"}}') == ("agent", "0xabc")
    agents = info.parse_extra_agents(cassette("test_extra_agents")[1])
    assert agents[0] == ("ok", "0x286edfa08c04f6899dab3bfdecf2dd133f9733b9", 1767776120478)
    assert info.parse_exchange_status(b'{"specialStatuses":null,"time":1790232236546}') == 1790232236546


def test_impossible_coins_are_refused():
    for decimals in (-1, 7):
        with pytest.raises(RemoteError, match="szDecimals"):
            info.parse_meta(b'{"universe":[{"name":"X","szDecimals":%d}]}' % decimals)


PARSERS = {
    "test_get_user_state": lambda body: info.parse_account(body, COINS),
    "test_get_open_orders": lambda body: info.parse_open_orders(body, COINS),
    "test_user_rate_limit": info.parse_rate_limit,
    "test_user_role": info.parse_role,
    "test_extra_agents": info.parse_extra_agents,
}


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'"x"', b"\xff", b"<html>429</html>", b"{" * 3000])
def test_bodies_that_are_no_answers_are_refused(body):
    for name, parse in PARSERS.items():
        if body == b"[]" and name in ("test_get_open_orders", "test_extra_agents"):
            assert parse(body) == ()
        else:
            with pytest.raises(RemoteError):
                parse(body)


def test_damaged_answers_are_read_or_refused(cassette):
    rng, refused = random.Random(9), 0
    bodies = {name: cassette(name)[1][:4000] for name in PARSERS}
    bodies["test_get_user_state"] = cassette("test_get_user_state")[1]
    for _ in range(1500):
        name = rng.choice(list(PARSERS))
        raw = bytearray(bodies[name])
        place = rng.randrange(len(raw))
        raw[place : place + rng.randrange(3)] = rng.choice([b"", b'"', b"}", b"9", b"-", b"null", b"\xff", b"."])
        try:
            PARSERS[name](bytes(raw))
        except RemoteError:
            refused += 1
    assert refused > 300


def test_leverage_and_fees_of_an_account():
    body = (b'{"user":"0x","coin":"BTC","leverage":{"type":"isolated","value":10,"rawUsd":"-4999.5"},'
            b'"maxTradeSzs":["683.30131","684.41969"],"markPx":"85970.0"}')
    assert info.parse_active_asset(body) == (10, False)
    assert info.parse_active_asset(b'{"leverage":{"type":"cross","value":20}}') == (20, True)
    maker_bps, taker_bps = info.parse_fees(b'{"userCrossRate":"0.00045","userAddRate":"0.00015"}')
    assert (round(maker_bps, 9), round(taker_bps, 9)) == (1.5, 4.5)
    assert info.active_asset("0xAB", "BTC") == {"type": "activeAssetData", "user": "0xab", "coin": "BTC"}
    for body in (b"{}", b'{"userCrossRate":"x","userAddRate":"0"}', b"null"):
        with pytest.raises(RemoteError):
            info.parse_fees(body)
