"""Exposure: the four caps, and room that never closes the way back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters

from mmfast.governor.exposure import cap_lots, exposure_cap_usd, kelly_usd, liquidation_usd, room, stress_usd

SIGMA = 0.8900574


def test_caps_of_the_worked_example() -> None:
    assert kelly_usd(0.233, 25_000.0, 1.0, SIGMA) == pytest.approx(1_225_487, rel=1e-4)
    assert stress_usd(25_000.0, SIGMA) == pytest.approx(250_000)
    assert exposure_cap_usd(SIGMA, 1e5, 0.233, 1.0, default_parameters()) == pytest.approx(50_000)
    loose = default_parameters(position_max_lots=10**6)
    assert exposure_cap_usd(SIGMA, 1e5, 0.233, 1.0, loose) == pytest.approx(75_000)


def test_hard_limit_shrinks_with_the_share_of_bad_modes() -> None:
    assert exposure_cap_usd(SIGMA, 1e5, 0.233, 0.917, default_parameters()) == pytest.approx(45_850)


def test_stress_binds_when_volatility_is_high() -> None:
    assert stress_usd(25_000.0, 100.0) == pytest.approx(12_500 / (5 * 100 * math.sqrt(600) * 1e-4))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**15), st.integers(-(10**15), 10**15))
def test_reducing_always_has_room_for_the_whole_position(cap: int, position: int) -> None:
    buy, sell = room(cap, position, 1), room(cap, position, -1)
    assert buy >= 0
    assert sell >= 0
    assert (sell if position > 0 else buy) >= abs(position)
    assert position + buy <= max(cap, position, 0)
    assert position - sell >= min(-cap, position, 0)


@pytest.mark.parametrize(("cap_usd", "px", "lots"), [
    (50_000.0, 1e5, 50_000), (1.0, 1e5, 1), (0.0, 1e5, 0), (1e300, 1e5, 50_000), (math.nan, 1e5, 0), (5e4, 0.0, 50_000),
    (5e4, math.nan, 0)])
def test_cap_in_lots_never_exceeds_the_hard_limit(cap_usd: float, px: float, lots: int) -> None:
    assert cap_lots(cap_usd, px, default_parameters()) == lots


def test_liquidation_stays_three_stress_moves_away() -> None:
    for sigma in (0.5, 0.89, 5.0, 50.0):
        cap = liquidation_usd(25_000.0, sigma, 10.0)
        away = 25_000.0 / cap - 0.05
        assert away == pytest.approx(3.0 * max(5.0 * sigma * math.sqrt(600.0) * 1e-4, 0.05))
    assert math.isfinite(liquidation_usd(25_000.0, 0.89, 0.0))


def test_an_edge_that_is_none_leaves_no_room() -> None:
    assert exposure_cap_usd(SIGMA, 1e5, 0.233, 1.0, default_parameters(net_edge_bps=-0.3)) == 0.0
