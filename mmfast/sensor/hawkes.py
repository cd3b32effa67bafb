"""
Hawkes: buyers bring buyers, and some sellers.

In      taker orders, weighted by the root of their size.
Out     the intensities of buyers and sellers [1/s], their balance, the number to expect.
Source  Hawkes (1971); Ozaki (1979) for the recursion that makes state and likelihood one pass over the events.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s
from mmfast.units import ASK, BID

WEIGHT_MAX = 3.0
EXCITATION_MAX = 1e4
SPAN_MAX = 700.0


@kernel
def weight(relative_size: float) -> float:
    """Weight of an order by its size over the usual one: its root, at most 3."""
    return math.sqrt(min(max(relative_size, 0.0), WEIGHT_MAX * WEIGHT_MAX))


@kernel
def fade(sensor: np.void, decay: float, now_ns: int) -> None:
    """Let the excitation of both sides age to ``now_ns``."""
    keep = math.exp(-min(max(decay, 0.0) * elapsed_s(sensor["excitation_ns"], now_ns), SPAN_MAX))
    sensor["excitation"][BID] *= keep
    sensor["excitation"][ASK] *= keep
    sensor["excitation_ns"] = max(now_ns, sensor["excitation_ns"])


@kernel
def excite(sensor: np.void, side: int, amount: float) -> None:
    """Add to the excitation of a side; a negative amount takes back what was added."""
    sensor["excitation"][side] = min(max(sensor["excitation"][side] + amount, 0.0), EXCITATION_MAX)


@kernel
def rate(sensor: np.void, params: np.void, side: int) -> float:
    """Intensity of takers of ``side`` [1/s]."""
    own, other = sensor["excitation"][side], sensor["excitation"][1 - side]
    return float(params["hawkes_rate"] + params["hawkes_self"] * own + params["hawkes_cross"] * other)


@kernel
def balance(buyers: float, sellers: float) -> float:
    """(buyers - sellers) over the root of their sum: the surplus in its own noise."""
    total = buyers + sellers
    if not total > 0.0:
        return math.nan
    return (buyers - sellers) / math.sqrt(total)


@kernel
def expected(now_rate: float, mean_rate: float, branching_s: float, decay: float, span_s: float) -> float:
    """Orders to expect in ``span_s`` when the intensity is ``now_rate``; ``branching_s`` is alpha plus cross [1/s]."""
    back = decay - branching_s
    if not back > 0.0:
        return math.nan
    return mean_rate * span_s + (now_rate - mean_rate) * (1.0 - math.exp(-min(back * span_s, SPAN_MAX))) / back


@kernel
def log_likelihood(times_s: np.ndarray, sides: np.ndarray, weights: np.ndarray, end_s: float, base: float,
                   own: float, cross: float, decay: float) -> float:
    """
    Log-likelihood of events in [0, ``end_s``] with sides 0 and 1, in one pass.

    ``times_s`` ascend; ``weights`` are what each event adds to the excitation of its side. -inf where an
    intensity is not positive.
    """
    total, last = -2.0 * base * end_s, 0.0
    first, second = 0.0, 0.0
    for k in range(len(times_s)):
        keep = math.exp(-decay * (times_s[k] - last))
        first, second, last = first * keep, second * keep, times_s[k]
        intensity = base + (own * first + cross * second if sides[k] == 0 else own * second + cross * first)
        if not intensity > 0.0:
            return -math.inf
        total += math.log(intensity)
        total -= weights[k] * (own + cross) / decay * (1.0 - math.exp(-decay * (end_s - times_s[k])))
        if sides[k] == 0:
            first += weights[k]
        else:
            second += weights[k]
    return total
