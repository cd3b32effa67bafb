"""Plan: slots to cancel and to place in one call, in the shared table before any byte is written."""

from __future__ import annotations

import numpy as np
import pytest
from support.parameters import default_parameters

from mmfast.executor.budget import new_budget
from mmfast.executor.diff import ACTION, ACTION_MAX, TAKEN
from mmfast.executor.lifecycle import ACK_RESTING
from mmfast.executor.limits import new_limits
from mmfast.gateway import orders as table
from mmfast.gateway import plan as plans
from mmfast.records.account import LEDGER
from mmfast.records.order import CANCELING, FREE, OPEN, ORDER, ORDER_SLOTS, PENDING, SENT, TIF_ALO, TIF_IOC
from mmfast.records.parameters import INSTRUMENT
from mmfast.records.quote import QUOTE, TAKE_WANTED
from mmfast.rings import seqlock
from mmfast.rings.layout import CELLS, O_STRIDE, region_bytes, slot_stride
from mmfast.topology import HISTOGRAM, HISTOGRAM_SLOTS
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.batch import ENTRY

FAIR, NOW = 100_000.0, 10**12


class Scene:
    """The arrays that a plan works on, and a table of cells in private memory."""

    def __init__(self, slots: int = ORDER_SLOTS) -> None:
        self.parameters = np.asarray(default_parameters()).reshape(1)
        self.orders, self.register = table.new_orders(slots), table.new_register(7)
        self.budget, self.limits = new_budget(NOW), new_limits(10**9, 10**12, 1000.0)
        self.ledgers, self.actions = np.zeros(1, LEDGER), np.zeros(ACTION_MAX, ACTION)
        self.slots, self.counts = np.zeros((3, ACTION_MAX), np.int64), np.zeros(5, np.int64)
        self.cells = np.zeros(region_bytes(CELLS, ORDER.itemsize, slots) // 8, np.int64)
        self.cells[O_STRIDE // 8] = slot_stride(CELLS, ORDER.itemsize)
        self.histograms = np.zeros(HISTOGRAM_SLOTS, HISTOGRAM)
        self.quotes = np.zeros(1, QUOTE)
        quote = self.quotes[0]
        quote["fair_px"], quote["sigma_bps"], quote["room_lots"], quote["level_count"] = FAIR, 0.9, 10**8, 3
        for level in range(3):
            quote["px_ticks"][BID, level] = int(FAIR * (1 - (4 + level) * 1e-4)) * 10
            quote["px_ticks"][ASK, level] = int(FAIR * (1 + (4 + level) * 1e-4)) * 10
        quote["lots"], quote["edge_bps"], quote["fill_rate"], quote["kappa"] = 2000, 1.5, 0.03, 0.5
        quote["seq"], quote["ts_recv_ns"] = 42, NOW - 1000

    def plan(self, now_ns: int = NOW, may_trade: bool = True) -> tuple[list[int], list[int]]:
        plans.plan(self.quotes, self.orders, 0, now_ns, self.parameters, self.budget,
                   self.limits, self.ledgers, self.actions, self.register, self.cells.ctypes.data,
                   self.orders.ctypes.data, may_trade, self.slots, self.counts)
        return self.slots[0, : self.counts[0]].tolist(), self.slots[1, : self.counts[1]].tolist()

    def shared(self, slot: int) -> np.void:
        copy = np.zeros(1, ORDER)
        assert seqlock.load(seqlock.cell_address(self.cells.ctypes.data, slot), copy.ctypes.data, ORDER.itemsize) > 0
        return copy[0]

    def write(self, slots: list[int], now_ns: int) -> None:
        plans.mark_written(self.orders, self.register, self.budget, np.array(slots), now_ns - 20, 5, 6,
                           now_ns - 10, now_ns, self.cells.ctypes.data, self.orders.ctypes.data,
                           self.histograms.ctypes.data)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_empty_market_gets_every_level_of_both_sides(scene):
    cancels, places = scene.plan()
    assert (cancels, len(places)) == ([], 6)
    assert sorted(scene.orders["px_ticks"][places]) == sorted(scene.quotes[0]["px_ticks"][:, :3].ravel())


def test_placed_orders_stand_in_the_shared_table_before_they_are_written(scene):
    _, places = scene.plan()
    for slot in places:
        shared = scene.shared(slot)
        assert shared["state"] == PENDING
        assert (shared["cloid_hi"], shared["cloid_lo"] & table.SLOT_MASK) == (7, slot)
        assert shared["src_seq"] == 42


def test_written_orders_carry_nonce_expiry_stamps_and_latencies(scene):
    _, places = scene.plan()
    scene.write(places, NOW + 500)
    shared = scene.shared(places[0])
    assert (shared["state"], shared["nonce"], shared["expires_after_ms"]) == (SENT, 5, 6)
    assert (shared["ts_signed_ns"], shared["ts_written_ns"]) == (NOW + 490, NOW + 500)
    assert scene.histograms["count"].max() == len(places)


def test_what_rests_as_wanted_is_left_alone(scene):
    _, places = scene.plan()
    scene.write(places, NOW)
    for slot in places:
        table.apply(scene.orders[slot], scene.register[0], ACK_RESTING, table.UNTOLD, NOW)
    assert scene.plan(NOW + 10**9) == ([], [])


def test_without_leave_everything_goes_and_with_it_the_same_quote_is_quoted_again(scene):
    _, places = scene.plan()
    scene.write(places, NOW)
    for slot in places:
        table.apply(scene.orders[slot], scene.register[0], ACK_RESTING, table.UNTOLD, NOW)
    assert sorted(scene.plan(may_trade=False)[0]) == sorted(places)
    scene.orders["state"] = FREE
    assert len(scene.plan()[1]) == len(places)


def wanting_to_take(scene: Scene, position_lots: int = 50_000) -> None:
    quote = scene.quotes[0]
    scene.ledgers["position_lots"] = quote["position_lots"] = position_lots
    quote["take_reason"], quote["take_side"], quote["take_lots"] = TAKE_WANTED, ASK, 4_000
    quote["take_px_ticks"] = int(FAIR * 10) - 100


def test_what_is_taken_stands_in_shared_memory_after_the_quotes_and_is_sent_apart(scene):
    wanting_to_take(scene)
    _, places = scene.plan()
    (slot,) = scene.slots[plans.TAKES, : scene.counts[plans.TAKES]].tolist()
    assert slot > max(places)
    order = scene.shared(slot)
    assert (order["state"], order["tif"], order["reduce_only"], order["reason"]) == (PENDING, TIF_IOC, 1, TAKEN)
    assert (order["side"], order["lots"], order["px_ticks"]) == (ASK, 4_000, FAIR * 10 - 100)
    assert {scene.orders[p]["tif"] for p in places} == {TIF_ALO}


def test_quotes_and_taking_never_turn_the_position_over_together(scene):
    wanting_to_take(scene, 7_000)  # three asks of 2000 are quoted
    scene.plan()
    (slot,) = scene.slots[plans.TAKES, : scene.counts[plans.TAKES]].tolist()
    assert scene.orders[slot]["lots"] == 1_000


def test_without_leave_nothing_is_taken(scene):
    wanting_to_take(scene)
    scene.plan(may_trade=False)
    assert scene.counts[plans.TAKES] == 0


def test_orders_become_the_rows_of_a_batch(scene):
    _, places = scene.plan()
    instruments, batch = np.zeros(1, INSTRUMENT), np.zeros(len(places), ENTRY)
    instruments["asset"], instruments["sz_decimals"] = 7, 5
    assert plans.enter(scene.orders, np.array(places), instruments, batch) == len(places)
    for field in ("side", "px_ticks", "lots", "tif", "reduce_only", "cloid_hi", "cloid_lo"):
        assert batch[field].tolist() == scene.orders[field][places].tolist()
    assert (set(batch["asset"].tolist()), set(batch["sz_decimals"].tolist())) == ({7}, {5})


def test_a_pull_cancels_everything_and_the_cancels_are_marked(scene):
    _, places = scene.plan()
    scene.write(places, NOW)
    for slot in places:
        table.apply(scene.orders[slot], scene.register[0], ACK_RESTING, table.UNTOLD, NOW)
    assert set(scene.orders["state"][places]) == {OPEN}
    scene.quotes["pull"] = 1
    cancels, again = scene.plan(NOW + 1)
    assert (sorted(cancels), again) == (sorted(places), [])
    plans.mark_canceling(scene.orders, scene.register, scene.budget, np.array(cancels), NOW + 2,
                         scene.cells.ctypes.data, scene.orders.ctypes.data)
    assert {scene.shared(slot)["state"] for slot in cancels} == {CANCELING}
    assert {scene.shared(slot)["ts_cancel_ns"] for slot in cancels} == {NOW + 2}


def test_a_full_table_is_told_and_what_fits_is_placed():
    scene = Scene(slots=4)
    _, places = scene.plan()
    assert len(places) == 4
    assert scene.counts[plans.FULL] == 1
