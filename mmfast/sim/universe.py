"""
Universe: the perpetuals an exchange serves, in the order of their asset ids.

In      markets by coin.
Out     instruments: asset id, decimals, margin tiers, prices in ticks, the funding rate of the hour so far.
Source  the venue's ``meta`` answer: an asset's id is its index; leverages as listed in September 2026; its page on
        margin tiers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmfast.sim.day import Day
from mmfast.sim.funding import Premiums, hourly_rate
from mmfast.sim.listing import LISTED, Listing
from mmfast.sim.mark import Mark
from mmfast.sim.market import Context
from mmfast.units import PX_DECIMALS, UUSD_PER_USD

Tiers = tuple[tuple[int, int], ...]  # (notional in micro-dollars from which it holds, greatest leverage)

DEFAULT_LEVERAGE = 20
DEFAULT_TABLE = 10
MILLION_UUSD = 1_000_000 * UUSD_PER_USD
MARGIN_TIERS: dict[int, Tiers] = {
    10: ((0, 10),),
    51: ((0, 10), (3 * MILLION_UUSD, 5)),
    52: ((0, 10), (20 * MILLION_UUSD, 5)),
    53: ((0, 20), (40 * MILLION_UUSD, 10)),
    54: ((0, 20), (70 * MILLION_UUSD, 10)),
    55: ((0, 25), (100 * MILLION_UUSD, 15)),
    56: ((0, 40), (150 * MILLION_UUSD, 20)),
}
MARGIN_TABLE = {
    "BTC": 56, "ETH": 55, "SOL": 54, "XRP": 53,
    **dict.fromkeys(("AAVE", "ADA", "AVAX", "DOGE", "HYPE", "LINK", "LTC", "SUI", "UNI"), 52),
    **dict.fromkeys(("ARB", "BNB", "DOT", "TON"), 51),
}


@dataclass(slots=True, eq=False)
class Instrument:
    """
    One perpetual and its market; its prices are refreshed with each block.

    ``guards``: what the venue refuses now, see open_interest.
    """

    asset: int
    name: str
    sz_decimals: int
    margin_table: int
    market: Any
    context: Context
    mark_ticks: int = 0
    oracle_ticks: int = 0
    previous_oracle_ticks: int = 0
    guards: frozenset[str] = frozenset()
    mark: Mark = field(default_factory=Mark)
    premiums: Premiums = field(default_factory=Premiums)
    day: Day = field(default_factory=Day)
    listing: Listing = LISTED

    @property
    def tiers(self) -> Tiers:
        """Margin tiers, the smallest notional first."""
        return MARGIN_TIERS[self.margin_table]

    @property
    def max_leverage(self) -> int:
        """Greatest leverage, that of the smallest positions."""
        return self.tiers[0][1]

    @property
    def px_decimals(self) -> int:
        """Decimals of one tick."""
        return PX_DECIMALS - self.sz_decimals

    @property
    def funding_rate_h(self) -> float:
        """Hourly rate as the source tells it, else that of the hour's average premium so far."""
        told = self.context.funding_rate_h
        return told if math.isfinite(told) else hourly_rate(self.premiums.mean)

    def refresh(self, now_ms: int) -> None:
        """Read the market's context, work out the mark where it is not told; what is unknown keeps its last value."""
        self.context = self.market.context()
        self.previous_oracle_ticks = self.oracle_ticks or self.mark_ticks
        scale = 10**self.px_decimals
        if math.isfinite(self.context.oracle_px):
            self.oracle_ticks = round(self.context.oracle_px * scale)
        mark_ticks = self.context.mark_px * scale
        if not math.isfinite(mark_ticks) and self.mark.due(now_ms):
            oracle_ticks = float(self.oracle_ticks) if self.oracle_ticks else math.nan
            mark_ticks = self.mark.step(oracle_ticks, self.market.touch(), self.market.last_ticks, now_ms)
        if math.isfinite(mark_ticks):
            self.mark_ticks = round(mark_ticks)
        self.day.at(now_ms, self.mark_ticks)

    def reference_ticks(self) -> int:
        """The price that orders are held against: oracle, else mark, else mid; 0 when nothing is known."""
        if self.oracle_ticks or self.mark_ticks:
            return self.oracle_ticks or self.mark_ticks
        bid, ask = self.market.touch()
        return (bid[0] + ask[0]) // 2 if bid[1] and ask[1] else 0


def instruments(
    markets: dict[str, Any], start_ms: int = 0, listings: Mapping[str, Listing] | None = None
) -> list[Instrument]:
    """Instruments with their prices at the start; the order of ``markets`` is that of their asset ids."""
    made = []
    for asset, (name, market) in enumerate(markets.items()):
        table = MARGIN_TABLE.get(name, DEFAULT_TABLE)
        instrument = Instrument(asset, name, market.sz_decimals, table, market, market.context(),
                                listing=(listings or {}).get(name, LISTED))
        instrument.refresh(start_ms)
        made.append(instrument)
    return made
