"""
Imbalance: which side of the book is heavier.

In      sizes of the touch, or of the nearest levels.
Out     a number in [-1, 1], bid-positive.
Source  Cartea, Jaimungal & Penalva (2015), chapter 12.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import ASK, BID

LEVELS = 5


@kernel
def imbalance(bid_size: float, ask_size: float) -> float:
    """(bid - ask) / (bid + ask); NaN if there is nothing, or anything that is not a size."""
    total = bid_size + ask_size
    if not total > 0.0 or bid_size < 0.0 or ask_size < 0.0:
        return math.nan
    return (bid_size - ask_size) / total


@kernel
def book_imbalance(book: np.void) -> float:
    """Imbalance of the five nearest levels; NaN if a side has fewer, since the sides would not compare."""
    if book["level_count"][BID] < LEVELS or book["level_count"][ASK] < LEVELS:
        return math.nan
    bid_size, ask_size = 0.0, 0.0
    for level in range(LEVELS):
        bid_size += max(book["lots"][BID, level], 0)
        ask_size += max(book["lots"][ASK, level], 0)
    return imbalance(bid_size, ask_size)


@kernel
def band_imbalance(book: np.void, mid_ticks: float, band_bps: float) -> float:
    """Imbalance within ``band_bps`` of the mid; NaN if a side of the book does not reach as far."""
    reach = mid_ticks * band_bps * 1e-4
    if not reach > 0.0:
        return math.nan
    bid_size, ask_size = 0.0, 0.0
    for side in range(2):
        count = book["level_count"][side]
        if count < 1 or abs(book["px_ticks"][side, count - 1] - mid_ticks) < reach:
            return math.nan
        for level in range(count):
            if abs(book["px_ticks"][side, level] - mid_ticks) > reach:
                break
            size = max(book["lots"][side, level], 0)
            bid_size += size if side == BID else 0
            ask_size += size if side == ASK else 0
    return imbalance(bid_size, ask_size)
