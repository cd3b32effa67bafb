"""A second public client, ccxt, unchanged but for its address, reads the market and trades on the exchange."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.exchange_process import ExchangeProcess

eth_account = pytest.importorskip("eth_account")
ccxt = pytest.importorskip("ccxt", reason="bin/environment installs ccxt for the tests")

BTC = "BTC/USDC:USDC"
CLOID = "0x" + "ab" * 16
DEADLINE_S = 15.0


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with ExchangeProcess("--fund-anyone", "100000", "--coin", "BTC,ETH", "--no-limits", "--seed", "3") as venue:
        wallet = eth_account.Account.create()
        key = wallet.key.hex().removeprefix("0x")
        made = ccxt.hyperliquid({"walletAddress": wallet.address, "privateKey": f"0x{key}", "enableRateLimit": False})
        made.set_sandbox_mode(True)  # it signs as at the venue's test network
        made.urls["api"] = {"public": venue.url, "private": venue.url}
        made.load_markets()
        yield made
        made.session.close()


def below(client):
    return round(client.fetch_tickers([BTC])[BTC]["bid"] * 0.99)


def test_markets_are_read_with_their_precision(client):
    assert sorted(client.markets) == [BTC, "ETH/USDC:USDC"]
    assert client.markets[BTC]["precision"]["amount"] == 1e-5
    assert client.markets[BTC]["limits"]["leverage"]["max"] == 40
    assert client.markets["ETH/USDC:USDC"]["baseName"] == "ETH"


def test_the_order_book_is_read_and_not_crossed(client):
    book = client.fetch_order_book(BTC)
    assert len(book["bids"]) == len(book["asks"]) == 20
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["timestamp"] > 0


def test_a_post_only_order_is_placed_found_moved_and_cancelled(client):
    px = below(client)
    oid = client.create_order(BTC, "limit", "buy", 0.01, px, {"postOnly": True})["id"]
    assert client.fetch_order(oid, BTC)["status"] == "open"
    moved = client.edit_order(oid, BTC, "limit", "buy", 0.02, px - 10, {"postOnly": True})["id"]
    (resting,) = client.fetch_open_orders(BTC)
    assert (resting["id"], resting["amount"], resting["price"], resting["postOnly"]) == (moved, 0.02, px - 10, True)
    assert client.cancel_order(moved, BTC)["status"] == "success"
    assert client.fetch_open_orders(BTC) == []
    assert client.fetch_order(moved, BTC)["status"] == "canceled"


def test_an_order_is_cancelled_by_its_own_id(client):
    made = client.create_order(BTC, "limit", "buy", 0.01, below(client), {"postOnly": True, "clientOrderId": CLOID})
    assert made["clientOrderId"] == CLOID
    assert client.cancel_order(None, BTC, {"clientOrderId": CLOID})["status"] == "success"


def test_a_post_only_order_that_would_trade_is_an_invalid_order_to_it(client):
    with pytest.raises(ccxt.InvalidOrder, match="would have immediately matched"):
        client.create_order(BTC, "limit", "buy", 0.01, round(below(client) * 1.05), {"postOnly": True})


def test_a_batch_is_placed_and_cancelled(client):
    px = below(client)
    made = client.create_orders([{"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": px - k,
                                  "params": {"postOnly": True}} for k in range(3)])
    assert len(client.fetch_open_orders(BTC)) == 3
    assert {one["status"] for one in client.cancel_orders([one["id"] for one in made], BTC)} == {"success"}


def test_a_position_is_opened_seen_and_closed(client):
    client.set_leverage(7, BTC)
    client.create_order(BTC, "market", "buy", 0.01, below(client))
    (held,) = client.fetch_positions([BTC])
    assert (held["side"], held["contracts"], held["leverage"]) == ("long", 0.01, 7.0)
    client.create_order(BTC, "market", "sell", 0.01, below(client), {"reduceOnly": True})
    assert client.fetch_positions([BTC]) == []
    trades = client.fetch_my_trades(BTC)
    assert [trade["side"] for trade in trades[-2:]] == ["buy", "sell"]
    rates = client.fetch_trading_fee(BTC)
    for trade in trades:
        told = trade["info"]  # it has the account approve a builder's fee of its own, and refers it: 4 % off
        own = float(told["fee"]) - float(told.get("builderFee", 0.0))
        assert own == pytest.approx(0.96 * rates["taker"] * trade["cost"], abs=1e-6)


def test_the_account_and_the_past_are_read(client):
    balance = client.fetch_balance()["USDC"]["total"]
    client.create_order(BTC, "market", "buy", 0.01, below(client))
    client.create_order(BTC, "market", "sell", 0.01, below(client), {"reduceOnly": True})
    assert client.fetch_balance()["USDC"]["total"] < balance
    stop = time.monotonic() + DEADLINE_S
    while not client.fetch_ohlcv(BTC, "1m"):
        assert time.monotonic() < stop
    assert client.fetch_ohlcv(BTC, "1m")[-1][5] > 0
    assert client.fetch_deposits()[0]["amount"] == 100_000.0
    assert client.fetch_funding_rates([BTC])[BTC]["fundingRate"] is not None
    assert client.fetch_funding_rate_history(BTC, since=1) == []
    assert client.fetch_funding_history(BTC, since=1) == []
    assert abs(client.fetch_time() - time.time() * 1000) < 5000
