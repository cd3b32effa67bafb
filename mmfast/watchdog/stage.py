"""
The risk watchdog: looks at everything from outside and can stop everything on its own.

In      heartbeats, ledgers, the order table, the feed's ring; the venue's word over a connection of its own.
Out     the pause bit, the kill latch, and cancels signed by a wallet of its own until the venue shows nothing.
Source  a kill switch inside the trading process dies with it (ESMA: one decision withdraws every order).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from typing import Any

import numpy as np

from mmfast.config import EngineConfig
from mmfast.records.control import KILL_NAMES, PAUSE_WATCHDOG, STATE_RUNNING
from mmfast.records.market import BOOK
from mmfast.records.order import LIVE_STATES
from mmfast.rings.broadcast import head
from mmfast.rings.layout import HEADER_BYTES, O_REFUSED
from mmfast.rings.region import House
from mmfast.runtime.catalog import counter_index, histogram_index
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import ErrorLog
from mmfast.runtime.eventloop import run_loop
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.histogram import observe
from mmfast.runtime.holdings import coin_names
from mmfast.runtime.latch import Latch
from mmfast.runtime.link import Link, LinkPolicy
from mmfast.runtime.posts import Posts
from mmfast.runtime.process import Placement
from mmfast.runtime.secret import Key
from mmfast.runtime.wallet import Wallet
from mmfast.topology import ACCOUNT_READERS, GATEWAY, HISTOGRAM
from mmfast.units import NS_PER_MS, NS_PER_S, UUSD_PER_USD
from mmfast.venues.hyperliquid import actions, decode, encode, info, messages
from mmfast.venues.hyperliquid.errors import HyperliquidError
from mmfast.watchdog.checks import Limits, Snapshot, judge
from mmfast.watchdog.marks import MARK, read_marks

WATCHED = ("feed", "estimator", "quoter", "gateway")
MARKS_PER_CHECK = 4096
REPAIR_S = 1.0  # beyond the gateway's own interval of asking
ANSWER_NS = 2 * NS_PER_S
SILENCE_S = 3.0  # pings included
CANCEL_BATCH = 100
START_GRACE_NS = 15 * NS_PER_S
PAUSED_NS = NS_PER_S  # what still rests after a pause of this length is canceled by us
ORPHAN_NS = 60 * NS_PER_S  # without a supervisor and without a venue there is nothing left to do


class WatchdogStage:
    """One connection, one wallet, one look at everything every few milliseconds."""

    def __init__(self, house: House, config: EngineConfig, ws_url: str, account: str, key: Key,
                 mainnet: bool) -> None:
        self.house, self.config, self.address = house, config, account
        self.parent = os.getppid()
        self.control = Control(house)
        self.heart = Heart(house, "watchdog")
        self.counters = Counters(house, "watchdog")
        self.errors = ErrorLog(house, "watchdog")
        self.latch = Latch(config.state_path)
        self.wallet = Wallet(key, mainnet, config.state_path / "nonce.watchdog", time.time_ns() // NS_PER_MS)
        self.posts = Posts()
        self.instruments = house.table("instrument").copy()
        names = coin_names(house)
        self.scales = {n: (i, int(self.instruments[i]["sz_decimals"])) for i, n in enumerate(names)}
        self.limits = self._limits()
        self.hearts = {name: Heart(house, name) for name in WATCHED}
        self.known_pids: dict[str, int] = {}
        self.grace_ns: dict[str, int] = {}
        self.marks = np.zeros(len(names), MARK)
        self.marks["last_ns"] = time.monotonic_ns()
        self.message = np.zeros(1, BOOK)
        self.position = head(house.address["market"])
        self.wake_histogram = house.address["histogram"] + HEADER_BYTES + histogram_index("wake") * HISTOGRAM.itemsize
        self.fills: deque[tuple[int, int]] = deque()
        self.peak_uusd = 0
        self.mismatch_streak = 0
        self._differed, self._mismatch_ns = False, 0
        self.repair_ns = int((config.gateway.reconcile_s + REPAIR_S) * NS_PER_S)  # what the gateway needs at most
        self.paused_ns = 0
        self.next_reconcile_ns = 0
        self.next_cancel_ns = 0
        self.settled_ns = 0
        self.killed = False
        self.orphaned_ns = 0
        self.clearing_ns = 0
        watch = config.watchdog
        policy = LinkPolicy(watch.ping_s, SILENCE_S, config.gateway.reconnect_first_s,
                            config.gateway.reconnect_max_s, config.gateway.max_connects_per_min)
        self.link = Link(ws_url, policy, self._on_connected, self._on_frame, self._on_lost)

    def _limits(self) -> Limits:
        config, parameters = self.config, self.house.cells("parameters")
        limits_ms, risk = config.watchdog.heartbeat_limit_ms, config.risk
        heartbeats = {name: int(getattr(limits_ms, name) * NS_PER_MS) for name in WATCHED}
        return Limits(heartbeats, int(config.feed.stale_bbo_or_book_s * NS_PER_S),
                      round(risk.max_loss_usd * UUSD_PER_USD), round(risk.max_drawdown_usd * UUSD_PER_USD),
                      tuple(int(p) for p in parameters["position_max_lots"]), risk.max_fills_per_min)

    async def run(self) -> int:
        """Until the engine stops, or until its supervisor is gone and nothing rests any more."""
        self.link.open()
        step_s = self.config.watchdog.check_ms * 1e-3
        deadline = time.monotonic()
        while not self.control.stopping:
            deadline = max(deadline + step_s, time.monotonic())
            await asyncio.sleep(deadline - time.monotonic())
            now_ns = time.monotonic_ns()
            observe(self.wake_histogram, now_ns - int(deadline * NS_PER_S))
            self._check(now_ns)
            if os.getppid() != self.parent and self._orphaned(now_ns):
                break
        self.link.close()
        self.wallet.wipe()
        return 0

    # ---- looking

    def _check(self, now_ns: int) -> None:
        """Look once, and do what the verdict asks for."""
        self.heart.beat()
        self.link.check()
        self.counters.add("check_count")
        self.posts.expire(now_ns)
        if problem := self.wallet.keep(time.time_ns() // NS_PER_MS):
            self.errors.record(problem)
        self._note_rearmed()
        self.position = read_marks(self.house.address["market"], self.position, int(self.message.ctypes.data),
                                   int(self.marks.ctypes.data), MARKS_PER_CHECK)
        verdict = judge(self.snapshot(now_ns), self.limits)
        if verdict.kill and not self.orphaned_ns and self.control.kill(verdict.kill):  # an orphaned gateway ends itself
            self.counters.add("kill_count")
            self.errors.record(f"kill: {verdict.text}")
            if problem := self.latch.keep(verdict.kill, verdict.text, "watchdog"):
                self.errors.record(problem)
        self._pause(verdict.pause, verdict.text, now_ns)
        reason = self.control.kill_reason
        if reason:
            self._clear_market(now_ns, f"kill switch: {KILL_NAMES[reason]}")
        elif self.paused_ns and now_ns - self.paused_ns > PAUSED_NS and len(self._live()):
            self._clear_market(now_ns, "paused, and orders still rest")
        else:
            self.clearing_ns = 0
            if now_ns >= self.next_reconcile_ns and self.link.connected:
                self._reconcile(now_ns)

    def _note_rearmed(self) -> None:
        """Once the kill switch was taken back, the next one clears the market again, and old findings do not count."""
        killed = self.control.kill_reason != 0
        if self.killed and not killed:
            self.settled_ns = self.mismatch_streak = self._mismatch_ns = 0
            self._differed = False
        self.killed = killed

    def snapshot(self, now_ns: int) -> Snapshot:
        """What can be seen now."""
        ledgers = self.house.cells("ledger")
        pnl = sum(self._pnl(ledgers[i], i) for i in range(len(self.marks)))
        self.peak_uusd = max(self.peak_uusd, pnl)
        self.counters.put("pnl_uusd", pnl)
        self.counters.put("pnl_peak_uusd", self.peak_uusd)
        refused = sum(int(self.house.words(f"account_{r}")[O_REFUSED // 8]) for r in ACCOUNT_READERS)
        ages = {name: self._age(name, heart, now_ns) for name, heart in self.hearts.items()}
        return Snapshot(ages, tuple(now_ns - int(t) for t in self.marks["last_ns"]), pnl, self.peak_uusd,
                        tuple(int(p) for p in ledgers["position_lots"]), self._fills_last_minute(now_ns), refused,
                        self.mismatch_streak, self._gateway_count("reject_signature_count"))

    def _age(self, name: str, heart: Heart, now_ns: int) -> int:
        """Age of a heartbeat; a process that has just been started gets time to come up."""
        pid = heart.pid
        if pid != self.known_pids.get(name):
            self.known_pids[name] = pid
            self.grace_ns[name] = now_ns + START_GRACE_NS
        if heart.state == STATE_RUNNING:
            self.grace_ns[name] = 0
        return 0 if now_ns < self.grace_ns[name] else heart.age_ns

    def _pnl(self, ledger: Any, inst: int) -> int:
        half = int(self.marks[inst]["mid_half_ticks"])
        position = int(ledger["position_lots"])
        value = position * half // 2 if half else position * int(ledger["mark_ticks"])
        start = int(ledger["start_position_lots"] * ledger["start_mark_ticks"])
        return int(ledger["cash_uusd"]) - int(ledger["fee_uusd"]) + int(ledger["funding_uusd"]) + value - start

    def _gateway_count(self, name: str) -> int:
        return int(self.house.table("counter")["value"][GATEWAY, counter_index("gateway", name)])

    def _fills_last_minute(self, now_ns: int) -> int:
        """Fills booked by the gateway within the last minute, from one sample a second."""
        total = self._gateway_count("fill_count")
        if not self.fills or now_ns - self.fills[-1][0] >= NS_PER_S:
            self.fills.append((now_ns, total))
        while now_ns - self.fills[0][0] > 60 * NS_PER_S:
            self.fills.popleft()
        return total - self.fills[0][1]

    def _pause(self, wanted: bool, text: str, now_ns: int) -> None:
        """Set or withdraw our pause; it lasts a while, so that quotes do not flicker."""
        if wanted and not self.paused_ns:
            self.paused_ns = now_ns
            self.counters.add("pause_count")
            self.errors.record(f"pause: {text}")
            self.control.pause(PAUSE_WATCHDOG)
        elif not wanted and self.paused_ns and now_ns - self.paused_ns > self.config.watchdog.pause_min_s * NS_PER_S:
            self.paused_ns = 0
            self.control.resume(PAUSE_WATCHDOG)

    def _live(self) -> np.ndarray:
        """Slots of the shared order table that may rest."""
        return np.flatnonzero(np.isin(self.house.cells("order")["state"], LIVE_STATES))

    # ---- clearing

    def _clear_market(self, now_ns: int, why: str) -> None:
        """Cancel everything known, and ask the venue for what it shows, until it shows nothing."""
        if now_ns < self.next_cancel_ns or not self.link.connected or self.settled_ns:
            return
        self.next_cancel_ns = now_ns + int(self.config.watchdog.resend_cancel_s * NS_PER_S)
        self.errors.record(f"clearing the market: {why}")
        self.clearing_ns = self.clearing_ns or now_ns
        limit_s = self.config.watchdog.kill_confirm_s
        if now_ns - self.clearing_ns > limit_s * NS_PER_S:
            self.errors.record(f"the venue has not confirmed an empty market for {limit_s:g} s")
        orders = self.house.cells("order")
        batch = [actions.CloidCancel(int(self.instruments[orders[s]["inst"]]["asset"]), int(orders[s]["cloid_hi"]),
                                     int(orders[s]["cloid_lo"])) for s in self._live()]
        for start in range(0, len(batch), CANCEL_BATCH):
            self._act(actions.cancel_by_cloid(part := batch[start : start + CANCEL_BATCH], fast=True), len(part))
        self._ask("frontendOpenOrders", self._on_left)

    def _on_left(self, post: Any, now_ns: int) -> None:
        """What the venue still shows is canceled by its own id; nothing shown and nothing under way is the end."""
        listed = self._open_orders(post)
        if listed is None:
            return
        self.counters.put("resting_count", len(listed))
        if listed:
            batch = [actions.Cancel(int(self.instruments[o.inst]["asset"]), o.oid) for o in listed]
            for start in range(0, len(batch), CANCEL_BATCH):
                self._act(actions.cancel(part := batch[start : start + CANCEL_BATCH], fast=True), len(part))
        elif (self.control.kill_reason or self.orphaned_ns) and self._last_expiry_passed():
            self.settled_ns = now_ns
            self.control.mark_clear()

    def _last_expiry_passed(self) -> bool:
        """No order that was written can still be accepted by the venue."""
        return int(self.house.cells("order")["expires_after_ms"].max()) < time.time_ns() // NS_PER_MS

    def _orphaned(self, now_ns: int) -> bool:
        """The supervisor is gone: pull everything, then end; True when the venue shows nothing, or does not answer."""
        self.orphaned_ns = self.orphaned_ns or now_ns
        self.control.pause(PAUSE_WATCHDOG)
        self._clear_market(now_ns, "the supervisor is gone")  # the gateway has ended: its table stays as it was
        return self.settled_ns > 0 or now_ns - self.orphaned_ns > ORPHAN_NS

    # ---- the venue

    def _reconcile(self, now_ns: int) -> None:
        self.next_reconcile_ns = now_ns + int(self.config.watchdog.reconcile_s * NS_PER_S)
        self._ask("frontendOpenOrders", self._on_open_orders)
        self._ask("clearinghouseState", self._on_account)

    def _on_open_orders(self, post: Any, now_ns: int) -> None:
        listed = self._open_orders(post)
        if listed is not None:
            self.counters.put("resting_count", len(listed))

    def _open_orders(self, post: Any) -> list[messages.OrderUpdate] | None:
        if post is None or not post.data:
            return None
        try:
            return [o for o in info.parse_open_orders(post.data, self.scales) if o.inst != messages.FOREIGN]
        except HyperliquidError as error:
            self.errors.record(str(error))
            return None

    def _on_account(self, post: Any, now_ns: int) -> None:
        """
        Compare positions. A fill under way makes one look differ; two in a row are a mismatch, which pauses; one that
        the gateway has not repaired when it asked the venue itself is the second, which kills.
        """
        if post is None or not post.data:
            return
        try:
            held = {p.inst: p.lots for p in info.parse_account(post.data, self.scales).positions}
        except HyperliquidError as error:
            self.errors.record(str(error))
            return
        ours = self.house.cells("ledger")["position_lots"]
        differs = [i for i in range(len(ours)) if int(ours[i]) != held.get(i, 0)]
        self.counters.add("reconcile_count")
        if not differs:
            self._differed, self.mismatch_streak, self._mismatch_ns = False, 0, 0
        elif not self._differed:  # look again soon before calling it one
            self._differed, self.next_reconcile_ns = True, now_ns + NS_PER_S // 2
        else:
            self.next_reconcile_ns = now_ns + NS_PER_S
            if self._mismatch_ns and now_ns - self._mismatch_ns < self.repair_ns:
                return
            self._mismatch_ns = now_ns
            self.mismatch_streak += 1
            self.counters.add("mismatch_count")
            self.errors.record(f"position differs from the venue's in coins {differs}")

    def _act(self, action: actions.Action, count: int) -> None:
        now_ns = time.monotonic_ns()
        number = self.posts.open(lambda post, at_ns: None, now_ns + ANSWER_NS)
        self.link.send(self.wallet.sign(number, action, time.time_ns() // NS_PER_MS).frame)
        self.counters.add("cancel_sent_count", count)

    def _ask(self, kind: str, on_answer: Any) -> None:
        number = self.posts.open(on_answer, time.monotonic_ns() + ANSWER_NS)
        self.link.send(encode.info_frame(number, info.about(kind, self.address)))

    def _on_connected(self) -> None:
        self.counters.add("connect_count")
        self.heart.enter(STATE_RUNNING)

    def _on_lost(self, reason: str) -> None:
        self.errors.record(f"watchdog's connection {reason}")
        self.posts.abandon(time.monotonic_ns())

    def _on_frame(self, payload: bytes, ts_recv_ns: int) -> None:
        if decode.channel(payload) != decode.POST:
            return
        try:
            post = messages.post_answer(payload)
        except HyperliquidError as error:
            self.errors.record(str(error))
            return
        self.posts.answer(post.request_id, post, ts_recv_ns)


def main(house: House, config: EngineConfig, placement: Placement, ws_url: str, account: str, key: Key,
         mainnet: bool) -> int:
    """Body of the watchdog's process."""
    return run_loop(WatchdogStage(house, config, ws_url, account, key, mainnet).run, placement)
