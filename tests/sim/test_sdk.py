"""The official SDK, unchanged but for its address, trades on the exchange."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.exchange_process import ExchangeProcess

eth_account = pytest.importorskip("eth_account")
pytest.importorskip("hyperliquid")

from hyperliquid.exchange import Exchange  # noqa: E402
from hyperliquid.info import Info  # noqa: E402
from hyperliquid.utils.types import Cloid  # noqa: E402

ALO: dict[str, Any] = {"limit": {"tif": "Alo"}}
GTC: dict[str, Any] = {"limit": {"tif": "Gtc"}}
DEADLINE_S = 15.0
VETERAN = eth_account.Account.create()  # has traded two million dollars before


class Inbox:
    """Messages by channel, as the SDK's socket thread brings them."""

    def __init__(self) -> None:
        self._messages: dict[str, list[Any]] = defaultdict(list)
        self._news = threading.Condition()

    def __call__(self, message: Any) -> None:
        with self._news:
            self._messages[message["channel"]].append(message["data"])
            self._news.notify_all()

    def wait(self, channel: str, wanted: Callable[[Any], Any] = lambda data: True) -> Any:
        """The first message of a channel that is wanted; AssertionError when the deadline passes."""
        def found() -> Any:
            return next((data for data in self._messages[channel] if wanted(data)), None)

        with self._news:
            assert self._news.wait_for(lambda: found() is not None, DEADLINE_S), f"nothing wanted came on {channel}"
            return found()


@pytest.fixture(scope="module")
def venue() -> Iterator[ExchangeProcess]:
    with ExchangeProcess("--fund-anyone", "100000", "--coin", "BTC,ETH", "--book-cadence", "1", "--account",
                         f"{VETERAN.address}=500000", "--volume", "2000000", "--no-limits") as running:
        yield running


@pytest.fixture
def wallet() -> Any:
    return eth_account.Account.create()


@pytest.fixture
def exchange(venue, wallet) -> Iterator[Any]:
    made = Exchange(wallet, venue.url, timeout=DEADLINE_S)
    yield made
    made.info.session.close()
    made.session.close()


@pytest.fixture
def info(exchange) -> Any:
    return exchange.info


@pytest.fixture
def socket(venue) -> Iterator[Any]:
    made = Info(venue.url, timeout=DEADLINE_S)
    deadline = time.monotonic() + DEADLINE_S
    while not made.ws_manager.ws_ready:
        assert time.monotonic() < deadline, "the SDK's socket did not open"
        time.sleep(0.01)
    yield made
    made.disconnect_websocket()
    made.ws_manager.join(DEADLINE_S)
    assert not made.ws_manager.is_alive()
    made.session.close()


def below(info: Any, coin: str = "BTC", share: float = 0.99) -> float:
    """A legal price some way from the mid."""
    return float(f"{float(info.all_mids()[coin]) * share:.4g}")


def only(answer: Any) -> Any:
    assert answer["status"] == "ok", answer
    (status,) = answer["response"]["data"]["statuses"]
    return status


def test_order_is_placed_found_and_cancelled(exchange, info, wallet):
    oid = only(exchange.order("BTC", True, 0.01, below(info), ALO))["resting"]["oid"]
    (resting,) = info.open_orders(wallet.address)
    assert (resting["oid"], resting["coin"], resting["side"], resting["sz"]) == (oid, "BTC", "B", "0.01")
    assert info.frontend_open_orders(wallet.address)[0]["tif"] == "Alo"
    assert only(exchange.cancel("BTC", oid)) == "success"
    assert info.open_orders(wallet.address) == []
    assert info.query_order_by_oid(wallet.address, oid)["order"]["status"] == "canceled"


def test_order_is_cancelled_by_its_cloid(exchange, info, wallet):
    cloid = Cloid.from_int(2**100 + 5)
    placed = only(exchange.order("ETH", False, 0.1, below(info, "ETH", 1.01), GTC, cloid=cloid))
    assert placed["resting"]["cloid"] == cloid.to_raw()
    assert info.query_order_by_cloid(wallet.address, cloid)["order"]["status"] == "open"
    assert only(exchange.cancel_by_cloid("ETH", cloid)) == "success"
    assert "error" in only(exchange.cancel_by_cloid("ETH", cloid))


def test_order_is_modified_by_oid_and_by_cloid(exchange, info, wallet):
    cloid, px = Cloid.from_int(9), below(info)
    first = only(exchange.order("BTC", True, 0.01, px, ALO, cloid=cloid))["resting"]["oid"]
    second = only(exchange.modify_order(first, "BTC", True, 0.02, px, GTC, cloid=cloid))["resting"]["oid"]
    third = only(exchange.modify_order(cloid, "BTC", True, 0.03, px, ALO, cloid=cloid))["resting"]["oid"]
    assert first < second < third
    (resting,) = info.open_orders(wallet.address)
    assert (resting["oid"], resting["sz"], resting["cloid"]) == (third, "0.03", cloid.to_raw())


def test_market_order_opens_and_closes_a_position(exchange, info, wallet):
    filled = only(exchange.market_open("ETH", True, 0.5))["filled"]
    assert filled["totalSz"] == "0.5"
    (held,) = info.user_state(wallet.address)["assetPositions"]
    assert (held["position"]["coin"], held["position"]["szi"]) == ("ETH", "0.5")
    assert only(exchange.market_close("ETH"))["filled"]["totalSz"] == "0.5"
    state = info.user_state(wallet.address)
    assert state["assetPositions"] == []
    fills = info.user_fills(wallet.address)
    assert fills[-1]["dir"] == "Open Long"
    assert fills[0]["dir"] == "Close Long"
    money = sum(float(fill["closedPnl"]) - float(fill["fee"]) for fill in fills)
    assert float(state["marginSummary"]["accountValue"]) == pytest.approx(100_000 + money, abs=1e-6)


def test_leverage_is_set(exchange, info, wallet):
    assert exchange.update_leverage(7, "BTC") == {"status": "ok", "response": {"type": "default"}}
    exchange.market_open("BTC", False, 0.01)
    (held,) = info.user_state(wallet.address)["assetPositions"]
    assert held["position"]["leverage"] == {"type": "cross", "value": 7}


def test_batch_of_orders_and_batch_of_cancels(exchange, info):
    px = below(info)
    wanted = [{"coin": "BTC", "is_buy": True, "sz": 0.01, "limit_px": px - 10 * k, "order_type": ALO,
               "reduce_only": False} for k in range(3)]
    statuses = exchange.bulk_orders(wanted)["response"]["data"]["statuses"]
    oids = [status["resting"]["oid"] for status in statuses]
    answer = exchange.bulk_cancel([{"coin": "BTC", "oid": oid} for oid in oids])
    assert answer["response"]["data"]["statuses"] == ["success"] * 3


def test_order_with_take_profit_and_stop_is_armed_and_taken_back(exchange, info, wallet):
    filled = only(exchange.order("ETH", True, 1.0, below(info, "ETH", 1.02), {"limit": {"tif": "Ioc"}}))["filled"]
    assert filled["totalSz"] == "1.0"
    stop_px, take_px = below(info, "ETH", 0.9), below(info, "ETH", 1.1)
    stop = only(exchange.order("ETH", False, 1.0, stop_px,
                               {"trigger": {"triggerPx": stop_px, "isMarket": True, "tpsl": "sl"}}, reduce_only=True))
    take = only(exchange.order("ETH", False, 1.0, take_px,
                               {"trigger": {"triggerPx": take_px, "isMarket": False, "tpsl": "tp"}}, reduce_only=True))
    shown = {one["oid"]: one for one in info.frontend_open_orders(wallet.address)}
    assert (shown[stop["resting"]["oid"]]["orderType"], shown[take["resting"]["oid"]]["orderType"]) == (
        "Stop Market", "Take Profit Limit")
    assert shown[stop["resting"]["oid"]]["triggerCondition"].startswith("Price below")
    assert only(exchange.cancel("ETH", stop["resting"]["oid"])) == "success"
    exchange.market_close("ETH")
    status = info.query_order_by_oid(wallet.address, take["resting"]["oid"])["order"]["status"]
    assert status == "reduceOnlyCanceled"


def test_entry_with_children_in_one_request(exchange, info, wallet):
    px, stop_px, take_px = (below(info, "BTC", share) for share in (0.98, 0.9, 1.1))
    def one(is_buy, limit_px, kind, reduce_only):
        return {"coin": "BTC", "is_buy": is_buy, "sz": 0.01, "limit_px": limit_px, "order_type": kind,
                "reduce_only": reduce_only}

    answer = exchange.bulk_orders([
        one(True, px, GTC, False),
        one(False, stop_px, {"trigger": {"triggerPx": stop_px, "isMarket": True, "tpsl": "sl"}}, True),
        one(False, take_px, {"trigger": {"triggerPx": take_px, "isMarket": True, "tpsl": "tp"}}, True),
    ], grouping="normalTpsl")
    entry, *children = answer["response"]["data"]["statuses"]
    assert children == ["waitingForFill", "waitingForFill"]
    parent = next(o for o in info.frontend_open_orders(wallet.address) if o["oid"] == entry["resting"]["oid"])
    assert [child["orderType"] for child in parent["children"]] == ["Stop Market", "Take Profit Market"]
    assert only(exchange.cancel("BTC", entry["resting"]["oid"])) == "success"
    assert info.open_orders(wallet.address) == []


def test_isolated_leverage_and_margin_are_adjusted(exchange, info, wallet):
    assert exchange.update_leverage(5, "ETH", is_cross=False)["status"] == "ok"
    exchange.market_open("ETH", True, 1.0)
    (before,) = info.user_state(wallet.address)["assetPositions"]
    assert before["position"]["leverage"]["type"] == "isolated"
    assert exchange.update_isolated_margin(100, "ETH") == {"status": "ok", "response": {"type": "default"}}
    (after,) = info.user_state(wallet.address)["assetPositions"]
    grown = float(after["position"]["leverage"]["rawUsd"]) - float(before["position"]["leverage"]["rawUsd"])
    assert grown == pytest.approx(100.0)
    assert exchange.update_leverage(5, "ETH")["response"] == "Cannot switch leverage type with open position."


def test_dead_mans_switch_is_for_those_who_have_traded_enough(venue, exchange, info):
    soon = int(time.time() * 1000) + 10_000
    refused = exchange.schedule_cancel(soon)
    assert refused == {"status": "err", "response": "Cannot set scheduled cancel time until enough volume traded. "
                                                    "Required: $1000000. Traded: $0."}
    veteran = Exchange(VETERAN, venue.url, timeout=DEADLINE_S)
    try:
        assert veteran.schedule_cancel(soon)["status"] == "ok"
        early = veteran.schedule_cancel(int(time.time() * 1000) + 1000)
        assert early["response"] == "Scheduled cancel time too early, must be at least 5 seconds from now."
        assert veteran.schedule_cancel(None)["status"] == "ok"
    finally:
        veteran.info.session.close()
        veteran.session.close()


def test_sub_account_is_made_funded_and_traded_for(venue, exchange, info, wallet):
    made = exchange.create_sub_account("second")
    assert made["response"]["type"] == "createSubAccount"
    sub = made["response"]["data"]
    assert exchange.sub_account_transfer(sub, True, 1_000_000_000)["status"] == "ok"
    (known,) = info.query_sub_accounts(wallet.address)
    assert (known["subAccountUser"], known["clearinghouseState"]["withdrawable"]) == (sub, "1000.0")
    trading = Exchange(wallet, venue.url, vault_address=sub, timeout=DEADLINE_S)
    try:
        oid = only(trading.order("BTC", True, 0.001, below(info), ALO))["resting"]["oid"]
        assert [one["oid"] for one in info.open_orders(sub)] == [oid]
        assert info.open_orders(wallet.address) == []
        assert trading.usd_class_transfer(100.0, False)["status"] == "ok"
        assert info.spot_user_state(sub)["balances"][0]["total"] == "100.0"
    finally:
        trading.info.session.close()
        trading.session.close()


def test_dollars_are_sent_withdrawn_and_moved(exchange, info, wallet):
    exchange.update_leverage(5, "BTC")
    friend = eth_account.Account.create().address
    assert exchange.usd_transfer(12.5, friend) == {"status": "ok", "response": {"type": "default"}}
    assert info.user_state(friend)["withdrawable"] == "12.5"
    assert exchange.withdraw_from_bridge(11.0, friend)["status"] == "ok"
    assert exchange.usd_class_transfer(5.0, False)["status"] == "ok"
    assert exchange.usd_class_transfer(2.0, True)["status"] == "ok"
    assert info.spot_user_state(wallet.address)["balances"][0]["total"] == "3.0"
    assert info.user_state(wallet.address)["withdrawable"] == str(100_000 - 12.5 - 11.0 - 3.0)
    token = "USDC:0x6d1e7cde53ba9467b783cb7c530ce054"
    assert exchange.spot_transfer(1.0, friend, token)["status"] == "ok"
    assert exchange.send_asset(friend, "", "spot", token, 4.0)["status"] == "ok"
    assert info.spot_user_state(friend)["balances"][0]["total"] == "5.0"
    assert exchange.spot_transfer(9.0, friend, token)["status"] == "err"
    kinds = [one["delta"]["type"] for one in info.user_non_funding_ledger_updates(wallet.address, 0)]
    assert kinds == ["deposit", "internalTransfer", "withdraw", "accountClassTransfer", "accountClassTransfer",
                     "spotTransfer", "spotTransfer"]


def test_builder_is_paid_once_approved(exchange, info, wallet):
    builder, ioc = eth_account.Account.create().address, {"limit": {"tif": "Ioc"}}
    order = ("ETH", True, 0.1, below(info, "ETH", 1.02), ioc)
    refused = exchange.order(*order, builder={"b": builder, "f": 10})
    assert refused == {"status": "err", "response": "Builder fee has not been approved"}
    assert exchange.approve_builder_fee(builder, "0.01%")["status"] == "ok"
    assert "filled" in only(exchange.order(*order, builder={"b": builder, "f": 10}))
    assert float(info.user_fills(wallet.address)[0]["builderFee"]) > 0


def test_agent_is_approved_once_and_moves_no_money(venue, exchange, wallet):
    exchange.update_leverage(5, "BTC")
    _, key = exchange.approve_agent()
    agent = Exchange(eth_account.Account.from_key(key), venue.url, account_address=wallet.address, timeout=DEADLINE_S)
    try:
        for answer in (agent.usd_transfer(1.0, wallet.address), agent.approve_agent()[0]):
            assert answer["response"] == (
                    f"Must deposit before performing actions. User: {agent.wallet.address.lower()}")
        assert agent.update_leverage(6, "BTC")["status"] == "ok"
    finally:
        agent.info.session.close()
        agent.session.close()


def test_noop_burns_a_nonce(exchange, info):
    exchange.update_leverage(5, "BTC")
    nonce = int(time.time() * 1000)
    assert exchange.noop(nonce)["status"] == "ok"
    assert exchange.noop(nonce)["response"] == f"Invalid nonce: duplicate nonce {nonce}"


def test_agent_wallet_trades_for_its_master(venue, exchange, wallet):
    exchange.update_leverage(5, "BTC")  # the first signature makes the account
    answer, key = exchange.approve_agent("maker")
    assert answer["status"] == "ok"
    agent = Exchange(eth_account.Account.from_key(key), venue.url, account_address=wallet.address, timeout=DEADLINE_S)
    try:
        oid = only(agent.order("BTC", True, 0.01, below(agent.info), ALO))["resting"]["oid"]
        assert [order["oid"] for order in agent.info.open_orders(wallet.address)] == [oid]
        assert agent.info.open_orders(agent.wallet.address) == []
        assert agent.info.user_role(agent.wallet.address)["role"] == "agent"
        assert [one["name"] for one in agent.info.extra_agents(wallet.address)] == ["maker"]
    finally:
        agent.info.session.close()
        agent.session.close()


def test_expired_action_is_refused(exchange, info):
    exchange.set_expires_after(int(time.time() * 1000) - 1)
    answer = exchange.order("BTC", True, 0.01, below(info), ALO)
    assert answer == {"status": "err", "response": "Action already expired"}


def test_other_queries_of_the_sdk_are_answered(exchange, info, wallet):
    exchange.update_leverage(5, "BTC")
    address = wallet.address
    assert info.meta()["universe"][1] == {"name": "ETH", "szDecimals": 4, "maxLeverage": 25, "marginTableId": 55}
    meta, contexts = info.meta_and_asset_ctxs()
    assert len(meta["universe"]) == len(contexts) == 2
    assert len(info.l2_snapshot("BTC")["levels"][0]) == 20
    assert info.spot_user_state(address) == {"balances": []}
    assert info.historical_orders(address) == []
    assert info.user_fills_by_time(address, 0) == []
    assert info.user_funding_history(address, 0) == []
    assert info.user_fees(address)["userAddRate"] == "0.00015"
    assert info.user_rate_limit(address)["nRequestsCap"] == 10_000
    assert info.user_non_funding_ledger_updates(address, 0)[0]["delta"] == {"type": "deposit", "usdc": "100000.0"}
    assert info.query_order_by_oid(address, 1) == {"status": "unknownOid"}
    assert info.perp_dexs() == [None]


def test_public_channels_of_the_sdk_bring_data(socket):
    inbox = Inbox()
    socket.subscribe({"type": "l2Book", "coin": "BTC"}, inbox)
    socket.subscribe({"type": "bbo", "coin": "ETH"}, inbox)
    socket.subscribe({"type": "trades", "coin": "BTC"}, inbox)
    socket.subscribe({"type": "allMids"}, inbox)
    socket.subscribe({"type": "activeAssetCtx", "coin": "BTC"}, inbox)
    assert inbox.wait("l2Book")["coin"] == "BTC"
    bid, ask = inbox.wait("bbo")["bbo"]
    assert float(bid["px"]) < float(ask["px"])
    assert set(inbox.wait("allMids")["mids"]) == {"BTC", "ETH"}
    assert float(inbox.wait("activeAssetCtx")["ctx"]["markPx"]) > 0
    assert inbox.wait("trades")[0]["coin"] == "BTC"


def test_user_channels_of_the_sdk_tell_an_orders_life(exchange, info, wallet, socket):
    inbox = Inbox()
    socket.subscribe({"type": "orderUpdates", "user": wallet.address}, inbox)
    socket.subscribe({"type": "userFills", "user": wallet.address}, inbox)
    socket.subscribe({"type": "userEvents", "user": wallet.address}, inbox)
    assert inbox.wait("userFills")["isSnapshot"] is True
    oid = only(exchange.order("BTC", True, 0.01, below(info), ALO))["resting"]["oid"]
    exchange.cancel("BTC", oid)
    for status in ("open", "canceled"):
        inbox.wait("orderUpdates", lambda data, status=status: any(
            (one["order"]["oid"], one["status"]) == (oid, status) for one in data))
    taken = only(exchange.market_open("BTC", True, 0.02))["filled"]["oid"]
    fills = inbox.wait("userFills", lambda data: "isSnapshot" not in data)["fills"]
    assert {fill["oid"] for fill in fills} == {taken}
    assert inbox.wait("user")["fills"] == fills
    assert fills[0]["crossed"] is True


def test_websocket_example_of_the_sdk_brings_every_channel(exchange, info, wallet, socket):
    exchange.market_open("ETH", True, 0.5)  # makes the account, a fill and a candle
    inbox = Inbox()
    user = wallet.address
    for topic in ({"type": "allMids"}, {"type": "l2Book", "coin": "ETH"}, {"type": "trades", "coin": "ETH"},
                  {"type": "userEvents", "user": user}, {"type": "userFills", "user": user},
                  {"type": "candle", "coin": "ETH", "interval": "1m"}, {"type": "orderUpdates", "user": user},
                  {"type": "userFundings", "user": user}, {"type": "userNonFundingLedgerUpdates", "user": user},
                  {"type": "bbo", "coin": "ETH"}, {"type": "activeAssetCtx", "coin": "BTC"},
                  {"type": "activeAssetData", "user": user, "coin": "BTC"}):
        socket.subscribe(topic, inbox)
    exchange.market_close("ETH")
    for channel in ("allMids", "l2Book", "trades", "user", "userFills", "candle", "orderUpdates", "userFundings",
                    "userNonFundingLedgerUpdates", "bbo", "activeAssetCtx", "activeAssetData"):
        inbox.wait(channel)
    assert inbox.wait("candle")["i"] == "1m"
    assert inbox.wait("user")["fills"][0]["dir"] == "Close Long"
    assert inbox.wait("userNonFundingLedgerUpdates")["nonFundingLedgerUpdates"][0]["delta"]["type"] == "deposit"


def test_every_query_of_the_sdk_about_account_and_past_is_answered(exchange, info, wallet):
    exchange.market_open("ETH", True, 0.5)
    user, now_ms = wallet.address, int(time.time() * 1000)
    assert info.candles_snapshot("ETH", "1m", now_ms - 600_000, now_ms + 60_000)[-1]["n"] > 0
    assert all(one["coin"] == "ETH" for one in info.funding_history("ETH", 0))  # one entry if an hour has just begun
    assert dict(info.portfolio(user))["allTime"]["vlm"] == info.user_rate_limit(user)["cumVlm"]
    assert info.query_referral_state(user)["referredBy"] is None
    assert exchange.set_referrer("ABC")["status"] == "ok"
    assert info.query_referral_state(user)["referredBy"]["code"] == "ABC"
    assert info.user_staking_summary(user)["delegated"] == "0.0"
    for empty in (info.user_staking_delegations, info.user_staking_rewards, info.delegator_history,
                  info.user_twap_slice_fills, info.user_vault_equities):
        assert empty(user) == []
    assert info.query_user_to_multi_sig_signers(user) is None
    assert info.spot_meta()["tokens"][0]["name"] == "USDC"
    assert info.spot_meta_and_asset_ctxs()[1] == []
    assert len(info.user_fills_by_time(user, 0, aggregate_by_time=True)) == 1
