"""
Fills: how often an order at some depth is filled.

In      base intensity and its decay, the flow, what is believed of both, the activity of the market.
Out     kappa and A of each side; the rate of fills at a depth [1/s].
Source  Avellaneda & Stoikov (2008): lambda(delta) = A e^(-kappa delta), delta from the fair value.
"""

from __future__ import annotations

import math

from mmfast.kernel import kernel
from mmfast.records.belief import ACTIVITY_MAX, ACTIVITY_MIN

KAPPA_MIN, KAPPA_MAX = 0.05, 5.0
FLOW_WEIGHT = 0.5
FLOW_MIN, FLOW_MAX = 0.5, 2.0
POWER_MAX = 50.0


@kernel
def known(scale: float) -> float:
    """A factor that is believed; 1 where nothing is."""
    return scale if 0.0 < scale < math.inf else 1.0


@kernel
def decay(kappa: float, scale: float, imbalance: float, sign: int) -> float:
    """
    kappa of a side [1/bp]; ``sign`` is 1 for the bid.

    Takers who sell reach deeper into the bids: negative imbalance lowers the bid's kappa and widens the bid.
    """
    flow = min(max(1.0 + sign * FLOW_WEIGHT * imbalance, FLOW_MIN), FLOW_MAX)
    return min(max(kappa * flow * known(scale), KAPPA_MIN), KAPPA_MAX)


@kernel
def base_rate(intensity: float, scale: float, activity: float) -> float:
    """A, the rate of fills at depth zero in a market this busy [1/s]."""
    return intensity * known(scale) * min(max(activity, ACTIVITY_MIN), ACTIVITY_MAX)


@kernel
def fill_rate(intensity: float, kappa: float, depth_bps: float) -> float:
    """Fills of one clip at ``depth_bps`` from the fair value [1/s]."""
    return intensity * math.exp(min(max(-kappa * depth_bps, -POWER_MAX), POWER_MAX))
