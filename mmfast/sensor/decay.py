"""
Exponential forgetting in event time.

In      two times [ns] and a memory [s].
Out     seconds between them, and the share of the past that is kept.
"""

from __future__ import annotations

import math

from mmfast.kernel import kernel
from mmfast.units import NS_PER_S

SPAN_S_MAX = 1e6


@kernel
def elapsed_s(since_ns: int, now_ns: int) -> float:
    """Seconds from ``since_ns`` to ``now_ns``: 0 if the clock went back or ``since_ns`` is 0 (never), at most 1e6."""
    if since_ns <= 0 or now_ns <= since_ns:
        return 0.0
    return min((now_ns - since_ns) / NS_PER_S, SPAN_S_MAX)


@kernel
def kept(span_s: float, memory_s: float) -> float:
    """Share of the past kept after ``span_s``: e^(-span/memory), in (0, 1]."""
    return math.exp(-min(span_s / memory_s, 700.0))
