"""
The leader: another venue whose price is ahead of the one that makers here follow.

In      a GENERATOR; the time.
Out     the same value, earlier, with noise of its own: its touch, its prints.
Source  the value is exogenous and has random numbers of its own, so a copy of the generator that runs ahead of time
        shows what the value will be; the lead is therefore known exactly, and the estimate of it can be checked.
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.generator import MAKER_STREAM, STEP_MS, STEP_S, TAKER_STREAM
from mmfast.sim.mrg32k3a import normal, uniform
from mmfast.sim.value import ou_step, step_value, to_px
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.rounding import price_step

LEAD_MS = 100
NOISE_BPS, NOISE_RATE = 0.05, 1.0  # of its price about the value; 1/s
FINER = 10  # its price steps in one of ours
TOUCH_USD, TOUCH_SD = 1e6, 1.0
TAKER_RATE = 5.0  # 1/s
TAKER_USD, TAKER_SD = 2e3, 1.5
LEVELS = 20


def new_leader(states: Any) -> Any:
    """A copy of an array of GENERATOR as it is now, at the beginning or later."""
    leader = states.copy()
    leader["step_index"] += leader["makers_done"]  # the value of that step has come already
    return leader


@kernel
def advance_leader(state: Any, now_ms: int, lead_ms: int) -> int:
    """Bring the value to what it will be in ``lead_ms``; the number of steps that were due."""
    done = 0
    while state["start_ms"] + (state["step_index"] + 1) * STEP_MS <= now_ms + lead_ms:
        step_value(state, STEP_S)
        state["noise_bps"] = ou_step(state["noise_bps"], NOISE_RATE, NOISE_BPS, STEP_S, normal(state, MAKER_STREAM))
        state["step_index"] += 1
        done += 1
    return done


@kernel
def leader_step(state: Any, px: float) -> int:
    """Its price step [our ticks]."""
    return max(price_step(int(px), state["ticks_per_usd"]) // FINER, 1)


@kernel
def leader_touch(state: Any) -> tuple[int, int, int, int]:
    """Its touch: price [ticks] and size [lots] of bid and of ask, one price step apart."""
    px = to_px(state, state["value_bps"] + state["noise_bps"]) * state["ticks_per_usd"]
    step = leader_step(state, px)
    bid = int(px / step) * step
    return bid, _touch_lots(state, px), bid + step, _touch_lots(state, px)


@kernel
def _touch_lots(state: Any, px: float) -> int:
    usd = TOUCH_USD * math.exp(TOUCH_SD * normal(state, MAKER_STREAM) - 0.5 * TOUCH_SD * TOUCH_SD)
    return max(int(usd * 1e6 / px), 1)


@kernel
def leader_takers(state: Any, steps: int, out: Any) -> int:
    """Takers of ``steps`` steps: rows (side, lots) of ``out``; how many."""
    px = to_px(state, state["value_bps"]) * state["ticks_per_usd"]
    count = 0
    for _ in range(steps):
        while count < len(out) and uniform(state, TAKER_STREAM) < TAKER_RATE * STEP_S / (1.0 + TAKER_RATE * STEP_S):
            out[count, 0] = BID if uniform(state, TAKER_STREAM) < 0.5 else ASK
            usd = TAKER_USD * math.exp(TAKER_SD * normal(state, TAKER_STREAM))
            out[count, 1] = max(int(usd * 1e6 / px), 1)
            count += 1
    return count
