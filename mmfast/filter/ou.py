"""
Prediction: a value that diffuses around a mean-reverting drift, exact in time.

In      (v, mu) and their covariance, the variance rate of the value, the drift's rate and size.
Out     the same, dt later.
Source  Uhlenbeck & Ornstein (1930) for the transition; its integral for the value.

With E = e^(-theta dt):  v' = v + mu (1-E)/theta,  mu' = E mu,
Q_mumu = s^2 (1-E^2),  Q_vmu = s^2 (1-E)^2/theta,  Q_vv = rate dt + (2 s^2/theta^2) f(theta dt),
f(x) = x - 2(1-e^-x) + (1-e^-2x)/2. Two steps of dt/2 equal one of dt.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel

THETA_MIN = 1e-6
SMALL = 1e-2  # below, f(x) cancels and its series is better
DT_S_MAX = 3600.0


@kernel
def drift_spread(x: float) -> float:
    """f(x), from 0 (as x^3/3) to x - 3/2: what the drift's own noise adds to the value over x = theta dt."""
    if x < SMALL:
        return x * x * x * (1.0 / 3.0 - x * (0.25 - x * (7.0 / 60.0 - x / 24.0)))
    return x + 2.0 * math.expm1(-x) - 0.5 * math.expm1(-2.0 * x)


@kernel
def predict(state: np.void, dt_s: float, variance_rate: float, theta: float, drift_sd: float) -> None:
    """
    Carry (v, mu) forward by ``dt_s`` seconds.

    Parameters
    ----------
    state : MODE record, changed in place
        v_bps, mu_bps_s, v_var, vmu_cov, mu_var.
    dt_s : float
        Seconds, >= 0; more than an hour counts as an hour.
    variance_rate : float
        Of the value, diffusion and jumps [bps^2/s].
    theta : float
        Mean reversion of the drift [1/s].
    drift_sd : float
        Stationary standard deviation of the drift [bps/s].
    """
    dt_s = min(max(dt_s, 0.0), DT_S_MAX)
    theta = max(theta, THETA_MIN)
    x = theta * dt_s
    decay, spent = math.exp(-x), -math.expm1(-x)
    reach = spent / theta
    s2 = drift_sd * drift_sd
    v_var, cov, mu_var = state["v_var"], state["vmu_cov"], state["mu_var"]
    state["v_bps"] += state["mu_bps_s"] * reach
    state["mu_bps_s"] *= decay
    state["v_var"] = (v_var + reach * (2.0 * cov + reach * mu_var) + variance_rate * dt_s
                      + 2.0 * s2 / (theta * theta) * drift_spread(x))
    state["vmu_cov"] = decay * (cov + reach * mu_var) + s2 * spent * reach
    state["mu_var"] = decay * decay * mu_var - s2 * math.expm1(-2.0 * x)
