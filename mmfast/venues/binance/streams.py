"""
Streams: what is asked of the reference venue, by name.

In      the coins that we trade.
Out     the venue's symbols and the paths of its combined streams.
Source  the venue's USD-M stream pages: names in lower case; touch and depth are served under /public, trades under
        /market; the path before ``/stream`` is ours to choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

TICKERS = ("bookTicker", "depth20@100ms")
TRADES = ("aggTrade",)
THOUSAND = "k"  # kPEPE is a thousand PEPE here, 1000PEPE there


def symbol(coin: str, quote: str) -> str:
    """The reference's name of a perpetual on ``coin``."""
    if coin.startswith(THOUSAND) and coin[1:].isupper():
        return f"1000{coin[1:]}{quote}"
    return f"{coin.upper()}{quote}"


def stream_path(symbols: Iterable[str], kinds: Sequence[str]) -> str:
    """Path and query of one connection that carries ``kinds`` of streams of all symbols."""
    names = "/".join(f"{name.lower()}@{kind}" for name in symbols for kind in kinds)
    return f"/stream?streams={names}"
