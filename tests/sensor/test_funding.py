"""Funding: hourly fraction to bps a second."""

from __future__ import annotations

import math

import pytest

from mmfast.sensor.funding import carry_bps_s


@pytest.mark.parametrize(("rate", "expected"), [
    (1.25e-5, 3.47e-5), (0.0, 0.0), (-1.25e-5, -3.47e-5), (math.nan, 7.0), (math.inf, 7.0), (9.0, 0.1111)])
def test_rate_is_converted_bounded_and_kept_when_unknown(rate: float, expected: float) -> None:
    assert carry_bps_s(rate, 7.0) == pytest.approx(expected, rel=1e-3)
