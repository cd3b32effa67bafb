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
        table.sweep(self.orders, self.now, 3, np.zeros(32, np.int64))

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
            _, cloid, tid, lots, side, start = news
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
