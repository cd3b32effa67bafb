"""The working table against a toy venue whose news come late, doubled and out of order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mmfast.executor import lifecycle as life
from mmfast.executor import limits as lim
from mmfast.gateway import ledger as books
from mmfast.gateway import orders as table
from mmfast.records.account import FILL, LEDGER
from mmfast.records.order import AMBIGUOUS, CANCELED, FILLED, FREE, OPEN, PENDING, REJECTED
from mmfast.units import ASK, BID

POSITION_MAX = 100
SALT = 0x1234_5678_9ABC


class Venue:
    """Orders in the order of their arrival; every step puts news into a bag."""

    def __init__(self) -> None:
        self.inflight: list[tuple] = []  # ("order", cloid, side, lots) or ("cancel", cloid)
        self.orders: dict[int, dict] = {}
        self.news: list[tuple] = []
        self.position = 0
        self.tid = 0
        self.fills: list[tuple] = []

    def tell(self, *news) -> None:
        self.news.append(news)

    def arrive(self, index: int, refuse: bool) -> None:
        message = self.inflight.pop(index)
        if message[0] == "order":
            _, cloid, side, lots = message
            if refuse:
                self.tell("event", cloid, life.ACK_ERROR, table.UNTOLD)
                self.tell("event", cloid, life.UPDATE_REJECTED, 0)
                return
            self.orders[cloid] = {"side": side, "lots": lots, "rest": lots}
            self.tell("event", cloid, life.ACK_RESTING, table.UNTOLD)
            self.tell("event", cloid, life.UPDATE_OPEN, table.UNTOLD)
        else:
            cloid = message[1]
            order = self.orders.get(cloid)
            if order is None or order["rest"] == 0:
                self.tell("event", cloid, life.CANCEL_MISSING, table.UNTOLD)
            else:
                traded = order["lots"] - order["rest"]
                order["rest"] = 0
                self.tell("event", cloid, life.CANCEL_OK, table.UNTOLD)
                self.tell("event", cloid, life.UPDATE_CANCELED, traded)

    def trade(self, cloid: int, lots: int) -> None:
        order = self.orders[cloid]
        lots = min(lots, order["rest"])
        order["rest"] -= lots
        self.tid += 1
        self.tell("fill", cloid, self.tid, lots, order["side"], self.position)
        self.fills.append((cloid, self.tid, lots, order["side"], self.position))
        self.position += lots * (1 - 2 * order["side"])
        if order["rest"] == 0:
            self.tell("event", cloid, life.UPDATE_FILLED, order["lots"])

    def open_lots(self, side: int) -> int:
        return sum(o["rest"] for o in self.orders.values() if o["side"] == side)

    def resting(self) -> list[int]:
        return [c for c, o in self.orders.items() if o["rest"] > 0]


class Machine(RuleBasedStateMachine):
    """Engine and venue, joined by two bags of messages from which chance draws."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1
        self.venue = Venue()
        self.orders = table.new_orders(32)
        self.register = table.new_register(SALT)
        self.ledger = np.zeros(1, LEDGER)
        self.tids = books.new_tids()
        self.exposure = np.zeros(1, lim.EXPOSURE)
        self.limits = lim.new_limits(POSITION_MAX, 10**12, 1e4, order_min_uusd=1)

    # -- what the engine does -------------------------------------------------------------------------------------

    @rule(side=st.sampled_from([BID, ASK]), lots=st.integers(1, 60))
    def place(self, side, lots):
        self.now += 1
        position = int(self.ledger[0]["position_lots"])
        lim.expose(self.orders, 0, position, self.exposure[0])
        if lim.check(side, 1000, lots, 1000.0, self.exposure[0], self.limits[0]) != lim.OK:
            return
        slot = table.allocate(self.orders, self.register[0], self.now)
        if slot == table.NONE:
            return
        order = self.orders[slot]
        order["side"], order["lots"], order["px_ticks"] = side, lots, 1000
        table.apply(order, self.register[0], life.WRITTEN, table.UNTOLD, self.now)
        self.venue.inflight.append(("order", int(order["cloid_lo"]), side, lots))

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def cancel(self, data):
        self.now += 1
        order = self.orders[data.draw(st.sampled_from(self.live()))]
        if not life.is_legal(order["state"], life.CANCEL_WRITTEN):
            return
        table.apply(order, self.register[0], life.CANCEL_WRITTEN, table.UNTOLD, self.now)
        self.venue.inflight.append(("cancel", int(order["cloid_lo"])))

    @rule()
    def sweep(self):
        self.now += 1
        table.sweep(self.orders, self.register[0], self.now, 3, np.zeros(32, np.int64))

    # -- what the world does --------------------------------------------------------------------------------------

    @precondition(lambda self: self.venue.inflight)
    @rule(data=st.data(), refuse=st.booleans())
    def arrive(self, data, refuse):
        self.venue.arrive(data.draw(st.integers(0, len(self.venue.inflight) - 1)), refuse)

    @precondition(lambda self: self.venue.resting())
    @rule(data=st.data(), lots=st.integers(1, 60))
    def trade(self, data, lots):
        self.venue.trade(data.draw(st.sampled_from(self.venue.resting())), lots)

    @precondition(lambda self: self.venue.news)
    @rule(data=st.data(), again=st.booleans())
    def hear(self, data, again):
        index = data.draw(st.integers(0, len(self.venue.news) - 1))
        self.deliver(self.venue.news[index] if again else self.venue.news.pop(index))

    @precondition(lambda self: any(n[0] == "event" and n[2] in ANSWERS for n in self.venue.news))
    @rule()
    def lose_an_answer(self):
        index = next(i for i, n in enumerate(self.venue.news) if n[0] == "event" and n[2] in ANSWERS)
        _, cloid, _, _ = self.venue.news.pop(index)
        self.deliver(("event", cloid, life.ANSWER_LOST, table.UNTOLD))

    def deliver(self, news) -> None:
        self.now += 1
        slot = table.find_by_cloid(self.orders, SALT, news[1])
        if news[0] == "fill":
            _, _, tid, lots, side, start = news
            fill = np.zeros(1, FILL)
            fill["px_ticks"], fill["lots"], fill["side"], fill["tid"], fill["start_lots"] = 1000, lots, side, tid, start
            code = books.book_fill(self.ledger[0], self.tids[0], fill[0])
            if code in (books.BOOKED, books.CHAIN_BREAK) and slot != table.NONE:
                table.fill(self.orders[slot], self.register[0], lots, self.now)
        elif slot != table.NONE:
            table.apply(self.orders[slot], self.register[0], news[2], news[3], self.now)

    def live(self) -> list[int]:
        found, slot = [], table.next_live(self.orders, -1)
        while slot != table.NONE:
            found.append(slot)
            slot = table.next_live(self.orders, slot)
        return found

    # -- what is always true --------------------------------------------------------------------------------------

    @invariant()
    def worst_case_covers_the_truth(self):
        lim.expose(self.orders, 0, int(self.ledger[0]["position_lots"]), self.exposure[0])
        booked = {int(t) for t in self.booked()}
        for side in (BID, ASK):
            unbooked = sum(f[2] for f in self.venue.fills if f[1] not in booked and f[3] == side)
            coming = sum(m[3] for m in self.venue.inflight if m[0] == "order" and m[2] == side)
            truth = unbooked + self.venue.open_lots(side) + coming
            assert self.exposure[0]["live_lots"][side] >= truth

    @invariant()
    def position_cannot_pass_the_limit(self):
        coming = [sum(m[3] for m in self.venue.inflight if m[0] == "order" and m[2] == s) for s in (BID, ASK)]
        assert self.venue.position + self.venue.open_lots(BID) + coming[BID] <= POSITION_MAX
        assert self.venue.position - self.venue.open_lots(ASK) - coming[ASK] >= -POSITION_MAX

    @invariant()
    def nothing_impossible_was_heard(self):
        assert self.register[0]["overfill_count"] == 0

    def booked(self):
        ring = self.tids[0]["ring"]
        return ring[: int(self.tids[0]["count"])] - 1

    def teardown(self):
        while self.venue.inflight:
            self.venue.arrive(0, False)
        while self.venue.news:
            self.deliver(self.venue.news.pop(0))
        for slot in self.live():  # what is still unknown is asked for, by cloid, after everything has settled
            self.look_up(slot)
        assert self.ledger[0]["position_lots"] == self.venue.position
        ours = {int(self.orders[s]["cloid_lo"]): int(life.outstanding_lots(self.orders[s])) for s in self.live()}
        assert ours == {c: self.venue.orders[c]["rest"] for c in self.venue.resting()}
        for order in self.orders:
            if life.is_terminal(order["state"]):
                assert life.is_settled(order)
        assert self.register[0]["illegal_count"] == 0

    def look_up(self, slot: int) -> None:
        order = self.orders[slot]
        if order["state"] != AMBIGUOUS:
            return
        there = self.venue.orders.get(int(order["cloid_lo"]))
        if there is None:
            table.apply(order, self.register[0], life.RESOLVED_GONE, 0, self.now)
        elif there["rest"] > 0:
            table.apply(order, self.register[0], life.RESOLVED_OPEN, table.UNTOLD, self.now)
        else:
            table.apply(order, self.register[0], life.RESOLVED_GONE, there["lots"] - there["rest"], self.now)


ANSWERS = (life.ACK_RESTING, life.ACK_ERROR, life.CANCEL_OK, life.CANCEL_MISSING)

TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=60, deadline=None,
                                suppress_health_check=list(HealthCheck))


# -- single operations ------------------------------------------------------------------------------------------------


def desk(count=8):
    return table.new_orders(count), table.new_register(SALT)[0]


def test_cloid_leads_to_its_slot_and_never_to_a_later_order_there():
    orders, register = desk()
    slot = table.allocate(orders, register, 1)
    hi, lo = int(orders[slot]["cloid_hi"]), int(orders[slot]["cloid_lo"])
    assert table.find_by_cloid(orders, hi, lo) == slot
    assert table.find_by_cloid(orders, hi + 1, lo) == table.NONE
    orders[slot]["state"] = FREE
    assert table.find_by_cloid(orders, hi, lo) == table.NONE
    assert table.allocate(orders, register, 2) == slot
    assert table.find_by_cloid(orders, hi, lo) == table.NONE


@pytest.mark.parametrize("lo", [-1, 2**62, 0xFFFF, -(2**63)])
def test_senseless_cloid_finds_nothing(lo):
    orders, register = desk()
    table.allocate(orders, register, 1)
    assert table.find_by_cloid(orders, SALT, lo) == table.NONE


def test_full_table_gives_no_slot_and_spends_no_cloid():
    orders, register = desk(2)
    assert [table.allocate(orders, register, 1) for _ in range(3)] == [0, 1, table.NONE]
    assert register["counter"] == 2


def test_used_slot_starts_clean():
    orders, register = desk(1)
    table.allocate(orders, register, 1)
    names = [n for n in orders.dtype.names if n not in ("seq", "state")]
    for name in names:
        orders[0][name] = 77
    orders[0]["state"] = FREE
    table.allocate(orders, register, 5)
    kept = {"kind": 51, "state": PENDING, "cloid_hi": SALT, "cloid_lo": 2 << 16, "ts_ns": 5}
    assert {n: int(orders[0][n]) for n in names if orders[0][n] != 0} == {n: v for n, v in kept.items() if n in names}


def test_find_by_oid_ignores_unknown_and_free():
    orders, register = desk()
    slot = table.allocate(orders, register, 1)
    assert table.find_by_oid(orders, 0) == table.NONE
    orders[slot]["oid"] = 9
    assert table.find_by_oid(orders, 9) == slot
    orders[slot]["state"] = FREE
    assert table.find_by_oid(orders, 9) == table.NONE


def test_slots_in_use_are_bounded_and_the_bound_falls_when_the_last_ones_are_swept():
    orders, register = desk()
    assert register["in_use"] == 0
    for _ in range(3):
        table.allocate(orders, register, 1)
    orders[1]["state"] = FREE
    assert register["in_use"] == 3
    orders[2]["state"] = REJECTED
    assert table.sweep(orders, register, 600, 500, np.zeros(8, np.int64)) == 1
    assert register["in_use"] == 1


def test_working_cancel_keeps_the_size_outstanding_until_the_update_tells():
    orders, register = desk()
    order = orders[table.allocate(orders, register, 1)]
    order["state"], order["lots"] = OPEN, 10
    table.apply(order, register, life.CANCEL_WRITTEN, table.UNTOLD, 2)
    table.apply(order, register, life.CANCEL_OK, table.UNTOLD, 3)
    assert (order["state"], life.outstanding_lots(order)) == (CANCELED, 10)
    table.apply(order, register, life.UPDATE_CANCELED, 4, 4)
    assert life.outstanding_lots(order) == 4
    table.fill(order, register, 4, 5)
    assert (order["state"], life.is_settled(order)) == (CANCELED, True)


def test_refused_order_that_rests_after_all_counts_in_full():
    orders, register = desk()
    order = orders[table.allocate(orders, register, 1)]
    order["state"], order["lots"] = OPEN, 10
    order["state"] = REJECTED
    table.apply(order, register, life.UPDATE_OPEN, table.UNTOLD, 2)
    assert (order["state"], life.outstanding_lots(order)) == (AMBIGUOUS, 10)


def test_overfill_is_counted_and_believed():
    orders, register = desk()
    order = orders[table.allocate(orders, register, 1)]
    order["state"], order["lots"] = OPEN, 10
    table.fill(order, register, 12, 2)
    assert (order["state"], order["filled_lots"], register["overfill_count"]) == (FILLED, 12, 1)


def test_slot_is_swept_only_when_settled_and_after_a_while():
    orders, register = desk()
    order = orders[table.allocate(orders, register, 1)]
    order["lots"], order["state"], order["ts_ns"] = 10, CANCELED, 100
    freed = np.zeros(8, np.int64)
    assert table.sweep(orders, register, 1_000, 500, freed) == 0
    table.settle(order)
    assert table.sweep(orders, register, 599, 500, freed) == 0
    assert table.sweep(orders, register, 600, 500, freed) == 1
    assert (freed[0], order["state"]) == (0, FREE)


@pytest.mark.parametrize("salt", [0, -1, 1 << 63])
def test_senseless_salt_is_refused(salt):
    with pytest.raises(ValueError, match="salt"):
        table.new_register(salt)


def test_more_slots_than_a_cloid_can_name_are_refused():
    with pytest.raises(ValueError, match="slot"):
        table.new_orders(70_000)
