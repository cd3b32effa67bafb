"""
Modes: three filters, one for each mode of the market, that mix as the modes follow one another.

In      time that passes, observations of one coordinate.
Out     probability and belief of each mode; the moments of their mixture.
Source  Blom & Bar-Shalom (1988), the interacting multiple model; modes last exponential times, so the matrix of
        transitions is exp(G dt).

Volatility is that of the mode times a factor of its own: l = m_r + d, where d forgets at its own rate whichever mode
rules. A switch from i to j therefore moves l by m_j - m_i at once and leaves d alone, and it is d that is mixed:
d0_j = sum_i p_i|j (l_i - m_i), l0_j = m_j + d0_j. Were l itself carried over, it would have to walk to the mean of its
new mode in 300 s, and a crisis of 60 s, whose mean is ln 4 higher, would raise it by 1.4 x 60/(60+300) = 0.23 only: a
crisis could neither be four times as volatile nor be seen. Where modes have one mean, both are the same.

It is readings of ln sigma that judge the modes by their likelihood, and the value's but little: books move in steps,
so most innovations are much smaller and some much larger than normal ones, which speaks for the calmest mode however
volatile the value is.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter import kalman, volatility
from mmfast.filter.state import MODES
from mmfast.kernel import kernel

P_MIN = 1e-4  # a mode that is ruled out could never come back
ODDS_MAX = 2.0  # nats by which one observation may favour a mode: a single jump is not a crisis
READING_ODDS_MAX = 6.0  # of a reading of ln sigma, which a single jump does not move
RATE_MAX = 1e3  # 1/s
STEP_MAX = 0.05  # norm of a matrix whose exponential is its Taylor polynomial
TERMS = 5


@kernel
def transition(state: np.void, dt_s: float, dwell_s: np.ndarray, split: np.ndarray) -> None:
    """
    Write exp(G dt) to ``transition``.

    Parameters
    ----------
    dwell_s : (3,)
        Mean time in each mode [s].
    split : (3, 3)
        Where to, when a mode ends; the diagonal is ignored and rows need not sum to one.

    Notes
    -----
    Scaling and squaring (Moler & Van Loan 2003) with a polynomial of degree five: exact to 1e-9 a squaring.
    """
    power, product = state["transition"], state["product"]
    fastest = 0.0
    for i in range(MODES):
        fastest = max(fastest, min(1.0 / max(dwell_s[i], 1e-9), RATE_MAX))
    size, halvings = min(max(dt_s, 0.0), 1e7) * fastest, 0
    while size > STEP_MAX:
        size, halvings = 0.5 * size, halvings + 1
    step_s = min(max(dt_s, 0.0), 1e7) / 2.0**halvings
    _exponential(power, step_s, dwell_s, split)
    for _ in range(halvings):
        for i in range(MODES):
            for j in range(MODES):
                product[i, j] = power[i, 0] * power[0, j] + power[i, 1] * power[1, j] + power[i, 2] * power[2, j]
        for i in range(MODES):
            for j in range(MODES):
                power[i, j] = product[i, j]


@kernel
def _exponential(power: np.ndarray, step_s: float, dwell_s: np.ndarray, split: np.ndarray) -> None:
    """Taylor polynomial of exp(G step) by Horner's rule, row by row: each row of the result is e_i exp(G step)."""
    for i in range(MODES):
        x0, x1, x2 = 0.0, 0.0, 0.0
        for term in range(TERMS, 0, -1):
            y0, y1, y2 = (x0 + 1.0 if i == 0 else x0), (x1 + 1.0 if i == 1 else x1), (x2 + 1.0 if i == 2 else x2)
            # row vector y times G step / term
            f0 = y0 * _rate(dwell_s, split, 0) * step_s / term
            f1 = y1 * _rate(dwell_s, split, 1) * step_s / term
            f2 = y2 * _rate(dwell_s, split, 2) * step_s / term
            x0 = f1 * _share(split, 1, 0) + f2 * _share(split, 2, 0) - f0
            x1 = f0 * _share(split, 0, 1) + f2 * _share(split, 2, 1) - f1
            x2 = f0 * _share(split, 0, 2) + f1 * _share(split, 1, 2) - f2
        power[i, 0], power[i, 1], power[i, 2] = x0, x1, x2
        power[i, i] += 1.0


@kernel
def _rate(dwell_s: np.ndarray, split: np.ndarray, i: int) -> float:
    """How often mode ``i`` ends [1/s]; never, if it has nowhere to go."""
    j, k = (i + 1) % MODES, (i + 2) % MODES
    if not (dwell_s[i] > 0.0 and split[i, j] >= 0.0 and split[i, k] >= 0.0 and split[i, j] + split[i, k] > 0.0):
        return 0.0
    return min(1.0 / dwell_s[i], RATE_MAX)


@kernel
def _share(split: np.ndarray, i: int, j: int) -> float:
    """Share of the ends of mode ``i`` that lead to ``j``."""
    other = split[i, 3 - i - j]
    total = split[i, j] + other
    return split[i, j] / total if split[i, j] >= 0.0 and other >= 0.0 and total > 0.0 else 0.0


@kernel
def mix(state: np.void, usual0: float, usual1: float, usual2: float) -> None:
    """
    Let the modes follow one another by ``transition``: probabilities, and the belief each mode starts from.

    A mode's belief becomes the mixture of those it may have come from, spread of their means included; of ln sigma
    it is the deviation from ``usual``, each mode's long-run mean, that is taken along.
    """
    power, p, modes, mixed = state["transition"], state["mode_p"], state["modes"], state["mixed"]
    _shift(modes, -usual0, -usual1, -usual2)
    c0 = power[0, 0] * p[0] + power[1, 0] * p[1] + power[2, 0] * p[2]
    c1 = power[0, 1] * p[0] + power[1, 1] * p[1] + power[2, 1] * p[2]
    c2 = power[0, 2] * p[0] + power[1, 2] * p[1] + power[2, 2] * p[2]
    for j in range(MODES):
        c = c0 if j == 0 else (c1 if j == 1 else c2)
        if c > 0.0:
            _blend(modes, power[0, j] * p[0] / c, power[1, j] * p[1] / c, power[2, j] * p[2] / c, mixed[j])
        else:
            copy(modes[j], mixed[j])
    for j in range(MODES):
        copy(mixed[j], modes[j])
    _shift(modes, usual0, usual1, usual2)
    p[0], p[1], p[2] = c0, c1, c2


@kernel
def _shift(modes: np.ndarray, by0: float, by1: float, by2: float) -> None:
    """Move ln sigma of each mode."""
    modes[0]["log_sigma"] += by0
    modes[1]["log_sigma"] += by1
    modes[2]["log_sigma"] += by2


@kernel
def combine(state: np.void) -> None:
    """Write the moments of the mixture to the filter itself."""
    p = state["mode_p"]
    _blend(state["modes"], p[0], p[1], p[2], state)


@kernel
def _blend(modes: np.ndarray, w0: float, w1: float, w2: float, out: np.void) -> None:
    """Mean and covariance of the mixture of ``modes`` with weights that sum to one."""
    a, b, c = modes[0], modes[1], modes[2]
    v = w0 * a["v_bps"] + w1 * b["v_bps"] + w2 * c["v_bps"]
    mu = w0 * a["mu_bps_s"] + w1 * b["mu_bps_s"] + w2 * c["mu_bps_s"]
    level = w0 * a["log_sigma"] + w1 * b["log_sigma"] + w2 * c["log_sigma"]
    v_var, cov, mu_var, level_var = 0.0, 0.0, 0.0, 0.0
    for r in range(MODES):
        w, mode = (w0 if r == 0 else (w1 if r == 1 else w2)), modes[r]
        dv, dmu, dl = mode["v_bps"] - v, mode["mu_bps_s"] - mu, mode["log_sigma"] - level
        v_var += w * (mode["v_var"] + dv * dv)
        cov += w * (mode["vmu_cov"] + dv * dmu)
        mu_var += w * (mode["mu_var"] + dmu * dmu)
        level_var += w * (mode["log_sigma_var"] + dl * dl)
    out["v_bps"], out["mu_bps_s"], out["log_sigma"] = v, mu, level
    out["v_var"], out["vmu_cov"], out["mu_var"], out["log_sigma_var"] = v_var, cov, mu_var, level_var


@kernel
def copy(source: np.void, target: np.void) -> None:
    """Copy the belief of one mode."""
    target["v_bps"], target["mu_bps_s"], target["log_sigma"] = source["v_bps"], source["mu_bps_s"], source["log_sigma"]
    target["v_var"], target["vmu_cov"], target["mu_var"] = source["v_var"], source["vmu_cov"], source["mu_var"]
    target["log_sigma_var"] = source["log_sigma_var"]


@kernel
def reweigh(state: np.void, log0: float, log1: float, log2: float, odds_max: float = ODDS_MAX) -> None:
    """
    Multiply the probabilities by likelihoods given as logarithms; ones that are not finite say nothing.

    Real returns have fatter tails than any mode: without a bound on its odds one jump would decide alone.
    """
    p = state["mode_p"]
    if not math.isfinite(log0 + log1 + log2):
        return
    top = max(log0, log1, log2)
    least = top - odds_max
    w0, w1 = p[0] * math.exp(max(log0, least) - top), p[1] * math.exp(max(log1, least) - top)
    w2 = p[2] * math.exp(max(log2, least) - top)
    total = w0 + w1 + w2
    if not total > 0.0:
        return
    w0, w1, w2 = max(w0 / total, P_MIN), max(w1 / total, P_MIN), max(w2 / total, P_MIN)
    total = w0 + w1 + w2
    p[0], p[1], p[2] = w0 / total, w1 / total, w2 / total


@kernel
def observe(state: np.void, h_v: float, h_mu: float, z: float, r: float, trust: float) -> float:
    """
    Observe h_v v + h_mu mu in every mode; returns innovation^2 over its variance in the mixture, before gates.

    The likelihood of the modes is raised to the power ``trust``: 1 for a reading that is independent of the last and
    as normal as it says.
    """
    gap = z - h_v * state["v_bps"] - h_mu * state["mu_bps_s"]
    spread = h_v * h_v * state["v_var"] + 2.0 * h_v * h_mu * state["vmu_cov"] + h_mu * h_mu * state["mu_var"]
    log0 = kalman.update_log(state["modes"][0], h_v, h_mu, z, r)
    log1 = kalman.update_log(state["modes"][1], h_v, h_mu, z, r)
    log2 = kalman.update_log(state["modes"][2], h_v, h_mu, z, r)
    reweigh(state, trust * log0, trust * log1, trust * log2)
    combine(state)
    return float(gap * gap / (spread + r))


@kernel
def observe_log_sigma(state: np.void, z: float, r: float) -> float:
    """Observe ln sigma in every mode; returns innovation^2 over its variance in the mixture, before gates."""
    gap = z - state["log_sigma"]
    surprise = gap * gap / (state["log_sigma_var"] + r)
    log0 = volatility.update_log(state["modes"][0], z, r)
    log1 = volatility.update_log(state["modes"][1], z, r)
    log2 = volatility.update_log(state["modes"][2], z, r)
    reweigh(state, log0, log1, log2, READING_ODDS_MAX)
    combine(state)
    return float(surprise)
