"""
A venue that does one thing: it moves the price and times the order that comes back.

    clock ─▶ bbo frame ─▶ socket ═▶ [ what is measured ] ═▶ socket ─▶ whole order frame ─▶ clock

In      clients on loopback: an engine or one of its peers.
Out     for each tick: when it was sent, when its first frame and its first order had been read, and whose order.
Source  the venue's pages for the shapes. It fills nothing and refuses nothing.

It spins from a little before a tick until the answer is in, so that its own waking is in no figure, and it answers
only when the wire has been quiet for a while: until then it does nothing but read.
"""

from __future__ import annotations

import asyncio
import gc
import mmap
import random
import time
from socket import create_server, socket
from typing import Any, NamedTuple

import numpy as np
import orjson
import picows
import uvloop
from aiohttp import web

from perf.pipeline.account import Account, now_ms

COIN, SZ_DECIMALS = "BTC", 5
START_PX, HALF_SPREAD_PX = 100_000, 1
JUMP_BPS = 2.5  # from twice as much on an engine pulls its quotes and waits for more news, which is no tick to order
TOUCH_BPS = HALF_SPREAD_PX / START_PX * 1e4  # depth of an order at the touch
JUMPS_MAX = 3  # the price stays within this many jumps of its start
IDLE_NS = 100_000_000  # between two frames that move nothing, while the client comes up
QUIET_NS = 2_000_000  # this long after the last frame it begins to answer
EARLY_NS, LATE_NS = 2_000_000, 20_000_000  # it spins from this long before a tick until this long after
PAUSE_S = 0.0005  # between two looks, when it does not spin
STARTING, TIMING, DONE = range(3)
BYE = b'{"channel":"bye"}'  # tells a peer to end
TICK, FIRST, ORDER, CLOID = range(4)  # columns of the samples; the first three in ns
Json = dict[str, Any]


class Course(NamedTuple):
    """What one client is put through. ``quotes``: it keeps orders on both sides, and ends by itself."""

    ticks: int
    warm_ticks: int
    gap_ms: tuple[int, int]
    quotes: bool
    seed: int


class Board:
    """What venue and client both see: how far it is, and the samples. Made before forking."""

    def __init__(self, room: int) -> None:
        words = np.frombuffer(mmap.mmap(-1, 8 * (4 + 4 * room)), np.int64)
        self._words, self._samples = words[:4], words[4:].reshape(room, 4)

    @property
    def phase(self) -> int:
        """STARTING, TIMING or DONE."""
        return int(self._words[0])

    @phase.setter
    def phase(self, value: int) -> None:
        self._words[0] = value

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        """One row for each tick that was answered: TICK, FIRST, ORDER, CLOID."""
        return self._samples[: self._words[1]]

    @property
    def missed(self) -> int:
        """Ticks that no order came back for."""
        return int(self._words[2])

    @property
    def strays(self) -> int:
        """Order frames after a tick whose prices do not belong to it."""
        return int(self._words[3])

    def answer(self, *row: int) -> None:
        """An order came back."""
        self._samples[self._words[1]] = row
        self._words[1] += 1

    def miss(self) -> None:
        """No order came back."""
        self._words[2] += 1

    def stray(self) -> None:
        """An order came back that does not belong to the tick."""
        self._words[3] += 1


class Market:
    """A touch that stands still but for jumps."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self._place = 0
        self.mid = self.before = float(START_PX)

    def jump(self) -> None:
        """Up or down by JUMP_BPS, to a price of whole dollars."""
        self.before = self.mid
        self._place += self.dice.choice([way for way in (-1, 1) if abs(self._place + way) <= JUMPS_MAX])
        self.mid = float(round(START_PX * (1.0 + JUMP_BPS * 1e-4) ** self._place))

    def frame(self) -> bytes:
        """The touch as the venue sends it."""
        touch = [{"px": f"{self.mid + way * HALF_SPREAD_PX:.1f}", "sz": f"{self.dice.uniform(1, 9):.5f}", "n": 4}
                 for way in (-1, 1)]
        return orjson.dumps({"channel": "bbo", "data": {"coin": COIN, "time": now_ms(), "bbo": touch}})

    def owns(self, orders: list[Json], usual_bps: float) -> bool:
        """Whether these orders are nearer to their usual depth in the market of now than in the one before."""
        now, before = (abs(depth_bps(orders, mid) - usual_bps) for mid in (self.mid, self.before))
        return now < before


def depth_bps(orders: list[Json], mid: float) -> float:
    """Mean depth of orders behind ``mid``."""
    return sum((1 if o["b"] else -1) * (mid - float(o["p"])) for o in orders) / len(orders) / mid * 1e4


class Session(picows.WSListener):
    """One connection: a frame is stamped and kept for later."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.transport: Any = None
        self.topics: set[str] = set()

    def on_ws_connected(self, transport: Any) -> None:
        """Remember it."""
        self.transport = transport
        self.venue.sessions.append(self)

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """A whole frame has been read: the clock first."""
        at_ns = time.monotonic_ns()
        if frame.msg_type == picows.WSMsgType.TEXT:
            self.venue.inbox.append((at_ns, self, frame.get_payload_as_bytes()))
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect(False)

    def on_ws_disconnected(self, transport: Any) -> None:
        """Forget it."""
        self.venue.sessions.remove(self)

    def say(self, message: Any) -> None:
        """Write one message."""
        self.transport.send(picows.WSMsgType.TEXT, orjson.dumps(message))


class Venue:
    """Serves one client, ticks, times."""

    def __init__(self, board: Board, course: Course) -> None:
        self.board, self.course = board, course
        self.market, self.account = Market(course.seed), Account(COIN, SZ_DECIMALS)
        self.sessions: list[Session] = []
        self.inbox: list[tuple[int, Session, bytes]] = []
        self.left, self.warming, self.ready = course.ticks, course.warm_ticks, False
        self.tick_ns = self.first_ns = 0  # of the tick that is not answered yet, and of the first frame after it
        self.due_ns = self.sent_ns = 0
        self.usual_bps = TOUCH_BPS  # of a client that does not quote

    async def serve(self, ws: socket, http: socket) -> None:
        """Until the timing is done and the client is gone."""
        server = await picows.ws_create_server(lambda request: Session(self), sock=ws)
        app = web.Application()
        app.add_routes([web.post("/info", self._on_info)])
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, http).start()
        gc.freeze()
        gc.disable()
        while self.board.phase != DONE or self.sessions:
            now_ns = time.monotonic_ns()
            self._turn(now_ns)
            await asyncio.sleep(0.0 if self._is_close(now_ns) else PAUSE_S)
        await runner.cleanup()
        server.close()

    def _is_close(self, now_ns: int) -> bool:
        """Whether a tick is about to go out or to be answered."""
        return bool(self.inbox) or now_ns > self.due_ns - EARLY_NS or now_ns < self.sent_ns + LATE_NS

    def _turn(self, now_ns: int) -> None:
        if self.inbox:
            if now_ns - self.inbox[-1][0] > QUIET_NS:
                inbox, self.inbox = self.inbox, []
                for at_ns, session, payload in inbox:
                    self._read(at_ns, session, orjson.loads(payload))
        elif now_ns >= self.due_ns:
            self._step(now_ns)

    # ---- ticking

    def _step(self, now_ns: int) -> None:
        """A frame that moves nothing until the client is ready; then one tick after the other."""
        if not self.ready and self._is_ready():
            self.ready = True
            if self.course.quotes:
                self.usual_bps = depth_bps(self.account.resting(), self.market.mid)
        self.due_ns = now_ns + IDLE_NS
        if not self.ready or self.board.phase == DONE:
            self._publish()
            return
        if self.tick_ns and self.board.phase == TIMING:
            self.board.miss()
        self.tick_ns = self.first_ns = 0
        if self.warming == 0:
            self.board.phase = TIMING if self.left else DONE
        if self.board.phase == DONE:
            self._say_bye()
            return
        self.warming, self.left = max(self.warming - 1, 0), self.left - (self.warming == 0)
        self.market.jump()
        self.due_ns = now_ns + self.market.dice.randint(*self.course.gap_ms) * 1_000_000
        self.tick_ns = self.sent_ns = self._publish()

    def _is_ready(self) -> bool:
        """Whether the client listens and, if it is one that quotes, has quotes on both sides."""
        listens = any("bbo" in session.topics for session in self.sessions)
        return listens and (not self.course.quotes or self.account.is_two_sided())

    def _publish(self) -> int:
        """Send the touch; returns the time just before."""
        frame = self.market.frame()
        at_ns = time.monotonic_ns()
        for session in self.sessions:
            if "bbo" in session.topics:
                session.transport.send(picows.WSMsgType.TEXT, frame)
        return at_ns

    def _say_bye(self) -> None:
        if not self.course.quotes:
            for session in self.sessions:
                session.transport.send(picows.WSMsgType.TEXT, BYE)

    # ---- answering

    def _read(self, at_ns: int, session: Session, message: Json) -> None:
        if message["method"] == "ping":
            session.say({"channel": "pong"})
        elif message["method"] == "subscribe":
            session.topics.add(message["subscription"]["type"])
            session.say({"channel": "subscriptionResponse", "data": message})
        elif message["method"] == "post":
            self._post(at_ns, session, message["id"], message["request"])

    def _post(self, at_ns: int, session: Session, number: int, request: Json) -> None:
        """A question or an action; the first order of a tick is timed."""
        kind, payload = request["type"], request["payload"]
        if kind == "info":
            answer = {"type": payload["type"], "data": self.account.info(payload, self.market.mid)}
        else:
            self._time(at_ns, payload["action"])
            answer = self.account.act(payload["action"])
        session.say({"channel": "post", "data": {"id": number, "response": {"type": kind, "payload": answer}}})
        changes = self.account.changes()
        for other in self.sessions if changes else ():
            if "orderUpdates" in other.topics:
                other.say({"channel": "orderUpdates", "data": changes})

    def _time(self, at_ns: int, action: Json) -> None:
        self.first_ns = self.first_ns or at_ns
        if not self.tick_ns or action["type"] != "order":
            return
        if not self.market.owns(action["orders"], self.usual_bps):
            self.board.stray()
            return
        if self.board.phase == TIMING:
            cloid = int(action["orders"][0].get("c", "0x0"), 16) & (1 << 63) - 1
            self.board.answer(self.tick_ns, self.first_ns, at_ns, cloid)
        self.tick_ns = 0

    async def _on_info(self, request: web.Request) -> web.Response:
        answer = self.account.info(orjson.loads(await request.read()), self.market.mid)
        return web.Response(body=orjson.dumps(answer), content_type="application/json")


def listen() -> tuple[socket, socket]:
    """Two listening sockets on loopback, for WebSocket and for REST. To be made before forking."""
    return create_server(("127.0.0.1", 0)), create_server(("127.0.0.1", 0))


def run(board: Board, course: Course, ws: socket, http: socket) -> None:
    """Body of the venue's process."""
    uvloop.run(Venue(board, course).serve(ws, http))
