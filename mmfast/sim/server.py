"""
Server: the exchange on one loopback port: `/ws`, `POST /info` and `POST /exchange`.

In      HTTP requests and WebSocket connections; the wall clock, which drives the blocks.
Out     the venue's answers and frames, with its HTTP codes: 415, 400, 422, 429, 500.
Source  the venue's API pages; codes and bodies as recorded. Entry and exit latency are drawn per action and
        block.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import orjson
from aiohttp import WSMsgType, web

from mmfast.sim.answers import answer
from mmfast.sim.asked import NotServed, Unanswerable
from mmfast.sim.blocks import BlockClock
from mmfast.sim.channels import Cadence, Channels
from mmfast.sim.exchange import Block, Exchange, Reply
from mmfast.sim.faults import Fault, Faults
from mmfast.sim.limits import Bucket, action_weight, info_weight, item_weight
from mmfast.sim.open_interest import GUARDS
from mmfast.sim.schema import SchemaError
from mmfast.sim.session import Session, encode

Json = dict[str, Any]
JSON = "application/json"
UNREADABLE = "Failed to parse the request body as JSON"
UNKNOWN = "Failed to deserialize the JSON body into the target type"
REFUSED = {"unavailable": 502, "throttle": 429}
LINGER_S = 2.0
NEVER_S = 60.0  # no client waits so long for an answer
MEDIA = "Expected request with `Content-Type: application/json`"


class Latency(Protocol):
    """Draws of one-way times in nanoseconds."""

    def entry_ns(self) -> int:
        """From the client to the block's queue."""

    def exit_ns(self) -> int:
        """From the block back to the client."""


class NoLatency:
    """No time at all in either direction."""

    def entry_ns(self) -> int:
        """Zero."""
        return 0

    def exit_ns(self) -> int:
        """Zero."""
        return 0


class Server:
    """Serves one exchange; `start`, then `run` until it is cancelled, then `stop`."""

    def __init__(
        self,
        exchange: Exchange,
        blocks: BlockClock | None = None,
        cadence: Cadence | None = None,
        latency: Latency | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.exchange = exchange
        self.limits = exchange.limits
        self.channels = Channels(exchange, cadence)
        self.faults = faults or Faults()
        self._upgrade: Fault | None = None
        self.users: dict[str, int] = {}
        self.subscription_count = 0
        self.inflight = 0  # actions posted over sockets that wait for their answers
        self.port = 0
        self._blocks = blocks or BlockClock()
        self._latency = latency or NoLatency()
        self._weight = Bucket(self.limits.rest_weight_per_minute)
        self._openings = Bucket(self.limits.ws_new_per_minute)
        self._subscribers: dict[str, dict[Session, int]] = {}  # since which block
        self._sessions: set[Session] = set()
        self._runner: web.AppRunner | None = None
        self._exit_s = 0.0

    async def start(self, host: str = "127.0.0.1", port: int = 0, beside: Iterable[web.RouteDef] = ()) -> int:
        """
        Listen, on the paths ``beside`` too; the port, drawn by the system when ``port`` is 0. OSError when it is taken.
        """
        app = web.Application(client_max_size=1 << 20)
        app.add_routes(
            [
                web.get("/ws", self._websocket),
                web.post("/info", self._info),
                web.post("/exchange", self._exchange),
                *beside,
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return self.port

    async def run(self, on_end: Callable[[], None] | None = None) -> None:
        """Make blocks for ever; ``on_end`` is called once, when all markets have come to their end."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        told = False
        while True:
            due_s = max(due_s + self._blocks.spacing_s(), loop.time())
            await asyncio.sleep(due_s - loop.time())
            self._go_wrong()
            if self._upgrade is not None:
                continue
            wall_ms = time.time_ns() // 1_000_000 + self.faults.shift_ms
            self._publish(self.exchange.step(wall_ms, time.monotonic_ns()))
            if not told and self.exchange.ended and on_end is not None:
                told = True
                on_end()

    def _go_wrong(self) -> None:
        """Do what the script of faults says has begun."""
        for fault in self.faults.step(time.monotonic_ns()):
            for session in [one for one in self._sessions if fault.kind in ("disconnect", "half_open", "upgrade")]:
                if self.faults.struck(fault.kind) is None:
                    continue
                if fault.kind != "half_open":
                    session.transport.abort()
                session.deaf = True
        before, self._upgrade = self._upgrade, self.faults.during("upgrade")
        if before is not None and self._upgrade is None:
            self.exchange.post_only(round(before.ms), time.time_ns() // 1_000_000 + self.faults.shift_ms)
        self.exchange.congested = self.faults.during("congestion") is not None
        guards = frozenset(kind for kind in GUARDS if self.faults.during(kind) is not None)
        if guards != self.exchange.instruments[0].guards:
            for instrument in self.exchange.instruments:
                instrument.guards = guards

    async def stop(self) -> None:
        """Drop all connections and stop listening."""
        for session in list(self._sessions):
            session.transport.abort()
        if self._runner is not None:
            await self._runner.cleanup()

    def submit(self, body: Any, reply: Reply) -> None:
        """Queue an action with a drawn entry latency; SchemaError when it does not parse."""
        self.exchange.submit(body, time.monotonic_ns() + self._latency.entry_ns(), reply)

    def take_weight(self, weight: int) -> bool:
        """Charge IP weight; False when the minute's is used up."""
        return not self.limits.enabled or self._weight.take(weight, time.monotonic())

    def take_action_weight(self, body: Any) -> bool:
        """Charge the IP weight of an action."""
        return self.take_weight(action_weight(body.get("action") if isinstance(body, dict) else None))

    def add_subscriber(self, key: str, topic: Json, session: Session) -> None:
        """Let a session have the frames of a topic, of later blocks than the snapshot that it gets now."""
        self._subscribers.setdefault(key, {})[session] = self.exchange.now_ms
        self.channels.wanted[key] = topic
        self.subscription_count += 1
        if "user" in topic:
            self.users[topic["user"]] = self.users.get(topic["user"], 0) + 1

    def remove_subscriber(self, key: str, topic: Json, session: Session) -> None:
        """Take a session off a topic; a topic without sessions is no longer built."""
        sessions = self._subscribers[key]
        sessions.pop(session, None)
        self.subscription_count -= 1
        if not sessions:
            del self._subscribers[key], self.channels.wanted[key]
        if "user" in topic:
            self._forget(topic["user"])

    def linger(self, user: str) -> None:
        """Count a user on for a while after the connection that named it has ended, as the venue does."""
        self.users[user] = self.users.get(user, 0) + 1
        asyncio.get_running_loop().call_later(LINGER_S, self._forget, user)

    def _forget(self, user: str) -> None:
        self.users[user] -= 1
        if not self.users[user]:
            del self.users[user]

    def _publish(self, block: Block) -> None:
        """
        Hand out answers and frames after one drawn delay, in order: a later block never overtakes this one.
        """
        frames = [(key, encode(self.faults.twisted(message)), message["channel"])
                  for key, message in self.channels.after(block)]
        if not frames and not block.replies:
            return
        loop = asyncio.get_running_loop()
        exit_s = self._latency.exit_ns() / 1e9
        self._exit_s = max(self._exit_s, loop.time() + exit_s)
        if exit_s <= 0.0:
            self._hand_out(block, frames)
        else:
            loop.call_at(self._exit_s, self._hand_out, block, frames)

    def _hand_out(self, block: Block, frames: list[tuple[str, bytes, str]]) -> None:
        for reply, response in block.replies:
            reply(response)
        for key, frame, channel in frames:
            for session, since_ms in self._subscribers.get(key, {}).items():
                if block.time_ms > since_ms:  # a delayed frame must not follow a newer snapshot
                    session.send(frame, channel)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.limits.enabled and not (len(self._sessions) < self.limits.ws_connections
                                        and self._openings.take(1, time.monotonic())):
            return web.Response(status=429, text="null")
        self.faults.begin(time.monotonic_ns())
        if self.faults.struck("refuse"):
            return web.Response(status=502, text="null")
        socket = web.WebSocketResponse(compress=False, autoping=True)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        session = Session(self, transport)
        self._sessions.add(session)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    session.receive(message.data)
        finally:
            self._sessions.discard(session)
            session.close()
        return socket

    async def _body(self, request: web.Request) -> Any:
        """The JSON body, or the HTTP refusal that the venue answers with."""
        if request.content_type != JSON:
            raise web.HTTPUnsupportedMediaType(text=MEDIA)
        try:
            return orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            raise web.HTTPBadRequest(text=UNREADABLE) from error

    async def _info(self, request: web.Request) -> web.Response:
        asked = await self._body(request)
        kind = asked.get("type") if isinstance(asked, dict) else None
        await self._befall("info")
        if not self.take_weight(info_weight(kind)):
            return web.Response(status=429, body=b"null", content_type=JSON)
        try:
            found = answer(self.exchange, asked)
        except NotServed:
            return web.Response(status=422, text=UNKNOWN)
        except Unanswerable:
            return web.Response(status=500, body=b"null", content_type=JSON)
        self.take_weight(item_weight(kind, found))
        return web.Response(body=orjson.dumps(found), content_type=JSON)

    async def _exchange(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        if not self.take_action_weight(body):
            return web.Response(status=429, body=b"null", content_type=JSON)
        fate = self.faults.fate("exchange")
        if fate.kind in REFUSED:
            return web.Response(status=REFUSED[fate.kind], body=b"null", content_type=JSON)
        answered: asyncio.Future[Json] = asyncio.get_running_loop().create_future()

        def reply(response: Json) -> None:
            if not answered.done():  # the client may have gone
                answered.set_result(response)

        try:
            self.submit(body, reply)
        except SchemaError:
            return web.Response(status=422, text=UNKNOWN)
        told = await answered
        if fate.kind == "lie":
            return web.Response(status=502, body=b"null", content_type=JSON)
        await asyncio.sleep(NEVER_S if fate.kind == "lose" else fate.delay_s)
        return web.Response(body=orjson.dumps(told), content_type=JSON)

    async def _befall(self, kind: str) -> None:
        """Let the faults delay or refuse an answer that executes nothing."""
        fate = self.faults.fate(kind)
        if fate.kind == "throttle":
            raise web.HTTPTooManyRequests(text="null")
        if fate.kind in ("unavailable", "lie"):
            raise web.HTTPBadGateway(text="null")
        if fate.kind:
            await asyncio.sleep(NEVER_S if fate.kind == "lose" else fate.delay_s)
