"""
Instruments: what the venue says our coins are, and what we already hold in them.

In      the venue's ``metaAndAssetCtxs`` and ``clearinghouseState``.
Out     one INSTRUMENT and one start position for each coin of the configuration.
Source  dossier of the venue: an asset's number is its place in the universe.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from mmfast.records.parameters import INSTRUMENT
from mmfast.runtime.rest import TIMEOUT_S, ask
from mmfast.units import lots_per_coin, ticks_per_usd


class Listed(NamedTuple):
    """A coin as the venue lists it."""

    name: str
    asset: int
    sz_decimals: int
    max_leverage: int
    mark_px: float


class UnknownCoin(ValueError):
    """A coin that the venue does not list or no longer trades."""


def fetch_listed(http_url: str, coins: list[str]) -> list[Listed]:
    """
    The venue's entry for each of ``coins``, in that order.

    Raises
    ------
    UnknownCoin
        If one is missing, delisted or has no price; names the closest ones that are listed.
    VenueUnreachable
        If the venue does not answer.
    """
    meta, contexts = ask(http_url, "/info", {"type": "metaAndAssetCtxs"})
    universe = {entry["name"]: (asset, entry) for asset, entry in enumerate(meta["universe"])}
    live = [name for name, (_, entry) in universe.items() if not entry.get("isDelisted")]
    listed = []
    for coin in coins:
        if coin not in live:
            near = ", ".join([name for name in live if name.lower() == coin.lower()]
                             or get_close_matches(coin, live, 3, 0.4) or sorted(live)[:10])
            raise UnknownCoin(f"coin {coin!r} is not traded at {http_url}; did you mean: {near}?")
        asset, entry = universe[coin]
        mark = contexts[asset].get("markPx")
        if not mark or float(mark) <= 0:
            raise UnknownCoin(f"coin {coin!r} has no mark price at {http_url}: it cannot be quoted now")
        listed.append(Listed(coin, asset, entry["szDecimals"], entry["maxLeverage"], float(mark)))
    return listed


def fetch_positions(http_url: str, address: str, listed: list[Listed]) -> list[int]:
    """Our signed position in each coin [lots]."""
    state = ask(http_url, "/info", {"type": "clearinghouseState", "user": address})
    held = {p["position"]["coin"]: p["position"]["szi"] for p in state["assetPositions"]}
    return [to_lots(held.get(coin.name, "0"), coin.sz_decimals) for coin in listed]


def fetch_open_orders(http_url: str, address: str, timeout_s: float = TIMEOUT_S) -> list[dict[str, Any]]:
    """The venue's list of our resting orders."""
    orders: list[dict[str, Any]] = ask(http_url, "/info", {"type": "openOrders", "user": address}, timeout_s)
    return orders


def to_lots(size: str, sz_decimals: int) -> int:
    """
    A size as the venue writes it, in lots; exact.

    Raises
    ------
    ValueError
        If it is not a whole number of lots.
    """
    whole, _, part = size.removeprefix("-").partition(".")
    if not (whole + part).isdecimal() or part[sz_decimals:].strip("0"):
        raise ValueError(f"size {size!r} is not a whole number of lots of 10^-{sz_decimals}")
    lots = int(whole or "0") * lots_per_coin(sz_decimals) + int(part[:sz_decimals].ljust(sz_decimals, "0") or "0")
    return -lots if size.startswith("-") else lots


def instrument_table(listed: list[Listed]) -> np.ndarray[Any, Any]:
    """INSTRUMENT records, shape (n,)."""
    table = np.zeros(len(listed), INSTRUMENT)
    for row, coin in zip(table, listed):
        name = coin.name.encode()
        row["name"][: len(name)] = np.frombuffer(name, np.uint8)
        row["asset"], row["sz_decimals"], row["max_leverage"] = coin.asset, coin.sz_decimals, coin.max_leverage
        row["ticks_per_usd"], row["lots_per_coin"] = ticks_per_usd(coin.sz_decimals), lots_per_coin(coin.sz_decimals)
        row["start_mark_ticks"] = round(coin.mark_px * ticks_per_usd(coin.sz_decimals))
    return table
