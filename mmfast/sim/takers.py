"""
The takers: noise that arrives in clusters, the informed who know the value, and sweeps that run through the
book.

In      a GENERATOR and a BOOK, once for each step of the generator.
Out     trades in the BOOK, the makers' reaction to them, one row of truth for each taker.
Source  Hawkes (1971) for the arrivals, drawn by Ogata's thinning (1981); Glosten & Milgrom (1985) for the
        informed; Bouchaud et al. (2018, "Trades, Quotes and Prices", ch. 12-13) for transient impact with
        the root of volume.
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.book import BACKGROUND
from mmfast.sim.generator import (
    INFORMED,
    NOISE,
    SWEEP,
    T_KIND,
    T_LOTS,
    T_SIDE,
    T_TAKER,
    T_TIME,
    T_VALUE_UUSD,
    TAKER_STREAM,
    TRUTH_ROWS,
)
from mmfast.sim.levels import better
from mmfast.sim.matching import best_px, take
from mmfast.sim.mrg32k3a import exponential, normal, uniform
from mmfast.sim.queueing import set_level
from mmfast.sim.value import to_px
from mmfast.units import ASK, BID

NOISE_LIMIT_BPS = 50.0  # a market order gives up this far from the touch


@kernel
def sign_of(side: int) -> float:
    """+1 for a buyer, -1 for a seller."""
    return 1.0 if side == BID else -1.0


@kernel
def execute(state: Any, book: Any, side: int, kind: int, limit_px: int, lots: int, time_ms: int) -> int:
    """Send one background taker; remember its truth. The lots it traded."""
    taker = state["taker_next"]
    state["taker_next"] = taker - 1
    traded = lots - take(book, side, limit_px, lots, BACKGROUND, BACKGROUND, time_ms, taker)
    if traded == 0:
        return 0
    row = state["truth_count"] % TRUTH_ROWS
    state["truth"][row, T_TAKER] = taker
    state["truth"][row, T_SIDE] = side
    state["truth"][row, T_KIND] = kind
    state["truth"][row, T_LOTS] = traded
    state["truth"][row, T_TIME] = time_ms
    state["truth"][row, T_VALUE_UUSD] = int(to_px(state, state["value_bps"]) * 1e6)
    state["truth_count"] += 1
    state["taker_count"] += 1
    state["informed_count"] += 1 if kind == INFORMED else 0
    return traded


@kernel
def push_makers(state: Any, side: int, px: int, lots: int) -> None:
    """Makers shade their estimate after a trade, by the root of its volume; the push fades."""
    state["impact_now_bps"] += sign_of(side) * state["impact_bps"] * math.sqrt(px * lots / 1e11)


@kernel
def edge_bps(state: Any, book: Any, side: int) -> float:
    """
    What an informed taker of ``side`` gains at the touch beyond what it insists on [bps]; negative: nothing.
    """
    px = best_px(book, 1 - side)
    if px == 0:
        return -1.0
    log_touch = math.log(px / state["ticks_per_usd"] / state["start_px"]) * 1e4
    return sign_of(side) * (state["value_bps"] - log_touch) - state["informed_edge_bps"]


@kernel
def take_informed(state: Any, book: Any, side: int, time_ms: int) -> int:
    """An informed taker buys what is worth more than it costs, up to its size; the lots."""
    limit_bps = state["value_bps"] - sign_of(side) * state["informed_edge_bps"]
    limit = int(to_px(state, limit_bps) * state["ticks_per_usd"])
    usd = state["informed_usd"] * math.exp(normal(state, TAKER_STREAM))
    return execute(state, book, side, INFORMED, limit, max(1, int(usd * 1e6 / limit)), time_ms)


@kernel
def take_noise(state: Any, book: Any, side: int, time_ms: int) -> int:
    """A taker who must trade takes what is there; the lots."""
    touch = best_px(book, 1 - side)
    usd = math.exp(state["size_log_usd"] + state["size_sd"] * normal(state, TAKER_STREAM))
    if touch == 0:
        return 0
    limit = int(touch * (1.0 + sign_of(side) * NOISE_LIMIT_BPS * 1e-4))
    lots = int(max(10.0, min(usd, state["size_max_usd"])) * 1e6 / touch) + 1
    return execute(state, book, side, NOISE, limit, lots, time_ms)


@kernel
def take_sweep(state: Any, book: Any, side: int, time_ms: int) -> int:
    """Makers flee, and a taker runs through what is left, out to an exponential distance; the lots."""
    other = 1 - side
    touch = best_px(book, other)
    reach_bps = state["sweep_bps"] * exponential(state, TAKER_STREAM)
    usd = state["sweep_usd"] * math.exp(normal(state, TAKER_STREAM))
    if touch == 0:
        return 0
    limit = int(touch * (1.0 + sign_of(side) * reach_bps * 1e-4))
    lots = int(usd * 1e6 / touch) + 1
    for row in range(book["level_count"][other]):
        px = book["px_ticks"][other, row]
        if better(other, limit, px):
            break
        left = max(1, int(book["lots"][other, row] * state["sweep_thin"]))
        set_level(book, other, px, left, 1)
        lots += left
    state["impact_now_bps"] += sign_of(side) * state["impact_reach"] * reach_bps
    return execute(state, book, side, SWEEP, limit, lots, time_ms)


@kernel
def take_arrival(state: Any, book: Any, side: int, time_ms: int) -> None:
    """
    One arrival of the Hawkes process: informed if it knows of a bargain, else noise on the arrival's side.
    """
    knows = uniform(state, TAKER_STREAM) < state["informed_share"]
    for way in (BID, ASK):
        if knows and edge_bps(state, book, way) > 0.0:
            take_informed(state, book, way, time_ms)
            return
    touch = best_px(book, 1 - side)
    push_makers(state, side, touch, take_noise(state, book, side, time_ms))


@kernel
def step_arrivals(state: Any, book: Any, time_ms: int, dt_s: float) -> None:
    """
    All arrivals of a step, exactly: intensities only fall between arrivals, so today's sum bounds the next
    one.
    """
    left_s = dt_s
    base = state["taker_rate"]
    while True:
        bound = state["intensity"][BID] + state["intensity"][ASK]
        wait_s = exponential(state, TAKER_STREAM) / bound
        elapsed = min(wait_s, left_s)
        decay = math.exp(-state["taker_decay"] * elapsed)
        for side in (BID, ASK):
            state["intensity"][side] = base + (state["intensity"][side] - base) * decay
        left_s -= elapsed
        if wait_s > elapsed or left_s <= 0.0:
            return
        mark = uniform(state, TAKER_STREAM) * bound
        if mark < state["intensity"][BID] + state["intensity"][ASK]:
            side = BID if mark < state["intensity"][BID] else ASK
            state["intensity"][side] += state["taker_self"]
            state["intensity"][1 - side] += state["taker_cross"]
            take_arrival(state, book, side, time_ms)


@kernel
def step_takers(state: Any, book: Any, time_ms: int, dt_s: float) -> None:
    """One step of all takers: arrivals, snipers of stale quotes, sweeps."""
    step_arrivals(state, book, time_ms, dt_s)
    for side in (BID, ASK):
        edge = edge_bps(state, book, side)
        if uniform(state, TAKER_STREAM) < 1.0 - math.exp(-max(edge, 0.0) * state["sniper_rate"] * dt_s):
            take_informed(state, book, side, time_ms)
        sweeps = state["sweep_rate_h"] / 3600.0 * state["mode_sigma"][state["regime"]]
        if uniform(state, TAKER_STREAM) < 1.0 - math.exp(-sweeps * dt_s):
            take_sweep(state, book, side, time_ms)
