"""Fills: exponential in depth; pressure on a side makes its fills reach deeper."""

from __future__ import annotations

import math

import pytest

from mmfast.actuary.fill import base_rate, decay, fill_rate


def test_decay_of_the_worked_example() -> None:
    assert decay(0.5, 1.0, 0.15, 1) == pytest.approx(0.5375)
    assert decay(0.5, 1.0, 0.15, -1) == pytest.approx(0.4625)


def test_balanced_flow_changes_nothing_and_sell_pressure_lowers_the_bids_kappa() -> None:
    assert decay(0.5, 1.0, 0.0, 1) == decay(0.5, 1.0, 0.0, -1) == 0.5
    assert decay(0.5, 1.0, -0.8, 1) < 0.5 < decay(0.5, 1.0, -0.8, -1)


def test_what_is_believed_of_the_rates_scales_them_and_nothing_believed_changes_nothing() -> None:
    assert decay(0.5, 2.0, 0.0, 1) == 2.0 * decay(0.5, 1.0, 0.0, 1)
    assert base_rate(0.2, 0.5, 1.0) == pytest.approx(0.1)
    for nothing in (0.0, -1.0, math.nan, math.inf):
        assert (decay(0.5, nothing, 0.0, 1), base_rate(0.2, nothing, 1.0)) == (0.5, 0.2)


@pytest.mark.parametrize(("activity", "rate"), [(0.0, 0.06), (1.0, 0.2), (9.0, 0.6)])
def test_activity_scales_the_rate_within_bounds(activity: float, rate: float) -> None:
    assert base_rate(0.2, 1.0, activity) == pytest.approx(rate)


def test_rate_is_exponential_and_finite_at_any_depth() -> None:
    assert fill_rate(0.2, 0.5375, 4.86) == pytest.approx(0.0147, abs=5e-5)
    assert fill_rate(0.2, 0.5, 1e300) >= 0.0
    assert math.isfinite(fill_rate(0.2, 0.5, -1e300))
