"""Fusion: n observations are one, and none is used twice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, one

from mmfast.filter.fusion import CORRELATION, fuse_drift
from mmfast.filter.kalman import update_drift
from mmfast.filter.state import FILTER
from mmfast.records.feature import FEATURES, OBS_DRIFT, OBS_VALUE


def saying(*readings: tuple[float, float, float], at_ns: int = START_NS, serial: int = 1) -> np.void:
    """Features with one drift observation (z, r, tau) from each of the first sources."""
    features = one(FEATURES)
    for source, (z, r, tau_s) in enumerate(readings):
        features["valid_mask"] |= 1 << source
        features["obs_kind"][source], features["obs_ns"][source] = OBS_DRIFT, at_ns
        features["obs_z"][source], features["obs_r"][source], features["obs_tau_s"][source] = z, r, tau_s
        features["obs_serial"][source] = serial
    return features


def test_composite_of_the_worked_example() -> None:
    readings = [(0.125, 0.24, 0.0), (0.100, 0.495, 0.0), (0.160, 0.15, 0.0), (0.0, 0.6517, 0.0), (0.1333, 1.086, 0.0),
                (0.100, 4.344, 0.0), (-0.600, 7182.0, 0.0)]
    z, r, *_ = fuse_drift(one(FILTER), saying(*readings), START_NS)
    assert z == pytest.approx(0.1245, abs=1e-4)
    assert r == pytest.approx(0.1802, abs=1e-4)


def test_without_correlation_and_in_agreement_it_equals_updates_in_a_row() -> None:
    readings = [(0.05, 0.2, 0.0), (0.06, 0.4, 0.0), (0.04, 0.1, 0.0)]
    z, r, *_ = fuse_drift(one(FILTER), saying(*readings), START_NS)
    together, in_a_row = one(FILTER, v_var=1.0, mu_var=0.01), one(FILTER, v_var=1.0, mu_var=0.01)
    update_drift(together, z, r / (1.0 + 2 * CORRELATION))
    for reading in readings:
        update_drift(in_a_row, reading[0], reading[1])
    assert together["mu_bps_s"] == pytest.approx(in_a_row["mu_bps_s"])
    assert together["mu_var"] == pytest.approx(in_a_row["mu_var"])


def test_sources_that_disagree_are_trusted_less() -> None:
    _, agree, *_ = fuse_drift(one(FILTER), saying((0.1, 0.01, 0.0), (0.1, 0.01, 0.0)), START_NS)
    _, differ, *_ = fuse_drift(one(FILTER), saying((0.9, 0.01, 0.0), (-0.9, 0.01, 0.0)), START_NS)
    assert differ == pytest.approx(agree * 162.0)


def test_an_observation_is_used_once() -> None:
    state, features = one(FILTER), saying((0.1, 0.2, 2.0))
    assert math.isfinite(fuse_drift(state, features, START_NS)[1])
    assert fuse_drift(state, features, START_NS) == (0.0, math.inf, 0.0, 0.0)


def test_reading_twenty_times_in_its_memory_tells_as_much_as_once() -> None:
    state, precision = one(FILTER), 0.0
    for k in range(1, 401):
        at_ns = START_NS + k * 100_000_000
        _, r, *_ = fuse_drift(state, saying((0.1, 0.2, 2.0), at_ns=at_ns, serial=k), at_ns)
        precision += 1.0 / r
    assert precision == pytest.approx(40.0 / 2.0 / 0.2, rel=0.06)  # 40 s, one reading each 2 s


def test_an_old_reading_says_less() -> None:
    _, fresh, *_ = fuse_drift(one(FILTER), saying((0.1, 0.2, 2.0)), START_NS)
    _, old, *_ = fuse_drift(one(FILTER), saying((0.1, 0.2, 2.0)), START_NS + 4_000_000_000)
    assert old == pytest.approx(fresh * math.exp(2.0))


def test_only_drift_is_fused_and_what_is_not_finite_is_counted() -> None:
    state, features = one(FILTER), saying((0.1, 0.2, 2.0), (math.nan, 0.2, 2.0), (0.1, -1.0, 2.0))
    features["obs_kind"][0] = OBS_VALUE
    assert fuse_drift(state, features, START_NS) == (0.0, math.inf, 0.0, 0.0)
    assert state["reject_count"] == 2


def test_misfit_is_one_for_readings_that_are_as_far_off_as_they_say() -> None:
    random, misfits = np.random.default_rng(3), []
    for k in range(3000):
        mu = random.normal(0.0, 0.1)
        readings = [(mu + random.normal(0.0, r**0.5), r, 2.0) for r in (0.2, 0.05)]
        misfits.append(fuse_drift(one(FILTER, mu_var=0.01), saying(*readings, serial=k + 1), START_NS)[2])
    assert np.mean(misfits) == pytest.approx(1.0, abs=0.06)


def test_only_what_readings_say_about_the_size_of_the_drift_scores() -> None:
    random, noisy, sure = np.random.default_rng(4), [], []
    for k in range(4000):
        readings = [(z, 0.1, 0.0) for z in random.normal(scale=0.5, size=4)]  # 2.5 times the variance they claim
        noisy.append(fuse_drift(one(FILTER, mu_var=1e-4), saying(*readings, serial=k + 1), START_NS)[3])
        readings = [(z, 1e-4, 0.0) for z in random.normal(scale=0.2, size=4)]
        sure.append(fuse_drift(one(FILTER, mu_var=0.01), saying(*readings, serial=k + 1), START_NS)[3])
    assert abs(np.mean(noisy)) < 0.005
    assert np.mean(sure) > 1.0
