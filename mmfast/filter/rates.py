"""
Rates: how often prints reach a depth, as the market has shown it.

In      how far prints went in each second, the fair value before it, volatility and activity.
Out     factors on kappa and A.
Source  lambda(delta) = A e^(-kappa delta) (Avellaneda & Stoikov 2008), a line through the logarithms of the rates at
        eight depths, weighted by how often each was reached. Prints that reach us within a second are the moves of
        that second, so kappa falls with volatility: in recordings of BTC, ETH and SOL as sigma^-0.34 to sigma^-0.52.

Depths are measured from the fair value as long before the second as our quotes are old when they are hit, in a calm
market's basis points. The configured rates count as so many seconds that have been seen (``rates_prior_s``); what is
seen fades within a day. Both sides together: their difference is the flow's.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.state import DEPTHS
from mmfast.kernel import kernel
from mmfast.records.belief import ACTIVITY_MAX, ACTIVITY_MIN, BELIEF_OK
from mmfast.units import BID, BPS, NS_PER_S

RATIO_MIN, RATIO_MAX = 1.0 / 16.0, 16.0
DEPTH = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)  # of 1/kappa
KEEP = math.exp(-1.0 / 86_400.0)
LEAD_MIN_S, LEAD_MAX_S = 0.1, 0.9
KAPPA_MIN, KAPPA_MAX = 0.25, 4.0
INTENSITY_MIN, INTENSITY_MAX = 0.125, 8.0
SHARE_MAX = 0.98


@kernel
def begin(state: np.void) -> None:
    """Nothing has been seen: the configured rates."""
    for k in range(DEPTHS):
        state["reach_count"][k] = 0.0
    state["reach_s"], state["reach_weight_s"] = 0.0, 0.0
    state["kappa_gain"], state["intensity_gain"] = 1.0, 1.0
    for k in range(2):
        state["reach_ns"][k], state["reach_px"][k] = 0, 0.0
        state["reach_calm"][k], state["reach_activity"][k] = 1.0, 1.0


@kernel
def calm(sigma_bps: float, params: np.void) -> float:
    """Factor on kappa at a volatility: (sigma_ref / sigma)^power."""
    ratio = max(sigma_bps, 0.0) / max(params["sigma_ref_bps"], 1e-9)
    return min(max(ratio, RATIO_MIN), RATIO_MAX) ** -params["kappa_sigma_power"]


@kernel
def learn(state: np.void, features: np.void, params: np.void, now_ns: int) -> None:
    """Take in a second that is over, and note what is believed ahead of the next one."""
    if features["reach_ns"] > 0 and features["reach_ns"] == state["reach_ns"][0]:
        _count(state, features, params)
        _fit(state, params)
        state["reach_ns"][0] = 0
    lead_ns = int(min(max(params["quote_latency_s"], LEAD_MIN_S), LEAD_MAX_S) * NS_PER_S)
    coming_ns = (now_ns + lead_ns) // NS_PER_S * NS_PER_S
    if coming_ns != state["reach_ns"][1]:
        state["reach_ns"][0], state["reach_px"][0] = state["reach_ns"][1], state["reach_px"][1]
        state["reach_calm"][0], state["reach_activity"][0] = state["reach_calm"][1], state["reach_activity"][1]
        state["reach_ns"][1] = coming_ns
        usable = state["status"] == BELIEF_OK and state["placed"] == 1
        state["reach_px"][1] = state["anchor_px"] * math.exp(state["v_bps"] * BPS) if usable else 0.0
        state["reach_calm"][1] = calm(state["sigma_bps"], params)
        activity = features["activity"] if math.isfinite(features["activity"]) else 1.0
        state["reach_activity"][1] = min(max(activity, ACTIVITY_MIN), ACTIVITY_MAX)


@kernel
def _count(state: np.void, features: np.void, params: np.void) -> None:
    """Which depths were reached on each side."""
    fair_ticks = state["reach_px"][0] * params["ticks_per_usd"]
    if not fair_ticks > 0.0:
        return
    for k in range(DEPTHS):
        state["reach_count"][k] *= KEEP
    state["reach_s"] = KEEP * state["reach_s"] + 2.0
    state["reach_weight_s"] = KEEP * state["reach_weight_s"] + 2.0 * state["reach_activity"][0]
    for side in range(2):
        px = features["reach_ticks"][side]
        if px > 0:
            sign = 1.0 if side == BID else -1.0
            depth = sign * (1.0 - px / fair_ticks) * 1e4 * state["reach_calm"][0] * params["kappa"]
            for k in range(DEPTHS):
                state["reach_count"][k] += depth >= DEPTH[k]


@kernel
def _fit(state: np.void, params: np.void) -> None:
    """The line ln rate = ln A - kappa depth through what was seen and what is configured."""
    prior_s = 2.0 * max(params["rates_prior_s"], 0.0)
    seconds, weight_s = state["reach_s"] + prior_s, state["reach_weight_s"] + prior_s
    total, mean_x, mean_y = 0.0, 0.0, 0.0
    square, product = 0.0, 0.0
    for k in range(DEPTHS):
        usual = -math.expm1(-params["intensity"] * math.exp(-DEPTH[k]))
        count = state["reach_count"][k] + prior_s * usual
        if not (count > 0.0 and weight_s > 0.0):
            return
        y = math.log(-math.log1p(-min(count / seconds, SHARE_MAX)) * seconds / weight_s)
        total += count
        step_x, step_y = DEPTH[k] - mean_x, y - mean_y
        mean_x += count / total * step_x
        mean_y += count / total * step_y
        square += count * step_x * (DEPTH[k] - mean_x)
        product += count * step_x * (y - mean_y)
    slope = product / square
    log_gain = mean_y - slope * mean_x - math.log(max(params["intensity"], 1e-12))
    state["kappa_gain"] = min(max(-slope, KAPPA_MIN), KAPPA_MAX)
    state["intensity_gain"] = min(max(math.exp(min(max(log_gain, -50.0), 50.0)), INTENSITY_MIN), INTENSITY_MAX)
