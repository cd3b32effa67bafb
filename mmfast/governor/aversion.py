"""
Risk aversion: a smooth function of inventory and of the market's mode, calibrated and not guessed.

In      utilisation, mode probabilities; or the skew that is wanted at the position limit.
Out     gamma [1/bp for each clip].
Source  Guéant, Lehalle & Fernandez-Tapia (2013): half of the curvature of the value in inventory is
        a = sqrt(gamma sigma^2 / sum(eta kappa)) / 2, and the skew is 2a for each clip.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel

GAMMA_MIN = 1e-12
RATE_MIN = 1e-12
HALVINGS = 100
FRAGILE_WEIGHT = 0.5


@kernel
def mixture(p: np.ndarray, by_mode: np.ndarray) -> float:
    """Mean of ``by_mode`` under the mode probabilities ``p``, both of length 3."""
    return float(p[0] * by_mode[0] + p[1] * by_mode[1] + p[2] * by_mode[2])


@kernel
def risk_aversion(gamma0: float, curve: float, utilisation: float, mode_factor: float, fragile: float = 0.0) -> float:
    """
    gamma = gamma0 (1 + curve u^2) x mode factor x (1 + u fragile / 2), continuous everywhere.

    With the default curve of 7 it is eight times larger at the limit.
    """
    return gamma0 * (1.0 + curve * utilisation * utilisation) * mode_factor * (
        1.0 + FRAGILE_WEIGHT * utilisation * fragile)


@kernel
def fragility(gradient: float, position_lots: int) -> float:
    """
    How hollow the book is behind our inventory, in [0, 1]; 0 when it is not known or we have none.

    ``gradient`` is near minus far imbalance: positive when the bids near the touch have nothing behind them, which
    is bad for who is long.
    """
    behind = gradient if position_lots > 0 else (-gradient if position_lots < 0 else 0.0)
    return min(behind, 1.0) if behind > 0.0 else 0.0


@kernel
def response(kappa: float, intensity: float, cost_bps: float, gamma0: float) -> float:
    """
    Sum over both sides of eta kappa, with eta = A e^(-kappa c) (1 + gamma/kappa)^-(1 + kappa/gamma) [1/(s bp)].

    How strongly fills answer to a change of price, at the optimal depth and the cost ``cost_bps`` of each fill.
    """
    kappa, gamma0 = max(kappa, 1e-6), max(gamma0, GAMMA_MIN)
    power = -kappa * cost_bps - (1.0 + kappa / gamma0) * math.log1p(gamma0 / kappa)
    return max(2.0 * kappa * intensity * math.exp(min(max(power, -700.0), 700.0)), RATE_MIN)


@kernel
def gamma0_from_skew(skew_limit_bps: float, clips_at_limit: float, kappa: float, intensity: float, cost_bps: float,
                     sigma_ref_bps: float) -> float:
    """
    The gamma whose skew at the position limit is ``skew_limit_bps``, before the curve in inventory.

    Parameters
    ----------
    skew_limit_bps : float
        K_Q, how far the reservation price has moved at the limit, > 0 [bps].
    clips_at_limit : float
        Q, the limit in clips, > 0.
    kappa, intensity, cost_bps : float
        Decay of fills [1/bp], their rate at depth zero [1/s], cost of a fill: fee and adverse selection [bps].
    sigma_ref_bps : float
        Reference volatility, > 0 [bps per root second].

    Raises
    ------
    ValueError
        If an argument that must be positive is not.

    Notes
    -----
    gamma = (K_Q/Q)^2 sum(eta kappa) / sigma^2, where eta falls with gamma: one fixed point, found by bisection.
    """
    if not (skew_limit_bps > 0.0 and clips_at_limit > 0.0 and kappa > 0.0 and intensity > 0.0 and sigma_ref_bps > 0.0):
        raise ValueError("skew, clips at the limit, kappa, intensity and sigma must all be positive")
    skew_per_clip = skew_limit_bps / clips_at_limit
    scale = skew_per_clip * skew_per_clip / (sigma_ref_bps * sigma_ref_bps)
    low, high = 0.0, scale * response(kappa, intensity, cost_bps, GAMMA_MIN)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if middle < scale * response(kappa, intensity, cost_bps, middle):
            low = middle
        else:
            high = middle
    return high
