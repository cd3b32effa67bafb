"""
Candidates: the ladder of prices that could be quoted, on the grid and on our side of the touch.

In      SURFACE, BELIEF, PARAMETERS.
Out     in QUOTE, for each level: price, rate of fills, edge of the first clip.
Source  each level has ``level_ratio`` of the fills of the one before it, in a market with balanced flow: the
        far levels do not move with every burst of flow. Post-only orders must not trade.

Edge is measured to the reservation price, so drift, carry and inventory enter exactly once; a level behind
others pays for one clip of inventory for each of them.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.quote import QUOTE_LEVELS
from mmfast.units import ASK, BID, BPS
from mmfast.venues.hyperliquid.rounding import round_down, round_up

PX_TICKS_MAX = 10**15
POWER_MAX = 50.0


@kernel
def ladder(side: int, belief: np.void, surface: np.void, params: np.void, quote: np.void) -> int:
    """
    Write the candidates of one side into ``px_ticks``, ``fill_rate`` and ``edge_bps``; returns how many.

    Levels beyond the deepest allowed depth are left out, levels that fall on one price are one level.
    """
    count = 0
    spacing = level_spacing(params)
    for level in range(min(max(params["level_max"], 0), QUOTE_LEVELS)):
        depth = surface["depth_bps"][side] + level * spacing
        if not depth <= params["depth_max_bps"]:
            break
        px = legal_price(side, depth, belief, params)
        if px <= 0:
            break
        if count > 0 and quote["px_ticks"][side, count - 1] == px:
            continue
        quote["px_ticks"][side, count] = px
        _appraise(side, count, px, belief, surface, params, quote)
        count += 1
    return count


@kernel
def level_spacing(params: np.void) -> float:
    """Depth between levels [bps]: ln(1/ratio)/kappa."""
    return math.log(1.0 / min(max(params["level_ratio"], 1e-3), 1.0)) / max(params["kappa"], 1e-3)


@kernel
def legal_price(side: int, depth_bps: float, belief: np.void, params: np.void) -> int:
    """The legal price at this depth or beyond, that does not reach the other side's touch [ticks]; 0 if none."""
    sign = 1.0 if side == BID else -1.0
    wanted = belief["fair_px"] * (1.0 - sign * depth_bps * BPS) * params["ticks_per_usd"]
    if not 1.0 <= wanted <= float(PX_TICKS_MAX):
        return 0
    if side == BID:
        most = round_down(belief["touch_ticks"][ASK] - 1, params["ticks_per_usd"])
        return min(round_down(math.floor(wanted), params["ticks_per_usd"]), most)
    least = round_up(belief["touch_ticks"][BID] + 1, params["ticks_per_usd"])
    return max(round_up(math.ceil(wanted), params["ticks_per_usd"]), least)


@kernel
def _appraise(side: int, nearer: int, px: int, belief: np.void, surface: np.void, params: np.void,
              quote: np.void) -> None:
    """Rate of fills and edge of a level with ``nearer`` levels in front of it."""
    sign = 1.0 if side == BID else -1.0
    depth = sign * (1.0 - px / (params["ticks_per_usd"] * belief["fair_px"])) / BPS
    power = -surface["kappa"][side] * depth
    quote["fill_rate"][side, nearer] = surface["intensity"][side] * math.exp(min(max(power, -POWER_MAX), POWER_MAX))
    quote["edge_bps"][side, nearer] = (depth + sign * surface["shift_bps"] - surface["cost_bps"][side]
                                       - 2.0 * surface["a_bps"] * nearer)
