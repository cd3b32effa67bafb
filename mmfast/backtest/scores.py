"""
Scores: is a forecast better than a simple one, and is that more than luck.

In      forecasts of ours and of a baseline, and what came of them, in order of time.
Out     losses, and the mean gain over the baseline with a 95 % interval.
Source  Patton (2011) for QLIKE, Brier (1950), Good (1952) for the logarithmic score; Künsch (1989) for the bootstrap
        of blocks, since losses of neighbouring seconds come together.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
BLOCK_S, DRAWS, SEED = 60.0, 1000, 1
BLOCKS_MIN = 8
HORIZONS = 4  # a block is as long as this many forecasts reach, at least
P_MIN = 1e-4


class Gain(NamedTuple):
    """Mean losses of both, and how much ours is lower, with its 95 % interval; NaN where it cannot be told."""

    seconds: int
    ours: float
    baseline: float
    gain: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """In a word."""
        if math.isnan(self.low):
            return "too short"
        return "better" if self.low > 0.0 else ("worse" if self.high < 0.0 else "no difference")


def gain(at_s: Array, ours: Array, baseline: Array, horizon_s: float = 0.0) -> Gain:
    """
    How much lower the losses ``ours`` are than those of the baseline; those that are not finite are left out.

    ``horizon_s`` is how far the forecasts reach: those of neighbouring seconds share what came of them.
    """
    kept = np.isfinite(ours) & np.isfinite(baseline)
    if not kept.any():
        return Gain(0, *[math.nan] * 5)
    difference = (baseline - ours)[kept]
    low, high = interval(at_s[kept], difference, max(BLOCK_S, HORIZONS * horizon_s))
    return Gain(int(kept.sum()), float(ours[kept].mean()), float(baseline[kept].mean()), float(difference.mean()),
                low, high)


def interval(at_s: Array, values: Array, block_s: float = BLOCK_S) -> tuple[float, float]:
    """95 % interval of the mean of ``values`` at times ``at_s``, from draws of blocks; NaN from few of them."""
    _, label = np.unique(at_s // block_s, return_inverse=True)
    count, total = np.bincount(label), np.bincount(label, values)
    if len(count) < BLOCKS_MIN:
        return math.nan, math.nan
    drawn = np.random.default_rng(SEED).integers(0, len(count), (DRAWS, len(count)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def qlike(variance: Array, square: Array) -> Array:
    """ln h + r^2/h: least on average for the true variance, however noisy the square is."""
    usable = np.where(variance > 0.0, variance, np.nan)
    return np.asarray(np.log(usable) + square / usable)


def brier(probability: Array, happened: Array) -> Array:
    """Squared error of a probability."""
    return np.asarray((probability - happened) ** 2)


def log_loss(probability: Array, happened: Array) -> Array:
    """-ln of what was given to what happened [nats]."""
    p = np.clip(probability, P_MIN, 1.0 - P_MIN)
    return np.asarray(-np.log(np.where(happened > 0.5, p, 1.0 - p)))


def ewma(squares: Array, half_life: float, late: int) -> Array:
    """Mean of the past with that half-life [rows]; a square is known ``late`` rows after its own."""
    keep, mean, weight = 0.5 ** (1.0 / half_life), 0.0, 0.0
    out = np.full(len(squares), math.nan)
    for k in range(late, len(squares)):
        if math.isfinite(squares[k - late]):
            mean, weight = keep * mean + squares[k - late], keep * weight + 1.0
        out[k] = mean / weight if weight > 0.0 else math.nan
    return out


def base_rate(happened: Array, late: int) -> Array:
    """
    Share of what happened so far, as known ``late`` rows later; one half is told by one row before the first.

    What is not known (NaN) counts neither way.
    """
    known = np.concatenate([np.full(late, math.nan), happened])[:len(happened)]
    return np.asarray((np.cumsum(np.nan_to_num(known)) + 0.5) / (np.cumsum(np.isfinite(known)) + 1.0))
