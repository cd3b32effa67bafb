"""The filter on a market whose truth is known: its errors are as large as it says, and it knows the mode."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.truth import Told, Truth, follow, share_within, simulate, true_parameters

from mmfast.filter.adapt import INSIDE
from mmfast.filter.state import CRISIS, MODES, QUIET

BLOCK = 600  # rows: a minute; errors of the volatility last, so neighbours are not independent
WARM = 100


@pytest.fixture(scope="module")
def run() -> tuple[Truth, Told]:
    params = true_parameters(mode_dwell_s=(180.0, 90.0, 40.0))
    truth = simulate(params, 12_000.0, np.random.default_rng(1))
    return truth, follow(truth, params, np.random.default_rng(11), with_evidence=True)


def test_squared_innovations_are_one_on_average(run: tuple[Truth, Told]) -> None:
    surprise = run[1].surprise[WARM:]
    blocks = surprise[: len(surprise) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(axis=1)
    assert abs(surprise.mean() - 1.0) < 1.96 * blocks.std(ddof=1) / math.sqrt(len(blocks))


# In a crisis that is not seen yet they are larger, and smaller in a quiet market that might be none:
# no filter that has to find the mode out has a mean of one in each.
@pytest.mark.parametrize("mode", range(MODES))
def test_innovations_are_within_their_95_percent_band_in_every_mode(run: tuple[Truth, Told], mode: int) -> None:
    truth, told = run
    inside = told.surprise[WARM:][truth.mode[WARM:] == mode] < INSIDE
    assert inside.mean() == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_intervals_of_value_and_drift_hold_the_truth_as_often_as_they_say(run: tuple[Truth, Told],
                                                                          level: float) -> None:
    _, told = run
    assert share_within(told.v_rank[WARM:], level) == pytest.approx(level, abs=0.03)
    assert share_within(told.mu_rank[WARM:], level) == pytest.approx(level, abs=0.03)


def test_a_believed_drift_is_neither_too_large_nor_too_small(run: tuple[Truth, Told]) -> None:
    truth, told = run
    assert np.polyfit(told.mu[WARM:], truth.mu[WARM:], 1)[0] == pytest.approx(1.0, abs=0.15)
    assert np.std(told.mu - truth.mu) < 0.9 * np.std(truth.mu)


def test_modes_are_told_better_than_by_their_usual_shares(run: tuple[Truth, Told]) -> None:
    truth, told = run
    score = np.log(told.p[np.arange(len(truth.mode)), truth.mode])[WARM:].mean()
    shares = np.bincount(truth.mode, minlength=MODES) / len(truth.mode)
    always_quiet = np.where(truth.mode == QUIET, math.log(1.0 - 2e-4), math.log(1e-4)).mean()
    assert score > (shares * np.log(shares)).sum() + 0.03
    assert score > always_quiet + 1.0


def test_a_crisis_is_seen_within_a_minute_and_rarely_without_one(run: tuple[Truth, Told]) -> None:
    truth, told = run
    entries = [k for k in range(1, len(truth.mode)) if truth.mode[k] == CRISIS != truth.mode[k - 1]]
    delays_s = []
    for start in entries:
        end = start + int(np.argmax(truth.mode[start:] != CRISIS)) if (truth.mode[start:] != CRISIS).any() else None
        seen = np.flatnonzero(told.p[start:end, CRISIS] > 0.5)
        delays_s += [0.1 * seen[0]] if len(seen) else []
    alarms = (told.p[1:, CRISIS] > 0.5) & (told.p[:-1, CRISIS] <= 0.5) & (truth.mode[1:] != CRISIS)
    assert len(delays_s) > 0.6 * len(entries)
    assert np.median(delays_s) < 30.0
    assert told.p[truth.mode != CRISIS, CRISIS].mean() < 0.06
    assert alarms.sum() < 80  # in 11 000 s, most of them within a minute of the end of a crisis
