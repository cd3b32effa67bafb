"""Govern: the mandate of the worked example, and one for every belief."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters
from support.stages import a_belief, one

from mmfast.governor.govern import govern
from mmfast.records.quote import MANDATE
from mmfast.units import ASK, BID


def mandate_of(belief: Any, position_lots: int, **changes: Any) -> Any:
    mandate = one(MANDATE)
    govern(belief, position_lots, default_parameters(**changes), mandate)
    return mandate


def test_mandate_of_the_worked_example() -> None:
    mandate = mandate_of(a_belief(sigma_bps=0.8900574, funding_bps_s=3.47e-5), 15_000, mode_limit=(1.0, 1.0, 1.0))
    assert mandate["gamma"] == pytest.approx(9.02e-4, rel=1e-3)
    assert mandate["exposure_cap_usd"] == pytest.approx(50_000)
    assert tuple(mandate["room_lots"]) == (35_000, 65_000)
    assert mandate["inventory_clips"] == 7.5
    assert mandate["utilisation"] == pytest.approx(0.3)
    assert mandate["kelly_f"] == pytest.approx(0.233)
    assert mandate["gamma_budget_usd_h"] == pytest.approx(125.0 * 0.233 / 0.25)
    assert mandate["funding_bps_s"] == pytest.approx(3.47e-5)


@pytest.mark.parametrize(("u", "unwind"), [(0.3, 1.07), (0.5, 2.39), (0.7, 4.29)])
def test_marginal_cost_is_two_curvatures_above_that_of_the_clip_before(u: float, unwind: float) -> None:
    belief = a_belief(sigma_bps=0.8900574, mode_p=(1.0, 0.0, 0.0))
    mandate = mandate_of(belief, round(u * 50_000))
    a = mandate["marginal_cost_bps"] / (2.0 * u * 25 + 1.0)
    assert a * (2.0 * u * 25 - 1.0) == pytest.approx(unwind, abs=0.01)


def test_an_unusable_belief_leaves_room_to_reduce_and_none_to_add() -> None:
    long = mandate_of(one(a_belief().dtype), 5_000)
    assert tuple(long["room_lots"]) == (0, 5_000)


extreme = st.sampled_from([0.0, -1.0, 1e-300, 1e300, math.nan, math.inf, 0.89, 1e5])


@settings(max_examples=100, deadline=None)
@given(st.integers(-(2**62), 2**62), extreme, extreme, extreme)
def test_room_is_sound_whatever_the_belief(position: int, sigma: float, mid: float, p: float) -> None:
    mandate = mandate_of(a_belief(sigma_bps=sigma, mid_px=mid, mode_p=(p, 0.1, 0.1)), position)
    room = mandate["room_lots"]
    assert room.min() >= 0
    held = max(min(position, 10**15), -(10**15))
    assert room[ASK if held > 0 else BID] >= abs(held)
    assert np.isfinite(mandate["exposure_cap_usd"])
