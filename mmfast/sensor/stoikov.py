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
from mmfast.venues.hyperliquid.rounding import price_step

BINS, SPREADS = 10, 3
BEYOND = 2  # steps outside the touch at most: where blocks move the mid by several steps, its expectation is outside


@kernel
def above_mid_bps(params: np.void, bid: int, ask: int, bid_lots: int, ask_lots: int) -> float:
    """Micro-price over the mid [bps], at most two steps outside the touch; NaN for a touch without size."""
    total = float(bid_lots) + float(ask_lots)
    if not total > 0.0 or bid <= 0 or ask <= bid:
        return math.nan
    step = price_step(bid, params["ticks_per_usd"])
    column = min(int(bid_lots / total * BINS), BINS - 1)
    row = min(max((ask - bid + step // 2) // step, 1), SPREADS) - 1
    reach = 0.5 * (ask - bid) + BEYOND * step
    above = min(max(params["micro_table"][row, column] * step, -reach), reach)
    return float(1e4 * above / (0.5 * (bid + ask)))
