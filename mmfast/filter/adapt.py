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
INSIDE = 3.841458820694124  # 95 % of a chi-square with one degree of freedom
SCALE_SHARE = 0.01  # of the rate at which the drift's factor learns: there are many more readings of the value
SCALE_MIN, SCALE_MAX = 0.05, 20.0
READING_MIN, READING_MAX = 0.5, 10.0
LAG_NS = 5 * NS_PER_S
LEARN_NS = 3600 * NS_PER_S
LAG_KEEP = math.exp(-5.0 / 3600.0)


@kernel
def begin(state: np.void, params: np.void) -> None:
    """The defaults."""
    state["nis_value"], state["nis_drift"], state["drift_scale"], state["value_scale"] = 1.0, 1.0, 1.0, 1.0
    state["reading_scale"] = 1.0
    state["nis_sum"], state["nis_count"], state["nis_inside_count"] = 0.0, 0, 0
    state["theta"] = params["theta"]
    state["theta_ns"], state["lag_ns"] = 0, 0
    state["lag_mu"], state["lag_square"], state["lag_product"] = 0.0, 0.0, 0.0


@kernel
def judge_value(state: np.void, squared_innovation: float, rate: float) -> None:
    """
    Take one squared innovation of the value, in its variance, into the filter's account of itself.

    One factor for the noise of the value and of its readings: how sure the filter is changes, what it believes does
    not. It is slow: a mode of the market must show itself as a mode. ``rate`` 0 leaves it where it is.
    """
    nis = min(squared_innovation, GATE)
    state["nis_value"] += (nis - state["nis_value"]) / MEMORY
    state["nis_sum"] += nis
    state["nis_count"] += 1
    state["nis_inside_count"] += squared_innovation < INSIDE
    grown = state["value_scale"] * math.exp(SCALE_SHARE * rate * (nis - 1.0))
    state["value_scale"] = min(max(grown, SCALE_MIN), SCALE_MAX)


@kernel
def learn_drift_size(state: np.void, squared_innovation: float, score: float, rate: float) -> None:
    """
    Move the factor on s_mu^2 by one squared innovation of the drift; ``rate`` 0 leaves it where it is.

    ``score`` is twice the slope of the log-likelihood in ln s_mu^2: (innovation^2/S - 1) P/S. Without the share P/S
    the noise of readings would move the factor from one bound to the other.
    """
    state["nis_drift"] += (min(squared_innovation, GATE) - state["nis_drift"]) / MEMORY
    grown = state["drift_scale"] * math.exp(rate * score)
    state["drift_scale"] = min(max(grown, FACTOR_MIN), FACTOR_MAX)


@kernel
def learn_reading_noise(state: np.void, squared_innovation: float, share: float, rate: float) -> None:
    """
    Move the factor on the noise of readings of ln sigma by one squared innovation; ``rate`` 0 leaves it where it is.

    ``share`` is that of the reading's noise in the innovation's variance, which makes this the slope of the
    log-likelihood: an innovation that the belief's own doubt explains says nothing about the readings.
    """
    grown = state["reading_scale"] * math.exp(rate * share * (min(squared_innovation, GATE) - 1.0))
    state["reading_scale"] = min(max(grown, READING_MIN), READING_MAX)


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
