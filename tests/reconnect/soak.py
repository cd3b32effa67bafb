"""
A feed handler and a gateway on real sockets whose connections are cut again and again while they trade.

In      how many cuts, a seed.
Out     how long it took each time until the book was valid and the account reconciled; what leaked; whether the
        books are the exchange's at the end, to the micro-dollar.
Source  the real stages and the real exchange server in one loop, with back-off compressed by the link's policy.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import psutil
from support.desk import a_config, a_house, a_quote, publish

from mmfast.executor.budget import CREDIT_MAX_NS
from mmfast.feed.stage import FeedStage
from mmfast.gateway.stage import GatewayStage
from mmfast.records.control import CHANNEL_BBO, CHANNEL_BOOK_FAST, PAUSE_OPERATOR
from mmfast.records.market import KIND_TRADE, TRADE
from mmfast.rings import broadcast, spsc
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SLEEP, loop_descriptor
from mmfast.sim.blocks import BlockClock
from mmfast.sim.channels import Cadence
from mmfast.sim.exchange import REPLAYED
from mmfast.sim.server import Server
from mmfast.topology import ACCOUNT_READERS, WATCHDOG
from mmfast.venues.hyperliquid.signing import Signer
from tests.statemachine.truth import check_money, check_orders
from tests.statemachine.venue import Venue

KEY = "4c" * 32
BLOCK_MS = 15.0
CADENCE = Cadence(fast_book_ms=100, book_ms=500, context_ms=300, mids_ms=500, user_ms=500)
RETRY_FIRST_S, RETRY_MAX_S = 0.01, 0.1
QUOTE_S, STRIKE_S, LOOK_S = 0.03, 0.02, 0.002
PATIENCE_S, QUIET_S = 10.0, 30.0
BOOK_LIMIT_S, ACCOUNT_LIMIT_S = 1.0, 2.0
CUTS_PER_FILL = 20  # as many fills at least, or nothing was shown
CUTS = ("the venue drops the orders", "the venue drops the market data", "the venue drops both", "we drop the orders",
        "we drop both")


class Leaks(NamedTuple):
    """What a process holds."""

    descriptors: int
    tasks: int
    posts: int
    sessions: int
    rss_mib: float


class Report(NamedTuple):
    """What was seen; times in seconds, one for each cut."""

    cuts: int
    seconds: float
    book_s: list[float]
    account_s: list[float]
    first: Leaks
    last: Leaks
    fills: int
    orders: int
    problem: str
    trades: int
    lost_trades: int
    doubled_trades: int


class Tape:
    """The public trades that the exchange made, and those that the feed told as news."""

    def __init__(self, house: Any, history: Any) -> None:
        self.ring, self.position = house.address["market"], 0
        self.record = np.zeros(1, TRADE)
        self.made: list[int] = []
        self.told: list[tuple[int, int]] = []
        keep = history.trade

        def trade(asset: int, prints: list[Any]) -> None:
            self.made += [one.tid for one in prints]
            keep(asset, prints)

        history.trade = trade

    def read(self) -> None:
        """Take what is new off the ring of the market."""
        while True:
            code = broadcast.receive(self.ring, self.position, int(self.record.ctypes.data), TRADE.itemsize)
            assert code != broadcast.LAPPED, "the tape was not read in time"
            if code != broadcast.READ:
                return
            self.position += 1
            if self.record["kind"][0] == KIND_TRADE and not self.record["replayed"][0]:
                self.told.append((int(self.record["tid"][0]), int(self.record["ts_recv_ns"][0])))


def missed(made: list[int], told: list[tuple[int, int]]) -> tuple[int, int]:
    """
    How many trades were lost, and how many were told twice, from the first to the last one that was told.

    Those that the venue itself no longer repeats are not lost by us: after them a whole replay came in one frame.
    """
    when = dict(told)
    at = {tid: place for place, tid in enumerate(made)}
    places = sorted(at[tid] for tid in when)
    lost = 0
    for before, after in itertools.pairwise(places):
        replay = {when.get(tid) for tid in made[after : after + REPLAYED]}
        if after - before > 1 and replay != {when[made[after]]}:
            lost += after - before - 1
    return lost, len(told) - len(when)


class Soak:
    """One exchange, one feed handler, one gateway, and somebody with scissors."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = random.Random(seed)
        patience_ms = 3_600_000.0
        self.config = a_config(folder, watchdog__heartbeat_limit_ms__quoter=patience_ms,
                               watchdog__heartbeat_limit_ms__watchdog=patience_ms,
                               feed__reconnect_first_s=RETRY_FIRST_S, feed__reconnect_max_s=RETRY_MAX_S,
                               gateway__reconnect_first_s=RETRY_FIRST_S, gateway__reconnect_max_s=RETRY_MAX_S)
        self.house = a_house()
        self.house.table("heartbeat")["beat_ns"][WATCHDOG] = 1 << 62
        now_ms = time.time_ns() // 1_000_000
        self.venue = Venue(now_ms, Signer(bytearray.fromhex(KEY)).address, lambda about, message: None)
        self.server = Server(self.venue.exchange, BlockClock(seed, BLOCK_MS, 1.0), CADENCE)
        self.started_ms = now_ms
        self.tape = Tape(self.house, self.venue.exchange.history)

    async def begin(self) -> None:
        """Listen, connect."""
        url = f"ws://127.0.0.1:{await self.server.start()}/ws"
        self.feed = FeedStage(self.house, self.config, url)
        self.gateway = GatewayStage(self.house, self.config, Placement(-1, SLEEP), url, "run", self.started_ms,
                                    loop_descriptor(), self.venue.human.address, bytearray.fromhex(KEY), False)
        for link in (self.feed.link, self.gateway.link):
            link.policy = link.policy._replace(connections_per_minute=1_000_000)
        self.desk = self.gateway.desk
        works = (self.server.run(), self.feed.run(), self.gateway.run(), self._quote(), self._strike())
        self.tasks = [asyncio.create_task(work) for work in works]
        await self.until(lambda: self.gateway.synced and self.book_ns > 0, "the first connection")

    async def end(self) -> None:
        """Stop everything."""
        self.gateway.control.ask_stop()
        await asyncio.wait(self.tasks[1:3], timeout=PATIENCE_S)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.stop()
        self.house.segment.disown()

    @property
    def book_ns(self) -> int:
        """When the feed last published a touch or a book."""
        last_ns = self.house.table("channel")["last_ns"]
        return int(max(last_ns[CHANNEL_BBO], last_ns[CHANNEL_BOOK_FAST]))

    async def until(self, so: Callable[[], bool], what: str) -> None:
        """Wait for something; a task that has ended is a failure."""
        deadline = time.monotonic() + PATIENCE_S
        while not so():
            for task in self.tasks:
                if task.done():
                    task.result()
                    raise AssertionError("a task of the soak has ended")
            assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
            await asyncio.sleep(LOOK_S)

    async def _quote(self) -> None:
        """Quotes that move; readers of the account that keep up; a budget for a minute that lasts two seconds."""
        while True:
            self.desk.budget["credit_ns"] = CREDIT_MAX_NS
            shift = 1.0 + self.random.choice((-14, -8, -3, 0, 0, 3, 8, 14)) * 1e-4
            quote = a_quote(time.monotonic_ns(), 100_000.0 * shift, self.random.randint(1, 3))
            quote["position_lots"] = self.desk.ledgers[0]["position_lots"]
            publish(self.house, quote)
            self.tape.read()
            for reader in ACCOUNT_READERS:
                while spsc.peek(self.house.address[f"account_{reader}"]):
                    spsc.release(self.house.address[f"account_{reader}"])
            await asyncio.sleep(QUOTE_S)

    async def _strike(self) -> None:
        """Takers that fill what rests, and some that go on into the walls."""
        while True:
            lots = self.random.choice((1, 300, 2000, 7000))
            self.venue.strike(self.random.randint(0, 1), self.random.choice((700, 1900, 2100)), lots)
            await asyncio.sleep(STRIKE_S)

    # ---- scissors

    async def cut(self, number: int) -> tuple[float, float]:
        """Cut, and wait until all is well: seconds until the book is valid and until the account is reconciled."""
        kind = CUTS[number % len(CUTS)]
        before = self.gateway.link.connect_count, self.feed.link.connect_count
        orders, market = "market" not in kind, "orders" not in kind
        begun_ns = time.monotonic_ns()
        self._snip(kind, orders, market)
        book_s = account_s = 0.0
        if market:
            await self.until(lambda: self.feed.link.connect_count > before[1], "the feed's connection")
            connected_ns = time.monotonic_ns()
            await self.until(lambda: self.book_ns >= connected_ns - int(LOOK_S * 2e9), "a valid book")
            book_s = (time.monotonic_ns() - begun_ns) * 1e-9
        if orders:
            await self.until(lambda: self.gateway.link.connect_count > before[0] and self.gateway.synced,
                             "a reconciled account")
            account_s = (time.monotonic_ns() - begun_ns) * 1e-9
        await asyncio.sleep(self.random.choice((0.0, 0.005, 0.02, 0.06)))
        return book_s, account_s

    def _snip(self, kind: str, orders: bool, market: bool) -> None:
        if kind.startswith("we"):
            for link, wanted in ((self.gateway.link, orders), (self.feed.link, market)):
                if wanted:
                    link.drop("cut by us")
            return
        for session in list(self.server._sessions):
            private = any("user" in topic for topic in session.subscriptions.values())
            if orders if private else market:
                session.transport.abort()

    def leaks(self) -> Leaks:
        """What is held now."""
        gc.collect()
        return Leaks(len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), len(self.gateway.posts),
                     len(self.server._sessions), round(psutil.Process().memory_info().rss / 2**20, 1))

    # ---- the end

    async def check(self) -> str:
        """Nobody wants anything any more: both books, once they agree, or what differs for too long."""
        for task in self.tasks[3:]:
            task.cancel()
        self.gateway.control.pause(PAUSE_OPERATOR)
        self.gateway.link.drop("the last cut")
        deadline, problem = time.monotonic() + QUIET_S, "not yet compared"
        world: Any = SimpleNamespace(venue=self.venue, desk=self.desk, house=self.house)
        while problem and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
            problem = differences(world) or ("orders rest" if self.venue.open_orders() else "")
        return problem


def differences(world: Any) -> str:
    """What differs between the gateway's books and the exchange's."""
    try:
        check_orders(world)
        check_money(world)
    except AssertionError as error:
        return f"{error}" or "the books differ"
    return ""


async def soak(cuts: int, seed: int, progress: Callable[[int], None] = lambda done: None) -> Report:
    """Cut that often; see the module."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mmfast-reconnect-") as folder:
        made = Soak(seed, Path(folder))
        await made.begin()
        book_s, account_s, first = [], [], made.leaks()
        try:
            for number in range(cuts):
                if number == cuts // 10:  # what is made once is there by now
                    first = made.leaks()
                times = await made.cut(number)
                book_s += [times[0]] if times[0] else []
                account_s += [times[1]] if times[1] else []
                progress(number + 1)
            problem = await made.check()
            last = made.leaks()
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await made.end()
        counters = made.desk.counters
        return Report(cuts, time.monotonic() - begun, book_s, account_s, first, last, counters.get("fill_count"),
                      counters.get("order_sent_count"), problem, len(made.tape.told),
                      *missed(made.tape.made, made.tape.told))


def faults(report: Report) -> list[str]:
    """What must not be."""
    found = [report.problem] if report.problem else []
    for name, times, limit_s in (("book", report.book_s, BOOK_LIMIT_S), ("account", report.account_s, ACCOUNT_LIMIT_S)):
        if max(times, default=0.0) > limit_s:
            found.append(f"the {name} took {max(times):.2f} s, more than {limit_s:.0f} s")
    for name in ("descriptors", "tasks", "sessions"):
        grown = getattr(report.last, name) - getattr(report.first, name)
        if grown > 0:
            found.append(f"{grown} {name} leaked")
    if report.fills * CUTS_PER_FILL < report.cuts:
        found.append(f"only {report.fills} fills: the connections were cut while nothing happened")
    if report.trades * CUTS_PER_FILL < report.cuts:
        found.append(f"only {report.trades} trades were told")
    for name, count in (("lost", report.lost_trades), ("told twice", report.doubled_trades)):
        if count:
            found.append(f"{count} public trades were {name}")
    if report.last.posts:
        found.append(f"{report.last.posts} posts wait for ever")
    return found


def quantiles_ms(times_s: list[float]) -> dict[str, float]:
    """Median, 99th percentile and greatest [ms]."""
    found = np.quantile(np.array(times_s or [0.0]) * 1e3, (0.5, 0.99, 1.0))
    return dict(zip(("p50_ms", "p99_ms", "max_ms"), (round(float(x), 1) for x in found)))
