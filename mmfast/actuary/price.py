"""
Price: what a quote is worth on each side.

In      BELIEF, MANDATE, PARAMETERS.
Out     the payload of SURFACE: reservation price, costs, intensities, optimal depths.
Source  `costs`, `fill` and `glft`, in this order.

Depths are measured from the fair value. gamma at no inventory sets width and response, gamma at our inventory
only the curvature: so width grows with inventory and never turns back.
"""

from __future__ import annotations

import numpy as np

from mmfast.actuary import costs, fill, glft
from mmfast.kernel import kernel
from mmfast.units import ASK, BID, BPS


@kernel
def price(belief: np.void, mandate: np.void, params: np.void, surface: np.void) -> None:
    """Write the surface of one instrument."""
    for side in range(2):
        _frictions(belief, params, surface, side)
    answer = _answer(mandate, surface)
    a = glft.curvature(mandate["gamma"], max(belief["sigma_bps"], 0.0), answer)
    tau_s = glft.horizon_s(a, answer)
    surface["a_bps"], surface["tau_eff_s"] = a, tau_s
    _shift(belief, mandate, params, surface, a, tau_s)
    for side in range(2):
        _depth(mandate, params, surface, side)


@kernel
def _frictions(belief: np.void, params: np.void, surface: np.void, side: int) -> None:
    """Costs and intensity of one side."""
    p, by_cost = belief["mode_p"], params["mode_adverse"]
    mode_cost = p[0] * by_cost[0] + p[1] * by_cost[1] + p[2] * by_cost[2]
    adverse = costs.adverse_selection(belief, params, mode_cost, side)
    surface["adverse_bps"][side] = adverse
    surface["cost_bps"][side] = params["maker_fee_bps"] + adverse
    surface["kappa"][side] = fill.decay(params["kappa"], belief["kappa_scale"], belief["imbalance"],
                                        1 if side == BID else -1)
    surface["intensity"][side] = fill.base_rate(params["intensity"], belief["intensity_scale"], belief["activity"])
    ratio = max(belief["sigma_bps"], 0.0) / max(params["sigma_ref_bps"], 1e-9)
    surface["impact_bps"][side] = costs.impact(params["impact_bps"], ratio, belief["touch_lots"][side],
                                               params["clip_lots"])


@kernel
def _eta(mandate: np.void, surface: np.void, side: int) -> float:
    return glft.eta(surface["intensity"][side], surface["kappa"][side], surface["cost_bps"][side], mandate["gamma0"])


@kernel
def _answer(mandate: np.void, surface: np.void) -> float:
    """Sum of eta kappa over both sides."""
    return float(_eta(mandate, surface, BID) * surface["kappa"][BID]
                 + _eta(mandate, surface, ASK) * surface["kappa"][ASK])


@kernel
def _shift(belief: np.void, mandate: np.void, params: np.void, surface: np.void, a: float, tau_s: float) -> None:
    """The reservation price, and what moved it: drift, carry, flow, inventory, each exactly once."""
    kappa = surface["kappa"]
    surface["theta"] = belief["theta"] if belief["theta"] > 0.0 else params["theta"]
    drift = glft.drift_shift(belief["mu_bps_s"], surface["theta"], tau_s)
    carry = -mandate["funding_bps_s"] * tau_s
    flow = glft.flow_shift(a, tau_s, _eta(mandate, surface, BID), _eta(mandate, surface, ASK), kappa[BID], kappa[ASK])
    inventory = -2.0 * a * mandate["inventory_clips"]
    shift = drift + carry + flow + inventory
    surface["shift_bps"] = shift
    surface["shift_drift_bps"], surface["shift_carry_bps"] = drift, carry
    surface["shift_flow_bps"], surface["shift_inventory_bps"] = flow, inventory
    surface["reservation_px"] = belief["fair_px"] * (1.0 + shift * BPS)


@kernel
def _depth(mandate: np.void, params: np.void, surface: np.void, side: int) -> None:
    """Width and depth of one side. Only a side that reduces inventory may quote below its cost."""
    sign = 1.0 if side == BID else -1.0
    cost = surface["cost_bps"][side]
    width = cost + glft.monopoly_depth(surface["kappa"][side], mandate["gamma0"]) + surface["a_bps"]
    depth = width - sign * surface["shift_bps"]
    if sign * mandate["inventory_clips"] >= 0.0:
        depth = max(depth, cost + params["edge_min_bps"])
    surface["width_bps"][side] = width
    surface["depth_bps"][side] = depth
