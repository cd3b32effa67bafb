"""
Exposure: the largest position worth having, and the room that leaves on each side.

In      volatility, mode probabilities, equity and limits.
Out     a cap [USD]; lots that may still be bought and sold.
Source  Kelly (1956) for the growth-optimal bet, a fraction of it; a stress rule; leverage; a hard limit.

The reducing side always has room for the whole position, whatever the cap says.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import BPS

KELLY_HORIZON_S = 60.0
STRESS_SHARE = 0.5  # of equity that a stress may cost
STRESS_SIGMAS = 5.0
STRESS_HORIZON_S = 600.0
STRESS_MOVE_MIN = 0.05
LIQUIDATION_MOVES = 3.0  # stress moves that must lie between us and the venue's liquidation
LOTS_MAX = 10**15


@kernel
def kelly_usd(fraction: float, equity_usd: float, edge_bps: float, sigma_bps: float) -> float:
    """A fraction of edge over variance, of equity: f E e / (sigma^2 tau) [USD]."""
    variance = sigma_bps * sigma_bps * KELLY_HORIZON_S * BPS * BPS
    return fraction * equity_usd * max(edge_bps, 0.0) * BPS / max(variance, 1e-18)


@kernel
def stress_usd(equity_usd: float, sigma_bps: float) -> float:
    """Half the equity over a move of five sigmas in ten minutes, at least 5 % [USD]."""
    return STRESS_SHARE * equity_usd / stress_move(sigma_bps)


@kernel
def stress_move(sigma_bps: float) -> float:
    """Five sigmas in ten minutes, at least 5 % [share of the price]."""
    return max(STRESS_SIGMAS * sigma_bps * math.sqrt(STRESS_HORIZON_S) * BPS, STRESS_MOVE_MIN)


@kernel
def liquidation_usd(equity_usd: float, sigma_bps: float, leverage_max: float) -> float:
    """
    The position from which liquidation is three stress moves away [USD].

    The venue liquidates when equity falls below half the initial margin at maximum leverage, so a position of N is
    E/N - 1/(2 leverage) away from it.
    """
    margin = 0.5 / leverage_max if leverage_max > 0.0 else 0.5
    return equity_usd / (LIQUIDATION_MOVES * stress_move(sigma_bps) + margin)


@kernel
def exposure_cap_usd(sigma_bps: float, px: float, kelly_f: float, limit_share: float, params: np.void) -> float:
    """
    The least of Kelly, stress, distance to liquidation, leverage and the hard limit, S* [USD].

    Parameters
    ----------
    sigma_bps, px : float
        Volatility [bps per root second] and mid [USD].
    kelly_f, limit_share : float
        Kelly fraction and usable share of the hard limit in this mix of modes.
    """
    hard = params["position_max_lots"] / max(params["lots_per_coin"], 1) * px * limit_share
    soft = min(kelly_usd(kelly_f, params["equity_usd"], params["net_edge_bps"], sigma_bps),
               stress_usd(params["equity_usd"], sigma_bps),
               liquidation_usd(params["equity_usd"], sigma_bps, params["leverage_max"]))
    return max(min(soft, params["leverage_max"] * params["equity_usd"], hard), 0.0)


@kernel
def cap_lots(cap_usd: float, px: float, params: np.void) -> int:
    """The cap in whole lots, never above the hard limit; 0 where it cannot be told."""
    lots = cap_usd / max(px, 1e-12) * params["lots_per_coin"]
    if not math.isfinite(lots):
        return 0
    return min(int(min(max(lots + 1e-6, 0.0), float(LOTS_MAX))), max(params["position_max_lots"], 0))


@kernel
def room(cap: int, position_lots: int, sign: int) -> int:
    """
    Lots that may still be bought (``sign`` 1) or sold (-1).

    With an order of this size filled the position is within the cap, or nearer to zero than it is.
    """
    return max(cap - sign * position_lots, -sign * position_lots, 0)
