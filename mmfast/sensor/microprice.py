"""
Micro-price: the mid weighted by the opposite sizes, and how noisy it is as a sign of value.

In      the touch; the book.
Out     a price [USD] and the variance of its error [bps^2].
Source  Stoikov (2018), "The micro-price", its first-order form; the noise is a quarter of the spread and
        0.2 bps of transient microstructure noise.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import ASK, BID

NOISE_BPS = 0.2
DEPTH_BPS = 2.0  # how fast a level's weight falls with its distance
SPREAD_SHARE = 0.5  # of the half-spread


@kernel
def weighted_mid(bid: float, ask: float, bid_size: float, ask_size: float) -> float:
    """(ask x bid_size + bid x ask_size) / (bid_size + ask_size): near the side that is about to be eaten."""
    share = bid_size / (bid_size + ask_size)
    return bid + (ask - bid) * share


@kernel
def error_variance(half_spread_bps: float) -> float:
    """Variance of the micro-price as an observation of the value [bps^2]."""
    spread = SPREAD_SHARE * half_spread_bps
    return spread * spread + NOISE_BPS * NOISE_BPS


@kernel
def depth_weighted_bps(book: np.void, mid_ticks: float) -> float:
    """
    Mean bid and mean ask, weighted by the opposite side's size, over the mid [bps]; NaN without both sides.

    A level counts with its size times e^(-distance from the mid / 2 bps).
    """
    if not mid_ticks > 0.0:
        return math.nan
    bid_size, bid_sum = _side(book, BID, mid_ticks)
    ask_size, ask_sum = _side(book, ASK, mid_ticks)
    if not (bid_size > 0.0 and ask_size > 0.0):
        return math.nan
    return (ask_sum / ask_size * bid_size + bid_sum / bid_size * ask_size) / (bid_size + ask_size)


@kernel
def _side(book: np.void, side: int, mid_ticks: float) -> tuple[float, float]:
    """(weighted size, weighted sum of distances [bps]) of a side."""
    size, total = 0.0, 0.0
    for level in range(book["level_count"][side]):
        distance = 1e4 * (book["px_ticks"][side, level] / mid_ticks - 1.0)
        share = math.exp(-min(abs(distance) / DEPTH_BPS, 700.0)) * max(book["lots"][side, level], 0)
        size += share
        total += share * distance
    return size, total
