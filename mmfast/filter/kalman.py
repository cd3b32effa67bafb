"""
Update: one number about the value or about the drift changes both.

In      an observation z of one coordinate, with variance r.
Out     (v, mu) and their covariance, in Joseph's form; the squared innovation in units of its variance.
Source  Kalman (1960); Bucy & Joseph (1968) for the form that stays positive.

An observation more than five sigmas away is not dropped: its variance is raised until it is five away.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel

GATE = 25.0
CORRELATION_MAX = 0.999


@kernel
def gated(innovation: float, prior_var: float, r: float) -> float:
    """The variance to use for an observation of variance ``r``: such that innovation^2 <= 25 (prior_var + r)."""
    return max(r, innovation * innovation / GATE - prior_var)


@kernel
def log_density(innovation: float, variance: float) -> float:
    """ln N(innovation; 0, variance) less a constant."""
    return -0.5 * (innovation * innovation / variance + math.log(variance))


@kernel
def update_value(state: np.void, z: float, r: float) -> float:
    """Observe the value [bps]; returns innovation^2 / (P_vv + r), before the gate."""
    return update(state, 1.0, 0.0, z, r)


@kernel
def update_drift(state: np.void, z: float, r: float) -> float:
    """Observe the drift [bps/s]; returns innovation^2 / (P_mumu + r), before the gate."""
    return update(state, 0.0, 1.0, z, r)


@kernel
def update(state: np.void, h_v: float, h_mu: float, z: float, r: float) -> float:
    """
    Observe h_v v + h_mu mu.

    Parameters
    ----------
    state : MODE record, changed in place
    h_v, h_mu : float
        The row H of the observation.
    z, r : float
        Observation and its variance, r > 0.

    Notes
    -----
    P <- (I - K H) P (I - K H)' + K r K', written out for two states.
    """
    p11, p12, p22 = state["v_var"], state["vmu_cov"], state["mu_var"]
    ph1, ph2 = p11 * h_v + p12 * h_mu, p12 * h_v + p22 * h_mu
    prior_var = ph1 * h_v + ph2 * h_mu
    innovation = z - h_v * state["v_bps"] - h_mu * state["mu_bps_s"]
    used_r = gated(innovation, prior_var, r)
    k1, k2 = ph1 / (prior_var + used_r), ph2 / (prior_var + used_r)
    a11, a12, a21, a22 = 1.0 - k1 * h_v, -k1 * h_mu, -k2 * h_v, 1.0 - k2 * h_mu
    b11, b12, b21, b22 = a11 * p11 + a12 * p12, a11 * p12 + a12 * p22, a21 * p11 + a22 * p12, a21 * p12 + a22 * p22
    state["v_bps"] += k1 * innovation
    state["mu_bps_s"] += k2 * innovation
    state["v_var"] = b11 * a11 + b12 * a12 + k1 * k1 * used_r
    state["vmu_cov"] = b11 * a21 + b12 * a22 + k1 * k2 * used_r
    state["mu_var"] = b21 * a21 + b22 * a22 + k2 * k2 * used_r
    return float(innovation * innovation / (prior_var + r))


@kernel
def update_log(state: np.void, h_v: float, h_mu: float, z: float, r: float) -> float:
    """Observe h_v v + h_mu mu; returns the log-likelihood of what was seen, at the variance that was used."""
    prior_var = (h_v * h_v * state["v_var"] + 2.0 * h_v * h_mu * state["vmu_cov"] + h_mu * h_mu * state["mu_var"])
    innovation = z - h_v * state["v_bps"] - h_mu * state["mu_bps_s"]
    update(state, h_v, h_mu, z, r)
    return log_density(innovation, prior_var + gated(innovation, prior_var, r))


@kernel
def keep_positive(state: np.void, v_var_min: float, mu_var_min: float) -> None:
    """Floor both variances and keep the correlation below one: a belief is never certain."""
    state["v_var"] = max(state["v_var"], v_var_min)
    state["mu_var"] = max(state["mu_var"], mu_var_min)
    bound = CORRELATION_MAX * math.sqrt(state["v_var"] * state["mu_var"])
    state["vmu_cov"] = min(max(state["vmu_cov"], -bound), bound)
