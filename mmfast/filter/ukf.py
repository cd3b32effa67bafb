"""
Sigma points: an update for an observation that is not linear in the state.

In      an observation z of h(v, mu, l), with variance r.
Out     the belief of one mode; the log-likelihood of what was seen.
Source  Julier & Uhlmann (1997), Wan & van der Merwe (2000): alpha 1, beta 2, kappa 0, seven points for three
        coordinates. For a linear h it is the Kalman filter.

The covariance is (v, mu) and l apart; an observation of both at once would couple them, and that is dropped.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.kalman import gated, log_density
from mmfast.kernel import kernel

# What is observed. The first three are linear; the last is the variance rate itself, e^(2l) [bps^2/s].
SEES_VALUE, SEES_DRIFT, SEES_LOG_SIGMA, SEES_VARIANCE = range(4)
OBS_VARIANCE = 4  # a kind of observation, beside those of records/feature.py
REACH = math.sqrt(3.0)  # sqrt(n + lambda)
WEIGHT = 1.0 / 6.0  # of each outer point; the centre weighs 0 in the mean and 2 in the covariance
CENTRE = 2.0
EXPONENT_MAX = 40.0


@kernel
def seen(what: int, v: float, mu: float, level: float) -> float:
    """h(v, mu, l)."""
    if what == SEES_VALUE:
        return v
    if what == SEES_DRIFT:
        return mu
    if what == SEES_LOG_SIGMA:
        return level
    return math.exp(min(max(2.0 * level, -EXPONENT_MAX), EXPONENT_MAX))


@kernel
def predicted(mode: np.void, what: int) -> tuple[float, float, float, float, float]:
    """Mean and variance of h, and its covariance with v, mu and l, from seven points."""
    a = math.sqrt(mode["v_var"])
    b = mode["vmu_cov"] / a
    c = math.sqrt(max(mode["mu_var"] - b * b, 0.0))
    d = math.sqrt(mode["log_sigma_var"])
    v, mu, level = mode["v_bps"], mode["mu_bps_s"], mode["log_sigma"]
    h0 = seen(what, v, mu, level)
    p1, m1 = seen(what, v + REACH * a, mu + REACH * b, level), seen(what, v - REACH * a, mu - REACH * b, level)
    p2, m2 = seen(what, v, mu + REACH * c, level), seen(what, v, mu - REACH * c, level)
    p3, m3 = seen(what, v, mu, level + REACH * d), seen(what, v, mu, level - REACH * d)
    # Differences from the centre: sums of the values themselves would lose digits.
    mean = h0 + WEIGHT * ((p1 - h0) + (m1 - h0) + (p2 - h0) + (m2 - h0) + (p3 - h0) + (m3 - h0))
    variance = CENTRE * (h0 - mean) ** 2 + WEIGHT * (
        (p1 - mean) ** 2 + (m1 - mean) ** 2 + (p2 - mean) ** 2 + (m2 - mean) ** 2 + (p3 - mean) ** 2
        + (m3 - mean) ** 2)
    g1, g2, g3 = WEIGHT * REACH * (p1 - m1), WEIGHT * REACH * (p2 - m2), WEIGHT * REACH * (p3 - m3)
    return mean, variance, a * g1, b * g1 + c * g2, d * g3


@kernel
def update(mode: np.void, what: int, z: float, r: float) -> float:
    """Observe h with variance ``r`` > 0; returns ln N(innovation; 0, S) less a constant."""
    mean, variance, cov_v, cov_mu, cov_l = predicted(mode, what)
    innovation = z - mean
    total = variance + gated(innovation, variance, r)
    mode["v_bps"] += cov_v / total * innovation
    mode["mu_bps_s"] += cov_mu / total * innovation
    mode["log_sigma"] += cov_l / total * innovation
    mode["v_var"] -= cov_v * cov_v / total
    mode["vmu_cov"] -= cov_v * cov_mu / total
    mode["mu_var"] -= cov_mu * cov_mu / total
    mode["log_sigma_var"] -= cov_l * cov_l / total
    return log_density(innovation, total)
