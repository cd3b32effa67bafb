"""
Rules: what the venue checks of one order before its book sees it, and in which words it refuses.

In      a typed order of a request, the account, the instrument.
Out     price in ticks and size in lots, or a Refusal: the order status and the error text with its asset
        suffix.
Source  the venue's pages on ticks and lots, contract specifications and error responses; texts as captured on the
        wire.

Prices and sizes are judged by their digits alone, apart from the engine's own rounding.
"""

from __future__ import annotations

from typing import NamedTuple

from mmfast.sim import triggers
from mmfast.sim.accounts import Account
from mmfast.sim.margin import greatest_leverage, leverage, may_hold
from mmfast.sim.orders import Trigger
from mmfast.sim.schema import Wire
from mmfast.sim.universe import Instrument
from mmfast.units import UUSD_PER_USD

FIGURES = 5
MARKET = "FrontendMarket"  # the tif of a market order
MIN_NOTIONAL_UUSD = 10 * UUSD_PER_USD
# Greatest market order from a greatest leverage of the asset on; limit orders may be ten times as large.
ORDER_VALUES_USD = ((25, 30_000_000), (20, 5_000_000), (10, 2_000_000), (1, 500_000))
LIMIT_TIMES = 10
HALTED = "Trading is halted."
LOTS_MAX = TICKS_MAX = 10**15  # far above any market, far below what 64 bits hold
OPEN_ORDERS, OPEN_ORDERS_MAX, UUSD_PER_OPEN_ORDER = 1000, 5000, 5_000_000 * UUSD_PER_USD


class Refusal(NamedTuple):
    """``status`` is the order's state in orderUpdates, empty when the order never became one."""

    status: str
    error: str


def refusal(status: str, words: str, asset: int) -> Refusal:
    """A refusal in the venue's words with the suffix that its answers carry."""
    return Refusal(status, f"{words} asset={asset}")


def scaled(text: str, decimals: int) -> int | None:
    """A canonical decimal text times 10^decimals; None when it has more decimals than that."""
    whole, _, part = text.partition(".")
    if len(part) > decimals:
        return None
    return int(whole + part.ljust(decimals, "0"))


def price_ticks(text: str, px_decimals: int) -> int | None:
    """
    Price in ticks; None off the grid: over five significant figures (unless whole) or too many decimals.
    """
    ticks = scaled(text, px_decimals)
    whole, _, part = text.partition(".")
    if part and len((whole + part).lstrip("0")) > FIGURES:
        return None
    return ticks if ticks and ticks <= TICKS_MAX else None


def value_uusd(wire: Wire, instrument: Instrument) -> int:
    """An order's value at its limit price; 0 for one whose price or size is none."""
    return (price_ticks(wire.px, instrument.px_decimals) or 0) * (scaled(wire.sz, instrument.sz_decimals) or 0)


def prevalidate(wire: Wire, instrument: Instrument, sizeless: bool = False) -> str | None:
    """
    Errors that depend on the request alone: one of them answers for the whole batch.

    ``sizeless``: an order of a position may leave its size to the position.
    """
    lots = scaled(wire.sz, instrument.sz_decimals)
    if lots is None or lots > LOTS_MAX:
        return f"Order has invalid size. asset={instrument.asset}"
    if lots == 0 and not sizeless:
        return f"Order has zero size. asset={instrument.asset}"
    if wire.trigger is not None:
        return None
    reference = instrument.reference_ticks()
    ticks = scaled(wire.px, 18)
    if reference and ticks is not None:
        scale = 10 ** (18 - instrument.px_decimals)
        if not reference * scale <= 5 * ticks <= 9 * reference * scale:
            return f"Order price cannot be more than 80% away from the reference price asset={instrument.asset}"
    return None


def group_error(wires: list[Wire], grouping: object) -> str | None:
    """Why a batch is no entry with children, or no take profit and stop of a position."""
    if grouping not in ("normalTpsl", "positionTpsl"):
        return None
    if grouping == "normalTpsl" and wires[0].trigger is not None:
        return "Main order cannot be trigger order."
    children = wires[1:] if grouping == "normalTpsl" else wires
    if len({one.asset for one in wires}) > 1 or any(one.trigger is None for one in children):
        return "TP/SL orders must be trigger orders of one asset."
    if not all(one.reduce_only for one in children):
        return "TP/SL orders must be reduce only."
    kinds = [one.trigger.tpsl for one in children if one.trigger is not None]
    return "TP/SL orders must be one of each kind at most." if len(set(kinds)) < len(kinds) else None


def greatest_value_uusd(instrument: Instrument, is_market: bool) -> int:
    """The greatest value of one order, by the leverage class of its asset."""
    usd = next(usd for leverage, usd in ORDER_VALUES_USD if instrument.max_leverage >= leverage)
    return usd * UUSD_PER_USD * (1 if is_market else LIMIT_TIMES)


def _too_large(instrument: Instrument, value_uusd: int, is_market: bool) -> Refusal | None:
    """The venue's words for it are not on record: these are those for a TWAP that is too large."""
    greatest = greatest_value_uusd(instrument, is_market)
    if value_uusd <= greatest:
        return None
    return refusal("", f"Order value too large. Max is ${greatest // UUSD_PER_USD}.", instrument.asset)


def open_orders_cap(account: Account) -> int:
    """Open orders an account may have: 1000, one more for each 5 million dollars of volume, at most 5000."""
    return min(OPEN_ORDERS + account.volume_uusd // UUSD_PER_OPEN_ORDER, OPEN_ORDERS_MAX)


def reduce_only_lots(account: Account, asset: int, sign: int, lots: int) -> int:
    """What a reduce-only order may still be: at most the opposite position, 0 when there is none."""
    held = account.lots(asset)
    return min(lots, abs(held)) if held * sign < 0 else 0


def size(
    wire: Wire, account: Account, instrument: Instrument, instruments: list[Instrument]
) -> tuple[int, int] | Refusal:
    """
    Price in ticks and lots of an order that may go to the book, shrunk when reduce-only; or why it may not.
    """
    asset, sign = instrument.asset, 1 if wire.is_buy else -1
    px_ticks = price_ticks(wire.px, instrument.px_decimals)
    if px_ticks is None:
        return refusal("tickRejected", "Price must be divisible by tick size.", asset)
    if len(account.orders.open) >= (OPEN_ORDERS if wire.reduce_only else open_orders_cap(account)):
        return refusal("tooManyOpenOrdersRejected", "Too many open orders.", asset)
    asked = lots = scaled(wire.sz, instrument.sz_decimals) or 0
    if wire.reduce_only:
        lots = reduce_only_lots(account, asset, sign, asked)
        if lots == 0:
            return refusal("reduceOnlyRejected", "Reduce only order would increase position.", asset)
    closes = wire.reduce_only and lots == abs(account.lots(asset))
    if px_ticks * lots < MIN_NOTIONAL_UUSD and not closes:
        return refusal("minTradeNtlRejected", "Order must have minimum value of $10.", asset)
    refused = _too_large(instrument, px_ticks * lots, wire.tif == MARKET)
    if refused is not None:
        return refused
    held, after = account.lots(asset), account.lots(asset) + sign * lots
    grown = abs(after) * px_ticks if abs(after) > abs(held) else 0
    if grown and leverage(account, instrument).value > greatest_leverage(instrument, grown):
        words = "Order would cause position to exceed margin tier limit at current leverage"
        return refusal("perpMaxPositionRejected", words, asset)
    if not may_hold(account, instrument, sign * lots, instruments):
        return refusal("perpMarginRejected", "Insufficient margin to place order.", asset)
    return px_ticks, lots


def trigger_size(
    wire: Wire, account: Account, instrument: Instrument, of_position: bool, reference_ticks: int
) -> tuple[Trigger, int, int] | Refusal:
    """
    Trigger, price in ticks and lots of a take profit or stop; or why it is refused.

    One that the reference price would fire at once is none; reduce-only is judged when it fires, except where it
    belongs to a position that must be there.
    """
    asset, asked = instrument.asset, wire.trigger
    if asked is None:
        raise ValueError(f"order of asset {asset} has no trigger")
    px_ticks, at_ticks = (price_ticks(text, instrument.px_decimals) for text in (wire.px, asked.px))
    if px_ticks is None:
        return refusal("tickRejected", "Price must be divisible by tick size.", asset)
    trigger = None
    if at_ticks is not None:
        trigger = triggers.made(at_ticks, wire.is_buy, asked.is_market, asked.tpsl == "sl", of_position)
    if trigger is None or trigger.due(reference_ticks):
        return refusal("badTriggerPxRejected", "Invalid TP/SL price.", asset)
    if len(account.orders.open) >= OPEN_ORDERS:
        return refusal("tooManyOpenOrdersRejected", "Too many open orders.", asset)
    lots = scaled(wire.sz, instrument.sz_decimals) or 0
    if of_position and reduce_only_lots(account, asset, 1 if wire.is_buy else -1, 1) == 0:
        return refusal("reduceOnlyRejected", "Reduce only order would increase position.", asset)
    if trigger.px_ticks * lots < MIN_NOTIONAL_UUSD and not wire.reduce_only:
        return refusal("minTradeNtlRejected", "Order must have minimum value of $10.", asset)
    return _too_large(instrument, trigger.px_ticks * lots, asked.is_market) or (trigger, px_ticks, lots)
