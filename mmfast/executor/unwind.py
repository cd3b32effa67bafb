"""
Unwind: when to pay for the way out instead of waiting to be filled.

In      position, SURFACE, the touch, the cost of taking.
Out     lots to take now and their limit price, or why not.
Source  quasi-variational inequality of a market maker who may also take (Guilbaud & Pham 2013):
        theta(q) = max(passive, theta(q - m) - m c), with theta = -a q^2 - b q.

Taking one clip is worth a (2|q| - 1) - sgn(q) (x + 2aq), x + 2aq being what shifts the reservation price besides
inventory: a drift against us brings the exit forward. It must exceed the cost by a hysteresis, and then goes on to
where it equals the cost.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.quote import TAKE_NO_BELIEF, TAKE_NOT_WORTH, TAKE_TOO_SMALL, TAKE_WANTED
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.rounding import round_down, round_up

IMPACT_BPS = 0.3  # of taking up to a quarter of the touch
HYSTERESIS_BPS = 0.3
TOUCH_SHARE = 0.25
COOLDOWN_NS = 1_000_000_000
LOTS_MAX = 10**15


@kernel
def taking_cost_bps(taker_fee_bps: float, half_spread_bps: float) -> float:
    """Fee, half the spread and impact."""
    return taker_fee_bps + max(half_spread_bps, 0.0) + IMPACT_BPS


@kernel
def worth_bps(clips: float, a_bps: float, lean_bps: float) -> float:
    """What getting rid of the next clip is worth; ``lean_bps`` is the shift without inventory, sgn(q) x its value."""
    return a_bps * (2.0 * abs(clips) - 1.0) - lean_bps


@kernel
def target_clips(a_bps: float, lean_bps: float, cost_bps: float) -> float:
    """Inventory at which the next clip is worth its cost, >= 0."""
    return max(0.5 * ((cost_bps + lean_bps) / a_bps + 1.0), 0.0)


@kernel
def unwind(belief: np.void, mandate: np.void, surface: np.void, params: np.void, quote: np.void) -> None:
    """Write ``take_*`` of the quotes; a quote that pulls takes nothing."""
    quote["take_lots"], quote["take_px_ticks"], quote["take_side"] = 0, 0, 0
    quote["take_reason"] = TAKE_NO_BELIEF
    clips, a = mandate["inventory_clips"], surface["a_bps"]
    if quote["pull"] != 0 or not (math.isfinite(clips) and a > 0.0 and params["clip_lots"] > 0):
        return
    side = ASK if clips > 0.0 else BID
    sign = 1.0 if clips > 0.0 else -1.0
    lean = sign * (surface["shift_bps"] - surface["shift_inventory_bps"])
    cost = taking_cost_bps(params["taker_fee_bps"], belief["half_spread_bps"])
    quote["take_reason"] = TAKE_NOT_WORTH
    if clips == 0.0 or not worth_bps(clips, a, lean) > cost + HYSTERESIS_BPS:
        return
    wanted = (abs(clips) - target_clips(a, lean, cost)) * params["clip_lots"]
    lots = int(min(max(wanted, 0.0), TOUCH_SHARE * belief["touch_lots"][1 - side], float(LOTS_MAX)))
    px = _limit_px(side, belief, params)
    quote["take_reason"] = TAKE_TOO_SMALL
    if lots <= 0 or px <= 0 or lots < -(-params["min_order_uusd"] // px):
        return
    quote["take_side"], quote["take_lots"], quote["take_px_ticks"] = side, lots, px
    quote["take_reason"] = TAKE_WANTED


@kernel
def may_take(last_take_ns: int, now_ns: int) -> bool:
    """Whether a second has passed since the last one: its fill must be in the position first."""
    return last_take_ns <= 0 or now_ns - last_take_ns >= COOLDOWN_NS


@kernel
def _limit_px(side: int, belief: np.void, params: np.void) -> int:
    """Worst price to pay: the touch and what the impact allows, on the grid [ticks]."""
    touch = belief["touch_ticks"][1 - side]
    reach = int(touch * IMPACT_BPS * 1e-4)
    if side == ASK:
        return min(round_up(touch - reach, params["ticks_per_usd"]), touch)
    return max(round_down(touch + reach, params["ticks_per_usd"]), touch)
