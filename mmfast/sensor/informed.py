"""
Informed: the share of takers who know more than we do, at each side of ours.

In      mean impacts, the classifier's shares, the rank of VPIN, volatility.
Out     the share and the variance of its estimate.
Source  a taker who knows the price of ten seconds later moves it by E|Z| sigma sqrt(10), with E|Z| = 0.798;
        shrunk towards the classifier's share, raised by up to a half when VPIN is high in its own past.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel

MEAN_ABS_NORMAL = 0.7978845608028654
HORIZON_S = 10.0
SHARE_MIN, SHARE_MAX = 0.02, 0.6
SHRINK = 50.0
VPIN_WEIGHT = 0.5
SD_MIN = 0.02


@kernel
def implied_share(impact_bps: float, sigma_bps: float) -> float:
    """Share of informed takers that explains a mean impact over ten seconds, in [0.02, 0.6]."""
    full = MEAN_ABS_NORMAL * max(sigma_bps, 1e-6) * math.sqrt(HORIZON_S)
    return min(max(max(impact_bps, 0.0) / full, SHARE_MIN), SHARE_MAX)


@kernel
def informed_share(sensor: np.void, side: int, sigma_bps: float) -> tuple[float, float]:
    """(share, variance) for our ``side``; with no markouts it is the classifier's share."""
    count = sensor["impact_count"][side]
    trust = count / (count + SHRINK)
    implied = implied_share(sensor["impact_bps"][side], sigma_bps)
    share = trust * implied + (1.0 - trust) * sensor["class_informed"][side]
    share *= 1.0 + VPIN_WEIGHT * (2.0 * sensor["vpin_rank"] - 1.0)
    share = min(max(share, SHARE_MIN), SHARE_MAX)
    return share, share * (1.0 - share) / (1.0 + count) + SD_MIN * SD_MIN
