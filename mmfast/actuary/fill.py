"""
Fills: how often an order at some depth is filled.

In      base intensity and its decay, the flow, the volatility and the activity of the market.
Out     kappa and A of each side; the rate of fills at a depth [1/s].
Source  Avellaneda & Stoikov (2008): lambda(delta) = A e^(-kappa delta), delta from the fair value. Their kappa is that
        of one market; prints that reach our depth within a second are the moves of that second, so where volatility
        changes kappa changes with it. In recordings of BTC, ETH and SOL it goes as sigma^-0.34 to sigma^-0.52.
"""

from __future__ import annotations

import math

from mmfast.kernel import kernel

KAPPA_MIN, KAPPA_MAX = 0.05, 5.0
RATIO_MIN, RATIO_MAX = 1.0 / 16.0, 16.0
FLOW_WEIGHT = 0.5
FLOW_MIN, FLOW_MAX = 0.5, 2.0
ACTIVITY_MIN, ACTIVITY_MAX = 0.3, 3.0
POWER_MAX = 50.0


@kernel
def calm(sigma_ratio: float, power: float) -> float:
    """Factor on kappa in a market of ``sigma_ratio`` times the reference volatility: sigma_ratio^-power."""
    return min(max(sigma_ratio, RATIO_MIN), RATIO_MAX) ** -power


@kernel
def decay(kappa: float, calm_factor: float, imbalance: float, sign: int) -> float:
    """
    kappa of a side [1/bp]; ``sign`` is 1 for the bid.

    Takers who sell reach deeper into the bids: negative imbalance lowers the bid's kappa and widens the bid.
    """
    flow = min(max(1.0 + sign * FLOW_WEIGHT * imbalance, FLOW_MIN), FLOW_MAX)
    return min(max(kappa * flow * calm_factor, KAPPA_MIN), KAPPA_MAX)


@kernel
def base_rate(intensity: float, activity: float) -> float:
    """A, the rate of fills at depth zero in a market this busy [1/s]."""
    return intensity * min(max(activity, ACTIVITY_MIN), ACTIVITY_MAX)


@kernel
def fill_rate(intensity: float, kappa: float, depth_bps: float) -> float:
    """Fills of one clip at ``depth_bps`` from the fair value [1/s]."""
    return intensity * math.exp(min(max(-kappa * depth_bps, -POWER_MAX), POWER_MAX))
