"""
A market whose truth is known: the model itself, simulated; what the filter sees of it, and what it believed.

In      seconds, a seed.
Out     arrays, one row for each tenth of a second.
Source  the model of the filter: modes that last exponential times, an Ornstein-Uhlenbeck drift, a lognormal
        volatility that is its mode's times a factor that returns to one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from support.parameters import default_parameters
from support.stages import START_NS, one

from mmfast.filter.believe import begin, believe
from mmfast.filter.state import FILTER
from mmfast.records.belief import BELIEF
from mmfast.records.feature import (
    FEATURES,
    OBS_DRIFT,
    OBS_LOG_SIGMA,
    OBS_VALUE,
    SOURCE_BIPOWER,
    SOURCE_MICROPRICE,
    SOURCE_OFI,
)

STEP_S = 0.1
VALUE_R, DRIFT_R, LEVEL_R = 0.0425, 0.15, 0.072
LOG_ACTIVITY, ACTIVITY_SD, ACTIVITY_S = (0.0, 0.5, 1.1), 0.7, 10.0


class Truth(NamedTuple):
    """What was so: mode, value [bps], drift [bps/s], ln sigma, activity."""

    mode: np.ndarray
    v: np.ndarray
    mu: np.ndarray
    level: np.ndarray
    activity: np.ndarray


class Told(NamedTuple):
    """What the filter believed, and its squared innovation of the value."""

    v: np.ndarray
    v_sd: np.ndarray
    mu: np.ndarray
    mu_sd: np.ndarray
    p: np.ndarray
    surprise: np.ndarray
    v_rank: np.ndarray  # probability that the mixture gave to a value below the true one
    mu_rank: np.ndarray


def simulate(params: Any, seconds: float, random: np.random.Generator, start: int = 0) -> Truth:
    """The model for ``seconds`` from mode ``start``."""
    n = round(seconds / STEP_S)
    usual = math.log(params["sigma_ref_bps"] * params["mode_sigma"][start])
    mode, v, mu, level, noise = start, 0.0, 0.0, usual, 0.0
    rows = np.empty((n, 5))
    keep, keep_level, keep_noise = (math.exp(-rate * STEP_S) for rate in (
        params["theta"], params["log_sigma_rate"], 1.0 / ACTIVITY_S))
    draws, uniform = random.normal(size=(n, 4)), random.random((n, 2))
    for k in range(n):
        before = usual
        if uniform[k, 0] < STEP_S / params["mode_dwell_s"][mode]:
            mode = int(np.searchsorted(np.cumsum(params["mode_split"][mode]), uniform[k, 1]))
        usual = math.log(params["sigma_ref_bps"] * params["mode_sigma"][mode])
        level += usual - before
        v += mu * STEP_S + math.exp(level) * math.sqrt(STEP_S) * draws[k, 0]
        mu = keep * mu + params["drift_sd"][mode] * math.sqrt(1.0 - keep**2) * draws[k, 1]
        level = usual + keep_level * (level - usual) + params["log_sigma_sd"] * math.sqrt(
            1.0 - keep_level**2) * draws[k, 2]
        noise = keep_noise * noise + math.sqrt(1.0 - keep_noise**2) * draws[k, 3]
        rows[k] = mode, v, mu, level, math.exp(LOG_ACTIVITY[mode] + ACTIVITY_SD * noise)
    return Truth(rows[:, 0].astype(int), *rows[:, 1:].T)


def follow(truth: Truth, params: Any, random: np.random.Generator, with_evidence: bool = False) -> Told:
    """Let the filter see the value ten times a second, the drift twice, the volatility every ten seconds."""
    state, features, belief = one(FILTER), one(FEATURES), one(BELIEF)
    begin(state, params)
    n = len(truth.v)
    draws, out = random.normal(size=(n, 3)), np.empty((n, 10))
    features["touch_ok"], features["base_px"], features["rv_30"], features["rv_300"] = 1, 1e5, math.nan, math.nan
    features["activity"] = features["liquidation_ratio"] = math.nan
    for source, kind, r in ((SOURCE_MICROPRICE, OBS_VALUE, VALUE_R), (SOURCE_OFI, OBS_DRIFT, DRIFT_R),
                            (SOURCE_BIPOWER, OBS_LOG_SIGMA, LEVEL_R)):
        features["obs_kind"][source], features["obs_r"][source] = kind, r
    before = 1.0
    for k in range(n):
        now_ns = START_NS + round(k * STEP_S * 1e9)
        told = [(SOURCE_MICROPRICE, truth.v[k] + math.sqrt(VALUE_R) * draws[k, 0])]
        if k % 5 == 0:
            told.append((SOURCE_OFI, truth.mu[k] + math.sqrt(DRIFT_R) * draws[k, 1]))
        if k % 100 == 99:
            told.append((SOURCE_BIPOWER, truth.level[k] + math.sqrt(LEVEL_R) * draws[k, 2]))
        features["valid_mask"] = sum(1 << source for source, _ in told)
        for source, z in told:
            features["obs_z"][source], features["obs_ns"][source] = z, now_ns
            features["obs_serial"][source] += 1
        if with_evidence:
            features["activity"] = truth.activity[k]
        before = float(state["nis_value"])
        believe(state, features, belief, params, now_ns)
        moved_bps = 1e4 * math.log(belief["anchor_px"] / 1e5)
        at_bps = belief["v_bps"] + moved_bps
        out[k] = (at_bps, math.sqrt(belief["v_var"]), belief["mu_bps_s"], math.sqrt(belief["mu_var"]),
                  *belief["mode_p"], before + 200.0 * (state["nis_value"] - before),
                  rank(state, "v_bps", "v_var", truth.v[k] - moved_bps), rank(state, "mu_bps_s", "mu_var", truth.mu[k]))
    return Told(out[:, 0], out[:, 1], out[:, 2], out[:, 3], out[:, 4:7], out[:, 7], out[:, 8], out[:, 9])


def rank(state: Any, mean: str, variance: str, x: float) -> float:
    """Distribution function of the mixture at ``x``."""
    return sum(p * 0.5 * math.erfc(-(x - float(mode[mean])) / math.sqrt(2.0 * float(mode[variance])))
               for p, mode in zip(state["mode_p"].tolist(), state["modes"]))


def share_within(rank_of_truth: np.ndarray, level: float) -> float:
    """How often the truth was in the central interval of probability ``level``."""
    return float((np.abs(2.0 * rank_of_truth - 1.0) < level).mean())


def true_parameters(**changes: object) -> Any:
    """Parameters of the simulated market: a drift that fades in seconds, no jumps, nothing learned."""
    return default_parameters(**{"theta": 0.2, "jump_rate": (0.0, 0.0, 0.0), "adapt_rate": 0.0, **changes})
