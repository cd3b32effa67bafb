"""Volatility: readings of ln sigma that are unbiased on Brownian motion and have the variance they claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, Desk, one

from mmfast.sensor.sense import begin
from mmfast.sensor.state import SENSOR
from mmfast.sensor.volatility import (
    LOG_VARIANCE,
    WINDOW,
    advance,
    bipower,
    is_jump,
    log_sigma_reading,
    remember,
    tail_factor,
    term_ratio,
    variance_ratio,
)
from mmfast.units import NS_PER_S


def fed(returns: np.ndarray) -> np.void:
    """A sensor whose memory holds these one-second returns."""
    sensor = one(SENSOR)
    begin(sensor, Desk().params)
    for r in returns:
        sensor["return_bps"][sensor["return_count"] % 300] = r
        sensor["return_count"] += 1
    return sensor


def test_readings_of_brownian_motion_are_unbiased_with_the_claimed_variance() -> None:
    random, sigma = np.random.default_rng(11), 0.89
    readings = []
    for _ in range(3000):
        z, r = log_sigma_reading(bipower(fed(random.normal(0.0, sigma, WINDOW))))
        readings.append(z - math.log(sigma))
        assert r == LOG_VARIANCE
    assert np.mean(readings) == pytest.approx(0.0, abs=0.03)
    assert np.var(readings) == pytest.approx(LOG_VARIANCE, rel=0.2)


def test_bipower_is_the_mean_variance_and_a_jump_hardly_enters() -> None:
    random = np.random.default_rng(4)
    draws = random.normal(0.0, 1.0, (4000, WINDOW))
    assert np.mean([bipower(fed(d)) for d in draws]) == pytest.approx(1.0, abs=0.03)
    jumped = draws.copy()
    jumped[:, 5] += 100.0
    assert np.median([bipower(fed(d)) for d in jumped]) < 40.0  # squares would say 1000


def test_grid_takes_the_last_price_before_each_second() -> None:
    desk = Desk()
    prices = [1_000_000, 1_000_100, 1_000_100, 999_900, 1_000_300]
    for k, px in enumerate(prices):
        desk.bbo(0.5 + k, px - 10, px + 10)
    desk.timer(5.6)
    expected = np.diff(1e4 * np.log(np.array([*prices], float)))
    np.testing.assert_allclose(desk.sensor["return_bps"][:4], expected, atol=1e-9)
    assert desk.sensor["return_count"] == 4


def test_no_return_spans_a_gap_or_a_silence() -> None:
    desk = Desk(stale_ns=2 * NS_PER_S)
    for k in range(5):
        desk.bbo(k, 999_990, 1_000_010)
    desk.gap(5.2)
    for k in range(6, 9):
        desk.bbo(k, 1_099_990, 1_100_010)
    desk.bbo(60, 1_199_990, 1_200_010)
    desk.bbo(61.5, 1_199_990, 1_200_010)
    assert np.abs(desk.sensor["return_bps"]).max() == 0.0


def test_a_market_that_does_not_move_is_unknown_and_one_that_seldom_moves_uses_squares() -> None:
    assert math.isnan(bipower(fed(np.zeros(WINDOW))))
    rare = np.zeros(WINDOW)
    rare[[2, 7]] = 1.0
    assert bipower(fed(rare)) == pytest.approx(0.2)
    assert math.isnan(log_sigma_reading(math.nan)[0])


def test_term_structure_and_tail_of_known_returns() -> None:
    returns = np.concatenate([np.full(270, 1.0), np.full(30, -2.0)])
    sensor = fed(returns)
    remember(sensor)
    assert sensor["rv_30"] == pytest.approx(4.0)
    assert sensor["rv_300"] == pytest.approx(np.mean(returns**2))
    few = fed(returns[:20])
    remember(few)
    assert math.isnan(few["rv_30"])


@pytest.mark.parametrize(("excess", "factor"), [(-1.0, 1.0), (0.0, 1.0), (1.0, 1.2079), (1e9, 1.9134)])
def test_tail_factor_is_bounded(excess: float, factor: float) -> None:
    assert tail_factor(excess) == pytest.approx(factor, abs=1e-4)


def test_a_window_is_complete_every_ten_seconds() -> None:
    sensor = one(SENSOR)
    begin(sensor, Desk().params)
    sensor["touch_ok"] = 1
    done = []
    for k in range(41):
        sensor["heard_ns"] = START_NS + k * NS_PER_S
        done.append(advance(sensor, START_NS + k * NS_PER_S, 10 * NS_PER_S))
    assert [k for k, complete in enumerate(done) if complete] == [10, 20, 30, 40]


def test_a_jump_stands_out_of_its_market() -> None:
    assert is_jump(4.7, 1.0)
    assert is_jump(-4.7, 1.0)
    assert not is_jump(4.5, 1.0)
    assert not is_jump(100.0, math.nan)


def test_the_term_structure_is_one_until_it_is_known() -> None:
    assert term_ratio(math.nan, math.nan) == 1.0
    assert term_ratio(1.0, 0.0) == 1.0
    assert term_ratio(4.0, 1.0) == 2.0


def _ratio_of(mids_bps: np.ndarray) -> float:
    """The variance ratio that is learned from mids on the grid of one second."""
    desk = Desk()
    for k, bps in enumerate(mids_bps):
        px = round(1e8 * math.exp(bps * 1e-4))
        desk.bbo(float(k), px - 10, px + 10)
    return float(variance_ratio(desk.sensor))


def test_a_book_that_follows_late_moves_more_in_ten_seconds_than_one_second_says() -> None:
    random = np.random.default_rng(5)
    walk = np.cumsum(random.normal(size=6000))
    late = np.zeros_like(walk)
    for k in range(1, len(walk)):
        late[k] = late[k - 1] + 0.5 * (walk[k] - late[k - 1])
    assert _ratio_of(walk) == pytest.approx(1.0, abs=0.2)
    assert _ratio_of(late) > 1.6
    assert _ratio_of(walk + random.normal(scale=1.0, size=len(walk))) < 0.6
    assert _ratio_of(np.zeros(100)) == 1.0
