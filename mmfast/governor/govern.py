"""
Govern: how much risk to take now.

In      BELIEF, our position, PARAMETERS.
Out     the payload of MANDATE (the risk budget).
Source  `aversion` for the price of inventory, `exposure` for how much of it there may be.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.governor.aversion import fragility, mixture, response, risk_aversion
from mmfast.governor.exposure import LOTS_MAX, cap_lots, exposure_cap_usd, room
from mmfast.kernel import kernel
from mmfast.units import ASK, BID

SIGMA_MIN = 1e-4


@kernel
def govern(belief: np.void, position_lots: int, params: np.void, mandate: np.void) -> None:
    """
    Write the mandate for a position of ``position_lots`` (negative: short).

    An unusable belief leaves room to reduce and none to add.
    """
    position_lots = min(max(position_lots, -LOTS_MAX), LOTS_MAX)
    p = belief["mode_p"]
    clips = position_lots / max(params["clip_lots"], 1)
    utilisation = abs(position_lots) / max(params["position_max_lots"], 1)
    gamma = risk_aversion(params["gamma0"], params["gamma_curve"], utilisation, mixture(p, params["mode_gamma"]),
                          fragility(belief["gradient"], position_lots))
    kelly_f = mixture(p, params["mode_kelly"])
    sigma_bps = max(belief["sigma_bps"], SIGMA_MIN)
    cap_usd = exposure_cap_usd(sigma_bps, belief["mid_px"], kelly_f, mixture(p, params["mode_limit"]), params)
    cap = cap_lots(cap_usd, belief["mid_px"], params)
    mandate["gamma"], mandate["gamma0"] = gamma, params["gamma0"]
    mandate["funding_bps_s"] = belief["funding_bps_s"]
    mandate["exposure_cap_usd"] = cap_usd if math.isfinite(cap_usd) else 0.0
    mandate["marginal_cost_bps"] = _marginal_cost_bps(gamma, sigma_bps, abs(clips), params)
    mandate["utilisation"], mandate["inventory_clips"] = utilisation, clips
    mandate["gamma_budget_usd_h"] = (params["gamma_budget_share_h"] * params["equity_usd"] * kelly_f
                                     / max(params["mode_kelly"][0], 1e-12))
    mandate["kelly_f"] = kelly_f
    mandate["room_lots"][BID], mandate["room_lots"][ASK] = room(cap, position_lots, 1), room(cap, position_lots, -1)


@kernel
def _marginal_cost_bps(gamma: float, sigma_bps: float, clips: float, params: np.void) -> float:
    """What one clip more on the side we are on costs in risk: a (2|q| + 1), in a market of reference [bps]."""
    cost_bps = params["maker_fee_bps"] + params["adverse_bps"]
    answer = response(params["kappa"], params["intensity"], cost_bps, params["gamma0"])
    a = 0.5 * math.sqrt(max(gamma, 0.0) * sigma_bps * sigma_bps / answer)
    return a * (2.0 * clips + 1.0)
