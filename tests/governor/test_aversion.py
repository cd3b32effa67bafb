"""Risk aversion: calibrated to a skew, smooth and growing in inventory."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.governor.aversion import fragility, gamma0_from_skew, response, risk_aversion

SIGMA = 0.8900574


def test_the_documented_calibration_is_reproduced() -> None:
    assert gamma0_from_skew(3.0, 25.0, 0.5, 0.2, 2.0, SIGMA) == pytest.approx(4.92e-4, rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.1, 50.0), st.floats(2.0, 100.0), st.floats(0.05, 5.0), st.floats(0.01, 5.0), st.floats(0.1, 10.0))
def test_it_is_the_fixed_point_that_gives_the_wanted_skew(skew: float, clips: float, kappa: float, intensity: float,
                                                          sigma: float) -> None:
    gamma = gamma0_from_skew(skew, clips, kappa, intensity, 2.0, sigma)
    curvature = 0.5 * (gamma * sigma**2 / response(kappa, intensity, 2.0, gamma)) ** 0.5
    assert 2.0 * curvature * clips == pytest.approx(skew, rel=1e-6)


@pytest.mark.parametrize("wrong", range(5))
def test_what_must_be_positive_is_refused_when_it_is_not(wrong: int) -> None:
    arguments = [3.0, 25.0, 0.5, 0.2, 0.89]
    arguments[wrong] = 0.0
    with pytest.raises(ValueError, match="must all be positive"):
        gamma0_from_skew(*arguments[:4], 2.0, arguments[4])


@pytest.mark.parametrize(("u", "gamma"), [(0.0, 4.92e-4), (0.3, 8.02e-4), (0.5, 1.35e-3), (0.7, 2.18e-3),
                                          (0.8, 2.70e-3)])
def test_table_of_aversion_by_utilisation(u: float, gamma: float) -> None:
    assert risk_aversion(4.92e-4, 7.0, u, 1.0) == pytest.approx(gamma, rel=3e-3)


@pytest.mark.parametrize(("gradient", "position", "fragile"), [
    (0.4, 5, 0.4), (0.4, -5, 0.0), (-0.4, -5, 0.4), (0.4, 0, 0.0), (9.0, 5, 1.0), (math.nan, 5, 0.0),
    (math.nan, -5, 0.0)])
def test_only_a_hollow_book_behind_our_inventory_is_fragile(gradient: float, position: int, fragile: float) -> None:
    assert fragility(gradient, position) == fragile


def test_a_fragile_book_raises_aversion_by_up_to_half_at_the_limit() -> None:
    assert risk_aversion(1.0, 7.0, 1.0, 1.0, 1.0) == pytest.approx(12.0)
    assert risk_aversion(1.0, 7.0, 0.0, 1.0, 1.0) == 1.0
