"""
Sweep: takers who go through several price levels at once.

In      taker orders: levels and size.
Out     a score for each taker side.
Source  (levels - 1) x root of the relative size, fading with a memory of one second, gone after three.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.units import ASK, BID

MEMORY_S = 1.0
WINDOW_S = 3.0
SCORE_MAX = 1e3


@kernel
def worth(levels: int, relative_size: float) -> float:
    """Score of one order: 0 at one level."""
    return max(levels - 1, 0) * math.sqrt(max(relative_size, 0.0))


@kernel
def fade(sensor: np.void, now_ns: int) -> None:
    """Let the scores age to ``now_ns``."""
    keep = kept(elapsed_s(sensor["sweep_ns"], now_ns), MEMORY_S)
    if elapsed_s(sensor["swept_ns"], now_ns) > WINDOW_S:
        keep = 0.0
    sensor["sweep"][BID] *= keep
    sensor["sweep"][ASK] *= keep
    sensor["sweep_ns"] = max(now_ns, sensor["sweep_ns"])


@kernel
def add(sensor: np.void, side: int, amount: float) -> None:
    """Add to the score of a taker side at the time it has aged to; a negative amount takes back."""
    if amount > 0.0:
        sensor["swept_ns"] = sensor["sweep_ns"]
    sensor["sweep"][side] = min(max(sensor["sweep"][side] + amount, 0.0), SCORE_MAX)
