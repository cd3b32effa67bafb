"""Claims about calibration: errors that hold for dependent data, ranks that are uniform, alarms counted once."""

import math

import numpy as np
import pytest

from mmfast.backtest import calibration
from mmfast.backtest.calibration import Mean


def ar1(random, n, keep):
    """A stationary AR(1) of unit variance."""
    out, noise = np.zeros(n), random.normal(size=n) * math.sqrt(1.0 - keep * keep)
    for k in range(1, n):
        out[k] = keep * out[k - 1] + noise[k]
    return out


def test_the_error_of_a_mean_by_blocks_holds_for_dependent_data():
    random, hits = np.random.default_rng(1), 0
    for _ in range(200):
        mean = calibration.mean_by_block(ar1(random, 4000, 0.95), np.arange(4000) // 200)
        hits += abs(mean.value) < mean.error
    assert 0.88 <= hits / 200 <= 0.98  # 95 % and three of its deviations; taken as independent it would be 24 %


def test_few_blocks_have_no_error_and_nothing_has_no_mean():
    assert math.isnan(calibration.mean_by_block(np.ones(9), np.arange(9) // 3).error)
    assert math.isnan(calibration.mean_by_block(np.full(9, np.nan), np.arange(9)).value)
    assert calibration.mean_by_block(np.array([1.0, np.nan, 3.0]), np.arange(3)).value == 2.0


def test_a_band_is_left_only_if_the_whole_error_is_outside():
    assert Mean(0.95, 0.02).holds(0.96, 1.0)
    assert not Mean(0.93, 0.02).holds(0.96, 1.0)
    assert not Mean(0.93, math.nan).holds(0.96, 1.0)
    assert not Mean(math.nan, math.nan).holds(0.0, 1.0)


def test_ranks_in_the_right_mixture_are_uniform_and_in_a_narrow_one_are_not():
    random, n = np.random.default_rng(2), 20_000
    weight, mean, variance = (np.tile(x, (n, 1)) for x in ([0.8, 0.2], [0.0, 1.0], [0.04, 4.0]))
    which = (random.random(n) < 0.2).astype(int)
    truth = mean[0, which] + random.normal(size=n) * np.sqrt(variance[0, which])
    rank = calibration.mixture_rank(truth, weight, mean, variance)
    narrow = calibration.mixture_rank(truth, weight, mean, 0.25 * variance)
    for level in calibration.LEVELS:
        assert calibration.covered(rank, level).mean() == pytest.approx(level, abs=0.012)
        assert calibration.covered(narrow, level).mean() < level - 0.05


def test_a_score_is_the_logarithm_of_what_was_given_to_the_truth():
    given = np.array([[0.5, 0.5], [1.0, 0.0]])
    assert calibration.log_score(given, np.array([0, 1])).tolist() == [math.log(0.5), math.log(1e-4)]


def test_delays_and_false_alarms_are_counted_by_episode():
    active = np.array([0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0], bool)
    alarm = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1], bool)
    assert calibration.delays(alarm, active).tolist() == [1.0, math.inf]
    assert calibration.false_alarms(alarm, active, after=2) == 1  # the one at 10 is an echo
    assert calibration.onsets(active).tolist() == [2, 7]
