"""
Snapshots: the frames that answer a new subscription, and that a clocked channel repeats.

In      a normalised subscription, the exchange.
Out     frames of its channel, whole; none for channels of events only.
Source  frames captured from the venue; of user channels without a capture (TWAP, historical orders, all dexs) the
        shapes that clients check them against.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from mmfast.sim import account_answers, answers, depth, twap, wire
from mmfast.sim.aggregate import aggregated
from mmfast.sim.asked import Json, user_of
from mmfast.sim.exchange import Exchange
from mmfast.sim.market_answers import candle
from mmfast.sim.universe import Instrument

Prices = dict[str, tuple[str, str | None]]


def deflated(message: Any) -> str:
    """JSON as fastAssetCtxs carries it: raw DEFLATE in base64."""
    squeeze = zlib.compressobj(wbits=-15)
    return base64.b64encode(squeeze.compress(orjson.dumps(message)) + squeeze.flush()).decode()


def prices(instruments: Iterable[Instrument]) -> Prices:
    """Mark and mid of each coin; no mid where a side is missing."""
    found: Prices = {}
    for one in instruments:
        bid, ask = one.market.touch()
        mid = wire.mid_text(one) if bid[1] and ask[1] else None
        found[one.name] = (wire.decimal(one.mark_ticks, one.px_decimals), mid)
    return found


def price_changes(before: Prices, now: Prices) -> Json:
    """What is new in ``now``: a key that is missing has not changed."""
    changes: Json = {}
    for coin, (mark, mid) in now.items():
        old_mark, old_mid = before.get(coin, ("", ""))
        changed = {**({"markPx": mark} if mark != old_mark else {}), **({"midPx": mid} if mid != old_mid else {})}
        if changed:
            changes[coin] = changed
    return changes


def _coin_frames(exchange: Exchange, topic: Json) -> list[Json]:
    kind, instrument, now_ms = topic["type"], exchange.by_name[topic["coin"]], exchange.now_ms
    if kind == "bbo":
        return [wire.bbo(instrument, instrument.market.touch(), now_ms)]
    if kind == "trades":
        replayed = exchange.recent_trades(instrument)
        return [wire.frame("trades", replayed)] if replayed else []
    if kind == "activeAssetCtx":
        return [wire.active_asset_ctx(instrument)]
    if kind == "candle":
        latest = exchange.history.candles[instrument.asset].latest(topic["interval"])
        return [wire.frame(kind, candle(instrument, topic["interval"], latest))] if latest else []
    data = depth.book(instrument, now_ms, topic["nSigFigs"], topic["mantissa"], topic["fast"])
    return [wire.frame("l2Book", data)]


def _contexts(exchange: Exchange) -> list[Json]:
    return [wire.context(instrument) for instrument in exchange.instruments]


def _public_data(exchange: Exchange, topic: Json) -> Any:
    kind = topic["type"]
    if kind == "allMids":
        return {"mids": wire.all_mids(exchange.instruments)}
    if kind == "assetCtxs":
        return {"dex": "", "ctxs": _contexts(exchange)}
    if kind == "allDexsAssetCtxs":
        return {"ctxs": [["", _contexts(exchange)]]}
    return deflated(price_changes({}, prices(exchange.instruments)))


def _fills(exchange: Exchange, topic: Json) -> list[Json]:
    fills = list(user_of(exchange, topic).fills)
    return (aggregated(fills) if topic["aggregateByTime"] else fills)[: -answers.PAGE - 1 : -1]


def _fundings(exchange: Exchange, topic: Json) -> list[Json]:
    return list(user_of(exchange, topic).fundings)[-answers.FUNDINGS :]


Maker = Callable[[Exchange, Json], Any]
# Lists of events that begin with what was before: the key of the list, and the list.
HISTORIES: dict[str, tuple[str, Maker]] = {
    "userFills": ("fills", _fills),
    "userFundings": ("fundings", _fundings),
    "userNonFundingLedgerUpdates": ("nonFundingLedgerUpdates", answers.ledger_updates),
    "userHistoricalOrders": ("orderHistory", answers.historical_orders),
    "userTwapSliceFills": ("twapSliceFills", answers.user_twap_slice_fills),
    "userTwapHistory": ("history", answers.twap_history),
}
# States that are told whole each time.
STATES: dict[str, Maker] = {
    "openOrders": lambda exchange, topic: {
        "dex": "", "user": topic["user"], "orders": answers.frontend_open_orders(exchange, topic)},
    "clearinghouseState": lambda exchange, topic: {
        "dex": "", "user": topic["user"], "clearinghouseState": answers.clearinghouse_state(exchange, topic)},
    "allDexsClearinghouseState": lambda exchange, topic: {
        "user": topic["user"], "clearinghouseStates": [["", answers.clearinghouse_state(exchange, topic)]]},
    "activeAssetData": answers.active_asset_data,
    "webData3": account_answers.web_state,
    "spotState": lambda exchange, topic: {
        "user": topic["user"],
        "spotState": answers.answer(exchange, {**topic, "type": "spotClearinghouseState"})},
    "twapStates": lambda exchange, topic: {
        "dex": "", "user": topic["user"], "states": twap.states(exchange.ledger, user_of(exchange, topic))},
}
PUBLIC = ("allMids", "assetCtxs", "allDexsAssetCtxs", "fastAssetCtxs")
SILENT = ("orderUpdates", "userEvents", "notification", "outcomeMetaUpdates")


def told(kind: str, user: str, entries: list[Json], snapshot: bool) -> Json:
    """A frame of a list of events; ``isSnapshot`` is there on the first frame only."""
    head: Json = {"isSnapshot": True} if snapshot else {}
    return wire.frame(kind, {**head, "user": user, HISTORIES[kind][0]: entries})


def snapshot(exchange: Exchange, topic: Json) -> list[Json]:
    """The frames that answer a new subscription."""
    kind = topic["type"]
    if kind in SILENT:
        return []
    if kind in PUBLIC:
        return [wire.frame(kind, _public_data(exchange, topic))]
    if kind in HISTORIES:
        return [told(kind, topic["user"], HISTORIES[kind][1](exchange, topic), True)]
    if kind in STATES:
        return [wire.frame(kind, STATES[kind](exchange, topic))]
    return _coin_frames(exchange, topic)
