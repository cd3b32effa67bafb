"""Own prints: whichever of fill and print comes first, the takers look as if we had not been there."""

from __future__ import annotations

import numpy as np
import pytest
from support.stages import START_NS, Desk, one

from mmfast.records.account import FILL
from mmfast.records.market import TRADE
from mmfast.sensor import sense
from mmfast.units import ASK, BID

TAKERS = ("flow_imbalance", "flow_horizon", "hawkes", "sweep", "activity", "flow_usual_lots")


def trade(desk: Desk, at_s: float, tid: int, side: int, lots: int, taker: int = 0, px: int = 1_000_000) -> None:
    now_ns = START_NS + round(at_s * 1e9)
    record = one(TRADE, tid=tid, side=side, lots=lots, px_ticks=px, taker=taker, batch_count=1, ts_recv_ns=now_ns,
                 ts_exch_ns=now_ns)
    sense.on_trade(desk.sensor, record, desk.features, desk.params)


def fill(desk: Desk, tid: int) -> None:
    sense.on_fill(desk.sensor, one(FILL, tid=tid), desk.features, desk.params)


def market(ours: str) -> Desk:
    """A minute of prints; number 40 is absent, comes before its fill, or after it."""
    desk, random = Desk(), np.random.default_rng(6)
    desk.bbo(0.0, 999_990, 1_000_010)
    for k in range(1, 60):
        side, lots = int(random.integers(0, 2)), int(random.integers(1, 900))
        if k == 40 and ours == "fill first":
            fill(desk, k)
        if k != 40 or ours != "absent":
            trade(desk, float(k), k, side, lots, taker=k)
        if k == 45 and ours == "print first":
            fill(desk, 40)
    desk.timer(60.0)
    return desk


@pytest.mark.parametrize("ours", ["fill first", "print first"])
def test_a_print_of_ours_is_as_if_it_had_not_been(ours: str) -> None:
    absent, present = market("absent"), market(ours)
    assert present.features["own_print_count"] == 1
    tolerance = 1e-9 if ours == "fill first" else 0.05  # the usual size has learned from what came in between
    for name in TAKERS[:-1]:
        assert present.features[name] == pytest.approx(absent.features[name], rel=tolerance, abs=tolerance), name
    assert present.sensor["bucket_lots"] == pytest.approx(absent.sensor["bucket_lots"])


def test_a_fill_seen_twice_takes_back_once() -> None:
    desk = Desk()
    trade(desk, 1.0, 7, BID, 100)
    trade(desk, 1.0, 8, BID, 100)
    for _ in range(3):
        fill(desk, 7)
    assert desk.sensor["flow_lots"][BID] == pytest.approx(100.0)
    assert desk.features["own_print_count"] == 1


def test_a_fill_without_an_id_awaits_nothing() -> None:
    desk = Desk()
    fill(desk, 0)
    trade(desk, 1.0, 0, ASK, 100)
    assert desk.features["flow_imbalance"] == -1.0


def test_the_markout_of_our_own_print_is_dropped() -> None:
    desk = Desk()
    desk.bbo(0.0, 999_990, 1_000_010)
    trade(desk, 1.0, 5, BID, 100, taker=9)
    fill(desk, 5)
    for k in range(12):
        desk.bbo(float(k + 2), 999_990 + 10 * k, 1_000_010 + 10 * k)
    assert desk.sensor["impact_count"].sum() == 0
