"""
Universe: the perpetuals an exchange serves, in the order of their asset ids.

In      markets by coin.
Out     instruments: asset id, decimals, greatest leverage, prices in ticks.
Source  the venue's ``meta`` answer: an asset's id is its index; leverages as listed in September 2026.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mmfast.sim.market import Context
from mmfast.units import PX_DECIMALS

MAX_LEVERAGE = {"BTC": 40, "ETH": 25, "SOL": 20, "XRP": 20, "HYPE": 10}
DEFAULT_MAX_LEVERAGE = 10
DEFAULT_LEVERAGE = 20
MARGIN_TABLES = {40: 56, 25: 55, 20: 52, 10: 51}


@dataclass(slots=True, eq=False)
class Instrument:
    """One perpetual and its market; ``mark_ticks`` and ``oracle_ticks`` are refreshed with each block."""

    asset: int
    name: str
    sz_decimals: int
    max_leverage: int
    market: Any
    context: Context
    mark_ticks: int = 0
    oracle_ticks: int = 0

    @property
    def px_decimals(self) -> int:
        """Decimals of one tick."""
        return PX_DECIMALS - self.sz_decimals

    def refresh(self) -> None:
        """Read the market's context; a price that is unknown keeps its last value."""
        self.context = self.market.context()
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
        greatest = MAX_LEVERAGE.get(name, DEFAULT_MAX_LEVERAGE)
        instrument = Instrument(asset, name, market.sz_decimals, greatest, market, market.context())
        instrument.refresh()
        made.append(instrument)
    return made
