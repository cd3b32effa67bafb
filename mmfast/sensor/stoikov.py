"""
Stoikov's micro-price: where the mid will settle, by the touch's imbalance and spread.

In      the touch; a table for ten imbalances and spreads of one, two, three and more price steps.
Out     the micro-price over the mid [bps].
Source  Stoikov (2018), "The micro-price"; the table is made by `stoikov_table`.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel

BINS, SPREADS = 10, 3
DIGITS = 10**5  # a price has five significant digits
BEYOND = 2  # steps outside the touch at most: where blocks move the mid by several steps, its expectation is outside


@kernel
def price_step(px_ticks: int, ticks_per_usd: int) -> int:
    """Least step of a price of five significant digits [ticks]; whole dollars are always allowed."""
    step = 1
    while px_ticks >= step * DIGITS and step < ticks_per_usd:
        step *= 10
    return step


@kernel
def above_mid_bps(params: np.void, bid: int, ask: int, bid_lots: int, ask_lots: int) -> float:
    """Micro-price over the mid [bps], at most two steps outside the touch; NaN for a touch without size."""
    total = float(bid_lots) + float(ask_lots)
    if not total > 0.0 or bid <= 0 or ask <= bid:
        return math.nan
    step = price_step(bid, max(params["ticks_per_usd"], 1))
    column = min(int(bid_lots / total * BINS), BINS - 1)
    row = min(max((ask - bid + step // 2) // step, 1), SPREADS) - 1
    reach = 0.5 * (ask - bid) + BEYOND * step
    above = min(max(params["micro_table"][row, column] * step, -reach), reach)
    return float(1e4 * above / (0.5 * (bid + ask)))
