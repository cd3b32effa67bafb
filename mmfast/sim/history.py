"""
History: what a coin's past has left that clients may ask for: candles and hourly funding rates.

In      public trades and funding as they happen.
Out     candles by interval, funding rates by hour.
Source  the venue's candleSnapshot and fundingHistory requests.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from mmfast.sim.candles import KEPT, Candles
from mmfast.sim.market import Print


class Funded(NamedTuple):
    """One hour's funding rate, and the premium it came from; NaN where that is unknown."""

    time_ms: int
    rate_h: float
    premium: float


class History:
    """Candles and funding rates of every asset."""

    def __init__(self, assets: Iterable[int]) -> None:
        self.candles = {asset: Candles() for asset in assets}
        self.fundings: dict[int, deque[Funded]] = {asset: deque(maxlen=KEPT) for asset in self.candles}

    def trade(self, asset: int, prints: Iterable[Print]) -> None:
        """Take in the public trades of one block."""
        for one in prints:
            self.candles[asset].trade(one.time_ms, one.px_ticks, one.lots)

    def fund(self, asset: int, time_ms: int, rate_h: float, premium: float = math.nan) -> None:
        """Take in one hour's funding."""
        self.fundings[asset].append(Funded(time_ms, rate_h, premium))
