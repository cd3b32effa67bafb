"""
The account as the venue has it: reconciles, and look-ups of single orders.

In      the venue's lists of open orders, positions and limits; its word about one order.
Out     a working table and ledgers that agree with them, or a mismatch that is counted.
Source  user channels are not replayed after a reconnect: what was missed has to be asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mmfast.executor import budget as budgets
from mmfast.executor import lifecycle
from mmfast.gateway import ledger as books
from mmfast.gateway import orders as table
from mmfast.gateway.audit import Ask, Audit
from mmfast.gateway.desk import Desk
from mmfast.gateway.reconcile import (
    DIFFERS,
    FOREIGN,
    GRACE_NS,
    MARK_GONE,
    MARK_OPEN,
    ORPHAN,
    REVIVE,
    VENUE_ORDER,
    VERDICT,
    VERDICT_NAMES,
    compare,
)
from mmfast.records.order import ORDER_SLOTS
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid import info, messages
from mmfast.venues.hyperliquid.errors import HyperliquidError

LIMIT_EVERY_NS = 60 * NS_PER_S
RECHECK_NS = NS_PER_S // 2


class Account:
    """
    Asks the venue, compares, repairs. ``on_done(agrees)`` is told after each reconcile.

    The run began at ``started_ms``, this process at ``opened_ms``: what was filled in between is booked again.
    """

    def __init__(self, desk: Desk, address: str, started_ms: int, opened_ms: int, ask: Ask,
                 on_done: Callable[[bool], None], cancel_oids: Callable[[list[tuple[int, int]]], None]) -> None:
        self.desk, self.address, self.ask = desk, address, ask
        self.on_done, self.cancel_oids = on_done, cancel_oids
        self.scales = {name: (inst, int(desk.instruments[inst]["sz_decimals"]))
                       for inst, name in enumerate(desk.names)}
        self.audit = Audit(desk, address, started_ms, opened_ms, ask, self.scales)
        self.next_ns = 0
        self.limit_ns = -LIMIT_EVERY_NS
        self.streak = 0
        self._asked_ns = 0
        self._open = 0
        self._agrees = True
        self._verdicts = np.zeros(2 * ORDER_SLOTS, VERDICT)

    # ---- reconcile

    def reconcile(self, now_ns: int, every_s: float) -> None:
        """Ask for open orders and positions, unless answers to such questions are still due."""
        if self._open > 0:
            return
        self._asked_ns, self.next_ns = now_ns, now_ns + int(every_s * NS_PER_S)
        self._open, self._agrees = 2, True
        self.ask(info.about("frontendOpenOrders", self.address), self._on_open_orders)
        self.ask(info.about("clearinghouseState", self.address), self._on_positions)
        if now_ns - self.limit_ns >= LIMIT_EVERY_NS:
            self.limit_ns = now_ns
            self.ask(info.about("userRateLimit", self.address), self._on_limit)
        self.audit.step(now_ns)

    def abandon(self) -> None:
        """The connection is gone: nothing is agreed any more."""
        self._open, self.next_ns = 0, 0
        self.audit.abandon()

    def _finish(self, agrees: bool, now_ns: int) -> None:
        self._agrees = self._agrees and agrees
        self._open -= 1
        if self._open > 0:
            return
        self._open = 0
        self.desk.counters.add("reconcile_count")
        self.streak = 0 if self._agrees else self.streak + 1
        if not self._agrees:
            self.next_ns = now_ns + RECHECK_NS
            if self.streak >= 2:  # once may be a fill that is on its way
                self.desk.counters.add("mismatch_count")
        self.on_done(self._agrees)

    def _parsed(self, post: Any, parse: Callable[..., Any]) -> Any:
        """The decoded answer, None if it is lost or cannot be understood (which is counted)."""
        if post is None or not post.data:
            return None
        try:
            return parse(post.data)
        except HyperliquidError as error:
            self.desk.counters.add("decode_error_count")
            self.desk.errors.record(str(error))
            return None

    def _on_open_orders(self, post: Any, now_ns: int) -> None:
        listed = self._parsed(post, lambda body: info.parse_open_orders(body, self.scales))
        if listed is None:
            self._finish(False, now_ns)
            return
        ours = [o for o in listed if o.inst != messages.FOREIGN]
        venue = np.zeros(len(ours), VENUE_ORDER)
        for row, o in zip(venue, ours):
            for field, value in (("cloid_hi", o.cloid_hi), ("cloid_lo", o.cloid_lo), ("oid", o.oid),
                                 ("px_ticks", o.px_ticks), ("lots", o.lots), ("orig_lots", o.orig_lots),
                                 ("inst", o.inst), ("side", o.side)):
                row[field] = value
        count = compare(venue, self.desk.orders, int(self.desk.register[0]["salt"]), self._asked_ns, GRACE_NS,
                        self._verdicts)
        for verdict in self._verdicts[:count]:
            self._repair(verdict, venue, now_ns)
        self._finish(True, now_ns)

    def _repair(self, verdict: Any, venue: np.ndarray, now_ns: int) -> None:
        kind, slot = int(verdict["kind"]), int(verdict["slot"])
        row = venue[verdict["row"]] if verdict["row"] >= 0 else None
        if kind in (FOREIGN, ORPHAN) and row is not None:
            self.desk.counters.add("foreign_count")
            self.desk.errors.record(f"an order that is not in our table rests at the venue: oid {row['oid']}; canceled")
            self.cancel_oids([(int(row["inst"]), int(row["oid"]))])
        elif kind == MARK_OPEN and row is not None:
            self.desk.orders[slot]["oid"] = row["oid"]
            self.desk.apply(slot, lifecycle.RESOLVED_OPEN, now_ns)
        elif kind == REVIVE and row is not None:
            self.desk.revive(slot, int(row["orig_lots"]), now_ns)
        elif kind in (MARK_GONE, DIFFERS):
            self.desk.errors.record(f"order {VERDICT_NAMES[kind]} at the venue: oid {verdict['oid']}; asked for")
            self.resolve(slot)

    def _on_positions(self, post: Any, now_ns: int) -> None:
        state = self._parsed(post, lambda body: info.parse_account(body, self.scales))
        if state is None:
            self._finish(False, now_ns)
            return
        held = {p.inst: p.lots for p in state.positions}
        differs = False
        for inst in range(len(self.desk.instruments)):
            if books.reconcile_position(self.desk.ledgers[inst], held.get(inst, 0), now_ns) != 0:
                differs = True
            self.desk.publish_ledger(inst)
        if differs:
            self.audit.ask_fills(now_ns, from_start=self.streak > 0)
        self._finish(not differs, now_ns)

    def _on_limit(self, post: Any, now_ns: int) -> None:
        limit = self._parsed(post, info.parse_rate_limit)
        if limit is not None:
            budgets.resync(self.desk.budget[0], limit.used, limit.cap)

    # ---- single orders

    def resolve(self, slot: int) -> None:
        """Ask what became of one order, by its cloid."""
        order = self.desk.orders[slot]
        cloid = int(order["cloid_hi"]), int(order["cloid_lo"])
        self.ask(info.order_status(self.address, 0, *cloid), partial(self._on_order, slot, cloid, int(order["ts_ns"])))

    def _on_order(self, slot: int, cloid: tuple[int, int], since_ns: int, post: Any, now_ns: int) -> None:
        """``since_ns``: since when the order was what it was when it was asked for."""
        if post is None or not post.data or table.find_by_cloid(self.desk.orders, *cloid) != slot:
            return
        try:
            update = info.parse_order_status(post.data, self.scales)
        except HyperliquidError as error:
            self.desk.errors.record(str(error))
            return
        order = self.desk.orders[slot]
        has_ended_since = lifecycle.is_terminal(order["state"]) and order["ts_ns"] > since_ns
        if update is not None:
            if update.status != "open" or not has_ended_since:
                self._settle(slot, update, now_ns)
        elif now_ns - int(order["ts_written_ns"]) > GRACE_NS:
            # Unknown to the venue, and too old to be still under way: its expiry has passed.
            self.desk.apply(slot, lifecycle.RESOLVED_GONE, now_ns, int(order["filled_lots"]))

    def _settle(self, slot: int, update: messages.OrderUpdate, now_ns: int) -> None:
        """What the venue says of one order, when asked: open, or ended by whatever word, with so much traded."""
        order = self.desk.orders[slot]
        if table.is_another(order, update.oid, update.px_ticks, update.orig_lots):
            self.desk.apply(slot, lifecycle.RESOLVED_GONE, now_ns)  # what it traded is in the list of fills alone
            self.audit.ask_fills(now_ns)
            return
        order["oid"] = update.oid
        if update.status == "open":
            self.desk.revive(slot, update.orig_lots, now_ns)
        elif messages.status_is_terminal(update.status):
            self.desk.on_update(update, now_ns)
        else:
            self.desk.errors.record(f"order status {update.status!r} is new to us: taken for an end")
            self.desk.apply(slot, lifecycle.RESOLVED_GONE, now_ns, update.orig_lots - update.lots)
        if update.orig_lots - update.lots > order["filled_lots"]:
            self.audit.ask_fills(now_ns)
