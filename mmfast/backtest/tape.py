"""
The tape: what a trader heard, heard again by another one, or by the same one with something switched off.

In      the tape of a world: market records and fills, in the order in which they were heard.
Out     for every row the quotes that a trader makes of it.
Source  open loop: records and positions are those of the tape, so a difference of quotes is the switch alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmfast.backtest.publish import RECORD_BYTES
from mmfast.backtest.trader import hear, hear_fill
from mmfast.backtest.world import World, restart
from mmfast.hosts.estimator import BELIEF_BYTES, PARAMETERS_BYTES
from mmfast.hosts.quoter import QUOTE_BYTES
from mmfast.kernel import kernel
from mmfast.records.account import KIND_FILL
from mmfast.records.belief import BELIEF
from mmfast.records.header import bare
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import QUOTE
from mmfast.rings.atomics import as_record
from mmfast.units import BID

# What was wanted after a row: depth of the first level from the mid [bps], NaN without one; lots of all levels.
WANTED = bare(("row", "i8"), ("inst", "i8"), ("lots", "i8", (2,)), ("depth_bps", "f8", (2,)), size=64)


@kernel
def listen(runs: Any, tape: Any, wanted: Any) -> int:
    """Hear every row of ``tape``; ``wanted`` gets a row for each decision. Returns how many."""
    me, count = runs[0], 0
    base = tape.ctypes.data
    for row in range(len(tape)):
        at, inst = base + row * RECORD_BYTES, tape[row]["inst"]
        if tape[row]["kind"] == KIND_FILL:
            hear_fill(me, at)
        elif not hear(me, at):
            continue
        for each in range(me["instrument_count"]):
            if (inst < 0 or inst == each) and count < len(wanted):
                _note(me, row, each, wanted[count])
                count += 1
    return count


@kernel
def _note(me: Any, row: int, inst: int, note: Any) -> None:
    quote = as_record(me["quotes_at"] + inst * QUOTE_BYTES, QUOTE)
    mid_px = as_record(me["beliefs_at"] + inst * BELIEF_BYTES, BELIEF)["mid_px"]
    scale = 1.0 / as_record(me["parameters_at"] + inst * PARAMETERS_BYTES, PARAMETERS)["ticks_per_usd"]
    note["row"], note["inst"] = row, inst
    for side in range(2):
        note["lots"][side], note["depth_bps"][side] = 0, math.nan
        for level in range(quote["level_count"][side]):
            note["lots"][side] += quote["lots"][side, level]
        if quote["level_count"][side] > 0 and mid_px > 0.0:
            sign = 1.0 if side == BID else -1.0
            note["depth_bps"][side] = sign * 1e4 * (1.0 - quote["px_ticks"][side, 0] * scale / mid_px)


def replay(world: World, tape: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What the trader of ``world``, who starts knowing nothing, wants after each row of ``tape``: rows of WANTED."""
    restart(world)
    for name in ("belief_seq", "quote_seq"):
        world.run[name] = 0
    wanted = np.zeros(len(tape) * len(world["parameters"]), WANTED)
    return wanted[: listen(world.run, tape, wanted)]
