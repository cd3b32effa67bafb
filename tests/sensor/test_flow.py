"""Order flow: OFI against its definition, taker flow that fades to nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import START_NS, Desk, one

from mmfast.sensor import flow
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID


def naive_ofi(touches: list[tuple[int, int, int, int]], step_s: float) -> float:
    """Sum over updates of e_n e^(-age/2 s), e_n as published."""
    total = 0.0
    for (b0, qb0, a0, qa0), (b1, qb1, a1, qa1), age in zip(touches[:-1], touches[1:], range(len(touches) - 2, -1, -1)):
        e = (b1 >= b0) * qb1 - (b1 <= b0) * qb0 - (a1 <= a0) * qa1 + (a1 >= a0) * qa0
        total += e * math.exp(-age * step_s / 2.0)
    return total


def test_ofi_equals_its_definition() -> None:
    random, step_s = np.random.default_rng(2), 0.25
    bids = 999_990 + 10 * np.cumsum(random.integers(-1, 2, 40))
    touches = [(int(b), int(random.integers(1, 900)), int(b + 10 * random.integers(1, 4)), int(random.integers(1, 900)))
               for b in bids]
    desk = Desk()
    for k, (bid, bid_lots, ask, ask_lots) in enumerate(touches):
        desk.bbo(k * step_s, bid, ask, bid_lots, ask_lots)
    assert desk.sensor["ofi_lots"] == pytest.approx(naive_ofi(touches, step_s), rel=1e-9)


def test_sides_swapped_flip_the_sign() -> None:
    up, down = Desk(), Desk()
    for k, (lots, other) in enumerate([(100, 500), (400, 300), (900, 50)]):
        up.bbo(k, 999_990, 1_000_010, lots, other)
        down.bbo(k, 999_990, 1_000_010, other, lots)
    assert up.features["ofi"] == pytest.approx(-down.features["ofi"])
    assert up.features["ofi"] > 0


def test_one_small_print_in_a_quiet_minute_is_no_imbalance() -> None:
    desk = Desk()
    for k in range(600):
        desk.trade(k, BID if k % 2 else ASK, 1000)
    desk.trade(660, BID, 10)
    assert 0.0 < desk.features["flow_imbalance"] < 0.05
    desk.trade(661, ASK, 100_000)
    assert desk.features["flow_imbalance"] < -0.9


def test_flow_fades_with_its_memory_whatever_the_steps() -> None:
    once, often = one(SENSOR), one(SENSOR)
    for sensor in (once, often):
        flow.take(sensor, BID, 1000, START_NS)
    flow.fade(once, START_NS + 10_000_000_000)
    for k in range(1, 101):
        flow.fade(often, START_NS + k * 100_000_000)
    assert once["flow_lots"][BID] == pytest.approx(1000 * math.exp(-2.0))
    assert often["flow_lots"][BID] == pytest.approx(once["flow_lots"][BID])
    assert often["flow_usual_lots"] == pytest.approx(once["flow_usual_lots"], rel=0.02)


def test_no_flow_is_balanced() -> None:
    assert flow.flow_imbalance(one(SENSOR)) == 0.0
