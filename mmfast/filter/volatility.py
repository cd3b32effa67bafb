"""
Volatility: a belief about ln sigma that returns to its long-run mean.

In      readings of ln sigma, realised variances.
Out     mean and variance of ln sigma; the volatility to quote on.
Source  a mean-reverting log-volatility (Harvey, Ruiz & Shephard 1994), exact in time and linear in its logarithm.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.kalman import gated, log_density
from mmfast.kernel import kernel

LOG_SIGMA_MIN, LOG_SIGMA_MAX = math.log(1e-4), math.log(1e4)


@kernel
def predict(state: np.void, dt_s: float, mean: float, rate: float, sd: float) -> None:
    """Carry ln sigma forward by ``dt_s``: towards ``mean`` at ``rate`` [1/s], with stationary deviation ``sd``."""
    keep = math.exp(-min(max(rate * dt_s, 0.0), 700.0))
    state["log_sigma"] = mean + keep * (state["log_sigma"] - mean)
    state["log_sigma_var"] = sd * sd + keep * keep * (state["log_sigma_var"] - sd * sd)


@kernel
def update(state: np.void, z: float, r: float) -> float:
    """Observe ln sigma; returns innovation^2 / (P + r), before the gate."""
    prior = state["log_sigma_var"]
    innovation = z - state["log_sigma"]
    gain = prior / (prior + gated(innovation, prior, r))
    moved = state["log_sigma"] + gain * innovation
    state["log_sigma"] = min(max(moved, LOG_SIGMA_MIN), LOG_SIGMA_MAX)
    state["log_sigma_var"] = max((1.0 - gain) * prior, 1e-8)
    return float(innovation * innovation / (prior + r))


@kernel
def update_log(state: np.void, z: float, r: float) -> float:
    """Observe ln sigma; returns the log-likelihood of what was seen, at the variance that was used."""
    prior, innovation = state["log_sigma_var"], z - state["log_sigma"]
    update(state, z, r)
    return log_density(innovation, prior + gated(innovation, prior, r))


@kernel
def variance_rate(state: np.void, jump_rate: float, jump_sigma_bps: float) -> float:
    """Expected variance rate of the value [bps^2/s]: E[sigma^2] = e^(2l + 2P), and jumps."""
    diffusion = math.exp(min(2.0 * (state["log_sigma"] + state["log_sigma_var"]), 2.0 * LOG_SIGMA_MAX))
    return float(diffusion + jump_rate * jump_sigma_bps * jump_sigma_bps)


@kernel
def quoting_sigma(log_sigma: float, rv_30: float, rv_300: float) -> float:
    """
    Volatility to quote on [bps per root second]: e^l, but at least what the last minutes realised.

    The lower bound is the long volatility times the root of short over long: a short burst of four times the
    volatility bounds it at twice the long one. Unknown realised variances (NaN, 0) set no bound.
    """
    sigma = math.exp(min(max(log_sigma, LOG_SIGMA_MIN), LOG_SIGMA_MAX))
    if rv_300 > 1e-10 and rv_30 >= 0.0:
        spike = math.sqrt(math.sqrt(max(rv_30 / rv_300, 1.0)))
        sigma = max(sigma, min(math.sqrt(rv_300) * spike, math.exp(LOG_SIGMA_MAX)))
    return sigma
