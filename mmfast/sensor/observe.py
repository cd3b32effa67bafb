"""
Observations: how a feature becomes a statement (z, r) about the hidden state.

In      a standardised feature and its source.
Out     a row of FEATURES with a new serial.
Source  inverse regression: x = (rho / s) mu + e with Var e = 1 - rho^2 gives mu = x s / rho with variance
        s^2 (1 - rho^2) / rho^2; a feature without correlation says nothing, with infinite variance.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import OBS_DRIFT

DRIFT_SD = 0.05  # s_ref, the drift's usual size [bps/s]

# By source: correlation with the drift, and the time after which a reading is independent [s].
# The microprice and the volatility are not drift features. Estimates to start from, until calibrated.
RHO = (math.nan, 0.20, 0.25, 0.20, 0.20, math.nan)
TAU_S = (0.0, 2.0, 2.0, 5.0, 2.0, 0.0)


@kernel
def say(sensor: np.void, features: np.void, source: int, kind: int, z: float, r: float, tau_s: float,
        now_ns: int) -> None:
    """Write an observation; one that is not finite or has no variance removes the source instead."""
    if not (math.isfinite(z) and math.isfinite(r) and r > 0.0):
        features["valid_mask"] &= ~(1 << source)
        return
    sensor["serial"] += 1
    features["valid_mask"] |= 1 << source
    features["obs_kind"][source] = kind
    features["obs_z"][source] = z
    features["obs_r"][source] = r
    features["obs_tau_s"][source] = tau_s
    features["obs_ns"][source] = now_ns
    features["obs_serial"][source] = sensor["serial"]


@kernel
def drift_reading(x: float, rho: float) -> tuple[float, float]:
    """(z, r) of a standardised feature with correlation ``rho``; r is infinite at rho = 0."""
    if rho == 0.0:
        return 0.0, math.inf
    return x * DRIFT_SD / rho, DRIFT_SD * DRIFT_SD * (1.0 - rho * rho) / (rho * rho)


@kernel
def say_drift(sensor: np.void, features: np.void, source: int, x: float, now_ns: int) -> None:
    """Write what a standardised feature says about the drift."""
    z, r = drift_reading(x, RHO[source])
    say(sensor, features, source, OBS_DRIFT, z, r, TAU_S[source], now_ns)
