"""
Micro-price: the mid weighted by the opposite sizes, and how noisy it is as a sign of value.

In      the touch.
Out     a price [USD] and the variance of its error [bps^2].
Source  Stoikov (2018), "The micro-price", its first-order form; the noise is a quarter of the spread and
        0.2 bps of transient microstructure noise.
"""

from __future__ import annotations

from mmfast.kernel import kernel

NOISE_BPS = 0.2
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
