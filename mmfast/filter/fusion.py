"""
Fusion: what several drift features say together, without counting twice what they share.

In      the observations of FEATURES that have not been used.
Out     one observation of the drift.
Source  precision weighting, with the variance inflated for correlated sources (mean correlation 0.3) and for
        sources that disagree by more than their variances allow (Birge 1932).
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.kalman import GATE
from mmfast.kernel import kernel
from mmfast.records.feature import OBS_DRIFT, OBSERVATIONS
from mmfast.units import NS_PER_S

CORRELATION = 0.3
AGE_MAX = 20.0  # memories after which a reading says nothing


@kernel
def speaks(features: np.void, source: int, kind: int) -> bool:
    """True if ``source`` speaks about ``kind``."""
    return (features["valid_mask"] >> source) & 1 == 1 and features["obs_kind"][source] == kind


@kernel
def is_news(state: np.void, features: np.void, source: int, kind: int) -> bool:
    """True if ``source`` speaks about ``kind`` and has not been listened to yet."""
    return speaks(features, source, kind) and features["obs_serial"][source] != state["used_serial"][source]


@kernel
def tick_off(state: np.void, features: np.void, source: int) -> None:
    """Remember that the observation of ``source`` has been used."""
    state["used_serial"][source] = features["obs_serial"][source]
    state["used_ns"][source] = features["obs_ns"][source]
    state["source_weight"][source] = 1.0


@kernel
def independence(state: np.void, features: np.void, source: int) -> float:
    """Share of an observation that is news: the time since the last one over its source's memory, at most 1."""
    memory_s = features["obs_tau_s"][source]
    if memory_s <= 0.0:
        return 1.0
    since_s = max(features["obs_ns"][source] - state["used_ns"][source], 0) / NS_PER_S
    return float(min(since_s / memory_s, 1.0))


@kernel
def worth(state: np.void, features: np.void, source: int, now_ns: int) -> float:
    """
    Variance of an observation for us now: larger if its source was heard within its memory, and with age.

    Readings every dt within the memory tau carry as much together as one every tau: r tau/dt.
    """
    tau_s, r = features["obs_tau_s"][source], features["obs_r"][source]
    if tau_s <= 0.0:
        return float(r)
    age_s = max(now_ns - features["obs_ns"][source], 0) / NS_PER_S
    if state["used_ns"][source] > 0:
        since_s = max((features["obs_ns"][source] - state["used_ns"][source]) / NS_PER_S, 1e-6)
        r *= max(tau_s / since_s, 1.0)
    return float(r * math.exp(min(age_s / tau_s, AGE_MAX)))


@kernel
def fuse_drift(state: np.void, features: np.void, now_ns: int) -> tuple[float, float, float, float]:
    """
    (z, r, misfit, score) of all unused drift observations, which are ticked off; r is inf if there is none.

    The misfit is their mean squared distance from the believed drift, each in its own variance: what a reading is
    worth to us shrinks when it is repeated, but how far it may lie does not. The score is the mean of (misfit - 1)
    times the drift's share of that variance, less for a repeated reading: a distance that is all noise of a reading
    says nothing about the drift.

    Notes
    -----
    z = sum(z_i/r_i) / sum(1/r_i);  r = (1 + (n-1) 0.3) / sum(1/r_i) x max(1, chi^2/(n-1)). Without the two
    factors this equals n updates in a row.
    """
    count, precision, weighted, squares, misfit, score = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for source in range(OBSERVATIONS):
        if is_news(state, features, source, OBS_DRIFT):
            z, r = features["obs_z"][source], worth(state, features, source, now_ns)
            share = independence(state, features, source)
            tick_off(state, features, source)
            if not (math.isfinite(z) and math.isfinite(r) and r > 0.0):
                state["reject_count"] += 1
                state["source_weight"][source] = 0.0
                continue
            state["source_weight"][source] = 1.0 / r
            count += 1
            precision += 1.0 / r
            weighted += z / r
            squares += z * z / r
            gap = z - state["mu_bps_s"]
            total = state["mu_var"] + features["obs_r"][source]
            misfit += gap * gap / total
            score += share * state["mu_var"] / total * (min(gap * gap / total, GATE) - 1.0)
    if count == 0 or precision <= 0.0:
        return 0.0, math.inf, 0.0, 0.0
    _share(state, features, precision)
    z = weighted / precision
    disagreement = (squares - weighted * z) / (count - 1) if count > 1 else 0.0
    r = (1.0 + (count - 1) * CORRELATION) / precision * max(disagreement, 1.0)
    return z, r, misfit / count, score / count


@kernel
def _share(state: np.void, features: np.void, precision: float) -> None:
    """Turn the precisions of the drift's sources into shares of their sum."""
    for source in range(OBSERVATIONS):
        if features["obs_kind"][source] == OBS_DRIFT:
            state["source_weight"][source] /= precision
