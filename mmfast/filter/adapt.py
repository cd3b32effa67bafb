"""
Adaptation: how much the drift varies and how fast it fades, learned within bounds.

In      squared innovations of the drift in their variances; the believed drift over time.
Out     a factor on s_mu^2; theta.
Source  innovation-based adaptive estimation (Mehra 1970): innovations of a filter that is right have mean square
        one; and the believed drift of such a filter is an AR(1) whose coefficient is e^(-theta dt).
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.kalman import GATE
from mmfast.kernel import kernel
from mmfast.units import NS_PER_S

MEMORY = 200.0  # updates
FACTOR_MIN, FACTOR_MAX = 0.25, 4.0  # of the defaults, both ways
LAG_NS = 5 * NS_PER_S
LEARN_NS = 3600 * NS_PER_S
LAG_KEEP = math.exp(-5.0 / 3600.0)


@kernel
def begin(state: np.void, params: np.void) -> None:
    """The defaults."""
    state["nis_value"], state["nis_drift"], state["drift_scale"] = 1.0, 1.0, 1.0
    state["theta"] = params["theta"]
    state["theta_ns"], state["lag_ns"] = 0, 0
    state["lag_mu"], state["lag_square"], state["lag_product"] = 0.0, 0.0, 0.0


@kernel
def learn_drift_size(state: np.void, squared_innovation: float, rate: float) -> None:
    """Move the factor on s_mu^2 by one squared innovation of the drift; ``rate`` 0 leaves it where it is."""
    state["nis_drift"] += (min(squared_innovation, GATE) - state["nis_drift"]) / MEMORY
    grown = state["drift_scale"] * math.exp(rate * (state["nis_drift"] - 1.0))
    state["drift_scale"] = min(max(grown, FACTOR_MIN), FACTOR_MAX)


@kernel
def learn_theta(state: np.void, now_ns: int, params: np.void) -> None:
    """Every five seconds one pair of drifts; every hour theta from their correlation."""
    if state["lag_ns"] == 0 or now_ns - state["lag_ns"] > 2 * LAG_NS:  # a hole: the pair is broken
        state["lag_ns"], state["lag_mu"] = now_ns, state["mu_bps_s"]
        return
    if now_ns - state["lag_ns"] < LAG_NS:
        return
    state["lag_square"] = LAG_KEEP * state["lag_square"] + state["lag_mu"] * state["lag_mu"]
    state["lag_product"] = LAG_KEEP * state["lag_product"] + state["lag_mu"] * state["mu_bps_s"]
    state["lag_ns"], state["lag_mu"] = now_ns, state["mu_bps_s"]
    if state["theta_ns"] == 0:
        state["theta_ns"] = now_ns
    if now_ns - state["theta_ns"] >= LEARN_NS and state["lag_square"] > 0.0:
        state["theta_ns"] = now_ns
        kept = min(max(state["lag_product"] / state["lag_square"], 1e-3), 0.999)
        theta = -math.log(kept) / (LAG_NS / NS_PER_S)
        state["theta"] = min(max(theta, FACTOR_MIN * params["theta"]), FACTOR_MAX * params["theta"])
