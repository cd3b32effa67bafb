"""
Wire: exact shapes of what the venue sends over its WebSocket, and its way of writing numbers.

In      integers in ticks, lots, micro-dollars and milliseconds; orders, fills, contexts.
Out     JSON-ready dictionaries with the venue's keys in the venue's order.
Source  frames captured from the venue in 2026; where documentation and capture differ, the capture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from mmfast.records.order import TIF_NAMES
from mmfast.sim import impact
from mmfast.sim.market import Print
from mmfast.sim.orders import FOR_FILL, Change, Order, Trigger
from mmfast.sim.universe import Instrument
from mmfast.units import BID

Json = dict[str, Any]
SIDES = ("B", "A")
ZERO_HASH = "0x" + "0" * 64


def decimal(value: int, decimals: int) -> str:
    """``value`` x 10^-``decimals`` as the venue writes it: no trailing zeros, but always one decimal."""
    if decimals <= 0:
        return f"{value * 10**-decimals}.0"
    whole, part = divmod(abs(value), 10**decimals)
    text = f"{whole}.{part:0{decimals}d}".rstrip("0")
    return ("-" if value < 0 else "") + (text + "0" if text.endswith(".") else text)


def usd(uusd: int) -> str:
    """Micro-dollars in dollars."""
    return decimal(uusd, 6)


def real(value: float, decimals: int = 10) -> str | None:
    """A number that is not bound to ticks; None where it is unknown."""
    if not math.isfinite(value):
        return None
    text = f"{value:.{decimals}f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def tif_name(tif: int) -> str:
    """The venue's name of a time in force."""
    return TIF_NAMES[tif]


def frame(channel: str, data: Any) -> Json:
    """A message of a channel."""
    return {"channel": channel, "data": data}


def level(instrument: Instrument, entry: Sequence[int]) -> Json:
    """One level of a book: price, size and number of orders."""
    return {
        "px": decimal(entry[0], instrument.px_decimals),
        "sz": decimal(entry[1], instrument.sz_decimals),
        "n": entry[2],
    }


def bbo(instrument: Instrument, touch: Sequence[Sequence[int]], time_ms: int) -> Json:
    """The bbo frame; a side without lots is null."""
    sides = [level(instrument, side) if side[1] else None for side in touch]
    return frame("bbo", {"coin": instrument.name, "time": time_ms, "bbo": sides})


def trade(instrument: Instrument, made: Print, users: tuple[str, str]) -> Json:
    """One public trade; ``users`` are the buyer and the seller."""
    return {
        "coin": instrument.name,
        "side": SIDES[made.aggressor],
        "px": decimal(made.px_ticks, instrument.px_decimals),
        "sz": decimal(made.lots, instrument.sz_decimals),
        "time": made.time_ms,
        "hash": transaction(made.taker),
        "tid": made.tid,
        "users": list(users),
    }


def transaction(taker: int) -> str:
    """A transaction hash that is equal for all prints of one taker order and for nothing else."""
    if taker == 0:
        return ZERO_HASH
    mixed = (taker & (2**64 - 1)) * 0x9E3779B97F4A7C15 % 2**64 or 1  # odd factor: one to one on 64 bits
    return f"0x{mixed:016x}{taker & (2**64 - 1):048x}"


def _order_head(instrument: Instrument, order: Order, lots: int) -> Json:
    """What all ways to show an order begin with."""
    return {
        "coin": instrument.name,
        "side": SIDES[order.side],
        "limitPx": decimal(order.px_ticks, instrument.px_decimals),
        "sz": decimal(lots, instrument.sz_decimals),
        "oid": order.oid,
        "timestamp": order.placed_ms,
    }


def order_brief(instrument: Instrument, order: Order, lots: int) -> Json:
    """An order as orderUpdates and openOrders show it: cloid and reduceOnly only where they are set."""
    shown = {**_order_head(instrument, order, lots), "origSz": decimal(order.orig_lots, instrument.sz_decimals)}
    if order.cloid is not None:
        shown["cloid"] = order.cloid
    if order.reduce_only:
        shown["reduceOnly"] = True
    return shown


def order_full(instrument: Instrument, order: Order, lots: int) -> Json:
    """An order as frontendOpenOrders, orderStatus and historicalOrders show it."""
    trigger = order.trigger
    waits = [] if trigger is not None else [one for one in order.group if one.waits == FOR_FILL]
    return {
        **_order_head(instrument, order, lots),
        "triggerCondition": trigger_condition(instrument, trigger),
        "isTrigger": trigger is not None,
        "triggerPx": "0.0" if trigger is None else decimal(trigger.px_ticks, instrument.px_decimals),
        "children": [order_full(instrument, one, one.lots) for one in waits],
        "isPositionTpsl": trigger is not None and trigger.of_position,
        "reduceOnly": order.reduce_only,
        "orderType": order_type(order),
        "origSz": decimal(order.orig_lots, instrument.sz_decimals),
        "tif": order.market or (None if trigger is not None and trigger.is_market else tif_name(order.tif)),
        "cloid": order.cloid,
    }


def trigger_condition(instrument: Instrument, trigger: Trigger | None) -> str:
    """When a take profit or stop fires, in the venue's words."""
    if trigger is None:
        return "N/A"
    price = decimal(trigger.px_ticks, instrument.px_decimals).removesuffix(".0")
    return f"Price {'above' if trigger.above else 'below'} {price}"


def order_type(order: Order) -> str:
    """The kind of an order, in the venue's words."""
    if order.trigger is None:
        return "Market" if order.market else "Limit"
    name = "Stop" if order.trigger.is_stop else "Take Profit"
    return f"{name} {'Market' if order.trigger.is_market else 'Limit'}"


def order_updates(instruments: Sequence[Instrument], changes: Iterable[Change]) -> Json:
    """The orderUpdates frame of one account and block."""
    return frame(
        "orderUpdates",
        [
            {
                "order": order_brief(instruments[c.order.asset], c.order, c.lots),
                "status": c.status,
                "statusTimestamp": c.time_ms,
            }
            for c in changes
        ],
    )


def direction(start_lots: int, signed_lots: int) -> str:
    """The venue's words for what a fill did to a position of ``start_lots``."""
    end_lots = start_lots + signed_lots
    if start_lots > 0 > end_lots:
        return "Long > Short"
    if start_lots < 0 < end_lots:
        return "Short > Long"
    held = start_lots or end_lots
    verb = "Close" if start_lots and start_lots * signed_lots < 0 else "Open"
    return f"{verb} {'Long' if held > 0 else 'Short'}"


def fill(instrument: Instrument, order: Order, facts: Json, liquidation: Json | None = None) -> Json:
    """
    One fill as userFills and userEvents show it.

    ``facts``: px_ticks, lots, start_lots, pnl_uusd, fee_uusd, crossed, tid, time_ms, taker, perhaps dir.
    ``liquidation`` is told to both sides of a forced fill.
    """
    signed = facts["lots"] if order.side == BID else -facts["lots"]
    shown: Json = {
        "coin": instrument.name,
        "px": decimal(facts["px_ticks"], instrument.px_decimals),
        "sz": decimal(facts["lots"], instrument.sz_decimals),
        "side": SIDES[order.side],
        "time": facts["time_ms"],
        "startPosition": decimal(facts["start_lots"], instrument.sz_decimals),
        "dir": facts.get("dir") or direction(facts["start_lots"], signed),
        "closedPnl": usd(facts["pnl_uusd"]),
        "hash": transaction(facts["taker"]),
        "oid": order.oid,
        "crossed": facts["crossed"],
        "fee": usd(facts["fee_uusd"]),
        "tid": facts["tid"],
    }
    if facts.get("builder_fee_uusd"):
        shown["builderFee"] = usd(facts["builder_fee_uusd"])
    if order.cloid is not None:
        shown["cloid"] = order.cloid
    if liquidation is not None:
        shown["liquidation"] = liquidation
    return {**shown, "feeToken": "USDC", "twapId": order.twap}


def resting_filled(fill: Json) -> Json:
    """The notification of a resting order's fill."""
    verb = "Bought" if fill["side"] == SIDES[BID] else "Sold"
    sz, px = (text.removesuffix(".0") for text in (fill["sz"], fill["px"]))
    return frame("notification", {"notification": f"Resting order filled: {verb} {sz} {fill['coin']} at ${px}"})


def funding(instrument: Instrument, payment_uusd: int, lots: int, rate: float, time_ms: int) -> Json:
    """One hourly funding payment; negative is paid."""
    return {
        "time": time_ms,
        "coin": instrument.name,
        "usdc": usd(payment_uusd),
        "szi": decimal(lots, instrument.sz_decimals),
        "fundingRate": real(rate),
        "nSamples": None,
    }


def context(instrument: Instrument) -> Json:
    """
    The asset context: all strings, ``premium``, ``midPx`` and ``impactPxs`` null where there is no book.
    """
    ctx = instrument.context
    mid = real(ctx.mid_px, instrument.px_decimals + 1)
    ends = impact.impact_ticks(instrument)
    shown = [real(ticks / 10**instrument.px_decimals, instrument.px_decimals) for ticks in ends]
    return {
        "funding": real(instrument.funding_rate_h) or "0.0",
        "openInterest": real(ctx.open_interest, 5) or "0.0",
        "prevDayPx": decimal(instrument.day.earlier_mark_ticks or instrument.mark_ticks, instrument.px_decimals),
        "dayNtlVlm": usd(instrument.day.uusd),
        "premium": real(impact.premium_now(instrument, ends)),
        "oraclePx": decimal(instrument.oracle_ticks, instrument.px_decimals),
        "markPx": decimal(instrument.mark_ticks, instrument.px_decimals),
        "midPx": mid,
        "impactPxs": None if None in shown else shown,
        "dayBaseVlm": decimal(instrument.day.lots, instrument.sz_decimals),
    }


def active_asset_ctx(instrument: Instrument) -> Json:
    """The activeAssetCtx frame."""
    return frame("activeAssetCtx", {"coin": instrument.name, "ctx": context(instrument)})


def mid_text(instrument: Instrument) -> str:
    """The middle of the touch; where a side is missing the last trade, or the mark before the first."""
    bid, ask = instrument.market.touch()
    if bid[1] and ask[1]:
        return decimal((bid[0] + ask[0]) * 5, instrument.px_decimals + 1)
    return decimal(instrument.market.last_ticks or instrument.mark_ticks, instrument.px_decimals)


def all_mids(instruments: Iterable[Instrument]) -> Json:
    """Mid prices of all coins."""
    return {instrument.name: mid_text(instrument) for instrument in instruments}
