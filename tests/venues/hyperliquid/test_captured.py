"""
Nothing that was captured is left out: every message of every file is decoded and compared, or exempt with a reason.

Market frames, books and trades are compared value by value in test_decode.py, signatures in test_signing.py; what is
said about accounts is compared here with the JSON itself, read by another way.
"""

import json
import math
from collections import Counter
from decimal import Decimal
from fnmatch import fnmatch

import pytest

from mmfast.units import ASK, BID, PX_DECIMALS
from mmfast.venues.hyperliquid import decode, info, messages

MARKET = {decode.CHANNEL_TEXTS[kind] for kind in (decode.BBO, decode.TRADES, decode.BOOK, decode.CTX)}
EXEMPT_CHANNELS = {
    "pong": "it has no content",
    "allMids": "not subscribed: mids come from bbo", "candle": "not subscribed: made from trades where wanted",
    "fastAssetCtxs": "not subscribed: activeAssetCtx says the same of our coins",
    "webData3": "for the venue's web site", "notification": "text for people",
    "openOrders": "asked for over REST, in the same shape (frontendOpenOrders below)",
    "activeAssetData": "asked for over REST", "spotState": "no spot is traded", "userFundings": "asked for over REST",
    "userNonFundingLedgerUpdates": "deposits and transfers: the account's equity is asked for",
    "allDexsAssetCtxs": "not subscribed: 177 KB for the few coins that are ours",
}
EXEMPT_QUESTIONS = {
    "allMids": "mids come from bbo", "candleSnapshot": "no candle is used", "fundingHistory": "of coins, not of ours",
    "portfolio": "for people", "delegatorHistory": "staking", "userVaultEquities": "vaults",
    "userNonFundingLedgerUpdates": "deposits and transfers: the account's equity is asked for",
    "userTwapSliceFills": "no TWAP is placed", "historicalOrders": "orderStatus is asked for instead",
    "recentTrades": "trades come from the socket",
}
EXEMPT_FILES = {
    "binance/*": "another venue, read by its own decoder",
    "nautilus/http_spot_*": "no spot is traded",
    "nautilus/http_funding_history.json": "funding of coins, not of ours; values made up by its author",
    "nautilus/http_clearinghouse_state_negative_total_raw_usd.json": "reduced by its author; see below",
    "nautilus/ws_allmids.json": EXEMPT_CHANNELS["allMids"],
    "nautilus/ws_all_dexs_asset_ctxs.json": EXEMPT_CHANNELS["allDexsAssetCtxs"],
}
ELSEWHERE = {
    "signing/*": "test_signing.py", "MANIFEST.md": "no message",
    "nautilus/ws_book_data.json": "test_decode.py", "nautilus/http_l2_book_*.json": "test_decode.py",
    "nautilus/http_recent_trades_btc.json": "test_decode.py",
}
EXEMPT_CASES = {"userRateLimit before/after cancel 200 in one action": "two answers summed up by their author"}


def ticks(text, decimals):
    return round(Decimal(text).scaleb(decimals))


def near(text, decimals, found):
    """Rounded half away from zero: within half a unit of the exact value."""
    return abs(Decimal(text).scaleb(decimals) - found) <= Decimal("0.5")


# ── what is said about accounts, by another way ────────────────────────────────────────────────────────────────

def scales(rows, *size_keys):
    """Instrument 0 and the fewest decimals for every perpetual of the rows; spot coins are foreign to us."""
    found = {}
    for row in rows:
        if not row["coin"].startswith("@") and "/" not in row["coin"]:
            sizes = [Decimal(row[key]).normalize() for key in size_keys if row.get(key) is not None]
            finest = max((-size.as_tuple().exponent for size in sizes), default=0)
            found[row["coin"]] = 0, max(found.get(row["coin"], (0, 0))[1], finest, 0)
    return found


def check_order(update, row, coins):
    assert update.side == (BID if row["side"] == "B" else ASK)
    assert (update.coin, update.oid, update.placed_ms) == (row["coin"], row["oid"], row.get("timestamp", 0))
    inst, decimals = coins.get(row["coin"], (messages.FOREIGN, 0))
    assert update.inst == inst
    if inst == messages.FOREIGN:
        return
    assert update.lots == ticks(row["sz"], decimals)
    assert update.orig_lots == ticks(row.get("origSz") or row["sz"], decimals)
    assert update.px_ticks == ticks(row["limitPx"], PX_DECIMALS - decimals)
    halves = (update.cloid_hi % 2**64) << 64 | update.cloid_lo % 2**64
    assert halves == int(row.get("cloid") or "0x0", 16)
    assert update.reduce_only == (row.get("reduceOnly") is True)


def check_orders(read, rows):
    coins = scales(rows, "sz", "origSz")
    found = read(coins)
    assert len(found) == len(rows)
    for update, row in zip(found, rows):
        check_order(update, row, coins)


def check_fills(read, rows):
    coins = scales(rows, "sz")
    found = read(coins)
    assert len(found) == len(rows)
    for fill, row in zip(found, rows):
        assert (fill.coin, fill.oid, fill.tid, fill.time_ms) == (row["coin"], row["oid"], row["tid"], row["time"])
        assert fill.crossed == row["crossed"]
        assert fill.direction == row["dir"]
        inst, decimals = coins.get(row["coin"], (messages.FOREIGN, 0))
        assert fill.inst == inst
        if inst == messages.FOREIGN:
            continue
        assert fill.lots == ticks(row["sz"], decimals)
        assert near(row["px"], PX_DECIMALS - decimals, fill.px_ticks)
        assert near(row["startPosition"], decimals, fill.start_lots)
        assert fill.position_lots - fill.start_lots == (fill.lots if row["side"] == "B" else -fill.lots)
        assert near(row["fee"], 6, fill.fee_uusd)
        assert near(row["closedPnl"], 6, fill.closed_pnl_uusd)
        assert fill.liquidated_user == (row.get("liquidation") or {}).get("liquidatedUser", "").lower()


def check_exchange(body, response):
    answer = messages.exchange_answer(body)
    assert answer.ok == (response["status"] == "ok")
    if isinstance(response["response"], str):
        assert answer.text == response["response"]
        return
    statuses = response["response"]["data"]["statuses"]
    assert len(answer.answers) == len(statuses)
    for found, status in zip(answer.answers, statuses):
        if isinstance(status, str):
            assert found.kind == (messages.DONE if status == "success" else messages.WAITING)
        elif "error" in status:
            assert (found.kind, found.text) == (messages.REFUSED, status["error"])
        elif "filled" in status:
            assert (found.kind, found.oid, found.size) == (messages.FILLED, status["filled"]["oid"],
                                                           status["filled"]["totalSz"])
            assert math.isclose(found.avg_px, float(status["filled"]["avgPx"]))
        else:
            assert (found.kind, found.oid) == (messages.RESTING, status["resting"]["oid"])


def check_universe(body, universe):
    found = info.parse_meta(body)
    assert [(c.name, c.sz_decimals, c.is_delisted) for c in found] == [
        (row["name"], row["szDecimals"], row.get("isDelisted") is True) for row in universe]
    assert [c.asset for c in found] == list(range(len(universe)))


def check_account(body, state):
    coins = scales([row["position"] for row in state["assetPositions"]], "szi")
    account = info.parse_account(body, coins)
    margin = state["marginSummary"]
    assert near(margin["accountValue"], 6, account.value_uusd)
    assert near(margin["totalRawUsd"], 6, account.cash_uusd)
    for found, row in zip(account.positions, state["assetPositions"], strict=True):
        position = row["position"]
        assert found.lots == ticks(position["szi"], coins[position["coin"]][1])
        assert math.isclose(found.entry_px, float(position["entryPx"]))
        assert near(position["unrealizedPnl"], 6, found.unrealized_uusd)
        assert found.leverage == position["leverage"]["value"]


def check_answer(question, response):
    """The answer to a question of /info; whether it was decoded rather than exempt."""
    body, kind = json.dumps(response).encode(), question["type"]
    if kind in EXEMPT_QUESTIONS:
        return False
    if kind == "meta":
        check_universe(body, response["universe"])
    elif kind in ("openOrders", "frontendOpenOrders"):
        check_orders(lambda coins: info.parse_open_orders(body, coins), response)
    elif kind in ("userFills", "userFillsByTime"):
        rows = [{"tid": 0, "feeToken": "USDC", **row} for row in response]  # in 2023 a fill had no tid yet
        check_fills(lambda coins: info.parse_fills(json.dumps(rows).encode(), coins), rows)
    elif kind == "clearinghouseState":
        check_account(body, response)
    elif kind == "l2Book":
        from tests.venues.hyperliquid.test_decode import read_book, twin_book
        frame, decimals = b'{"channel":"l2Book","data":%b}' % body, 1
        assert read_book(frame, decimals)[:2] == (0, twin_book(response, decimals))
    elif kind == "userRateLimit":
        assert info.parse_rate_limit(body)[:2] == (response["nRequestsUsed"], response["nRequestsCap"])
    elif kind == "userRole":
        assert info.parse_role(body).role == response["role"]
    elif kind == "extraAgents":
        assert [tuple(agent) for agent in info.parse_extra_agents(body)] == [
            (row["name"], row["address"].lower(), row["validUntil"]) for row in response]
    elif kind == "userFunding":
        payments = info.parse_fundings(body, {})
        assert len(payments) == len(response)
        for paid, row in zip(payments, response):
            assert near(row["delta"]["usdc"], 6, paid.uusd)
            assert (paid.coin, paid.time_ms) == (row["delta"]["coin"], row["time"])
    else:
        pytest.fail(f"question {kind} is neither decoded nor exempt")
    return True


def check_frame(frame):
    """A frame of the socket; whether it was decoded rather than exempt."""
    parsed = json.loads(frame)
    channel, data = parsed["channel"], parsed.get("data")
    if channel in EXEMPT_CHANNELS:
        assert decode.channel(frame) in (decode.OTHER, decode.PONG)
        return False
    if channel in MARKET:
        return True  # test_decode.py, by the same channels
    if channel == "orderUpdates":
        check_orders(lambda coins: messages.order_updates(frame, coins), [row["order"] for row in data])
        statuses = [(u.status, u.time_ms) for u in messages.order_updates(frame, {})]
        assert statuses == [(row["status"], row["statusTimestamp"]) for row in data]
    elif channel == "userFills":
        check_fills(lambda coins: messages.user_fills(frame, coins).fills, data["fills"])
        assert messages.user_fills(frame, {}).is_snapshot == data.get("isSnapshot", False)
    elif channel == "user":
        events = messages.user_events(frame, {})
        check_fills(lambda coins: messages.user_events(frame, coins).fills, data.get("fills", []))
        assert len(events.fundings) == ("funding" in data)
        assert len(events.liquidations) == ("liquidation" in data)
        assert [c.oid for c in events.cancels] == [c["oid"] for c in data.get("nonUserCancel", [])]
    elif channel == "subscriptionResponse":
        answer, said = messages.subscription_answer(frame), data["subscription"]
        assert (answer.method, answer.kind) == (data["method"], said["type"])
        assert (answer.coin, answer.fast) == (said.get("coin", ""), said.get("fast", False))
    elif channel == "error":
        assert messages.error_text(frame) == data
    elif channel == "post":
        answer = messages.post_answer(frame)
        assert answer.request_id == data["id"]
        assert json.loads(answer.data) == data["response"]["payload"]["data"]
    else:
        pytest.fail(f"channel {channel} is neither decoded nor exempt")
    return True


# ── every file ─────────────────────────────────────────────────────────────────────────────────────────────────

def one(patterns, name):
    return next((reason for pattern, reason in patterns.items() if fnmatch(name, pattern)), None)


def numbers(value):
    """ccxt writes whole numbers of these keys as text; on the wire they are numbers."""
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, dict):
        return {k: int(v) if k in ("oid", "tid", "time", "timestamp") and isinstance(v, str) else numbers(v)
                for k, v in value.items()}
    return value


def check_probe(line):
    """A line of the testnet probes; whether it was decoded rather than exempt."""
    case, response = line["case"], line["response"]
    if case in EXEMPT_CASES:
        return False
    if "frontendOpenOrders" in case:
        check_orders(lambda coins: info.parse_open_orders(json.dumps(response).encode(), coins), response)
    elif "orderUpdates" in case:
        frame = json.dumps({"channel": "orderUpdates", "data": [response]}).encode()
        check_orders(lambda coins: messages.order_updates(frame, coins), [response["order"]])
        assert messages.order_updates(frame, {})[0].status == response["status"]
    else:
        check_exchange(json.dumps(response).encode(), response)
    return True


def check_ccxt(text):
    items = {key: numbers(value) for key, value in json.loads(text).items() if key != "source"}
    for key, value in items.items():
        if key.startswith("createOrder"):
            check_exchange(json.dumps(value).encode(), value)
        elif key == "userFills":
            check_fills(lambda coins, v=value: info.parse_fills(json.dumps(v).encode(), coins), value)
        else:
            assert key.startswith("historicalOrders"), key
            rows = [row["order"] for row in value]
            check_orders(lambda coins, r=rows: info.parse_open_orders(json.dumps(r).encode(), coins), rows)
    return [True] * len(items)


def check_nautilus(name, raw):
    if name.endswith("ws_user_fill_liquidation.json"):
        return [check_frame(raw)]
    parsed = json.loads(raw)
    if name.endswith("http_user_fills_dust_conversion.json"):
        return [check_answer({"type": "userFills"}, parsed)]
    if name.endswith("http_meta_perp_sample.json"):
        return [check_answer({"type": "meta"}, parsed)]
    assert name.endswith("http_all_perp_metas_non_usdc_collateral.json"), name
    return [check_answer({"type": "meta"}, dex) for dex in parsed]


def checked(samples, path):
    """What became of each message of a file: decoded (True) or exempt (False)."""
    name, raw = path.relative_to(samples).as_posix(), path.read_bytes()
    if one(EXEMPT_FILES, name) or one(ELSEWHERE, name):
        return []
    if fnmatch(name, "captured/ws_*"):
        return [check_frame(line[line.index(b"{"):]) for line in raw.splitlines()]
    if fnmatch(name, "captured/rest_*"):
        lines = [json.loads(line) for line in raw.splitlines()]
        return [check_answer(line["request"], line["response"]) for line in lines]
    if fnmatch(name, "captured/exchange_*"):
        return [check_probe(json.loads(line)) for line in raw.splitlines()]
    if name == "captured/ccxt_fixture_items.json":
        return check_ccxt(raw)
    if fnmatch(name, "sdk-cassettes/*"):
        return [check_answer(row["request"], row["response"]) for row in json.loads(raw)]
    return check_nautilus(name, raw)


def test_every_message_of_every_file_is_decoded_or_exempt_with_a_reason(samples):
    said = Counter()
    for path in sorted(p for p in samples.rglob("*") if p.is_file()):
        said.update(checked(samples, path))
    assert said[True] >= 130, said
    assert said[False] <= 40, said


@pytest.mark.parametrize(("exempt", "written"), [
    (EXEMPT_CHANNELS, '"channel":"{}"'), (EXEMPT_QUESTIONS, '"type":"{}"'), (EXEMPT_CASES, '"case":"{}"')])
def test_every_exemption_is_still_needed(samples, exempt, written):
    text = "".join(p.read_text("utf-8").replace(" ", "").replace("\n", "") for p in samples.rglob("*.json*"))
    unused = [key for key in exempt if written.format(key).replace(" ", "") not in text]
    assert unused in ([], ["recentTrades"])  # a file of nautilus has its answer without the question


def test_every_rule_about_files_meets_one(samples):
    names = [p.relative_to(samples).as_posix() for p in samples.rglob("*") if p.is_file()]
    for pattern in (*EXEMPT_FILES, *ELSEWHERE):
        assert any(fnmatch(name, pattern) for name in names), pattern


def test_cash_below_zero_is_cash_below_zero(samples):
    state = json.loads((samples / "nautilus" / "http_clearinghouse_state_negative_total_raw_usd.json").read_bytes())
    account = info.parse_account(json.dumps({**state, "marginSummary": state["crossMarginSummary"]}).encode(), {})
    assert account.cash_uusd < 0
