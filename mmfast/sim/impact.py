"""
Impact prices: what the venue's notional would trade at on average on either side, and the premium over the oracle.

In      an instrument with its book and oracle.
Out     the two prices in ticks, not whole; the premium as a fraction, that of its source where it tells one.
Source  the venue's funding page: 20,000 dollars of BTC and ETH, 6,000 of others;
        premium = (max(impact bid - oracle, 0) - max(oracle - impact ask, 0)) / oracle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mmfast.sim.universe import Instrument
from mmfast.units import UUSD_PER_USD

LARGE, LARGE_UUSD, SMALL_UUSD = ("BTC", "ETH"), 20_000 * UUSD_PER_USD, 6_000 * UUSD_PER_USD
LEVELS = 64


def average_ticks(levels: Iterable[Sequence[int]], notional_uusd: int) -> float:
    """The average price at which ``notional_uusd`` trades against levels, best first; NaN where they are too thin."""
    left, lots = notional_uusd, 0.0
    for px_ticks, size, *_ in levels:
        if px_ticks * size >= left:
            return notional_uusd / (lots + left / px_ticks) if lots else float(px_ticks)
        left -= px_ticks * size
        lots += size
    return math.nan


def impact_ticks(instrument: Instrument) -> tuple[float, float]:
    """Impact bid and impact ask in ticks; NaN on a side that is too thin."""
    notional = LARGE_UUSD if instrument.name in LARGE else SMALL_UUSD
    bids, asks = instrument.market.depth(LEVELS)
    return average_ticks(bids, notional), average_ticks(asks, notional)


def premium(bid_ticks: float, ask_ticks: float, oracle_ticks: int) -> float:
    """The premium of impact prices over the oracle; NaN where one of the three is unknown."""
    if not oracle_ticks or math.isnan(bid_ticks) or math.isnan(ask_ticks):
        return math.nan
    return (max(bid_ticks - oracle_ticks, 0.0) - max(oracle_ticks - ask_ticks, 0.0)) / oracle_ticks


def premium_now(instrument: Instrument, ends: tuple[float, float] | None = None) -> float:
    """The premium as its source tells it, else that of the book, whose impact prices are ``ends``; NaN if unknown."""
    told = instrument.context.premium
    if math.isfinite(told):
        return told
    return premium(*(ends or impact_ticks(instrument)), instrument.oracle_ticks)
