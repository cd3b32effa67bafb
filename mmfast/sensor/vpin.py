"""
VPIN: how one-sided equal pieces of volume have been.

In      prints with their taker side.
Out     the mean absolute imbalance of the last fifty buckets of volume, and its rank in its own past.
Source  Easley, López de Prado & O'Hara (2012); the taker is known, so nothing is classified in bulk.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.sensor.state import BUCKETS, RANKS
from mmfast.units import ASK, BID

MEMORY_S = 3600.0
KNOWN_S = 300.0  # of volume, before a bucket has a size
FORGET = 0.999  # of the histogram, for each bucket
CLOSES_MAX = 2 * BUCKETS  # by one print


@kernel
def restart(sensor: np.void) -> None:
    """No volume is known."""
    sensor["volume_lots"], sensor["volume_weight_s"], sensor["volume_ns"] = 0.0, 0.0, 0
    sensor["bucket_goal"], sensor["bucket_count"] = 0.0, 0
    sensor["bucket_lots"][BID], sensor["bucket_lots"][ASK] = 0.0, 0.0
    sensor["vpin"], sensor["vpin_rank"] = math.nan, 0.5
    for k in range(RANKS):
        sensor["rank_weight"][k] = 0.0


@kernel
def fade(sensor: np.void, now_ns: int) -> None:
    """Let the hourly volume, and the time it was counted over, age to ``now_ns``."""
    span_s = elapsed_s(sensor["volume_ns"], now_ns)
    keep = kept(span_s, MEMORY_S)
    sensor["volume_lots"] *= keep
    sensor["volume_weight_s"] = sensor["volume_weight_s"] * keep + MEMORY_S * (1.0 - keep)
    sensor["volume_ns"] = max(now_ns, sensor["volume_ns"])


@kernel
def usual_bucket(sensor: np.void) -> float:
    """A fiftieth of the hourly volume [lots]; 0 while less than five minutes of it are known."""
    if sensor["volume_weight_s"] < KNOWN_S:
        return 0.0
    return float(sensor["volume_lots"] / sensor["volume_weight_s"] * MEMORY_S / BUCKETS)


@kernel
def pour(sensor: np.void, side: int, lots: float, now_ns: int) -> None:
    """Pour a print into the buckets; one that is full is closed and its remainder begins the next."""
    fade(sensor, now_ns)
    sensor["volume_lots"] += lots
    left = lots
    for _ in range(CLOSES_MAX):
        if not sensor["bucket_goal"] > 0.0:
            sensor["bucket_goal"] = usual_bucket(sensor)
            if not sensor["bucket_goal"] > 0.0:
                return
        room = sensor["bucket_goal"] - sensor["bucket_lots"][BID] - sensor["bucket_lots"][ASK]
        if left < room:
            break
        sensor["bucket_lots"][side] += max(room, 0.0)
        left -= max(room, 0.0)
        _close(sensor)
    sensor["bucket_lots"][side] += left


@kernel
def take_back(sensor: np.void, side: int, lots: float) -> None:
    """Take a print out of the open bucket, as far as it is still there."""
    sensor["volume_lots"] = max(sensor["volume_lots"] - lots, 0.0)
    sensor["bucket_lots"][side] = max(sensor["bucket_lots"][side] - lots, 0.0)


@kernel
def _close(sensor: np.void) -> None:
    """Close the bucket, and measure VPIN once there are fifty."""
    bought, sold = sensor["bucket_lots"][BID], sensor["bucket_lots"][ASK]
    slot = sensor["bucket_count"] % BUCKETS
    sensor["bucket_gap"][slot], sensor["bucket_volume"][slot] = abs(bought - sold), bought + sold
    sensor["bucket_count"] += 1
    sensor["bucket_lots"][BID], sensor["bucket_lots"][ASK] = 0.0, 0.0
    sensor["bucket_goal"] = usual_bucket(sensor)
    if sensor["bucket_count"] >= BUCKETS:
        gaps, volume = 0.0, 0.0
        for k in range(BUCKETS):
            gaps += sensor["bucket_gap"][k]
            volume += sensor["bucket_volume"][k]
        if volume > 0.0:
            sensor["vpin"] = gaps / volume
            _rank(sensor)


@kernel
def _rank(sensor: np.void) -> None:
    """Share of the past below the present VPIN, by a histogram that forgets."""
    at = min(int(sensor["vpin"] * RANKS), RANKS - 1)
    below, total = 0.0, 0.0
    for k in range(RANKS):
        sensor["rank_weight"][k] *= FORGET
        if k == at:
            sensor["rank_weight"][k] += 1.0
        below += sensor["rank_weight"][k] * (1.0 if k < at else (0.5 if k == at else 0.0))
        total += sensor["rank_weight"][k]
    sensor["vpin_rank"] = below / total
