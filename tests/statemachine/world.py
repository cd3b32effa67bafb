"""
The world of a history: the real gateway stage and the real exchange core on virtual time, and an unreliable wire.

In      what happens, one method for each thing that can.
Out     a gateway and an exchange that are compared when all is quiet; AssertionError for what must never be.
Source  the gateway's process without its sockets: stage, desk, account, plan, ledger, reconcile, decoding, signing.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from support.desk import a_config, a_house, a_quote, publish

import mmfast.gateway.stage as stage_module
import mmfast.runtime.heartbeat as heartbeat_module
from mmfast.gateway.stage import GatewayStage
from mmfast.records.control import PAUSE_OPERATOR
from mmfast.records.order import AMBIGUOUS, FREE
from mmfast.rings import spsc
from mmfast.runtime.control import O_FLATTEN, Control, write_word
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SPIN
from mmfast.topology import ACCOUNT_READERS, WATCHDOG
from mmfast.units import NS_PER_MS, NS_PER_S
from mmfast.venues.hyperliquid.actions import parse_cloid
from mmfast.venues.hyperliquid.signing import Signer
from tests.statemachine.venue import MID_TICKS, Venue
from tests.statemachine.wire import Wire

KEY = "4c" * 32
START_MS = 1_795_003_200_000 - 10_000  # ten seconds before a full hour
START_NS = 10**12
BLOCK_NS, TICK_NS = 70 * NS_PER_MS, 50 * NS_PER_MS
QUIET_S = 80.0  # longer than any expiry, grace, reconcile and audit together
POSITION_MAX_LOTS = 9_000
CLIP_LOTS = 2_000
PATIENCE_MS = 3_600_000.0  # no quote and no watchdog is ever stale: time is virtual

# What the venue's front says instead of what its core did: the action was accepted all the same.
LIES = ("whole", "each", "short", "strange", "transport")
LIE_TEXT = "Internal error: please try again"


class Clock:
    """Both clocks of the gateway; stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.wall_offset_ns = START_MS * NS_PER_MS - START_NS
        self.skew_ns = 0  # how far the gateway's host is ahead of the venue

    def monotonic_ns(self) -> int:
        return self.now_ns

    def time_ns(self) -> int:
        return self.venue_ns() + self.skew_ns

    def venue_ns(self) -> int:
        return self.now_ns + self.wall_offset_ns

    def monotonic(self) -> float:
        return self.now_ns / NS_PER_S


class Socket:
    """The gateway's link: what it writes goes onto the wire."""

    def __init__(self, world: World) -> None:
        self.world, self.connected = world, False

    def send(self, payload: bytes) -> bool:
        if self.connected:
            self.world.written(bytes(payload))
        return self.connected

    def check(self) -> None:
        """Nothing else can fail."""


class Ground:
    """What costs too much to be made for each history: a house whose memory is put back, a configuration."""

    def __init__(self) -> None:
        self.kept = tempfile.TemporaryDirectory(prefix="mmfast-history-")  # removed when this process ends
        self.folder = Path(self.kept.name)
        self.house = a_house()
        parameters = self.house.cells("parameters")[0]
        parameters["position_max_lots"], parameters["clip_lots"] = POSITION_MAX_LOTS, CLIP_LOTS
        self.config = a_config(self.folder, watchdog__heartbeat_limit_ms__quoter=PATIENCE_MS,
                               watchdog__heartbeat_limit_ms__watchdog=PATIENCE_MS, risk__max_order_usd=100_000.0)
        words = self.house.segment.words
        market = (self.house.address["market"] - self.house.segment.address) // 8
        after = (self.house.address["feature"] - self.house.segment.address) // 8
        self.spans = [(slice(0, market), words[:market].copy()), (slice(after, None), words[after:].copy())]

    def fresh(self) -> None:
        """Memory and files as they were; the market ring is nobody's here."""
        for left in self.config.state_path.glob("nonce.*"):
            left.unlink()
        for span, words in self.spans:
            self.house.segment.words[span] = words


CLOCKED = (stage_module, heartbeat_module)
GROUND: list[Ground] = []


class World:
    """One history. ``alone``: one gateway trades on the account, and nobody else; then nothing exceeds its limits."""

    def __init__(self, alone: bool = True) -> None:
        if not GROUND:
            GROUND.append(Ground())
        self.ground = GROUND[0]
        self.ground.fresh()
        self.house, self.clock = self.ground.house, Clock()
        for module in CLOCKED:
            module.time = self.clock  # type: ignore[attr-defined]
        self.control = Control(self.house)
        self.to_venue, self.to_gateway = Wire(), Wire()
        self.lies: deque[str] = deque()
        self.weird: dict[int, str] = {}  # statuses that nobody has heard of, by oid
        self.weird_next = ""
        self.written_cloids: set[str] = set()
        self.alone = alone
        self.venue = Venue(START_MS, Signer(bytearray.fromhex(KEY)).address, self._venue_says)
        self.started_ms = START_MS
        self.next_block_ns = self.next_tick_ns = START_NS
        self.told_lots = dict.fromkeys(ACCOUNT_READERS, 0)
        self._boot()

    def close(self) -> None:
        """Give the real clock back."""
        for module in CLOCKED:
            module.time = time  # type: ignore[attr-defined]

    # ---- processes

    def _boot(self) -> None:
        self.house.table("heartbeat")["beat_ns"][WATCHDOG] = 1 << 62
        self.stage = GatewayStage(self.house, self.ground.config, Placement(-1, SPIN), "ws://localhost:1", "run",
                                  self.started_ms, 0, self.venue.human.address, bytearray.fromhex(KEY), False)
        self.stage._rehearse = lambda: None  # type: ignore[method-assign]  # a third of the time, and changes nothing
        self.socket = Socket(self)
        self.stage.link = self.socket  # type: ignore[assignment]
        self.desk = self.stage.desk

    def restart(self) -> None:
        """The gateway's process dies and another takes its place."""
        self._cut()
        self.advance(500)
        self._boot()

    def disconnect(self) -> None:
        """The connection ends; what the gateway wrote before still arrives, what was said to it does not."""
        if self._cut():
            self.stage._on_lost("connection lost")

    def _cut(self) -> bool:
        was, self.socket.connected = self.socket.connected, False
        self.venue.hang_up()
        return was

    @property
    def epoch(self) -> int:
        """Which connection this is: what an old one still carries to us is lost with it."""
        return self.venue.connection

    def connect(self) -> None:
        """A new connection."""
        if not self.socket.connected:
            self.socket.connected = True
            self.stage._on_connected()

    # ---- the wire

    def written(self, payload: bytes) -> None:
        """The gateway writes: the cloids of its orders must stand in shared memory, and none is written twice."""
        message = orjson.loads(payload)
        action = message.get("request", {}).get("payload", {}).get("action", {})
        if action.get("type") == "order":
            self._check_orders(action["orders"])
        self.to_venue.send(payload, self.clock.now_ns, self.epoch)

    def _check_orders(self, orders: list[dict[str, Any]]) -> None:
        shared = self.house.cells("order")
        live = shared[shared["state"] != FREE]
        known = set(zip(live["cloid_hi"].tolist(), live["cloid_lo"].tolist()))
        doubtful = live[live["state"] == AMBIGUOUS]
        places = set(zip(doubtful["side"].tolist(), doubtful["px_ticks"].tolist()))
        for one in orders:
            assert parse_cloid(one["c"]) in known, "an order was written before its cloid stood in shared memory"
            assert one["c"] not in self.written_cloids, "a cloid was written twice"
            self.written_cloids.add(one["c"])
            spot = (0 if one["b"] else 1, round(float(one["p"]) * 10))
            assert spot not in places, "an order was written where another of unknown fate may rest"

    def _venue_says(self, about: str, message: dict[str, Any]) -> None:
        if not self.socket.connected:
            return
        if about == "answer" and self.lies:
            message = self._lie(message, self.lies.popleft())
        message = self._rename(message)
        self.to_gateway.send(orjson.dumps(message), self.clock.now_ns, self.epoch)

    def _lie(self, message: dict[str, Any], lie: str) -> dict[str, Any]:
        data = message["data"]
        number, body = data["id"], data["response"]["payload"]
        statuses = body["response"].get("data", {}).get("statuses", []) if body["status"] == "ok" else []
        if lie == "whole":
            body = {"status": "err", "response": LIE_TEXT}
        elif lie == "transport":
            return {"channel": "post", "data": {"id": number, "response": {"type": "error", "payload": "502"}}}
        elif statuses:
            said = {"each": [{"error": LIE_TEXT}] * len(statuses), "short": statuses[:-1],
                    "strange": [{"queued": {"oid": 1}}, *statuses[1:]]}[lie]
            body = {"status": "ok", "response": {"type": "order", "data": {"statuses": said}}}
        return {"channel": "post", "data": {"id": number, "response": {"type": "action", "payload": body}}}

    def _rename(self, message: dict[str, Any]) -> dict[str, Any]:
        """The venue has words for ends that we have never heard; it uses the same one for an order everywhere."""
        if message["channel"] == "orderUpdates":
            for one in message["data"]:
                one["status"] = self._word(one["order"]["oid"], one["status"])
        elif message["channel"] == "post" and message["data"]["response"]["type"] == "info":
            data = message["data"]["response"]["payload"]["data"]
            if isinstance(data, dict) and data.get("status") == "order":
                one = data["order"]
                one["status"] = self._word(one["order"]["oid"], one["status"])
        return message

    def _word(self, oid: int, status: str) -> str:
        if status == "open":
            return status
        if status == "canceled" and self.weird_next:
            self.weird.setdefault(oid, self.weird_next)
            self.weird_next = ""
        return self.weird.get(oid, status) if status == "canceled" else status

    # ---- time

    def advance(self, ms: float, tick_ns: int = TICK_NS, block_ns: int = BLOCK_NS) -> None:
        """Let time pass: blocks, ticks, and what arrives, each at its moment."""
        end_ns = self.clock.now_ns + int(ms * NS_PER_MS)
        while True:
            due_ns = min(self.next_block_ns, self.next_tick_ns, self.to_venue.next_ns, self.to_gateway.next_ns)
            if due_ns > end_ns:
                break
            self.clock.now_ns = max(due_ns, self.clock.now_ns)
            self._deliver()
            if self.next_block_ns <= self.clock.now_ns:
                self.next_block_ns = self.clock.now_ns + block_ns
                self.venue.block(self.clock.venue_ns() // NS_PER_MS)
                self._check_exposure()
            if self.next_tick_ns <= self.clock.now_ns:
                self.next_tick_ns = self.clock.now_ns + tick_ns
                self.stage._tick(self.clock.now_ns)
                self._read_rings()
        self.clock.now_ns = end_ns

    def _deliver(self) -> None:
        while (one := self.to_venue.arrived(self.clock.now_ns)) is not None:
            self.venue.receive(one.payload, one.epoch)
        while (one := self.to_gateway.arrived(self.clock.now_ns)) is not None:
            if one.epoch == self.epoch:
                self.stage._on_frame(one.payload, self.clock.now_ns)

    def _check_exposure(self) -> None:
        """All that rests, added to what is held, stays within the limit: nothing can be overfilled."""
        if not self.alone:
            return
        for sign, side in ((1, 0), (-1, 1)):
            resting = sum(o.lots for o in self.venue.open_orders() if o.side == side)
            worst = sign * self.venue.lots + resting
            assert resting == 0 or worst <= POSITION_MAX_LOTS, f"side {side} can reach {worst} lots"

    def _read_rings(self) -> None:
        """Readers of the account keep up, and believe what they are told."""
        for reader in ACCOUNT_READERS:
            ring = self.house.address[f"account_{reader}"]
            slots = self.house.table(f"account_{reader}")
            while spsc.peek(ring):
                self.told_lots[reader] = int(slots["position_lots"][slots["seq"].argmax()])
                spsc.release(ring)

    # ---- the engine's other words

    def quote(self, shift_bps: float, levels: int, lots: int, pull: int = 0) -> None:
        """A new quote set about a fair value that far from the middle."""
        fair_px = MID_TICKS / 10 * (1.0 + shift_bps * 1e-4)
        quote = a_quote(self.clock.now_ns, fair_px, levels, pull)
        quote["lots"], quote["room_lots"] = lots, POSITION_MAX_LOTS
        quote["position_lots"] = self.desk.ledgers[0]["position_lots"]
        publish(self.house, quote)
        self.stage._drain()

    def pause(self, on: bool) -> None:
        """The operator pauses or resumes."""
        if on:
            self.control.pause(PAUSE_OPERATOR)
        else:
            self.control.resume(PAUSE_OPERATOR)

    def flatten(self, on: bool) -> None:
        """The operator has the position closed, or has thought better of it."""
        write_word(self.control.address + O_FLATTEN, int(on))

    # ---- the end

    def settle(self) -> None:
        """Faults end, nobody wants anything new, and time passes until all must be known."""
        for wire in (self.to_venue, self.to_gateway):
            wire.fates.clear()
        self.lies.clear()
        self.weird_next = ""
        self.venue.exchange.congested = False
        self.flatten(False)
        self.connect()
        self.rest(QUIET_S)

    def rest(self, seconds: float) -> None:
        """Let time pass while nothing happens, with fewer ticks and blocks."""
        self.advance(1000 * seconds, NS_PER_S, 2 * NS_PER_S)


def live_rows(orders: np.ndarray) -> np.ndarray:
    """Rows of a table that are in use."""
    return orders[orders["state"] != FREE]
