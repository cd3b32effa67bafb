"""
Horizons: the imbalance of taker volume over one, five, thirty and a hundred and twenty seconds.

In      prints.
Out     (bought - sold) / (bought + sold) at each horizon.
Source  exponentially decaying volumes, one pair for each horizon.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import HORIZON_S
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.sensor.state import HORIZONS
from mmfast.units import ASK, BID

LOTS_MIN = 1e-9


@kernel
def fade(sensor: np.void, now_ns: int) -> None:
    """Let the volumes of all horizons age to ``now_ns``."""
    span_s = elapsed_s(sensor["horizon_ns"], now_ns)
    if span_s > 0.0:
        for h in range(HORIZONS):
            keep = kept(span_s, HORIZON_S[h])
            sensor["horizon_lots"][h, BID] *= keep
            sensor["horizon_lots"][h, ASK] *= keep
    sensor["horizon_ns"] = max(now_ns, sensor["horizon_ns"])


@kernel
def add(sensor: np.void, side: int, lots: float, age_s: float) -> None:
    """Add ``lots`` that were taken ``age_s`` ago to a side; negative lots take back."""
    for h in range(HORIZONS):
        left = sensor["horizon_lots"][h, side] + lots * kept(age_s, HORIZON_S[h])
        sensor["horizon_lots"][h, side] = max(left, 0.0)


@kernel
def imbalance_at(sensor: np.void, horizon: int) -> float:
    """Imbalance at a horizon in [-1, 1], buy-positive; 0 without flow."""
    bought, sold = sensor["horizon_lots"][horizon, BID], sensor["horizon_lots"][horizon, ASK]
    if not bought + sold > LOTS_MIN:
        return 0.0
    return float((bought - sold) / (bought + sold))
