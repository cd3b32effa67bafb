"""
Latching: what a live order is worth where it rests, against the order we would rather have.

In      price and size of a live order; price, size, edge and fill rate of a wanted level; fair value.
Out     value [USD over the life of a quote], edge [bps], and whether the fair value has left the order behind.
Source  value of waiting in a queue against a better price (Moallemi & Yuan 2016); J = lambda (1+g) e s V T.

Everything about a live order is told as a difference from the wanted level: an order that rests exactly there
has exactly its edge, so rounding or a missing term can never make the desk cancel what it would place again.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import BPS

STALE_SHARE = 0.5  # of its depth at placement: a fair value that moved further calls the order back
KEEP_SHARE = 0.1  # of its depth: closer than this to the wanted price, a stale order is right where it is
DEPTH_FLOOR_BPS = 1.0  # an unwinding order may rest at fair value itself: a share of nothing would never be quiet
EXPONENT_MAX = 20.0


@kernel
def depth_bps(side: int, px_ticks: float, fair_ticks: float) -> float:
    """How far ``px_ticks`` is behind the fair value, away from the market's other side [bps]."""
    sign = 1.0 - 2.0 * side
    return sign * (fair_ticks - px_ticks) / fair_ticks * 1e4


@kernel
def live_edge_bps(side: int, px_ticks: int, clips: float, target_px_ticks: int, target_clips: float,
                  target_edge_bps: float, impact_bps: float, fair_ticks: float) -> float:
    """
    Edge of a live order to the reservation price and costs of now [bps].

    Derived from the edge of the wanted level: the price difference in full, and ``impact_bps`` for each clip more.
    """
    deeper_bps = depth_bps(side, px_ticks, fair_ticks) - depth_bps(side, target_px_ticks, fair_ticks)
    return target_edge_bps + deeper_bps - impact_bps * (clips - target_clips)


@kernel
def live_fill_rate(side: int, px_ticks: int, target_px_ticks: int, target_fill_rate: float, kappa: float,
                   fair_ticks: float) -> float:
    """Fill rate where the live order rests, lambda(delta) ~ exp(-kappa delta) [1/s]."""
    deeper_bps = depth_bps(side, px_ticks, fair_ticks) - depth_bps(side, target_px_ticks, fair_ticks)
    exponent = min(max(-kappa * deeper_bps, -EXPONENT_MAX), EXPONENT_MAX)
    return target_fill_rate * np.exp(exponent)


@kernel
def value_usd(fill_rate: float, edge_bps: float, notional_uusd: int, life_s: float) -> float:
    """J: what an order is expected to earn over the life of a quote [USD]."""
    return fill_rate * edge_bps * BPS * notional_uusd * 1e-6 * life_s


@kernel
def closeness(side: int, px_ticks: int, target_px_ticks: int, kappa: float, fair_ticks: float) -> float:
    """
    Share of a level's value that is left this far from its price, at most 1: (1 + x) exp(-x), x = kappa |distance|.

    It is what exp(-kappa delta) (delta - c) loses around its maximum, on both sides alike. Without it orders would
    crowd at the price of highest value: each is worth most there, but the ladder was spread on purpose.
    """
    x = abs(kappa * (depth_bps(side, px_ticks, fair_ticks) - depth_bps(side, target_px_ticks, fair_ticks)))
    return (1.0 + x) * np.exp(-min(x, EXPONENT_MAX))


@kernel
def lasting_share(distance_bps: float, sigma_bps: float, life_s: float) -> float:
    """
    Share of a quote's life for which coming closer by ``distance_bps`` is worth anything, in [0, 1].

    The fair value wanders off again: with loss c d^2 a second, cost K a move and variance sigma^2 a second the best
    band is (6 K sigma^2 / c)^(1/4) (Dixit 1991), which is "gain over d^2 / 6 sigma^2 seconds exceeds K".
    """
    if not sigma_bps > 0.0:
        return 1.0
    return min(distance_bps * distance_bps / (6.0 * sigma_bps * sigma_bps * life_s), 1.0)


@kernel
def move_cost_usd(action_cost_usd: float, multiplier: float) -> float:
    """Price of one move: a cancel and a placement, each an action."""
    return 2.0 * action_cost_usd * multiplier


@kernel
def patience(multiplier: float) -> float:
    """How much further than usual the fair value may move before an order counts as stale, in [1, 4]."""
    return min(max(np.sqrt(multiplier), 1.0), 4.0)


@kernel
def is_stale(side: int, px_ticks: int, placed_fair_px: float, fair_px: float, ticks_per_usd: float,
             multiplier: float) -> bool:
    """Whether the fair value moved by more than half the depth that the order had when it was placed."""
    if not (placed_fair_px > 0.0 and fair_px > 0.0):
        return False
    depth = max(depth_bps(side, px_ticks, placed_fair_px * ticks_per_usd), DEPTH_FLOOR_BPS)
    moved = abs(fair_px - placed_fair_px) / placed_fair_px * 1e4
    return moved > STALE_SHARE * depth * patience(multiplier)


@kernel
def is_in_place(px_ticks: int, target_px_ticks: int, target_depth_bps: float, fair_ticks: float) -> bool:
    """Whether a price is the wanted one, give or take a tenth of its depth."""
    off_bps = abs(px_ticks - target_px_ticks) / fair_ticks * 1e4
    return off_bps <= KEEP_SHARE * max(target_depth_bps, DEPTH_FLOOR_BPS)
