"""
Basis: how far the perpetual is from the oracle.

In      the mid, the oracle price and how old it is.
Out     bps, positive when the perpetual is dearer.
Source  the basis pulls back to its usual level: its score has a negative correlation with the drift.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s

AGE_S_MAX = 10.0
KNOWN_S = 300.0  # of basis, before the oracle speaks about the value
ORACLE_VARIANCE = 25.0  # bps^2
BASIS_MAX = 500.0


@kernel
def basis_bps(sensor: np.void, now_ns: int) -> float:
    """1e4 ln(mid / oracle); NaN without a touch, without an oracle of the last ten seconds, and beyond 500 bps."""
    oracle = sensor["oracle_px"]
    if sensor["touch_ok"] == 0 or not oracle > 0.0 or elapsed_s(sensor["oracle_ns"], now_ns) > AGE_S_MAX:
        return math.nan
    basis = sensor["log_mid_bps"] - 1e4 * math.log(oracle)
    return float(basis if abs(basis) <= BASIS_MAX else math.nan)
