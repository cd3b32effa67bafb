"""
Costs: what a fill costs besides the inventory it brings.

In      volatility, mode probabilities, the tail, the informed share.
Out     adverse selection and the whole cost of a fill [bps].
Source  Brenner & Subrahmanyam (1988) for the option we give away while a quote is stale; Glosten & Milgrom
        (1985) for the informed taker. Three estimates of the same loss: the largest counts, not the sum.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel

MEAN_ABS_NORMAL = math.sqrt(2.0 / math.pi)
THICK_CLIPS = 20.0
THIN_MAX = 10.0


@kernel
def markout_cost(adverse_bps: float, sigma_ratio: float, mode_factor: float, tail: float) -> float:
    """Measured adverse selection scaled to the market of now [bps]."""
    return adverse_bps * sigma_ratio * mode_factor * tail


@kernel
def option_cost(sigma_bps: float, latency_s: float) -> float:
    """Value of the at-the-money option that a quote is for as long as we cannot change it [bps]."""
    return sigma_bps * math.sqrt(max(latency_s, 0.0) / (2.0 * math.pi))


@kernel
def informed_cost(informed: float, sigma_bps: float, horizon_s: float) -> float:
    """Expected move against us if a share ``informed`` of takers knows ``horizon_s`` ahead [bps]."""
    return informed * MEAN_ABS_NORMAL * sigma_bps * math.sqrt(max(horizon_s, 0.0))


@kernel
def impact(impact_bps: float, sigma_ratio: float, touch_lots: int, clip_lots: int) -> float:
    """
    What a clip of ours more moves the price: it grows with volatility, and as the depth it rests in shrinks [bps].

    A touch of twenty clips or more counts as deep; an unknown one (0) too.
    """
    thin = 1.0
    if touch_lots > 0:
        thin = min(max(THICK_CLIPS * max(clip_lots, 1) / touch_lots, 1.0), THIN_MAX)
    return impact_bps * sigma_ratio * thin


@kernel
def adverse_selection(belief: np.void, params: np.void, mode_factor: float, side: int) -> float:
    """What a fill on ``side`` is expected to lose to those who know more [bps]."""
    sigma_bps = max(belief["sigma_bps"], 0.0)
    ratio = sigma_bps / max(params["sigma_ref_bps"], 1e-9)
    markout = markout_cost(params["adverse_bps"], ratio, mode_factor, belief["tail"])
    return max(markout, option_cost(sigma_bps, params["quote_latency_s"]),
               informed_cost(belief["informed_p"][side], sigma_bps, params["informed_horizon_s"]))
