"""
Good messages to begin with: made here, so that they are always there, and captured ones where they stand beside us.

In      the folder of captured messages, if there is one.
Out     messages by what reads them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[3] / "shared" / "hyperliquid" / "samples"
USER, OTHER = "0x" + "1" * 40, "0x" + "2" * 40
CLOID, HASH = "0x" + "3" * 32, "0x" + "ab" * 32
LEVEL = {"px": "84143.0", "sz": "10.25923", "n": 36}
TIME = 1_790_232_236_546
ORDER = {"coin": "BTC", "side": "B", "limitPx": "84143.0", "sz": "0.5", "oid": 12, "timestamp": TIME, "origSz": "1.0",
         "cloid": CLOID, "reduceOnly": False}
FILL = {"coin": "BTC", "px": "84143.0", "sz": "0.5", "side": "A", "time": TIME, "startPosition": "-1.5", "dir": "x",
        "closedPnl": "0.0", "hash": HASH, "oid": 12, "crossed": True, "fee": "0.01", "tid": 7, "feeToken": "USDC"}
CTX = {"funding": "0.0000125", "openInterest": "688.11", "prevDayPx": "15.322", "dayNtlVlm": "1169046.29406",
       "premium": None, "oraclePx": "14.32", "markPx": "14.3161", "midPx": "14.314"}
TRADE = {"coin": "BTC", "side": "B", "px": "84143.0", "sz": "0.1", "time": TIME, "hash": HASH, "tid": 9,
         "users": [USER, OTHER]}
WIRE = {"a": 0, "b": True, "p": "100000", "s": "0.001", "r": False, "t": {"limit": {"tif": "Alo"}}, "c": CLOID}
TRIGGER = {"a": 0, "b": False, "p": "99000", "s": "0.001", "r": True,
           "t": {"trigger": {"isMarket": True, "triggerPx": "99000", "tpsl": "sl"}}}

FRAMES: list[dict[str, Any]] = [
    {"channel": "bbo", "data": {"coin": "BTC", "time": TIME, "bbo": [LEVEL, {**LEVEL, "px": "84144.0"}]}},
    {"channel": "bbo", "data": {"coin": "BTC", "time": TIME, "bbo": [None, LEVEL]}},
    {"channel": "l2Book", "data": {"coin": "BTC", "time": TIME, "fast": True, "levels": [
        [{**LEVEL, "px": f"{84143 - k}.0"} for k in range(5)], [{**LEVEL, "px": f"{84144 + k}.0"} for k in range(5)]]}},
    {"channel": "trades", "data": [TRADE, {**TRADE, "side": "A", "tid": 10}]},
    {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": CTX}},
    {"channel": "pong"},
]
USER_FRAMES: dict[str, list[Any]] = {
    "orderUpdates": [[{"order": ORDER, "status": "open", "statusTimestamp": TIME}]],
    "userFills": [{"isSnapshot": True, "user": USER, "fills": [FILL, {**FILL, "liquidation": {
        "liquidatedUser": USER, "markPx": "1.0", "method": "market"}}]}],
    "user": [{"fills": [FILL]}, {"funding": {"coin": "BTC", "usdc": "-0.1", "szi": "1.0", "fundingRate": "0.00001",
                                             "time": TIME}},
             {"liquidation": {"lid": 1, "liquidator": USER, "liquidated_user": OTHER, "liquidated_ntl_pos": "1.5",
                              "liquidated_account_value": "2.5"}},
             {"nonUserCancel": [{"coin": "BTC", "oid": 12}]}],
    "subscriptionResponse": [{"method": "subscribe", "subscription": {"type": "bbo", "coin": "BTC"}}],
    "error": ["Error parsing JSON into valid websocket request: {}"],
    "post": [{"id": 1, "response": {"type": "info", "payload": {"type": "openOrders", "data": [ORDER]}}},
             {"id": 2, "response": {"type": "error", "payload": "429 Too Many Requests: null"}},
             {"id": 3, "response": {"type": "action", "payload": {"status": "ok", "response": {
                 "type": "order", "data": {"statuses": [{"resting": {"oid": 5, "cloid": CLOID}}, {"error": "no"},
                                                        {"filled": {"totalSz": "0.1", "avgPx": "84143.5", "oid": 6}},
                                                        "success", "waitingForFill"]}}}}}],
}
BODIES: dict[str, Any] = {
    "parse_meta": {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}, {"name": "X", "szDecimals": 0,
                                                                                  "isDelisted": True}]},
    "parse_meta_and_contexts": [{"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}]}, [CTX]],
    "parse_open_orders": [ORDER],
    "parse_fills": [FILL],
    "parse_fundings": [{"time": TIME, "hash": HASH, "delta": {"type": "funding", "coin": "BTC", "usdc": "-3.625312",
                                                              "szi": "49.1477", "fundingRate": "0.0000417"}}],
    "parse_account": {"marginSummary": {"accountValue": "1.0", "totalMarginUsed": "0.0", "totalNtlPos": "0.0",
                                        "totalRawUsd": "-1.0"}, "withdrawable": "1.0", "time": TIME, "assetPositions": [
        {"type": "oneWay", "position": {"coin": "BTC", "szi": "-0.5", "positionValue": "42000.0", "entryPx": "84000.0",
                                        "unrealizedPnl": "1.5", "marginUsed": "10.0", "liquidationPx": None,
                                        "leverage": {"type": "cross", "value": 20}}}]},
    "parse_order_status": {"status": "order", "order": {"order": ORDER, "status": "filled", "statusTimestamp": TIME}},
    "parse_rate_limit": {"cumVlm": "2854574.59", "nRequestsUsed": 2890, "nRequestsCap": 2864574, "nRequestsSurplus": 0},
    "parse_role": {"role": "agent", "data": {"user": USER}},
    "parse_extra_agents": [{"name": "a", "address": USER, "validUntil": TIME}],
    "parse_exchange_status": {"specialStatuses": None, "time": TIME},
    "parse_active_asset": {"user": USER, "coin": "BTC", "leverage": {"type": "cross", "value": 20}},
    "parse_fees": {"userCrossRate": "0.00045", "userAddRate": "0.00015"},
}
ACTIONS: list[dict[str, Any]] = [
    {"type": "order", "orders": [WIRE], "grouping": "na"},
    {"type": "order", "orders": [WIRE, {**TRIGGER}], "grouping": "normalTpsl"},
    {"type": "order", "orders": [{**WIRE, "t": {"limit": {"tif": "Ioc"}}, "p": "101000"}], "grouping": {"p": 5}},
    {"type": "cancel", "cancels": [{"a": 0, "o": 100_000_000_002}], "f": True},
    {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]},
    {"type": "modify", "oid": CLOID, "order": WIRE},
    {"type": "batchModify", "modifies": [{"oid": 100_000_000_002, "order": WIRE}], "a": True},
    {"type": "scheduleCancel", "time": TIME}, {"type": "scheduleCancel"}, {"type": "noop"},
    {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 20},
    {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 1_000_000},
    {"type": "reserveRequestWeight", "weight": 10},
    {"type": "topUpIsolatedOnlyMargin", "asset": 0, "leverage": "3.0"},
    {"type": "twapOrder", "twap": {"a": 0, "b": True, "s": "0.1", "r": False, "m": 5, "t": False}},
    {"type": "twapCancel", "a": 0, "t": 1}, {"type": "createSubAccount", "name": "second"},
    {"type": "subAccountTransfer", "subAccountUser": OTHER, "isDeposit": True, "usd": 1_000_000},
    {"type": "setReferrer", "code": "ABC"},
]
BY_ACCOUNT = {"signatureChainId": "0x66eee", "hyperliquidChain": "Testnet"}
BY_ACCOUNTS: list[dict[str, Any]] = [
    {**BY_ACCOUNT, "type": "approveAgent", "agentAddress": OTHER, "agentName": "second", "nonce": TIME},
    {**BY_ACCOUNT, "type": "approveBuilderFee", "maxFeeRate": "0.001%", "builder": OTHER, "nonce": TIME},
    {**BY_ACCOUNT, "type": "usdSend", "destination": OTHER, "amount": "1.5", "time": TIME},
    {**BY_ACCOUNT, "type": "withdraw3", "destination": OTHER, "amount": "1.5", "time": TIME},
    {**BY_ACCOUNT, "type": "spotSend", "destination": OTHER, "token": "USDC:0x" + "6" * 32, "amount": "1.5",
     "time": TIME},
    {**BY_ACCOUNT, "type": "sendAsset", "destination": OTHER, "sourceDex": "", "destinationDex": "spot",
     "token": "USDC", "amount": "1.5", "fromSubAccount": "", "nonce": TIME},
    {**BY_ACCOUNT, "type": "usdClassTransfer", "amount": "1.5", "toPerp": True, "nonce": TIME},
]
QUESTIONS: list[dict[str, Any]] = [
    *({"type": kind, "user": USER} for kind in ("openOrders", "clearinghouseState", "userFills", "userRole", "userFees",
                                                "userRateLimit", "extraAgents", "historicalOrders",
                                                "frontendOpenOrders", "spotClearinghouseState", "subAccounts",
                                                "userTwapSliceFills", "userVaultEquities", "twapHistory", "portfolio",
                                                "leadingVaults", "referral", "delegations", "delegatorHistory",
                                                "delegatorRewards", "delegatorSummary", "userToMultiSigSigners",
                                                "userDexAbstraction",
                                                "userAbstraction")),
    *({"type": kind} for kind in ("allPerpMetas", "perpDexs", "predictedFundings", "spotMeta", "spotMetaAndAssetCtxs",
                                  "perpsAtOpenInterestCap", "maxMarketOrderNtls", "liquidatable", "vaultSummaries")),
    {"type": "vaultDetails", "vaultAddress": OTHER},
    {"type": "marginTable", "id": 56}, {"type": "maxBuilderFee", "user": USER, "builder": OTHER},
    {"type": "userNonFundingLedgerUpdates", "user": USER, "startTime": TIME, "endTime": TIME + 5},
    {"type": "meta"}, {"type": "metaAndAssetCtxs"}, {"type": "exchangeStatus"}, {"type": "allMids", "dex": ""},
    {"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 2}, {"type": "recentTrades", "coin": "BTC"},
    {"type": "orderStatus", "user": USER, "oid": CLOID}, {"type": "activeAssetData", "user": USER, "coin": "BTC"},
    {"type": "userFillsByTime", "user": USER, "startTime": TIME, "endTime": TIME + 5},
    {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "1m", "startTime": TIME, "endTime": TIME + 60_000}},
    {"type": "userFunding", "user": USER, "startTime": TIME}, {"type": "fundingHistory", "coin": "BTC", "startTime": 1},
]
TOPICS: list[dict[str, Any]] = [
    {"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 5, "fast": False}, {"type": "bbo", "coin": "BTC"},
    {"type": "candle", "coin": "BTC", "interval": "1m"}, {"type": "userFills", "user": USER, "aggregateByTime": True},
    {"type": "allMids"}, {"type": "activeAssetData", "user": USER, "coin": "BTC"}, {"type": "webData3", "user": USER},
    {"type": "openOrders", "user": USER, "dex": ""}, {"type": "clearinghouseState", "user": USER, "dex": ""},
    {"type": "trades", "coin": "BTC"}, {"type": "activeAssetCtx", "coin": "BTC"}, {"type": "assetCtxs", "dex": ""},
    *({"type": kind} for kind in ("allDexsAssetCtxs", "fastAssetCtxs", "outcomeMetaUpdates")),
    *({"type": kind, "user": USER} for kind in (
        "orderUpdates", "userEvents", "userFundings", "userNonFundingLedgerUpdates", "userHistoricalOrders",
        "allDexsClearinghouseState", "spotState", "twapStates", "userTwapSliceFills", "userTwapHistory",
        "notification")),
]


def written(value: Any) -> bytes:
    """As the venue writes JSON: without spaces."""
    return json.dumps(value, separators=(",", ":")).encode()


def captured() -> list[bytes]:
    """Every captured frame; none where there is no folder of them."""
    lines = [line for path in sorted(SAMPLES.glob("captured/ws_*")) for line in path.read_bytes().splitlines()]
    return [line[line.index(b"{"):] for line in lines]


def user_frames() -> list[bytes]:
    """Frames about an account, made here."""
    return [written({"channel": channel, "data": data}) for channel, many in USER_FRAMES.items() for data in many]


def market_frames() -> list[bytes]:
    """Frames about the market, and some of the others: the decoders see all of them."""
    return [*map(written, FRAMES), *user_frames(), *captured()]


def socket_frames() -> list[bytes]:
    """What clients write to the exchange."""
    made: list[dict[str, Any]] = [{"method": "ping"}]
    made += [{"method": method, "subscription": topic} for topic in TOPICS for method in ("subscribe", "unsubscribe")]
    made += [{"method": "post", "id": 1, "request": {"type": "info", "payload": asked}} for asked in QUESTIONS]
    made += [{"method": "post", "id": 2, "request": {"type": "action", "payload": request}} for request in REQUESTS]
    return list(map(written, made))


REQUESTS = [{"action": action, "nonce": TIME + k, "signature": {"r": "0x" + "5" * 64, "s": "0x" + "6" * 64, "v": 27},
             "vaultAddress": None, "expiresAfter": None if k % 2 else TIME}
            for k, action in enumerate(ACTIONS + BY_ACCOUNTS)]
