"""
Mark: the price that margin, liquidations and triggers go by, from the oracle and the own book.

In      oracle, touch and last trade of a coin, in ticks; the time of the block.
Out     the mark in ticks, not whole; NaN as long as nothing is known.
Source  the venue's page on robust price indices. The mark is the median of three prices: (1) oracle plus the 150 s
        EMA of mid less oracle, (2) the median of best bid, best ask and last trade, (3) the weighted median of other
        venues' perpetual mids; where only two of them exist, the 30 s EMA of (2) is the third.

No other venue is known here, so (3) never exists and the venue's own rule for two prices holds always. A source that
tells the mark itself (a mirror) is believed instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

EVERY_MS = 3000
OFFSET_S, OWN_S = 150.0, 30.0
Side = tuple[int, ...]  # price in ticks, lots, count


@dataclass(slots=True)
class Ema:
    """
    The venue's EMA: numerator and denominator decay by the time since the last sample, which weighs as much.

    After a pause a sample weighs the horizon at most: one alone must not outweigh all that follow.
    """

    horizon_s: float
    num: float = 0.0
    den: float = 0.0
    at_ms: int | None = None

    def take(self, sample: float, now_ms: int) -> float:
        """The average with one more sample; the first one is the average, as is one when no time has passed at all."""
        if self.at_ms is None:
            self.at_ms = now_ms
        elapsed_s = max(now_ms - self.at_ms, 0) / 1000.0
        keep = math.exp(-elapsed_s / self.horizon_s)
        weight = min(elapsed_s, self.horizon_s)
        self.num, self.den = self.num * keep + sample * weight, self.den * keep + weight
        self.at_ms = now_ms
        return self.num / self.den if self.den > 0.0 else sample


def median(prices: tuple[float, ...]) -> float:
    """The median of those that are known; NaN where none is."""
    known = [price for price in prices if math.isfinite(price)]
    return float(np.median(known)) if known else math.nan


@dataclass(slots=True)
class Mark:
    """What the mark of one coin remembers."""

    slot: int = -1
    offset: Ema = field(default_factory=lambda: Ema(OFFSET_S))
    own: Ema = field(default_factory=lambda: Ema(OWN_S))
    offset_ticks: float = math.nan
    own_ticks: float = math.nan

    def due(self, now_ms: int) -> bool:
        """Whether it moves now: once in three seconds."""
        return now_ms // EVERY_MS != self.slot

    def step(self, oracle_ticks: float, touch: tuple[Side, Side], last_ticks: int, now_ms: int) -> float:
        """The mark from now on; the oracle may be NaN, a last trade of 0 is none."""
        self.slot = now_ms // EVERY_MS
        bid, ask = (float(side[0]) if side[1] else math.nan for side in touch)
        mid, last = 0.5 * (bid + ask), float(last_ticks) if last_ticks else math.nan
        if math.isfinite(mid) and math.isfinite(oracle_ticks):
            self.offset_ticks = self.offset.take(mid - oracle_ticks, now_ms)
        shown = median((bid, ask, last))
        if math.isfinite(shown):
            self.own_ticks = self.own.take(shown, now_ms)
        offset = self.offset_ticks if math.isfinite(self.offset_ticks) else 0.0
        return median((oracle_ticks + offset, shown, self.own_ticks))
