"""
The order gateway: the one process that places orders.

In      quotes from the quoter; the venue's answers and user events.
Out     signed orders and cancels; the shared order table and ledgers; fills on the account rings.
Source  cancels are written before placements; an order's cloid is in shared memory before its bytes are written.

It trades only while all of this holds: connected and reconciled, nothing latched or paused, the watchdog alive,
the quote fresh. Whatever fails, it pulls its quotes, by itself.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np

from mmfast.config import EngineConfig
from mmfast.executor import budget as budgets
from mmfast.executor import lifecycle
from mmfast.gateway.account import Account
from mmfast.gateway.desk import Desk
from mmfast.gateway.flatten import Flattener
from mmfast.gateway.plan import enter, mark_canceling, mark_written, may_trade
from mmfast.gateway.stamps import Stamps
from mmfast.records.control import KILL_SIGNER, STATE_RUNNING, STATE_STARTING
from mmfast.records.order import TIF_ALO
from mmfast.rings.region import House
from mmfast.runtime.control import Control
from mmfast.runtime.eventloop import run_loop
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.latch import Latch
from mmfast.runtime.link import Link, LinkPolicy
from mmfast.runtime.posts import LOST, Posts
from mmfast.runtime.process import Placement
from mmfast.runtime.secret import Key
from mmfast.runtime.wake import LoopBell
from mmfast.runtime.wallet import Wallet
from mmfast.units import ASK, BID, NS_PER_MS, NS_PER_S
from mmfast.venues.hyperliquid import actions, decode, encode, messages
from mmfast.venues.hyperliquid.errors import HyperliquidError, reject_reason

TICK_S = 0.02
RESOLVE_NS = NS_PER_S  # an order of unknown fate is asked for this often
CHANNELS = ("orderUpdates", "userFills", "userEvents")  # the last one for funding only
SILENCE_S = 3.0  # a ping goes out after half of it: a socket without an answer is half-open
REHEARSED = [actions.Order(0, side, 1_000_000, 1_000, 5, TIF_ALO, False, 1, 1) for side in (BID, ASK)]


class GatewayStage:
    """Everything of the order gateway that touches sockets, clocks and keys."""

    def __init__(self, house: House, config: EngineConfig, placement: Placement, ws_url: str, run_id: str,
                 started_ms: int, descriptor: int, account: str, key: Key, mainnet: bool) -> None:
        self.config = config
        self.address = account
        self.parent = os.getppid()
        self.control = Control(house)
        self.heart = Heart(house, "gateway")
        self.watchdog = Heart(house, "watchdog")
        self.desk = Desk(house, config, salt_of(run_id, time.time_ns()), time.monotonic_ns())
        self.counters, self.errors = self.desk.counters, self.desk.errors
        self.stamps = Stamps(house)
        self.sheet = actions.Sheet()
        self.wallet = Wallet(key, mainnet, config.state_path / "nonce.gateway", time.time_ns() // NS_PER_MS)
        self.posts = Posts()
        gateway = config.gateway
        policy = LinkPolicy(gateway.ping_s, SILENCE_S, gateway.reconnect_first_s, gateway.reconnect_max_s,
                            gateway.max_connects_per_min)
        self.link = Link(ws_url, policy, self._on_connected, self._on_frame, self._on_lost)
        opened_ms = time.time_ns() // NS_PER_MS
        self.account = Account(self.desk, account, started_ms, opened_ms, self.ask, self._on_reconciled,
                               self.cancel_oids)
        self.flattener = Flattener(self.desk, config, self.place)
        self.bell = LoopBell(house, "gateway", descriptor, placement.idle, self._drain)
        self.count = len(self.desk.instruments)
        self.assets = self.desk.instruments["asset"].tolist()
        self.synced, self.supervised = False, True
        limits = config.watchdog.heartbeat_limit_ms
        self.limits_ns = int(limits.quoter * NS_PER_MS), int(limits.watchdog * NS_PER_MS)
        self.answer_ns, self.expires_ms = int(gateway.answer_timeout_ms * NS_PER_MS), int(gateway.expires_after_ms)
        self.last_tick_ns = time.monotonic_ns()
        self.quoting = [False] * self.count
        self.resolved_ns: dict[int, int] = {}

    async def run(self) -> int:
        """Until the engine stops or its supervisor is gone; then pull the quotes once more."""
        self.link.open()
        self.bell.open(asyncio.get_running_loop())
        while not self.control.stopping and os.getppid() == self.parent:
            await asyncio.sleep(TICK_S)
            self._tick(time.monotonic_ns())
        for inst in range(self.count):
            self._act(inst, time.monotonic_ns())
        await asyncio.sleep(0)  # lets the last frame out
        self.bell.close()
        self.link.close()
        self.wallet.wipe()
        return 0

    # ---- quotes

    def _drain(self) -> bool:
        """Act on every quote set that is news; True if there was one."""
        news = False
        for inst in range(self.count):
            if self.desk.read_quote(inst):
                news = True
                self._act(inst, time.monotonic_ns())
        return news

    def _may_trade(self, inst: int, now_ns: int) -> bool:
        return (self.synced and self.supervised
                and may_trade(self.control.address, self.watchdog.address, self.desk.quote_addresses[inst], now_ns,
                              *self.limits_ns))

    def _act(self, inst: int, now_ns: int) -> None:
        """Make what rests what the quote wants. Cancels are written first."""
        if not self.link.connected:
            return
        cancels, places, takes = self.desk.plan(inst, self._may_trade(inst, now_ns), now_ns)
        diffed_ns = time.monotonic_ns()
        written_ns = self.cancel(cancels) if cancels else 0
        if places:
            self.place(places, diffed_ns)
        if takes:  # not in one batch: the venue puts off what does not only rest
            self.place(takes, diffed_ns)
            self.counters.add("take_sent_count")
        if written_ns:  # the books of the cancels can wait until the orders are out
            self.book_cancels(cancels, written_ns)
        if places or takes:
            self.desk.keep_chain(inst, places + takes)

    # ---- sending

    def place(self, slots: list[int], diffed_ns: int = 0) -> None:
        """Sign and write one batch of orders, decided at ``diffed_ns``; they are PENDING in shared memory already."""
        desk, written = self.desk, np.array(slots)
        action = self.sheet.place(enter(desk.orders, written, desk.instruments, self.sheet.rows))
        signed = self._post(action, partial(self._on_order_answer, slots), self.expires_ms)
        if signed is None:
            for slot in slots:
                desk.apply(slot, lifecycle.DROPPED, time.monotonic_ns())
            return
        mark_written(desk.orders, desk.register, desk.budget, written, diffed_ns, *signed, time.monotonic_ns(),
                     desk.table_address, desk.working_address, self.stamps.address)
        self.counters.add("message_count")
        self.counters.add("order_sent_count", len(slots))

    def cancel(self, slots: list[int]) -> int:
        """Sign and write one batch of cancels by cloid: when that was done, 0 if there is no connection."""
        desk = self.desk
        action = self.sheet.cancel(enter(desk.orders, np.array(slots), desk.instruments, self.sheet.rows), fast=True)
        signed = self._post(action, partial(self._on_cancel_answer, slots))
        return time.monotonic_ns() if signed is not None else 0

    def book_cancels(self, slots: list[int], written_ns: int) -> None:
        """Note what `cancel` wrote."""
        mark_canceling(self.desk.orders, self.desk.register, self.desk.budget, np.array(slots), written_ns,
                       self.desk.table_address, self.desk.working_address)
        self.counters.add("message_count")
        self.counters.add("cancel_sent_count", len(slots))

    def cancel_oids(self, cancels: list[tuple[int, int]]) -> None:
        """Cancel orders that are not in our table, by (instrument, oid)."""
        batch = [actions.Cancel(self.assets[inst], oid) for inst, oid in cancels]
        if self._post(actions.cancel(batch, fast=True), lambda answer, now_ns: None) is not None:
            self.counters.add("message_count")
            self.counters.add("cancel_sent_count", len(batch))
            budgets.spend(self.desk.budget[0], len(batch), 1)

    def _post(self, action: actions.Action, on_answer: Any,
              expires_in_ms: int | None = None) -> tuple[int, int, int] | None:
        """Write a signed action: its nonce, expiry and when it was signed; None if there is no connection."""
        if not self.link.connected:
            return None
        number = self.posts.open(on_answer, time.monotonic_ns() + self.answer_ns)
        signed = self.wallet.sign(number, action, time.time_ns() // NS_PER_MS, expires_in_ms)
        signed_ns = time.monotonic_ns()
        self.link.send(signed.frame)
        return signed.nonce, signed.expires_after_ms, signed_ns

    def ask(self, question: dict[str, Any], on_answer: Any) -> None:
        """Ask the venue over the socket; ``on_answer(data, now_ns)`` gets None if there is no answer."""
        now_ns = time.monotonic_ns()
        if not self.link.connected:
            on_answer(LOST, now_ns)
            return
        self.link.send(encode.info_frame(self.posts.open(on_answer, now_ns + 2 * self.answer_ns), question))
        self.counters.add("message_count")
        budgets.spend(self.desk.budget[0], 0, 1)

    # ---- the venue speaks

    def _on_connected(self) -> None:
        self.counters.add("connect_count")
        for kind in CHANNELS:
            self.link.send(encode.subscribe_frame(encode.subscription(kind, user=self.address)))
        self.account.reconcile(time.monotonic_ns(), self.config.gateway.reconcile_s)

    def _on_lost(self, reason: str) -> None:
        self.errors.record(f"order connection {reason}")
        self.synced = False
        self.heart.enter(STATE_STARTING)
        self.posts.abandon(time.monotonic_ns())
        self.account.abandon()

    def _on_reconciled(self, agrees: bool) -> None:
        if agrees and not self.synced:
            self.synced = True
            self.heart.enter(STATE_RUNNING)

    def _on_frame(self, payload: bytes, ts_recv_ns: int) -> None:
        try:
            code = decode.channel(payload)
            if code == decode.POST:
                post = messages.post_answer(payload)
                self.posts.answer(post.request_id, post, ts_recv_ns)
            elif code == decode.ORDER_UPDATES:
                for update in messages.order_updates(payload, self.account.scales):
                    self._on_update(update, ts_recv_ns)
            elif code == decode.USER_FILLS:
                self.account.audit.on_fills(messages.user_fills(payload, self.account.scales), ts_recv_ns)
            elif code == decode.USER:
                for payment in messages.user_events(payload, self.account.scales).fundings:
                    self.account.audit.book_funding(payment)
            elif code == decode.ERROR:
                self.errors.record(f"the venue says: {messages.error_text(payload)[:160]}")
        except HyperliquidError as error:
            self.counters.add("decode_error_count")
            self.errors.record(str(error))

    def _on_update(self, update: messages.OrderUpdate, now_ns: int) -> None:
        slot = self.desk.on_update(update, now_ns)
        if slot >= 0:
            self.stamps.on_update(self.desk.orders[slot], update.status, now_ns)

    def _on_order_answer(self, slots: list[int], post: Any, now_ns: int) -> None:
        self.desk.on_order_answers(slots, self._answers(post, len(slots)), now_ns)
        if post is not None:
            for slot in slots:
                self.stamps.on_acked(self.desk.orders[slot], now_ns)

    def _on_cancel_answer(self, slots: list[int], post: Any, now_ns: int) -> None:
        self.desk.on_cancel_answers(slots, self._answers(post, len(slots)), now_ns)

    def _answers(self, post: Any, count: int) -> tuple[messages.OrderAnswer, ...]:
        """One answer for each of a batch. A lost answer and an error of transport are UNKNOWN: they decide nothing."""
        if post is None or post.exchange is None:
            return messages.answers_for((), count)
        exchange = post.exchange
        if exchange.ok:
            return messages.answers_for(exchange.answers, count)
        if reject_reason(exchange.text) == "signature" and self.control.kill(KILL_SIGNER):
            # Nothing we sign is taken: the watchdog clears the market with its own wallet.
            problem = Latch(self.config.state_path).keep(KILL_SIGNER, exchange.text, "gateway")
            if problem:
                self.errors.record(problem)
        return (messages.OrderAnswer(messages.REFUSED, text=exchange.text),) * count

    # ---- time

    def _tick(self, now_ns: int) -> None:
        """Fifty times a second: deadlines, control words, silence, bookkeeping."""
        self.heart.beat()
        self.link.check()
        self.supervised = os.getppid() == self.parent
        self.posts.expire(now_ns)
        self.bell.look()
        for inst in range(self.count):
            if not self._may_trade(inst, now_ns) and self.desk.live_slots(inst):
                self._act(inst, now_ns)
            self.desk.publish_ledger(inst)  # its mark moves with the market
        if self.link.connected:
            self._resolve(now_ns)
            if now_ns >= self.account.next_ns:
                self.account.reconcile(now_ns, self.config.gateway.reconcile_s)
            if self.control.flattening and not self.control.kill_reason and self.synced:
                self.flattener.step(now_ns)
        self._count_quoting(now_ns)
        self.desk.sweep(now_ns)
        self.desk.read_parameters()
        self.desk.chains.complete()
        self.counters.put("address_used", int(self.desk.budget[0]["address_used"]))
        self.counters.put("address_cap", int(self.desk.budget[0]["address_cap"]))
        self.counters.put("address_left_s", self.desk.budget_left_s)
        if problem := self.wallet.keep(time.time_ns() // NS_PER_MS):
            self.errors.record(problem)
        self._rehearse()

    def _rehearse(self) -> None:
        """
        Build and sign one batch of each kind, for nothing: a path that has not been walked for a while, whose code and
        tables have left the caches, takes three times as long, and orders come after a while.
        """
        self.sheet.rows[: len(REHEARSED)] = REHEARSED
        self.wallet.rehearse(self.sheet.cancel(len(REHEARSED), fast=True))
        self.wallet.rehearse(self.sheet.place(len(REHEARSED)))

    def _resolve(self, now_ns: int) -> None:
        """
        Ask by cloid, once a second each, for orders of unknown fate and for ended ones that miss a fill.

        The longest unasked come first, and all leave messages for cancels: a batch of answers may be lost at once.
        """
        slots, budget = self.desk.unresolved_slots(now_ns), self.desk.budget[0]
        if not slots:
            return
        budgets.refill(budget, now_ns)
        for slot in sorted(slots, key=lambda slot: self.resolved_ns.get(slot, 0)):
            if now_ns - self.resolved_ns.get(slot, 0) < RESOLVE_NS or not budgets.can_place(budget, 0):
                return
            self.resolved_ns[slot] = now_ns
            self.account.resolve(slot)

    def _count_quoting(self, now_ns: int) -> None:
        """Sum the time in which orders of ours rest on both sides of each coin."""
        elapsed, self.last_tick_ns = now_ns - self.last_tick_ns, now_ns
        for inst in range(self.count):
            bid, ask = self.desk.sides_open(inst)
            self.quoting[inst] = self.quoting[inst] or bid or ask
            if self.quoting[inst]:
                self.counters.add("quoting_ns", elapsed)
                self.counters.add("two_sided_ns", elapsed if bid and ask else 0)


def salt_of(run_id: str, now_ns: int) -> int:
    """High word of every cloid of this process: never the same twice, and not 0."""
    return (int.from_bytes(blake2b(f"{run_id} {now_ns}".encode(), digest_size=8).digest(), "big") >> 1) | 1


def main(house: House, config: EngineConfig, placement: Placement, ws_url: str, run_id: str, started_ms: int,
         descriptor: int, account: str, key: Key, mainnet: bool, stage: type[GatewayStage] = GatewayStage) -> int:
    """Body of the order gateway's process; ``stage`` is a gateway that may bring other stages along."""
    gateway = stage(house, config, placement, ws_url, run_id, started_ms, descriptor, account, key, mainnet)
    return run_loop(gateway.run, placement)
