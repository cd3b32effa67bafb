"""Claims about scores: true forecasts lose least, intervals hold, what is not known yet is not used."""

import math

import numpy as np
import pytest

from mmfast.backtest import scores


def test_the_true_variance_and_the_true_probability_lose_least():
    random, n = np.random.default_rng(1), 40_000
    variance = np.exp(random.normal(size=n))
    square = variance * random.normal(size=n) ** 2
    best = scores.qlike(variance, square).mean()
    assert all(scores.qlike(k * variance, square).mean() > best + 0.1 for k in (0.5, 2.0))
    p = random.uniform(0.05, 0.6, size=n)
    happened = (random.random(n) < p).astype(float)
    for loss in (scores.brier, scores.log_loss):
        others = (0.6 * p, np.full(n, p.mean()))
        assert loss(p, happened).mean() < min(loss(other, happened).mean() for other in others)


def test_a_gain_is_an_interval_that_holds_zero_when_there_is_none():
    random, hits = np.random.default_rng(2), 0
    at_s = np.arange(1800.0)
    for _ in range(100):
        slow = np.repeat(random.normal(size=90), 20)  # losses of twenty seconds come together
        gain = scores.gain(at_s, slow, np.zeros(1800))
        hits += gain.low < 0.0 < gain.high
    assert 85 <= hits <= 100  # 95 and three of its deviations; few blocks make it a little short
    assert scores.gain(at_s, np.zeros(1800), random.normal(0.3, 1.0, 1800)).verdict == "better"
    assert scores.gain(at_s, random.normal(0.3, 1.0, 1800), np.zeros(1800)).verdict == "worse"


def test_what_is_short_or_unknown_is_said_to_be():
    assert scores.gain(np.arange(100.0), np.zeros(100), np.ones(100)).verdict == "too short"
    assert scores.gain(np.arange(3.0), np.full(3, np.nan), np.ones(3)).seconds == 0
    assert math.isnan(scores.qlike(np.array([0.0]), np.array([1.0]))[0])


def test_baselines_use_only_what_is_known():
    squares = np.array([1.0, 4.0, np.nan, 9.0, 100.0, 100.0])
    told = scores.ewma(squares, 1e9, late=2)
    assert np.isnan(told[:2]).all()
    assert told[2:].tolist() == pytest.approx([1.0, 2.5, 2.5, 14.0 / 3.0], rel=1e-6)
    happened = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    rates = scores.base_rate(happened, late=2)
    assert rates[:2].tolist() == [0.5, 0.5]
    later = happened.copy()
    later[4:] = 0.0
    assert scores.base_rate(later, late=2)[:6].tolist() == rates.tolist()
    assert scores.base_rate(np.array([1.0, np.nan, np.nan, 0.0]), late=0).tolist() == [0.75, 0.75, 0.75, 0.5]


def test_blocks_are_longer_than_forecasts_reach():
    at_s, values = np.arange(960.0), np.random.default_rng(3).normal(size=960)
    assert math.isfinite(scores.gain(at_s, values, np.zeros(960), 30.0).low)
    assert math.isnan(scores.gain(at_s, values, np.zeros(960), 60.0).low)  # four blocks
