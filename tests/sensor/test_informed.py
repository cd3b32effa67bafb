"""Informed: markouts that are turned into shares, shrunk to the classifier's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import one

from mmfast.sensor.informed import implied_share, informed_share
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID


def a_sensor(**changes: object) -> np.void:
    return one(SENSOR, **{"vpin_rank": 0.5, "class_informed": (0.15, 0.15), **changes})  # type: ignore[arg-type]


def test_a_simulated_share_is_found_again() -> None:
    """Informed takers know the price of ten seconds later and trade with it; the others draw a side."""
    random, sigma, share = np.random.default_rng(5), 0.9, 0.25
    move = random.normal(0.0, sigma * math.sqrt(10.0), 200_000)
    side = np.where(random.uniform(size=move.size) < share, np.sign(move), random.choice([-1.0, 1.0], move.size))
    assert implied_share(float((side * move).mean()), sigma) == pytest.approx(share, abs=0.01)


def test_without_markouts_it_is_the_classifiers_share() -> None:
    assert informed_share(a_sensor(), BID, 0.9)[0] == pytest.approx(0.15)


def test_trust_grows_with_markouts() -> None:
    full = 0.7978845608 * 0.9 * math.sqrt(10.0)
    few, many = (informed_share(a_sensor(impact_count=n, impact_bps=0.5 * full), ASK, 0.9) for n in (10.0, 200.0))
    assert few[0] == pytest.approx(0.15 + (0.5 - 0.15) * 10 / 60)
    assert many[0] == pytest.approx(0.15 + (0.5 - 0.15) * 200 / 250)
    assert many[1] < few[1]


def test_high_vpin_raises_and_low_vpin_lowers() -> None:
    low, high = (informed_share(a_sensor(vpin_rank=rank), ASK, 0.9)[0] for rank in (0.0, 1.0))
    assert (low, high) == (pytest.approx(0.075), pytest.approx(0.225))


@settings(max_examples=50, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0, 200), st.floats(0, 1), st.floats(0, 1e3))
def test_shares_stay_within_their_limits(impact: float, count: float, rank: float, sigma: float) -> None:
    share, variance = informed_share(a_sensor(impact_bps=impact, impact_count=count, vpin_rank=rank), BID, sigma)
    assert 0.02 <= share <= 0.6
    assert 0.0 < variance < 1.0
