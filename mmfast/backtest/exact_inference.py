"""
Exact inference: what anybody could know of the market's mode who sees the true value itself, and knows the law.

In      the generator's parameters, its value at equal steps of time.
Out     probabilities of the modes, squared innovations: what a belief that sees only a book is measured against.
Source  Hamilton (1989), "A new approach to the economic analysis of nonstationary time series", for the recursion;
        ln sigma on a lattice whose jumps to its neighbours have the drift and variance of the Ornstein-Uhlenbeck law.

Drift is left out: within a step it is a small part of the noise, and knowing none of it can only widen the intervals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.backtest.calibration import Array
from mmfast.sim.generator import LEAVES_TO

WIDTH, POINTS = 3.2, 41  # deviations of ln sigma to each side, points of the lattice
SQUARINGS = 10  # of the small step whose power carries over a whole one


def _over(rates: Array, step_s: float) -> Array:
    """Probabilities of going from row to column within a step; ``rates`` [1/s] have none on the diagonal."""
    small = rates * step_s / 2**SQUARINGS
    np.fill_diagonal(small, 1.0 - small.sum(axis=1))
    return np.asarray(np.linalg.matrix_power(small, 2**SQUARINGS))


def _lattice(rate_per_s: float, sd: float) -> tuple[Array, Array]:
    """Points of ln sigma about its mean, and the rates [1/s] of steps between neighbours."""
    points = np.linspace(-WIDTH, WIDTH, POINTS) * sd
    gap = points[1] - points[0]
    spread, pull = rate_per_s * sd * sd / gap**2, rate_per_s * points / (2.0 * gap)
    rates = np.zeros((POINTS, POINTS))
    for k in range(POINTS - 1):
        rates[k, k + 1] = max(spread - pull[k], 0.0)
        rates[k + 1, k] = max(spread + pull[k + 1], 0.0)
    return points, rates


def infer(law: Any, value_bps: Array, step_s: float) -> tuple[Array, Array]:
    """
    Probabilities of the modes after each step, and squared innovations over their variance before it.

    Parameters
    ----------
    law : record with the generator's parameters (sim.generator.PARAMETERS)
    value_bps : (n,), the true value every ``step_s`` seconds

    Returns
    -------
    mode_p : (n - 1, modes)
    squared : (n - 1,)
    """
    points, steps = _lattice(float(law["log_sigma_rate"]), float(law["log_sigma_sd"]))
    between, along = _over(np.array(LEAVES_TO) / law["dwell_s"][:, None], step_s), _over(steps, step_s)
    sigma_bps = law["sigma_bps"] * law["mode_sigma"][:, None] * np.exp(points - law["log_sigma_sd"] ** 2)
    calm, jumped = sigma_bps**2 * step_s, sigma_bps**2 * step_s + law["jump_bps"] ** 2
    jump_p = (1.0 - np.exp(-law["jump_rate"] * step_s))[:, None]
    variance = calm + jump_p * law["jump_bps"] ** 2
    p = np.zeros((len(between), POINTS))
    p[0] = np.exp(-0.5 * (points / law["log_sigma_sd"]) ** 2)  # the generator begins quietly
    p /= p.sum()
    moves = np.diff(value_bps)
    mode_p, squared = np.empty((len(moves), len(between))), np.empty(len(moves))
    for k, move in enumerate(moves):
        p = between.T @ p @ along
        squared[k] = move**2 / (p * variance).sum()
        p *= (1.0 - jump_p) * _normal(move, calm) + jump_p * _normal(move, jumped) + 1e-300
        p /= p.sum()
        mode_p[k] = p.sum(axis=1)
    return mode_p, squared


def _normal(x: float, variance: Array) -> Array:
    return np.asarray(np.exp(-0.5 * x * x / variance) / np.sqrt(variance))
