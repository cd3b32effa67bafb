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

RHO_MIN = 1e-6  # less is none


@kernel
def say(sensor: np.void, features: np.void, params: np.void, source: int, kind: int, z: float, r: float,
        now_ns: int) -> None:
    """
    Write an observation; one of a source that is off, not finite or without a variance removes the source.

    One from a record that came late is as old as that.
    """
    if (params["source_mask"] >> source) & 1 == 0 or not (math.isfinite(z) and math.isfinite(r) and r > 0.0):
        features["valid_mask"] &= ~(1 << source)
        return
    sensor["serial"] += 1
    features["valid_mask"] |= 1 << source
    features["obs_kind"][source] = kind
    features["obs_z"][source] = z
    features["obs_r"][source] = r
    features["obs_tau_s"][source] = params["tau_s"][source]
    features["obs_ns"][source] = now_ns - sensor["late_ns"]
    features["obs_serial"][source] = sensor["serial"]


@kernel
def drift_reading(x: float, rho: float, drift_sd: float) -> tuple[float, float]:
    """(z, r) of a standardised feature with correlation ``rho``; r is infinite at rho = 0."""
    if abs(rho) < RHO_MIN:
        return 0.0, math.inf
    return x * drift_sd / rho, drift_sd * drift_sd * (1.0 - rho * rho) / (rho * rho)


@kernel
def say_drift(sensor: np.void, features: np.void, params: np.void, source: int, x: float, now_ns: int) -> None:
    """Write what a standardised feature says about the drift."""
    z, r = drift_reading(x, params["rho"][source], params["drift_ref_sd"])
    say(sensor, features, params, source, OBS_DRIFT, z, r, now_ns)
