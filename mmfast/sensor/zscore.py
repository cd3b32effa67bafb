"""
Standard scores: a feature in units of its own recent mean and spread.

In      a feature's value and the time.
Out     (x - mean) / sd by the moments of the past, winsorised; the moments, updated after.
Source  time-weighted exponential moments (West 1979 for the update), half-life ten minutes.

A prior with the weight of a minute stands in for the past at the first event; it is forgotten like data.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.sensor.state import SCORES

MEMORY_S = 600.0 / math.log(2.0)
PRIOR_S = 60.0
STEP_S_MAX = 10.0  # a value is not known to have held for longer than this
LIMIT = 5.0
SD_MIN = 1e-6


@kernel
def forget(sensor: np.void) -> None:
    """Start all scores with a zero mean, a unit variance and the weight of the prior."""
    for source in range(SCORES):
        sensor["score_weight_s"][source] = PRIOR_S
        sensor["score_mean"][source] = 0.0
        sensor["score_var"][source] = 1.0
        sensor["score_ns"][source] = 0


@kernel
def score(sensor: np.void, source: int, x: float, now_ns: int) -> float:
    """Score of ``x`` within [-5, 5] by what was known before it; NaN for an ``x`` that is not finite."""
    if not math.isfinite(x):
        return math.nan
    mean, variance = sensor["score_mean"][source], sensor["score_var"][source]
    step_s = min(elapsed_s(sensor["score_ns"][source], now_ns), STEP_S_MAX)
    weight_s = sensor["score_weight_s"][source] * kept(step_s, MEMORY_S) + step_s
    share = step_s / weight_s
    surprise = min(max(x - mean, -1e6), 1e6)
    sensor["score_mean"][source] = mean + share * surprise
    sensor["score_var"][source] = (1.0 - share) * (variance + share * surprise * surprise)
    sensor["score_weight_s"][source] = weight_s
    sensor["score_ns"][source] = max(now_ns, sensor["score_ns"][source])
    return min(max(surprise / max(math.sqrt(variance), SD_MIN), -LIMIT), LIMIT)
