"""
Allocate: how much of each candidate to quote.

In      BELIEF, MANDATE, SURFACE, PARAMETERS.
Out     the payload of QUOTE: prices and sizes of all levels, or the reason why a side is empty.
Source  Karush-Kuhn-Tucker conditions of a separable concave program (water-filling; Boyd & Vandenberghe 2004, 5.5).

Maximise sum lambda_k (e_k s_k - b s_k^2), b = a + impact, under a budget for adverse selection, room on each side
and 0 <= s_k <= s_max:  s_k = clip((e_k - nu as_k - nu_side/lambda_k) / 2b, 0, s_max). Sizes in clips.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.executor.candidates import ladder
from mmfast.executor.unwind import unwind
from mmfast.kernel import kernel
from mmfast.records.belief import BELIEF_OK
from mmfast.records.quote import (
    QUOTE_LEVELS,
    SIDE_NO_BELIEF,
    SIDE_NO_EDGE,
    SIDE_NO_ROOM,
    SIDE_QUOTES,
    SIDE_TOO_DEEP,
    SIDE_TOO_SMALL,
)
from mmfast.units import ASK, BID, BPS

STEPS = 100
CLOSE = 1e-12  # share of the budget that may be left unused
ROUNDING = 1e-6  # lots: a size that is whole but for its last bits is whole


@kernel
def allocate(belief: np.void, mandate: np.void, surface: np.void, params: np.void, quote: np.void) -> None:
    """Write the quotes wanted of one instrument, and what to take; ``pull`` is 1 when nothing may be quoted."""
    _begin(belief, mandate, surface, params, quote)
    unwind(belief, mandate, surface, params, quote)
    if quote["pull"] == 1:
        return
    for side in range(2):
        quote["level_count"][side] = ladder(side, belief, surface, params, quote)
    nu = budget_price(mandate, surface, params, quote)
    for side in range(2):
        _settle(side, nu, mandate, surface, params, quote)


@kernel
def budget_price(mandate: np.void, surface: np.void, params: np.void, quote: np.void) -> float:
    """
    nu, what a unit of expected adverse selection must earn so that the budget is kept; 0 if it is not used up.

    Expected adverse selection falls with nu in straight pieces: false positions meet the budget at once where the
    bracket is one piece, halving in between makes it one. The answer is from the side that keeps the budget.
    """
    budget = max(mandate["gamma_budget_usd_h"], 0.0)
    low, over = 0.0, _adverse_usd_h(0.0, mandate, surface, params, quote) - budget
    if over <= 0.0:
        return 0.0
    high, under = 0.0, -budget
    for side in range(2):
        for level in range(quote["level_count"][side]):
            high = max(high, quote["edge_bps"][side, level] / max(surface["adverse_bps"][side], 1e-9))
    for step in range(STEPS):
        if under >= -CLOSE * budget or high - low <= CLOSE * high:
            break
        middle = low + (high - low) * (over / (over - under) if step % 2 == 0 else 0.5)
        found = _adverse_usd_h(middle, mandate, surface, params, quote) - budget
        if found > 0.0:
            low, over = middle, found
        else:
            high, under = middle, found
    return high


@kernel
def room_price(side: int, nu: float, mandate: np.void, surface: np.void, params: np.void, quote: np.void) -> float:
    """
    nu of a side, what a clip of its room must earn each second so that the room suffices; 0 if it does anyway.

    Sizes fall in straight pieces between the prices at which a level leaves its largest size or vanishes: the two
    such prices around the answer, and a line between them, are exact.
    """
    room = mandate["room_lots"][side] / params["clip_lots"]
    below, wanted = 0.0, _clips(side, nu, 0.0, surface, params, quote)
    if wanted <= room:
        return 0.0
    above, left = math.inf, 0.0
    for level in range(quote["level_count"][side]):
        edge = quote["edge_bps"][side, level] - nu * surface["adverse_bps"][side]
        for turn in range(2):
            most = turn * 2.0 * _steepness(side, surface) * params["size_max_clips"]
            point = (edge - most) * max(quote["fill_rate"][side, level], 1e-300)
            if below < point < above:
                clips = _clips(side, nu, point, surface, params, quote)
                if clips > room:
                    below, wanted = point, clips
                else:
                    above, left = point, clips
    if not above < math.inf or not wanted > left:
        return below
    return min(below + (above - below) * (wanted - room) / (wanted - left), above)


@kernel
def size_clips(side: int, level: int, nu: float, nu_side: float, surface: np.void, params: np.void,
               quote: np.void) -> float:
    """Best size of a level at the prices ``nu`` of the budget and ``nu_side`` of the room [clips]."""
    rate = max(quote["fill_rate"][side, level], 1e-300)
    edge = quote["edge_bps"][side, level] - nu * surface["adverse_bps"][side] - nu_side / rate
    return min(max(edge / (2.0 * _steepness(side, surface)), 0.0), params["size_max_clips"])


@kernel
def _steepness(side: int, surface: np.void) -> float:
    """b, how fast edge falls with size: inventory and our own impact [bps for each clip]."""
    return max(surface["a_bps"] + surface["impact_bps"][side], 1e-9)


@kernel
def _clips(side: int, nu: float, nu_side: float, surface: np.void, params: np.void, quote: np.void) -> float:
    """Clips on a side at these prices."""
    total = 0.0
    for level in range(quote["level_count"][side]):
        total += size_clips(side, level, nu, nu_side, surface, params, quote)
    return total


@kernel
def _usd_h(params: np.void, quote: np.void) -> float:
    """Dollars an hour of one bp on one clip each second."""
    return quote["fair_px"] * params["clip_lots"] / params["lots_per_coin"] * BPS * 3600.0


@kernel
def _adverse_usd_h(nu: float, mandate: np.void, surface: np.void, params: np.void, quote: np.void) -> float:
    """Expected adverse selection of everything quoted at the budget's price ``nu`` [USD/h]."""
    total = 0.0
    for side in range(2):
        nu_side = room_price(side, nu, mandate, surface, params, quote)
        for level in range(quote["level_count"][side]):
            size = size_clips(side, level, nu, nu_side, surface, params, quote)
            total += quote["fill_rate"][side, level] * surface["adverse_bps"][side] * size
    return total * _usd_h(params, quote)


@kernel
def _settle(side: int, nu: float, mandate: np.void, surface: np.void, params: np.void, quote: np.void) -> None:
    """Turn candidates into orders in whole lots, without the ones that are too small or have no edge."""
    found, room = quote["level_count"][side], mandate["room_lots"][side]
    best = quote["edge_bps"][side, 0] if found > 0 else 0.0
    nu_side = room_price(side, nu, mandate, surface, params, quote)
    reducing = quote["position_lots"] < 0 if side == BID else quote["position_lots"] > 0
    kept, sized = 0, False
    for level in range(found):
        clips = size_clips(side, level, nu, nu_side, surface, params, quote)
        sized = sized or clips > 0.0
        lots = min(int(clips * params["clip_lots"] + ROUNDING), room)
        least = _least_lots(quote["px_ticks"][side, level], params)
        if lots >= least and _keep(side, level, kept, lots, surface, params, quote):
            room -= lots
            kept += 1
    if kept == 0 and found > 0 and reducing:  # the way back to zero stays open, whatever the budgets say
        lots = _least_lots(quote["px_ticks"][side, 0], params)
        kept = 1 if lots <= room and _keep(side, 0, 0, lots, surface, params, quote) else 0
    for level in range(kept, QUOTE_LEVELS):
        _clear(side, level, quote)
    quote["level_count"][side] = kept
    quote["side_reason"][side] = _reason(found, mandate["room_lots"][side], best, sized, kept)


@kernel
def _reason(found: int, room: int, best_edge: float, sized: bool, kept: int) -> int:
    """Why a side is empty, or that it is not."""
    if kept > 0:
        return SIDE_QUOTES
    if found == 0:
        return SIDE_TOO_DEEP
    if room <= 0:
        return SIDE_NO_ROOM
    return SIDE_TOO_SMALL if sized and best_edge > 0.0 else SIDE_NO_EDGE


@kernel
def _least_lots(px_ticks: int, params: np.void) -> int:
    """Fewest lots the venue takes at this price: ticks x lots is micro-dollars."""
    return max(-(-params["min_order_uusd"] // max(px_ticks, 1)), 1)


@kernel
def _keep(side: int, level: int, kept: int, lots: int, surface: np.void, params: np.void, quote: np.void) -> bool:
    """Move candidate ``level`` to place ``kept`` with its size, unless its edge at that size is gone."""
    size = lots / params["clip_lots"]
    edge = quote["edge_bps"][side, level] - _steepness(side, surface) * size
    if not edge > 0.0:
        return False
    rate = quote["fill_rate"][side, level]
    quote["px_ticks"][side, kept], quote["lots"][side, kept] = quote["px_ticks"][side, level], lots
    quote["edge_bps"][side, kept], quote["fill_rate"][side, kept] = edge, rate
    quote["value_usd_h"][side, kept] = rate * edge * size * _usd_h(params, quote)
    return True


@kernel
def _clear(side: int, level: int, quote: np.void) -> None:
    quote["px_ticks"][side, level], quote["lots"][side, level] = 0, 0
    quote["edge_bps"][side, level], quote["fill_rate"][side, level] = 0.0, 0.0
    quote["value_usd_h"][side, level] = 0.0


@kernel
def _begin(belief: np.void, mandate: np.void, surface: np.void, params: np.void, quote: np.void) -> None:
    """An empty set of quotes, with the numbers it is made from."""
    clips = mandate["inventory_clips"] * params["clip_lots"]
    quote["position_lots"] = math.floor(clips + 0.5) if abs(clips) < 1e15 else 0
    quote["fair_px"], quote["reservation_px"] = belief["fair_px"], surface["reservation_px"]
    quote["gamma"], quote["sigma_bps"], quote["a_bps"] = mandate["gamma"], belief["sigma_bps"], surface["a_bps"]
    quote["parameters_version"] = params["version"]
    usable = _usable(belief, mandate, surface, params)
    quote["pull"] = 0 if usable else 1
    for side in range(2):
        quote["kappa"][side], quote["intensity"][side] = surface["kappa"][side], surface["intensity"][side]
        quote["cost_bps"][side], quote["depth_bps"][side] = surface["cost_bps"][side], surface["depth_bps"][side]
        quote["room_lots"][side], quote["level_count"][side] = mandate["room_lots"][side], 0
        quote["impact_bps"][side] = surface["impact_bps"][side]
        quote["side_reason"][side] = SIDE_NO_BELIEF
        for level in range(QUOTE_LEVELS):
            _clear(side, level, quote)


@kernel
def _usable(belief: np.void, mandate: np.void, surface: np.void, params: np.void) -> bool:
    """True if the belief may be quoted on and every number that enters a price or a size is finite."""
    if belief["status"] != BELIEF_OK or not 0 < belief["touch_ticks"][BID] < belief["touch_ticks"][ASK]:
        return False
    if not (belief["fair_px"] > 0.0 and surface["a_bps"] > 0.0 and params["clip_lots"] > 0
            and params["lots_per_coin"] > 0):
        return False
    total = (belief["fair_px"] + surface["reservation_px"] + surface["a_bps"] + mandate["gamma"]
             + mandate["inventory_clips"] + mandate["gamma_budget_usd_h"])
    for side in range(2):
        total += (surface["depth_bps"][side] + surface["cost_bps"][side] + surface["adverse_bps"][side]
                  + surface["kappa"][side] + surface["intensity"][side] + surface["impact_bps"][side])
    return math.isfinite(total)
