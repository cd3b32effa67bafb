"""Exponential forgetting: spans of time that are never negative, shares that never vanish."""

from __future__ import annotations

import math

import pytest

from mmfast.sensor.decay import SPAN_S_MAX, elapsed_s, kept


@pytest.mark.parametrize(("since", "now", "span"), [
    (5, 5, 0.0), (10, 5, 0.0), (0, 5, 0.0), (1, 1_500_000_001, 1.5), (1, 2**62, SPAN_S_MAX)])
def test_span_is_never_negative_and_bounded(since: int, now: int, span: float) -> None:
    assert elapsed_s(since, now) == pytest.approx(span)


def test_half_of_the_past_is_kept_after_a_half_life() -> None:
    assert kept(math.log(2.0) * 5.0, 5.0) == pytest.approx(0.5)
    assert kept(0.0, 5.0) == 1.0
    assert kept(1e300, 1e-3) > 0.0
