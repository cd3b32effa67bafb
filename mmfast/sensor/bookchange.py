"""
Change of the book's imbalance: the depth that is being put up or pulled.

In      imbalances of the five nearest levels.
Out     fast mean minus slow mean over the distance of their memories [1/s].
Source  a derivative that does not amplify the noise of single snapshots.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s, kept

FAST_S, SLOW_S = 0.5, 2.0


@kernel
def change(sensor: np.void, imbalance: float, now_ns: int) -> float:
    """Take an imbalance in; the change, or NaN at the first one and where there is none."""
    if not math.isfinite(imbalance):
        sensor["change_ns"] = 0
        return math.nan
    if sensor["change_ns"] == 0:
        sensor["change_fast"], sensor["change_slow"], sensor["change_ns"] = imbalance, imbalance, now_ns
        return math.nan
    span_s = elapsed_s(sensor["change_ns"], now_ns)
    sensor["change_fast"] = imbalance + (sensor["change_fast"] - imbalance) * kept(span_s, FAST_S)
    sensor["change_slow"] = imbalance + (sensor["change_slow"] - imbalance) * kept(span_s, SLOW_S)
    sensor["change_ns"] = max(now_ns, sensor["change_ns"])
    return float((sensor["change_fast"] - sensor["change_slow"]) / (SLOW_S - FAST_S))
