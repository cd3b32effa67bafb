"""Classify: shares that are the prior for a usual order, and lean the right way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import one

from mmfast.records.feature import CLASS_ARBITRAGE, CLASS_INFORMED, CLASS_LIQUIDATION
from mmfast.sensor import classify
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK

number = st.floats(-1e9, 1e9)


def shares(size: float = 0.0, levels: int = 1, pressure: float = 0.0, ratio: float = 1.0,
           oracle: float = 0.0) -> np.ndarray:
    sensor = one(SENSOR)
    classify.restart(sensor, 0.15)
    classify.classify(sensor, 0.15, size, levels, pressure, ratio, oracle)
    return np.asarray(sensor["class_p"])


def test_a_usual_order_has_the_prior_shares() -> None:
    assert shares() == pytest.approx([0.75, 0.15, 0.02, 0.08])


def test_signs_lean_the_right_way() -> None:
    usual = shares()
    assert shares(size=3.0)[CLASS_INFORMED] > usual[CLASS_INFORMED]
    assert shares(levels=4)[CLASS_INFORMED] > usual[CLASS_INFORMED]
    assert shares(pressure=0.9)[CLASS_INFORMED] > usual[CLASS_INFORMED] > shares(pressure=-0.9)[CLASS_INFORMED]
    assert shares(ratio=5.0, size=2.0)[CLASS_LIQUIDATION] > 3.0 * usual[CLASS_LIQUIDATION]
    assert shares(oracle=2.0)[CLASS_ARBITRAGE] > usual[CLASS_ARBITRAGE]


@settings(max_examples=50, deadline=None)
@given(st.floats(-5, 5), st.integers(-5, 10**6), st.floats(-1, 1), number, number)
def test_shares_are_shares(size: float, levels: int, pressure: float, ratio: float, oracle: float) -> None:
    p = shares(size, levels, pressure, ratio, oracle)
    assert p.sum() == pytest.approx(1.0)
    assert (p >= 0.0).all()


def test_the_mean_share_starts_at_the_prior_and_follows() -> None:
    sensor = one(SENSOR)
    classify.restart(sensor, 0.15)
    assert sensor["class_informed"] == pytest.approx([0.15, 0.15])
    assert math.isnan(sensor["class_p"][0])
    classify.classify(sensor, 0.15, 5.0, 6, 1.0, 1.0, 0.0)
    for _ in range(400):
        classify.learn(sensor, ASK)
    assert sensor["class_informed"][ASK] == pytest.approx(sensor["class_p"][CLASS_INFORMED], rel=1e-3)
    assert sensor["class_informed"][0] == pytest.approx(0.15)
