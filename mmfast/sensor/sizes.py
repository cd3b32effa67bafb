"""
Sizes: how large taker orders usually are, and which side's have grown.

In      sizes of taker orders [lots].
Out     running median and median deviation of log sizes; the shift of recent buyers against sellers.
Source  Robbins & Monro (1951) for quantiles by small steps; the median of the last twenty orders of a side.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.state import RECENT
from mmfast.units import ASK, BID

GAIN = 4.0  # of the first steps, over the number of orders
GAIN_MIN = 0.02
DEVIATION_START = 1.0
DEVIATION_MIN, DEVIATION_MAX = 0.1, 5.0
RECENT_MIN = 10
SCORE_MAX = 5.0


@kernel
def restart(sensor: np.void) -> None:
    """No size is known."""
    sensor["size_count"], sensor["size_median"], sensor["size_deviation"] = 0, 0.0, DEVIATION_START
    for side in range(2):
        sensor["recent_count"][side] = 0


@kernel
def learn(sensor: np.void, log_size: float) -> None:
    """Take the size of an order that is complete into the usual size."""
    sensor["size_count"] += 1
    if sensor["size_count"] == 1:
        sensor["size_median"] = log_size
        return
    gain = max(GAIN / (sensor["size_count"] + GAIN), GAIN_MIN)
    surprise = log_size - sensor["size_median"]
    step = gain * sensor["size_deviation"]
    sensor["size_median"] += step if surprise > 0.0 else (-step if surprise < 0.0 else 0.0)
    further = gain if abs(surprise) > sensor["size_deviation"] else -gain
    deviation = sensor["size_deviation"] * math.exp(further)
    sensor["size_deviation"] = min(max(deviation, DEVIATION_MIN), DEVIATION_MAX)


@kernel
def note(sensor: np.void, side: int, log_size: float, opened: bool) -> None:
    """Write the size of the running order into its side's recent ones; a further print of it replaces the entry."""
    if opened or sensor["recent_count"][side] == 0:
        sensor["recent_count"][side] += 1
    sensor["recent_size"][side, (sensor["recent_count"][side] - 1) % RECENT] = log_size


@kernel
def relative(sensor: np.void, lots: float) -> float:
    """Size over the usual one; 1 while none is known."""
    if sensor["size_count"] == 0 or not lots > 0.0:
        return 1.0
    return math.exp(min(max(math.log(lots) - sensor["size_median"], -10.0), 10.0))


@kernel
def score(sensor: np.void, log_size: float) -> float:
    """Log size in usual deviations from the usual one, within [-5, 5]; 0 while none is known."""
    if sensor["size_count"] == 0:
        return 0.0
    return float(min(max((log_size - sensor["size_median"]) / sensor["size_deviation"], -SCORE_MAX), SCORE_MAX))


@kernel
def are_known(sensor: np.void) -> bool:
    """True once there are ten recent orders of each side."""
    return bool(sensor["recent_count"][BID] >= RECENT_MIN and sensor["recent_count"][ASK] >= RECENT_MIN)


@kernel
def shift(sensor: np.void) -> float:
    """Median of recent buyers minus that of recent sellers, in usual deviations; NaN with fewer than ten of a side."""
    if not are_known(sensor):
        return math.nan
    return score(sensor, _median(sensor, BID)) - score(sensor, _median(sensor, ASK))


@kernel
def _median(sensor: np.void, side: int) -> float:
    """Median of the recent log sizes of a side."""
    count = min(sensor["recent_count"][side], RECENT)
    ranked = sensor["sorted_size"]
    for k in range(count):
        x, at = sensor["recent_size"][side, k], k
        while at > 0 and ranked[at - 1] > x:
            ranked[at] = ranked[at - 1]
            at -= 1
        ranked[at] = x
    return float(0.5 * (ranked[(count - 1) // 2] + ranked[count // 2]))
