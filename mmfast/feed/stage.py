"""
The feed handler: keeps the market data sockets, publishes what they say, ticks the engine's clock.

In      frames of the venue's market channels, and of a reference venue's where there is one.
Out     the market ring; channel ages; TIMER and GAP records.
Source  the flow of topology.py; a callback of the socket does all the work of a frame before it returns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import numpy as np

from mmfast.config import EngineConfig
from mmfast.config.process import Feed
from mmfast.feed.admit import FEED_STATE
from mmfast.feed.publish import FAULT, FEED, publish_frame, publish_gap, publish_timer
from mmfast.feed.reference import publish_reference
from mmfast.records.control import (
    CHANNEL_BBO,
    CHANNEL_BOOK_FAST,
    CHANNEL_BOOK_SLOW,
    CHANNEL_BOOK_WIDE,
    CHANNEL_COUNT,
    CHANNEL_CTX,
    CHANNEL_REFERENCE,
    CHANNEL_TRADES,
    STATE_RUNNING,
)
from mmfast.records.market import GAP_CONNECTION_LOST, GAP_REFERENCE_LOST, GAP_STALE, REFERENCE_AGE_S
from mmfast.rings.broadcast import recover_writer
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House
from mmfast.runtime.catalog import histogram_index
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import ErrorLog
from mmfast.runtime.eventloop import run_loop
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.histogram import observe
from mmfast.runtime.holdings import coin_names
from mmfast.runtime.link import Link, LinkPolicy
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import bell_address
from mmfast.topology import HISTOGRAM
from mmfast.units import NS_PER_S
from mmfast.venues.binance import decode as reference_decode
from mmfast.venues.binance import streams
from mmfast.venues.hyperliquid import decode, encode
from mmfast.venues.hyperliquid.rounding import merged_books

# The names under which the venue keeps the five channels of a coin.
SUBSCRIPTIONS: tuple[tuple[int, dict[str, object]], ...] = (
    (CHANNEL_BBO, {"type": "bbo"}),
    (CHANNEL_TRADES, {"type": "trades"}),
    (CHANNEL_BOOK_FAST, {"type": "l2Book", "fast": True}),
    (CHANNEL_BOOK_SLOW, {"type": "l2Book"}),
    (CHANNEL_CTX, {"type": "activeAssetCtx"}),
)
# Where the local exchange serves its own reference, beside /ws.
LOCAL_REFERENCE = "/reference"
# A socket on which no coin has spoken for this many times the staleness limit is given up.
SILENCE_LIMITS = 2.5


class FeedStage:
    """One connection to one venue, for all coins of the engine."""

    def __init__(self, house: House, config: EngineConfig, ws_url: str,
                 after: Callable[[], object] | None = None) -> None:
        """``after`` is called when records were published: the rest of a host that runs in the same loop."""
        self.config = config
        self.after = after
        self.instruments = house.table("instrument").copy()
        self.names = coin_names(house)
        self.control = Control(house)
        self.heart = Heart(house, "feed")
        self.counters = Counters(house, "feed")
        self.errors = ErrorLog(house, "feed")
        self.channels = house.table("channel")
        self.limits_ns = channel_limits_ns(config.feed, bool(reference_urls(config, ws_url)))
        self.channels["limit_ns"] = np.tile(self.limits_ns, len(self.names))
        self.silent = np.zeros((len(self.names), CHANNEL_COUNT), np.bool_)
        self.states = np.zeros(len(self.names), FEED_STATE)
        self.context = feed_context(house, self.states, self.counters)
        self.address = int(self.context.ctypes.data)
        self.frame_histogram = house.address["histogram"] + HEADER_BYTES + histogram_index("frame") * HISTOGRAM.itemsize
        self.tick_index = 0
        recover_writer(house.address["market"])
        feed = config.feed
        policy = LinkPolicy(feed.ping_s, SILENCE_LIMITS * feed.stale_bbo_or_book_s, feed.reconnect_first_s,
                            feed.reconnect_max_s, feed.max_connects_per_min)
        self.link = Link(ws_url, policy, self._on_connected, self._on_frame, self._on_lost)
        self.reference = ReferenceFeed(self, house, ws_url)

    async def run(self) -> int:
        """Until the engine stops: keep the socket up, tick on absolute deadlines."""
        self.link.open()
        self.reference.open()
        step_s = self.config.feed.timer_ms * 1e-3
        deadline = time.monotonic()
        while not self.control.stopping:
            deadline = max(deadline + step_s, time.monotonic())
            await asyncio.sleep(deadline - time.monotonic())
            self._tick(time.monotonic_ns())
        self.link.close()
        self.reference.close()
        return 0

    def _on_connected(self) -> None:
        self.counters.add("connect_count")
        self.states["replaying"] = 1
        for name, row in zip(self.names, self.instruments):
            for subscription in (*(s for _, s in SUBSCRIPTIONS), *wide_subscriptions(int(row["start_mark_ticks"]))):
                self.link.send(encode.subscribe_frame({**subscription, "coin": name}))
        self.heart.enter(STATE_RUNNING)

    def _on_frame(self, payload: bytes, ts_recv_ns: int) -> None:
        code = publish_frame(payload, self.address, self.instruments, ts_recv_ns)
        if code == FAULT:
            self.errors.record(f"frame not used: {payload[:80]!r}")
        elif code == decode.ERROR or code == decode.MALFORMED:
            self.counters.add("error_frame_count")
            self.errors.record(f"the venue says: {payload[:160]!r}")
        else:
            published_ns = time.monotonic_ns()
            if self.after is not None:
                self.after()
            observe(self.frame_histogram, published_ns - ts_recv_ns)

    def _on_lost(self, reason: str) -> None:
        self.errors.record(f"market data {reason}")
        self.counters.add("gap_count")
        publish_gap(self.address, -1, GAP_CONNECTION_LOST, time.monotonic_ns())

    def _tick(self, now_ns: int) -> None:
        self.heart.beat()
        self.link.check()
        self.reference.check(now_ns)
        self.tick_index += 1
        self.counters.add("timer_count")
        self._note_stale(now_ns)
        publish_timer(self.address, self.tick_index, now_ns)
        if self.after is not None:
            self.after()

    def _note_stale(self, now_ns: int) -> None:
        """
        Count channels that have fallen silent, once each time.

        A coin whose touch and fast book are both silent is given up with a GAP: the touch alone may rest for long.
        """
        last_ns = self.channels["last_ns"].reshape(-1, CHANNEL_COUNT)
        silent = (last_ns > 0) & (self.limits_ns > 0) & (now_ns - last_ns > self.limits_ns)
        self.channels["gap_count"] += (silent & ~self.silent).reshape(-1)
        self.silent = silent
        newest = np.maximum(last_ns[:, CHANNEL_BBO], last_ns[:, CHANNEL_BOOK_FAST])
        stale = (newest > 0) & (now_ns - newest > self.limits_ns[CHANNEL_BOOK_FAST])
        for inst in np.flatnonzero(stale & (self.states["stale"] == 0)):
            self.counters.add("gap_count")
            publish_gap(self.address, int(inst), GAP_STALE, now_ns)
        self.states["stale"] = stale


class ReferenceFeed:
    """Connections to the reference venue, one for each of its addresses; none where no reference is chosen."""

    def __init__(self, stage: FeedStage, house: House, ws_url: str) -> None:
        self.stage = stage
        config = stage.config.reference
        self.symbols = stage.instruments.copy()
        names = [streams.symbol(name, config.quote) for name in stage.names]
        self.symbols["name"] = 0
        for row, name in zip(self.symbols, names):
            text = name.encode()[: len(row["name"])]
            row["name"][: len(text)] = np.frombuffer(text, np.uint8)
        self.states = np.zeros(len(names), FEED_STATE)
        self.context = feed_context(house, self.states, stage.counters)
        self.address = int(self.context.ctypes.data)
        self.silence_ns = round(config.silence_s * NS_PER_S)
        self.begun_ns = self.lost_ns = 0  # when it was last connected, lost
        policy = LinkPolicy(config.ping_s, config.silence_s, config.reconnect_first_s, config.reconnect_max_s,
                            config.max_connects_per_min, ping=b"")
        self.links = [Link(url + streams.stream_path(names, kinds), policy, self._on_connected, self._on_frame,
                           self._on_lost) for url, kinds in reference_urls(stage.config, ws_url)]

    def open(self) -> None:
        """Keep the connections up from now on."""
        for link in self.links:
            link.open()

    def check(self, now_ns: int) -> None:
        """
        Begin again what has failed, whatever it was: quotes do without the reference, and nothing waits for it.

        Streams that are open and tell no price are asked for anew, by a new connection.
        """
        for link in self.links:
            try:
                link.check()
            except Exception as error:
                self.stage.errors.record(f"reference {type(error).__name__}: {error}")
                link.open()
        silent = now_ns - max(self._heard_ns(), self.begun_ns) > self.silence_ns
        if silent and self.links and self.links[0].connected:
            self.begun_ns = now_ns
            self.links[0].drop("tells no prices")

    def close(self) -> None:
        """End the connections."""
        for link in self.links:
            link.close()

    def _heard_ns(self) -> int:
        """When its last price came."""
        return int(self.stage.channels["last_ns"][CHANNEL_REFERENCE::CHANNEL_COUNT].max())

    def _on_connected(self) -> None:
        self.stage.counters.add("reference_connect_count")
        self.begun_ns = time.monotonic_ns()

    def _on_frame(self, payload: bytes, ts_recv_ns: int) -> None:
        self.stage.counters.add("reference_frame_count")
        code = publish_reference(payload, self.address, self.symbols, ts_recv_ns)
        if code == FAULT:
            self.stage.errors.record(f"reference frame not used: {payload[:80]!r}")
        elif code in (reference_decode.ERROR, reference_decode.MALFORMED):
            self.stage.errors.record(f"the reference says: {payload[:160]!r}")
        elif self.stage.after is not None:
            self.stage.after()

    def _on_lost(self, reason: str) -> None:
        self.stage.counters.add("reference_lost_count")
        self.stage.errors.record(f"reference {reason}")
        self.states[:] = 0  # its clock may have been wrong
        if self._heard_ns() > self.lost_ns:
            self.lost_ns = time.monotonic_ns()
            publish_gap(self.address, -1, GAP_REFERENCE_LOST, self.lost_ns)


def reference_urls(config: EngineConfig, ws_url: str) -> list[tuple[str, tuple[str, ...]]]:
    """Addresses of the reference with the kinds of streams of each; a recorded market has no reference beside it."""
    kind = config.reference.kind
    if kind == "none" or (kind == "local" and config.market.kind != "synthetic"):
        return []
    if kind == "local":
        base = ws_url.removesuffix("/ws") + LOCAL_REFERENCE
        return [(f"{base}/public", streams.TICKERS), (f"{base}/market", streams.TRADES)]
    return [(config.reference.ticker_url, streams.TICKERS), (config.reference.trades_url, streams.TRADES)]


def feed_context(house: House, states: np.ndarray, counters: Counters) -> np.ndarray:
    """A FEED record that publishes to the house; ``states`` and the record must be kept by the caller."""
    context = np.zeros(1, FEED)
    for name, value in (("market", house.address["market"]), ("channels", house.address["channel"] + HEADER_BYTES),
                        ("states", states.ctypes.data), ("counters", counters.address),
                        ("bell", bell_address(house, "estimator")), ("instrument_count", len(states))):
        context[name] = value
    return context


def wide_subscriptions(mark_ticks: int) -> list[dict[str, object]]:
    """Books of merged prices that reach 50 bps from the mid; none before there is a price."""
    if mark_ticks <= 0:
        return []
    return [{"type": "l2Book", "nSigFigs": figures, **({"mantissa": multiple} if multiple > 1 else {})}
            for figures, multiple in merged_books(mark_ticks)]


def channel_limits_ns(feed: Feed, has_reference: bool) -> np.ndarray:
    """Silence that each channel may keep, shape (CHANNEL_COUNT,) [ns]; 0 where silence means nothing."""
    limits_s = np.zeros(CHANNEL_COUNT)
    limits_s[CHANNEL_BOOK_FAST], limits_s[CHANNEL_TRADES] = feed.stale_bbo_or_book_s, feed.stale_trades_s
    limits_s[CHANNEL_BOOK_SLOW], limits_s[CHANNEL_CTX] = feed.stale_book_slow_s, feed.stale_ctx_s
    limits_s[CHANNEL_BOOK_WIDE] = feed.stale_book_slow_s
    limits_s[CHANNEL_REFERENCE] = REFERENCE_AGE_S if has_reference else 0.0
    return (limits_s * NS_PER_S).astype(np.int64)


def main(house: House, config: EngineConfig, placement: Placement, ws_url: str) -> int:
    """Body of the feed handler's process."""
    return run_loop(FeedStage(house, config, ws_url).run, placement)
