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
