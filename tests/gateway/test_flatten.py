"""Flattening: one reduce-only order at a time, against the position, within the limit, at a legal price."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.desk import FAIR, NOW, Bench

from mmfast.gateway import orders as table
from mmfast.gateway.flatten import PAUSE_NS, Flattener
from mmfast.records.order import CANCELED, PENDING, REJECTED, TAKER, TIF_IOC
from mmfast.runtime.errorlog import read_errors
from mmfast.units import ASK, BID, NS_PER_S
from mmfast.venues.hyperliquid.messages import REFUSED, OrderAnswer
from mmfast.venues.hyperliquid.rounding import is_legal

TICKS_PER_USD = 10


class Scene(Bench):
    """A bench with a flattener whose orders are collected instead of sent."""

    def __init__(self, folder, position_lots: int) -> None:
        super().__init__(folder, position_lots=position_lots)
        self.batches: list[list[int]] = []
        self.flattener = Flattener(self.desk, self.config, self.batches.append)
        self.quote()

    def step(self, now_ns: int = NOW) -> list[int]:
        """Slots that this step wanted to be sent."""
        before = len(self.batches)
        self.flattener.step(now_ns)
        return [slot for batch in self.batches[before:] for slot in batch]

    def order(self) -> np.void:
        (slot,) = self.step()
        assert self.states([slot]) == {PENDING}
        return self.desk.orders[slot]

    def refuse(self, slot: int, now_ns: int, text: str = "could not immediately match") -> None:
        table.apply(self.desk.orders[slot], self.desk.register[0], 1, table.UNTOLD, now_ns)  # written
        self.desk.on_order_answers([slot], [OrderAnswer(REFUSED, text=text)], now_ns)
        assert self.states([slot]) == {REJECTED}


@pytest.fixture
def scene(tmp_path):
    made = []

    def make(position_lots: int) -> Scene:
        made.append(Scene(tmp_path, position_lots))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize(("position", "side"), [(300, ASK), (-300, BID)])
def test_the_order_is_against_the_position_and_can_only_reduce(scene, position, side):
    order = scene(position).order()
    assert (order["side"], order["lots"]) == (side, 300)
    assert (order["tif"], order["reduce_only"], order["inst"]) == (TIF_IOC, 1, 0)
    assert (order["oid"], order["ts_recv_ns"]) == (0, 0)


def test_a_large_position_goes_in_pieces_below_the_order_limit(scene):
    made = scene(20_000)  # twenty thousand dollars
    order = made.order()
    limit_uusd = round(made.config.risk.max_order_usd * 1e6)
    notional = int(order["lots"] * order["px_ticks"])
    assert limit_uusd - order["px_ticks"] < notional <= limit_uusd


@pytest.mark.parametrize(("position", "sign"), [(300, -1), (-300, 1)])
def test_the_price_is_the_slippage_from_fair_value_and_legal(scene, position, sign):
    made = scene(position)
    px = int(made.order()["px_ticks"])
    exact = FAIR * TICKS_PER_USD * (1 + sign * made.config.gateway.flatten_slippage_bps * 1e-4)
    assert is_legal(px, TICKS_PER_USD)
    assert 0 <= sign * (px - int(exact)) < TICKS_PER_USD


def test_nothing_is_sent_when_nothing_is_held(scene):
    assert scene(0).step() == []


def test_nothing_is_sent_while_an_order_may_still_rest(scene):
    made = scene(300)
    (slot,) = made.step()
    assert made.step(NOW + 10 * PAUSE_NS) == []
    made.refuse(slot, NOW + 1)
    assert len(made.step(NOW + 10 * PAUSE_NS)) == 1


def test_a_refused_order_is_tried_again_after_a_pause(scene):
    made = scene(300)
    (slot,) = made.step(NOW)
    made.refuse(slot, NOW + 1)
    assert made.step(NOW + PAUSE_NS - 1) == []
    assert len(made.step(NOW + PAUSE_NS)) == 1


@pytest.mark.parametrize("fair_px", [0.0, np.nan, -1.0])
def test_without_a_fair_value_there_is_no_price_to_send_at(scene, fair_px):
    made = scene(300)
    made.desk.quotes[0]["fair_px"] = fair_px
    assert made.step() == []
    made.desk.quotes[0]["fair_px"] = FAIR
    assert len(made.step()) == 1


def test_an_order_that_the_limits_refuse_does_not_leave_and_is_told(scene):
    made = scene(300)
    made.desk.limits["collar_bps"] = made.config.gateway.flatten_slippage_bps / 2
    assert made.step() == []
    assert made.count("blocked_count") == 1
    assert any("outside the price collar" in line.text for line in read_errors(made.house))
    made.desk.limits["collar_bps"] = 100.0
    assert len(made.step(NOW + PAUSE_NS)) == 1


def test_a_rest_below_the_minimum_order_is_closed_whole(scene):
    made = scene(5)  # five dollars
    assert made.desk.limits[0]["order_min_uusd"] > 5_100_000
    assert made.order()["lots"] == 5


def test_with_a_full_table_it_waits(scene):
    made = scene(300)
    made.desk.orders["state"], made.desk.orders["inst"] = CANCELED, 5
    assert made.step() == []


def test_the_order_that_closes_leaves_nothing_to_do(scene):
    made = scene(300)
    (slot,) = made.step()
    table.apply(made.desk.orders[slot], made.desk.register[0], 1, table.UNTOLD, NOW)
    made.desk.on_fill(made.fill(slot, 300, 1, 300), NOW + 1)
    assert made.desk.ledgers[0]["position_lots"] == 0
    assert made.step(NOW + 10 * PAUSE_NS) == []


@settings(max_examples=50, deadline=None)
@given(position=st.integers(-10**7, 10**7).filter(bool), fair_px=st.floats(50.0, 9e5))
def test_whatever_is_held_the_order_is_legal_and_never_larger(tmp_path_factory, position, fair_px):
    made = Scene(tmp_path_factory.getbasetemp(), position)
    try:
        made.desk.quotes[0]["fair_px"] = fair_px
        order = made.order()
        assert 0 < order["lots"] <= abs(position)
        assert is_legal(int(order["px_ticks"]), TICKS_PER_USD)
        assert order["lots"] * order["px_ticks"] <= max(made.config.risk.max_order_usd * 1e6, order["px_ticks"])
    finally:
        made.close()


def test_what_the_venue_refuses_for_a_reason_that_lasts_is_tried_later_and_later(scene):
    made, now_ns, waits_ns = scene(300), NOW, []
    for _ in range(3):
        (slot,) = made.step(now_ns)
        made.refuse(slot, now_ns, "Trading is halted. asset=0")
        begun_ns = now_ns
        while not (until := made.desk.limits[0]["until_ns"][TAKER]) or now_ns < until:
            assert made.step(now_ns) == []
            now_ns += PAUSE_NS
        waits_ns.append(now_ns - begun_ns)
    assert waits_ns == [NS_PER_S, 2 * NS_PER_S, 4 * NS_PER_S]
