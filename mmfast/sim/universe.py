"""
Universe: the perpetuals an exchange serves, in the order of their asset ids.

In      markets by coin.
Out     instruments: asset id, decimals, margin tiers, prices in ticks.
Source  the venue's ``meta`` answer: an asset's id is its index; leverages as listed in September 2026; its page on
        margin tiers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

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

    ``capped``: open interest is at its cap, positions may only shrink.
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
    capped: bool = False

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

    def refresh(self) -> None:
        """Read the market's context; a price that is unknown keeps its last value."""
        self.context = self.market.context()
        self.previous_oracle_ticks = self.oracle_ticks or self.mark_ticks
        if math.isfinite(self.context.mark_px):
            self.mark_ticks = round(self.context.mark_px * 10**self.px_decimals)
        if math.isfinite(self.context.oracle_px):
            self.oracle_ticks = round(self.context.oracle_px * 10**self.px_decimals)

    def reference_ticks(self) -> int:
        """The price that orders are held against: oracle, else mark, else mid; 0 when nothing is known."""
        if self.oracle_ticks or self.mark_ticks:
            return self.oracle_ticks or self.mark_ticks
        bid, ask = self.market.touch()
        return (bid[0] + ask[0]) // 2 if bid[1] and ask[1] else 0


def instruments(markets: dict[str, Any]) -> list[Instrument]:
    """Instruments in the order of ``markets``, which is the order of their asset ids."""
    made = []
    for asset, (name, market) in enumerate(markets.items()):
        table = MARGIN_TABLE.get(name, DEFAULT_TABLE)
        instrument = Instrument(asset, name, market.sz_decimals, table, market, market.context())
        instrument.refresh()
        made.append(instrument)
    return made
