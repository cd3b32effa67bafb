"""
Listing: how a coin is listed, apart from its market: delisted, or without cross margin; the market of a delisted coin.

In      the venue's words for margin modes.
Out     what ``meta`` says of the coin; a source of a market in which nothing is left.
Source  the venue's meta and its captured frames of a delisted coin: empty books, the last prices, no funding, no open
        interest. ``strictIsolated`` forbids to take margin out of a position, ``noCross`` only forbids cross margin.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

STRICT_ISOLATED, NO_CROSS = "strictIsolated", "noCross"


class Listing(NamedTuple):
    """``margin_mode`` is empty where cross margin is allowed."""

    delisted: bool = False
    margin_mode: str = ""

    @property
    def shown(self) -> dict[str, Any]:
        """What an entry of ``meta`` has beside the usual: only what is so."""
        isolated = {"onlyIsolated": True, "marginMode": self.margin_mode} if self.margin_mode else {}
        return {**isolated, **({"isDelisted": True} if self.delisted else {})}


LISTED = Listing()


def listings(delisted: tuple[str, ...], strict: tuple[str, ...], no_cross: tuple[str, ...]) -> dict[str, Listing]:
    """
    Listings by coin.

    Raises
    ------
    ValueError
        If a coin is both strictly isolated and merely without cross margin.
    """
    both = sorted(set(strict) & set(no_cross))
    if both:
        raise ValueError(f"{', '.join(both)}: a coin is {STRICT_ISOLATED} or {NO_CROSS}, not both")
    modes = {**dict.fromkeys(strict, STRICT_ISOLATED), **dict.fromkeys(no_cross, NO_CROSS)}
    return {coin: Listing(coin in delisted, modes.get(coin, "")) for coin in {*delisted, *modes}}


class DelistedSource:
    """An empty book for ever, at the last price that there was."""

    ended = True

    def __init__(self, px: float) -> None:
        self.px = px

    def start(self, books: Any, sz_decimals: int, start_ms: int) -> None:
        """Nothing is shown."""

    def advance(self, books: Any, now_ms: int, takers: int) -> int:
        """Nothing happens."""
        return 0

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        """The last price as oracle and mark; no premium, no funding, no open interest."""
        return self.px, self.px, math.nan, 0.0, 0.0
