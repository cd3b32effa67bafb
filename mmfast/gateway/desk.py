"""
The desk: our orders and our account, kept in step with the venue, mirrored slot by slot into shared memory.

In      quotes from the quoter; answers, order updates and fills from the venue.
Out     slots to cancel and slots to place; the shared order table; the ledgers; fills on the account rings.
Source  a cloid stands in shared memory before its bytes are written (see records/order.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmfast.config import EngineConfig
from mmfast.executor import budget as budgets
from mmfast.executor import lifecycle
from mmfast.executor.diff import ACTION, ACTION_MAX
from mmfast.executor.limits import LIMITS, new_limits
from mmfast.gateway import ledger as books
from mmfast.gateway import orders as table
from mmfast.gateway import plan as plans
from mmfast.gateway.chain import Chains
from mmfast.gateway.holds import Holds
from mmfast.records.account import FILL, KIND_FILL, KIND_POSITION, LEDGER
from mmfast.records.order import AMBIGUOUS, CANCELED, CANCELING, OPEN, ORDER_KINDS, ORDER_SLOTS, PENDING
from mmfast.records.order import FILLED as FILLED_STATE
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import QUOTE
from mmfast.rings import seqlock, spsc
from mmfast.rings.bell import ring_bell
from mmfast.rings.region import House
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import ErrorLog
from mmfast.runtime.holdings import coin_names
from mmfast.runtime.live import refresh
from mmfast.runtime.wake import bell_address
from mmfast.topology import ACCOUNT_READERS
from mmfast.units import ASK, BID, NS_PER_MS, NS_PER_S, UUSD_PER_USD
from mmfast.venues.hyperliquid.errors import is_final, reject_reason
from mmfast.venues.hyperliquid.messages import (
    DONE,
    FILLED,
    FOREIGN,
    REFUSED,
    UNKNOWN,
    Fill,
    FundingPayment,
    OrderAnswer,
    OrderUpdate,
    status_is_terminal,
)

UNSETTLED_NS = 2 * NS_PER_S  # an ended order whose last fills are not in after this is asked for


class Desk:
    """All orders and ledgers of one account. No sockets and no clock: time is an argument."""

    def __init__(self, house: House, config: EngineConfig, salt: int, now_ns: int) -> None:
        self.house = house
        self.counters = Counters(house, "gateway")
        self.errors = ErrorLog(house, "gateway")
        self.instruments = house.table("instrument").copy()
        self.parameters, self.fresh = house.cells("parameters").copy(), np.zeros(1, PARAMETERS)
        self.parameters_known = [0] * len(self.instruments)
        self.orders = table.new_orders()
        self.register = table.new_register(salt)
        self.tids = books.new_tids()
        self.ledgers = books_at_start(house.cells("ledger"))
        self.budget = budgets.new_budget(now_ns)
        self.limits, self.held = np.zeros(len(self.instruments), LIMITS), house.table("held")
        for inst in range(len(self.instruments)):
            self.limits[inst] = self._limits(config, inst)[0]
        self.holds, self.held["until_ns"] = Holds(self.limits["until_ns"]), 0
        self.quotes, self.spare = np.zeros(len(self.instruments), QUOTE), np.zeros(1, QUOTE)
        self.versions = np.zeros(len(self.instruments), np.int64)
        self.per_usd = self.instruments["ticks_per_usd"].tolist()
        first = int(self.quotes.ctypes.data)
        self.quote_addresses = [first + inst * QUOTE.itemsize for inst in range(len(self.quotes))]
        self._quote_news = (int(self.versions.ctypes.data), int(self.spare.ctypes.data), first,
                            int(self.ledgers.ctypes.data))
        self.actions = np.zeros(ACTION_MAX, ACTION)
        self.names = coin_names(house)
        self.slots = np.zeros((3, ACTION_MAX), np.int64)
        self.counts = np.zeros(5, np.int64)
        self.chains = Chains(house)
        self.table_address, self.working_address = house.address["order"], int(self.orders.ctypes.data)
        self.quote_cells = house.address["quote"]
        self.freed = np.zeros(ORDER_SLOTS, np.int64)
        self.account_rings = [(house.address[f"account_{r}"], bell_address(house, r)) for r in ACCOUNT_READERS]
        for ring, _ in self.account_rings:
            spsc.recover_writer(ring)
        table.adopt(self.orders, self.register, house.cells("order"), now_ns)
        for slot in range(ORDER_SLOTS):
            self.mirror(slot)

    def _limits(self, config: EngineConfig, inst: int) -> np.ndarray:
        parameters = self.parameters[inst]
        return new_limits(int(parameters["position_max_lots"]), round(config.risk.max_order_usd * UUSD_PER_USD),
                          config.risk.price_collar_bps, int(parameters["min_order_uusd"]), config.risk.max_open_orders)

    # ---- from quotes to slots

    def read_quote(self, inst: int) -> bool:
        """Copy the newest quote set of an instrument; True if it is news."""
        return plans.take_quote(self.quote_cells, inst, *self._quote_news, self.per_usd[inst])

    def read_parameters(self) -> None:
        """Take over parameters that were changed; the limits stay those of the start."""
        cells, target = self.house.address["parameters"], int(self.parameters.ctypes.data)
        for inst, known in enumerate(self.parameters_known):
            self.parameters_known[inst] = refresh(seqlock.cell_address(cells, inst), known,
                                                  int(self.fresh.ctypes.data), target + inst * PARAMETERS.itemsize)

    def keep_chain(self, inst: int, slots: list[int]) -> None:
        """Keep beside new orders what they were made from; after they are out."""
        self.chains.keep(inst, self.quotes, np.array(slots))

    def plan(self, inst: int, may_trade: bool, now_ns: int) -> tuple[list[int], list[int], list[int]]:
        """
        Slots to cancel, slots to place, so that what rests becomes what the quote wants, and at most one to take with.

        The latter two are PENDING and stand in shared memory when this returns. With ``may_trade`` False
        everything that rests is canceled, whatever the quote says.
        """
        plans.plan(self.quotes, self.orders, inst, now_ns, self.parameters, self.budget, self.limits, self.ledgers,
                   self.actions, self.register, self.table_address, self.working_address, may_trade, self.slots,
                   self.counts)
        cancels, places, takes, held, full = self.counts.tolist()
        if held:
            self.counters.add("held_count", held)
        if full:
            self.counters.add("blocked_count")
            self.errors.record("the order table is full: no order was placed")
        return self.slots[0, :cancels].tolist(), self.slots[1, :places].tolist(), self.slots[2, :takes].tolist()

    def mirror(self, slot: int) -> None:
        """Publish one slot of the working table."""
        plans.mirror(self.table_address, self.working_address, slot)

    def apply(self, slot: int, event: int, now_ns: int, told_lots: int = table.UNTOLD) -> None:
        """Let an event of the life table happen to an order, and publish it."""
        table.apply(self.orders[slot], self.register[0], event, told_lots, now_ns)
        self.mirror(slot)

    def revive(self, slot: int, lots: int, now_ns: int) -> None:
        """An order rests after all, with original size ``lots``: publish it."""
        table.revive(self.orders[slot], self.register[0], lots, now_ns)
        self.mirror(slot)

    def live_slots(self, inst: int = -1) -> list[int]:
        """Slots that may rest at the venue, of one instrument or (-1) of all."""
        used = self.orders[: int(self.register["in_use"][0])]
        live = (used["state"] >= PENDING) & (used["state"] <= AMBIGUOUS)
        if inst >= 0:
            live &= used["inst"] == inst
        return [int(s) for s in np.flatnonzero(live)]

    def unresolved_slots(self, now_ns: int) -> list[int]:
        """Orders of unknown fate, and orders that ended a while ago without all their fills."""
        used = self.orders[: int(self.register["in_use"][0])]
        ended = (used["state"] == CANCELED) | (used["state"] == FILLED_STATE)
        waits = ended & (used["lots"] > used["filled_lots"]) & (now_ns - used["ts_ns"] > UNSETTLED_NS)
        return [int(s) for s in np.flatnonzero((used["state"] == AMBIGUOUS) | waits)]

    # ---- from the venue to slots

    def on_order_answers(self, slots: list[int], answers: Sequence[OrderAnswer], now_ns: int) -> None:
        """The answers to a batch of placements, one for each; what is UNKNOWN is ambiguous, never a rejection."""
        for (inst, kind), text in self.holds.answered(zip(self.orders[slots], answers), now_ns).items():
            wait_s = (int(self.limits[inst]["until_ns"][kind]) - now_ns) / NS_PER_S
            what = f"{self.names[inst]}: no {ORDER_KINDS[kind]} for {wait_s:.0f} s, the venue refuses them"
            if reject_reason(text) == "expired":
                what = f"orders expire on their way: is this host's clock right? None for {wait_s:.0f} s"
            self.errors.record(what)
            self.held["until_ns"] = self.limits["until_ns"]
        for slot, answer in zip(slots, answers):
            order = self.orders[slot]
            if answer.oid:
                if order["oid"] not in (0, answer.oid):  # its fills so far were those of another in its place
                    order["filled_lots"] = 0
                order["oid"] = answer.oid
            if answer.kind == UNKNOWN:
                self.counters.add("ambiguous_count")
                self.apply(slot, lifecycle.ANSWER_LOST, now_ns)
            elif answer.kind == REFUSED:
                self._count_reject(answer.text)
                final = is_final(answer.text)
                self.counters.add("ambiguous_count", 0 if final else 1)
                self.apply(slot, lifecycle.ACK_ERROR if final else lifecycle.ANSWER_LOST, now_ns)
            elif answer.kind == FILLED:
                self.counters.add("order_acked_count")
                sz_decimals = int(self.instruments[order["inst"]]["sz_decimals"])
                self.apply(slot, lifecycle.ACK_FILLED, now_ns, answer.filled_lots(sz_decimals))
            else:
                self.counters.add("order_acked_count")
                self.apply(slot, lifecycle.ACK_RESTING, now_ns)

    def on_cancel_answers(self, slots: list[int], answers: Sequence[OrderAnswer], now_ns: int) -> None:
        """The answers to a batch of cancels, one for each."""
        for slot, answer in zip(slots, answers):
            if answer.kind == DONE:
                self.counters.add("cancel_acked_count")
                self.apply(slot, lifecycle.CANCEL_OK, now_ns)
            elif answer.kind == REFUSED and reject_reason(answer.text) == "missing":
                self.counters.add("cancel_late_count")
                self.apply(slot, lifecycle.CANCEL_MISSING, now_ns)
            else:
                if answer.kind == REFUSED:
                    self._count_reject(answer.text)
                self.apply(slot, lifecycle.ANSWER_LOST, now_ns)

    def _count_reject(self, text: str) -> None:
        reason = reject_reason(text)
        self.counters.add("order_rejected_count")
        name = "other" if reason == "missing" else reason
        self.counters.add(f"reject_{name}_count")
        if name not in ("post_only", "no_match"):  # normal in a moving market
            self.errors.record(f"the venue refused: {text}")

    def slot_of(self, news: OrderUpdate | Fill) -> int:
        """The slot that news are about, NONE if they are not about an order of ours."""
        named = news.cloid_hi, news.cloid_lo, news.oid
        if isinstance(news, OrderUpdate):
            return int(table.find_ours(self.orders, *named, news.px_ticks, news.orig_lots))
        px_ticks = 0 if news.crossed else news.px_ticks  # whoever rests is filled at its limit
        slot = int(table.find_ours(self.orders, *named, px_ticks, 0))
        return table.NONE if slot != table.NONE and table.exceeds(self.orders[slot], news.lots) else slot

    def on_update(self, update: OrderUpdate, now_ns: int) -> int:
        """An order update of the venue; the slot it was for, NONE if the order is not ours."""
        self.counters.add("user_event_count")
        slot = self.slot_of(update)
        if slot == table.NONE:
            return slot
        order = self.orders[slot]
        order["oid"] = update.oid
        if update.status == "open":
            self.apply(slot, lifecycle.UPDATE_OPEN, now_ns)
        elif update.status == "filled":
            self.apply(slot, lifecycle.UPDATE_FILLED, now_ns, update.orig_lots)
        elif "ejected" in update.status:
            self.apply(slot, lifecycle.UPDATE_REJECTED, now_ns, 0)
        elif status_is_terminal(update.status):
            self.apply(slot, lifecycle.UPDATE_CANCELED, now_ns, update.orig_lots - update.lots)
        return slot

    def on_fill(self, fill: Fill, now_ns: int) -> int:
        """
        Book a fill once, and tell everybody who reads the account; the code of ledger.py.

        A fill of an order that is not ours is booked too: it is our account.
        """
        self.counters.add("user_event_count")
        record = self._fill_record(fill, now_ns)
        code = books.book_fill(self.ledgers[fill.inst], self.tids[0], record[0])
        if code == books.DUPLICATE:
            self.counters.add("fill_duplicate_count")
            return code
        if code == books.BAD_FILL:
            self.counters.add("decode_error_count")
            self.errors.record(f"impossible fill: {fill}")
            return code
        if code == books.CHAIN_BREAK:
            self.counters.add("chain_break_count")
            self.errors.record(f"a fill before tid {fill.tid} is missing or late")
        self.counters.add("fill_count")
        budgets.earn(self.budget[0], fill.px_ticks * fill.lots)
        slot = self.slot_of(fill)
        if slot == table.NONE:
            self.counters.add("foreign_count")
            self.errors.record(f"fill of an order that is not ours: oid {fill.oid}")
        else:
            record["src_seq"] = self.orders[slot]["src_seq"]
            self._fill_order(slot, fill, now_ns)
        self.tell_account(record)
        self.publish_ledger(fill.inst)
        return code

    def rebook(self, fill: Fill, now_ns: int) -> None:
        """Book a fill from before this process: the account is what it was, but nobody is told it as news."""
        record = self._fill_record(fill, now_ns)
        if books.book_fill(self.ledgers[fill.inst], self.tids[0], record[0]) in (books.BOOKED, books.CHAIN_BREAK):
            slot = self.slot_of(fill)
            if slot != table.NONE:
                self._fill_order(slot, fill, now_ns)
            self.publish_ledger(fill.inst)
            self.tell_position(fill.inst, now_ns)

    def _fill_order(self, slot: int, fill: Fill, now_ns: int) -> None:
        order = self.orders[slot]
        if order["oid"] == 0 and not fill.crossed:  # the first that is heard of it
            order["oid"] = fill.oid
        table.fill(order, self.register[0], fill.lots, now_ns)
        self.mirror(slot)

    def book_funding(self, payment: FundingPayment) -> None:
        """Book a funding payment of one of our coins."""
        if payment.inst != FOREIGN:
            books.book_funding(self.ledgers[payment.inst], payment.uusd)
            self.publish_ledger(payment.inst)

    def _fill_record(self, fill: Fill, now_ns: int) -> np.ndarray:
        record = np.zeros(1, FILL)
        for field, value in (("kind", KIND_FILL), ("inst", fill.inst), ("src_seq", -1),
                             ("ts_exch_ns", fill.time_ms * NS_PER_MS), ("ts_recv_ns", now_ns), ("ts_ns", now_ns),
                             ("px_ticks", fill.px_ticks), ("lots", fill.lots), ("side", fill.side),
                             ("crossed", int(fill.crossed)), ("tid", fill.tid), ("oid", fill.oid),
                             ("cloid_hi", fill.cloid_hi), ("cloid_lo", fill.cloid_lo), ("start_lots", fill.start_lots),
                             ("fee_uusd", fill.fee_uusd), ("closed_pnl_uusd", fill.closed_pnl_uusd)):
            record[field] = value
        return record

    def tell_position(self, inst: int, now_ns: int) -> None:
        """Tell the readers of the account the position as it is booked."""
        record = np.zeros(1, FILL)
        record["kind"], record["inst"], record["src_seq"] = KIND_POSITION, inst, -1
        record["ts_recv_ns"] = record["ts_ns"] = now_ns
        record["position_lots"] = self.ledgers[inst]["position_lots"]
        self.tell_account(record)

    def tell_account(self, record: np.ndarray) -> None:
        """One record to every reader's ring. A full ring is counted there, and the watchdog latches on it."""
        for ring, bell in self.account_rings:
            slot = spsc.claim(ring)
            if slot == 0:
                self.errors.record("a reader of the account does not keep up: its lossless ring is full")
                continue
            spsc.put(ring, slot, int(record.ctypes.data), FILL.itemsize)
            ring_bell(bell)

    def publish_ledger(self, inst: int) -> None:
        """Publish one ledger."""
        seqlock.store(seqlock.cell_address(self.house.address["ledger"], inst),
                      self.ledgers.ctypes.data + inst * LEDGER.itemsize, LEDGER.itemsize)

    def sides_open(self, inst: int) -> tuple[bool, bool]:
        """Whether an order of ours rests on the bid and on the ask."""
        used = self.orders[: int(self.register["in_use"][0])]
        resting = (used["inst"] == inst) & ((used["state"] == OPEN) | (used["state"] == CANCELING))
        return bool((resting & (used["side"] == BID)).any()), bool((resting & (used["side"] == ASK)).any())

    @property
    def budget_left_s(self) -> int:
        """Whole seconds until the address budget has nothing left for orders at the present pace; -1 for never."""
        left_s = float(budgets.forecast_s(self.budget[0]))
        return int(min(left_s, 1e9)) if np.isfinite(left_s) else -1

    def sweep(self, now_ns: int) -> None:
        """Free slots that ended a while ago with all their fills booked."""
        for slot in self.freed[: table.sweep(self.orders, self.register[0], now_ns, table.LINGER_NS, self.freed)]:
            self.mirror(int(slot))


def books_at_start(ledgers: np.ndarray) -> np.ndarray:
    """
    LEDGER records, shape (n,), as they stood when the run began.

    A gateway that comes back does not know which fills its predecessor booked: it books all of the run again, from the
    venue's lists, and funding alike. The mark is kept.
    """
    opened = np.zeros(len(ledgers), LEDGER)
    for field in ("start_position_lots", "start_mark_ticks", "mark_ticks"):
        opened[field] = ledgers[field]
    opened["position_lots"] = ledgers["start_position_lots"]
    return opened
