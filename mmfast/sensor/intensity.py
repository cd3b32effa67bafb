"""
Intensity: how much busier takers are than usual.

In      taker orders.
Out     their rate over half a minute relative to half an hour.
Source  exponentially weighted counts; a handful of pseudo-counts keeps the ratio near one until it is known.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s, kept

MEMORY_S = (30.0, 1800.0)
PSEUDO_COUNT = 5.0


@kernel
def age(sensor: np.void, now_ns: int) -> None:
    """Let counts and the time they were taken over age to ``now_ns``."""
    span_s = elapsed_s(sensor["order_ns"], now_ns)
    for k in range(2):
        keep = kept(span_s, MEMORY_S[k])
        sensor["order_count"][k] *= keep
        sensor["order_weight_s"][k] = sensor["order_weight_s"][k] * keep + MEMORY_S[k] * (1.0 - keep)
    sensor["order_ns"] = max(now_ns, sensor["order_ns"])


@kernel
def arrive(sensor: np.void) -> None:
    """Count a taker order."""
    for k in range(2):
        sensor["order_count"][k] += 1.0


@kernel
def take_back(sensor: np.void, at_ns: int) -> None:
    """Take back what is left of an order that was counted at ``at_ns``."""
    for k in range(2):
        left = kept(elapsed_s(at_ns, sensor["order_ns"]), MEMORY_S[k])
        sensor["order_count"][k] = max(sensor["order_count"][k] - left, 0.0)


@kernel
def activity(sensor: np.void) -> float:
    """Recent rate of taker orders over the usual one; NaN before the first order."""
    if not sensor["order_count"][1] > 0.0:
        return math.nan
    usual = sensor["order_count"][1] / max(sensor["order_weight_s"][1], 1e-3)
    expected = usual * sensor["order_weight_s"][0]
    return float((sensor["order_count"][0] + PSEUDO_COUNT) / (expected + PSEUDO_COUNT))
