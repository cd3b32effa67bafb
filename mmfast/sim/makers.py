"""
The other makers: a ladder around a late, noisy idea of the value, redrawn level by level.

In      a GENERATOR and a BOOK, once for each step of the generator.
Out     background levels; no level is ever put onto a user's order or across the book.
Source  calibration in generator.py; post-only makers, so a price that would cross is not quoted.

Levels stand on every legal price near the touch and on ever coarser multiples of it further out:

   row        0 .. 23   24 .. 33   34 .. 43   44 .. 53   54 .. 63
   steps apart    1          4         16         64        256
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.generator import MAKER_STREAM
from mmfast.sim.levels import better
from mmfast.sim.mrg32k3a import normal, uniform
from mmfast.sim.queueing import drop_level, set_level
from mmfast.sim.value import ou_step, to_px
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.rounding import price_step, round_up

NEAR_ROWS, BAND_ROWS, ROWS = 24, 10, 64
NOISE_RATE, LIQUIDITY_RATE = 0.2, 1.0 / 60.0  # 1/s


@kernel
def row_steps(row: int) -> int:
    """Distance of a row of the ladder from the touch [price steps]."""
    steps = min(row, NEAR_ROWS - 1)
    unit = 4
    rest = row - NEAR_ROWS + 1
    while rest > 0:
        steps += unit * min(rest, BAND_ROWS)
        rest -= BAND_ROWS
        unit *= 4
    return steps


@kernel
def row_unit(row: int) -> int:
    """Spacing of the ladder at a row [price steps]."""
    unit = 1
    rest = row - NEAR_ROWS + 1
    while rest > 0:
        unit *= 4
        rest -= BAND_ROWS
    return unit


@kernel
def row_px(side: int, top_px: int, step: int, row: int) -> int:
    """Price of a row [ticks]: on a multiple of its spacing, at or beyond its distance from ``top_px``."""
    unit = step * row_unit(row)
    if side == BID:
        return (top_px - row_steps(row) * step) // unit * unit
    return -(-(top_px + row_steps(row) * step) // unit) * unit


@kernel
def draw_lots(state: Any, row: int, px: int) -> int:
    """Volume of a level [lots]: log-normal about the calibrated profile."""
    if row == 0:
        usd = state["touch_usd"] * math.exp(state["touch_sd"] * normal(state, MAKER_STREAM))
    else:
        usd = state["level_usd"] * (1.0 + state["level_growth"] * min(row_steps(row), 12)) * row_unit(row)
        usd *= math.exp(state["level_sd"] * normal(state, MAKER_STREAM))
    return max(1, int(min(usd, 50e6) * math.exp(state["liquidity"]) * 1e6 / px))


@kernel
def quote_level(state: Any, book: Any, side: int, top_px: int, step: int, row: int) -> None:
    """Redraw one level of the ladder."""
    px = row_px(side, top_px, step, row)
    if side == ASK:
        px = round_up(px, state["ticks_per_usd"])  # asks may reach the coarser grid beyond a power of ten
    if px > 0:
        lots = draw_lots(state, row, px)
        set_level(book, side, px, lots, 1 + min(50, lots * px // 40_000_000_000))


@kernel
def step_estimate(state: Any, dt_s: float) -> bool:
    """Makers learn the value late, and are pushed by flow. True if they move their quotes."""
    weight = 1.0 - math.exp(-dt_s / state["maker_lag_s"])
    state["impact_now_bps"] *= math.exp(-state["impact_decay"] * dt_s)
    target = state["value_bps"] + state["impact_now_bps"]
    state["maker_bps"] += weight * (target - state["maker_bps"])
    state["noise_bps"] = ou_step(state["noise_bps"], NOISE_RATE, state["maker_noise_bps"], dt_s,
                                 normal(state, MAKER_STREAM))
    state["liquidity"] = ou_step(state["liquidity"], LIQUIDITY_RATE, state["liquidity_sd"], dt_s,
                                 normal(state, MAKER_STREAM))
    estimate = state["maker_bps"] + state["noise_bps"]
    if abs(estimate - state["center_bps"]) <= state["maker_stick_bps"] and state["step_index"] > 0:
        return False
    state["center_bps"] = estimate
    return True


@kernel
def top_price(state: Any, book: Any, side: int, step: int) -> int:
    """Best price that makers would quote on a side: one side of the centre, and not onto a user's order."""
    center = to_px(state, state["center_bps"]) * state["ticks_per_usd"]
    half = center * state["half_spread_bps"] * 1e-4
    if side == BID:
        top = (math.ceil((center - half) / step) - 1) * step  # strictly below the centre
    else:
        top = math.ceil((center + half) / step) * step
    other = 1 - side
    if book["user_count"][other] > 0 and not better(other, top, book["user_px"][other, 0]):
        user_px = book["user_px"][other, 0]
        top = (user_px - 1) // step * step if side == BID else -(-(user_px + 1) // step) * step
    return top


@kernel
def step_makers(state: Any, book: Any, dt_s: float) -> None:
    """One step of the makers: move the ladder if they must, then redraw a few of its levels."""
    moves = step_estimate(state, dt_s)
    step = price_step(int(to_px(state, state["center_bps"]) * state["ticks_per_usd"]), state["ticks_per_usd"])
    for side in (BID, ASK):
        top = top_price(state, book, side, step)
        while book["level_count"][side] > 0 and better(side, book["px_ticks"][side, 0], top):
            drop_level(book, side, 0)
    for side in (BID, ASK):
        top = top_price(state, book, side, step)
        first = state["step_index"] == 0
        if moves:
            bare_rows = 0
            if book["level_count"][side] > 0:
                bare_rows = min(abs(top - book["px_ticks"][side, 0]) // step, NEAR_ROWS)
            for row in range(ROWS if first else bare_rows):
                quote_level(state, book, side, top, step, row)
        whole = int(state["churn"])
        draws = whole + (1 if uniform(state, MAKER_STREAM) < state["churn"] - whole else 0)
        for _ in range(draws):
            u = uniform(state, MAKER_STREAM)
            quote_level(state, book, side, top, step, int(ROWS * u * u))
