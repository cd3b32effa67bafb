"""Hawkes: recursion and likelihood against sums over all pairs, the forecast against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from support.parameters import default_parameters
from support.stages import START_NS, one

from mmfast.sensor import hawkes
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID

BASE, OWN, CROSS, DECAY = 0.5, 0.6, 0.1, 1.2


def simulate(random: np.random.Generator, end_s: float, start: tuple[float, float] = (0.0, 0.0)) -> tuple[
        np.ndarray, np.ndarray]:
    """Ogata thinning of the two-sided process with unit weights."""
    now, r = 0.0, list(start)
    times, sides = [], []
    while True:
        bound = 2.0 * BASE + (OWN + CROSS) * (r[0] + r[1])
        wait = random.exponential(1.0 / bound)
        now += wait
        if now > end_s:
            return np.array(times), np.array(sides, dtype=np.int64)
        r = [x * math.exp(-DECAY * wait) for x in r]
        rates = [BASE + OWN * r[0] + CROSS * r[1], BASE + OWN * r[1] + CROSS * r[0]]
        u = random.uniform(0.0, bound)
        if u < sum(rates):
            side = int(u >= rates[0])
            times.append(now)
            sides.append(side)
            r[side] += 1.0


def pairwise(times: np.ndarray, sides: np.ndarray, weights: np.ndarray, at_s: float, side: int) -> float:
    """Intensity of a side just before ``at_s`` by a sum over all events."""
    past = times < at_s
    pull = weights[past] * np.exp(-DECAY * (at_s - times[past]))
    same = sides[past] == side
    return float(BASE + OWN * pull[same].sum() + CROSS * pull[~same].sum())


def test_the_recursion_is_the_sum_over_all_events() -> None:
    random = np.random.default_rng(1)
    times = np.sort(np.round(random.uniform(0, 60, 200), 3))
    sides, weights = random.integers(0, 2, 200), random.uniform(0.2, 3.0, 200)
    sensor, params = one(SENSOR), default_parameters()
    for t, side, weight in zip(times, sides, weights):
        hawkes.fade(sensor, DECAY, START_NS + round(t * 1e9))
        hawkes.excite(sensor, side, weight)
    hawkes.fade(sensor, DECAY, START_NS + 61_000_000_000)
    for side in (BID, ASK):
        assert hawkes.rate(sensor, params, side) == pytest.approx(pairwise(times, sides, weights, 61.0, side))


def test_the_likelihood_is_that_of_the_definition() -> None:
    random = np.random.default_rng(2)
    times = np.sort(random.uniform(0, 30, 120))
    sides, weights = random.integers(0, 2, 120), random.uniform(0.2, 3.0, 120)
    logs = sum(math.log(pairwise(times, sides, weights, t, side)) for t, side in zip(times, sides))
    integral = 2 * BASE * 30 + (OWN + CROSS) / DECAY * (weights * (1 - np.exp(-DECAY * (30 - times)))).sum()
    assert hawkes.log_likelihood(times, sides, weights, 30.0, BASE, OWN, CROSS, DECAY) == pytest.approx(logs - integral)


def test_the_likelihood_finds_the_parameters_again() -> None:
    times, sides = simulate(np.random.default_rng(3), 4000.0)
    weights = np.ones(len(times))
    fit = minimize(lambda p: -hawkes.log_likelihood(times, sides, weights, 4000.0, *np.exp(p)),
                   np.log([0.3, 0.3, 0.3, 2.0]), method="Nelder-Mead", options={"maxiter": 600})
    assert np.exp(fit.x) == pytest.approx([BASE, OWN, CROSS, DECAY], rel=0.25)


def test_the_forecast_is_the_mean_of_simulations() -> None:
    random, start = np.random.default_rng(4), (4.0, 1.0)
    counts = [len(simulate(random, 5.0, start)[0]) for _ in range(1500)]
    now_rate = 2 * BASE + (OWN + CROSS) * sum(start)
    mean_rate = 2 * BASE / (1 - (OWN + CROSS) / DECAY)
    expected = hawkes.expected(now_rate, mean_rate, OWN + CROSS, DECAY, 5.0)
    assert expected == pytest.approx(np.mean(counts), abs=4 * np.std(counts) / math.sqrt(len(counts)))


def test_an_unstable_process_has_no_forecast() -> None:
    assert math.isnan(hawkes.expected(1.0, 1.0, 2.0, 1.0, 5.0))


@pytest.mark.parametrize(("relative", "weight"), [(0.0, 0.0), (1.0, 1.0), (4.0, 2.0), (1e9, 3.0), (-1.0, 0.0)])
def test_weights_are_roots_within_limits(relative: float, weight: float) -> None:
    assert hawkes.weight(relative) == weight


def test_balance_is_the_surplus_in_its_own_noise() -> None:
    assert hawkes.balance(3.0, 1.0) == 1.0
    assert hawkes.balance(1.0, 3.0) == -1.0
    assert math.isnan(hawkes.balance(0.0, 0.0))


def test_excitation_that_is_taken_back_never_turns_negative() -> None:
    sensor = one(SENSOR)
    hawkes.excite(sensor, BID, 1.0)
    hawkes.excite(sensor, BID, -5.0)
    assert sensor["excitation"][BID] == 0.0
