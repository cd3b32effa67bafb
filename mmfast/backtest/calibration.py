"""
Calibration: is a forecast as often right as it says.

In      forecasts and what came of them, in order of time.
Out     shares and means with the sampling error of dependent data.
Source  Dawid (1984) for the probability integral transform; Gneiting & Raftery (2007) for proper scores; means of
        blocks longer than the memory of the data for the error (Künsch 1989).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
LEVELS = (0.5, 0.9, 0.99)
NORMAL_95 = 1.959963984540054
BLOCKS_MIN = 4  # fewer say nothing about their own spread


class Mean(NamedTuple):
    """A mean and half of its 95 % confidence interval; NaN where it cannot be told."""

    value: float
    error: float

    def holds(self, low: float, high: float) -> bool:
        """True unless the whole confidence interval lies outside of [low, high]."""
        slack = self.error if math.isfinite(self.error) else 0.0
        return bool(low - slack <= self.value <= high + slack)


def mean_by_block(values: Array, blocks: Array) -> Mean:
    """
    Mean of ``values`` with the error that follows from how the means of ``blocks`` (labels, one a value) differ.

    Blocks count by the number of their values; values that are not finite are left out.
    """
    kept = np.isfinite(values)
    if not kept.any():
        return Mean(math.nan, math.nan)
    _, label = np.unique(blocks[kept], return_inverse=True)
    count, total = np.bincount(label), np.bincount(label, values[kept])
    mean = float(total.sum() / count.sum())
    if len(count) < BLOCKS_MIN:
        return Mean(mean, math.nan)
    residual = total - mean * count
    variance = float((residual**2).sum()) * len(count) / (len(count) - 1)
    return Mean(mean, NORMAL_95 * math.sqrt(variance) / float(count.sum()))


def normal_cdf(x: Array) -> Array:
    """P(Z < x) of a standard normal Z."""
    return 0.5 * np.vectorize(math.erfc, otypes=[float])(-np.asarray(x) / math.sqrt(2.0))


def mixture_rank(truth: Array, weight: Array, mean: Array, variance: Array) -> Array:
    """
    Rank of the truth in a mixture of normals, uniform on [0, 1] if the forecast is right.

    Parameters
    ----------
    truth : (n,)
    weight, mean, variance : (n, modes)
    """
    return np.asarray((weight * normal_cdf((truth[:, None] - mean) / np.sqrt(variance))).sum(axis=1))


def covered(rank: Array, level: float) -> Array:
    """1 where the central interval of that level holds the truth, else 0."""
    return (np.abs(rank - 0.5) < 0.5 * level).astype(float)


def log_score(probability: Array, happened: Array, least: float = 1e-4) -> Array:
    """ln of the probability [nats] that was given to the class that happened; ``probability`` is (n, classes)."""
    given = probability[np.arange(len(happened)), happened]
    return np.asarray(np.log(np.maximum(given, least)))


def onsets(active: Array) -> Array:
    """Indices at which ``active`` becomes true, the first value excepted."""
    return np.asarray(np.flatnonzero(active[1:] & ~active[:-1]) + 1)


def delays(alarm: Array, active: Array) -> Array:
    """
    Steps from each onset of ``active`` to the next alarm within it; infinite for an episode without one.

    An episode that begins under a standing alarm counts as found at once.
    """
    out = []
    for start in onsets(active):
        quiet_again = np.flatnonzero(~active[start:])
        end = start + int(quiet_again[0]) if len(quiet_again) else len(active)
        seen = np.flatnonzero(alarm[start:end])
        out.append(float(seen[0]) if len(seen) else math.inf)
    return np.array(out)


def false_alarms(alarm: Array, active: Array, after: int) -> int:
    """Alarms that begin while nothing is active, and nothing has been for ``after`` steps."""
    count = 0
    for start in onsets(alarm):
        count += not active[max(start - after, 0):start + 1].any()
    return count
