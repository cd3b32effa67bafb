"""Funding: hourly fraction to bps a second, and the venue's rule for the running hour."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import one

from mmfast.sensor import funding
from mmfast.sensor.funding import carry_bps_s
from mmfast.sensor.state import SENSOR

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


@pytest.mark.parametrize(("rate", "expected"), [
    (1.25e-5, 3.47e-5), (0.0, 0.0), (-1.25e-5, -3.47e-5), (math.nan, 7.0), (math.inf, 7.0), (9.0, 0.1111)])
def test_rate_is_converted_bounded_and_kept_when_unknown(rate: float, expected: float) -> None:
    assert carry_bps_s(rate, 7.0) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("premium", "rate"), [
    (0.0, 1.25e-5), (5e-4, 1.25e-5), (-3e-4, 1.25e-5), (1.6e-3, 1.1e-3 / 8), (-1e-3, -5e-4 / 8), (1.0, 0.04),
    (-1.0, -0.04)])
def test_an_hour_costs_an_eighth_of_premium_and_clamped_interest(premium: float, rate: float) -> None:
    assert funding.hourly_rate(premium) == pytest.approx(rate)


def fresh() -> np.void:
    sensor = one(SENSOR)
    funding.restart(sensor)
    return sensor


def test_the_forecast_is_that_of_the_hours_mean_premium() -> None:
    sensor, premiums = fresh(), np.random.default_rng(1).normal(2e-3, 5e-4, 500)
    for k, premium in enumerate(premiums):
        funding.sample(sensor, premium, HOUR + k * 5 * SECOND)
        funding.sample(sensor, 0.9, HOUR + k * 5 * SECOND + SECOND)  # the venue takes one sample in five seconds
    assert sensor["funding_forecast_bps_s"] == pytest.approx(
        funding.hourly_rate(float(premiums.mean())) * 1e4 / 3600)


def test_an_hour_begins_anew_and_three_make_a_score() -> None:
    sensor, rates = fresh(), []
    for hour, premium in enumerate((1e-3, 2e-3, 4e-3, 8e-3), 1):
        assert math.isnan(funding.score(sensor))
        funding.sample(sensor, premium, hour * HOUR)
        rates.append(funding.hourly_rate(premium))
    assert sensor["funding_forecast_bps_s"] == pytest.approx(rates[3] * 1e4 / 3600)
    assert sensor["hour_count"] == 3
    assert funding.score(sensor) == pytest.approx(min((rates[3] - np.mean(rates[:3])) / np.std(rates[:3]), 5.0))


@pytest.mark.parametrize("premium", [math.nan, math.inf, 2.0, -7.0])
def test_what_is_no_premium_is_left_out(premium: float) -> None:
    sensor = fresh()
    funding.sample(sensor, premium, HOUR)
    funding.sample(sensor, 0.0, 0)
    assert sensor["premium_count"] == 0
    assert math.isnan(sensor["funding_forecast_bps_s"])
