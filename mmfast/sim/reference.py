"""
Reference: a stand-in for the venue whose prices lead, as JSON over a WebSocket.

In      the generators of a synthetic market; the wall clock; the streams that a client asks for.
Out     bookTicker, depth20 and aggTrade events, raw or combined, as the USD-M venue writes them.
Source  the venue's stream pages and captured frames: /public carries touch and depth, /market trades; a stream of
        the wrong path is acknowledged by silence; subscriptions by message as well as by path.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import numpy as np
import orjson
from aiohttp import WSMsgType, web

from mmfast.sim.generator import STEP_MS
from mmfast.sim.leader import LEAD_MS, LEVELS, advance_leader, leader_step, leader_takers, leader_touch, new_leader
from mmfast.sim.wire import decimal
from mmfast.units import ASK, BID, PX_DECIMALS

Json = dict[str, Any]
ROUTES = {"public": ("bookTicker", "depth20@100ms"), "market": ("aggTrade",)}
EVERY_MS = 100  # depth and aggregated trades
MADE_BEFORE_MS = 1  # T of an event, before E
TAKERS_MAX = 64
BEHIND_BYTES = 1 << 15  # not taken by the kernel; above twice as much a write waits
WAITING_MAX = 2 * EVERY_MS // STEP_MS
INVALID = {"error": {"code": 2, "msg": "Invalid request: unknown method"}}


class Coin:
    """One perpetual of the reference: its generator, what it last showed."""

    def __init__(self, name: str, sz_decimals: int, states: Any) -> None:
        self.symbol = f"{name.upper()}USDT"
        self.streams = {f"{self.symbol.lower()}@{kind}" for kinds in ROUTES.values() for kind in kinds}
        self.sz_decimals, self.px_decimals = sz_decimals, PX_DECIMALS - sz_decimals
        self.states = new_leader(states)
        self.touch = (0, 0, 0, 0)  # price and size of bid and of ask
        self.takers = np.zeros((TAKERS_MAX, 2), np.int64)
        self.update = self.trade = 0
        self.waiting = 0  # steps whose takers have not been told yet

    def advance(self, now_ms: int) -> list[tuple[str, Json]]:
        """Events that are due at ``now_ms``, by the kind of their stream."""
        steps = advance_leader(self.states[0], now_ms, LEAD_MS)
        if steps == 0:
            return []
        self.touch = leader_touch(self.states[0])
        self.update += 1
        self.waiting = min(self.waiting + steps, WAITING_MAX)
        events = [("bookTicker", self._ticker(now_ms))]
        if self.waiting * STEP_MS >= EVERY_MS:
            events.append(("depth20@100ms", self._depth(now_ms)))
            count = leader_takers(self.states[0], self.waiting, self.takers)
            events += [("aggTrade", self._trade(now_ms, side, lots)) for side, lots in self.takers[:count].tolist()]
            self.waiting = 0
        return events

    def _px(self, ticks: int) -> str:
        return decimal(ticks, self.px_decimals)

    def _size(self, lots: int) -> str:
        return decimal(lots, self.sz_decimals)

    def _ticker(self, now_ms: int) -> Json:
        bid, bid_lots, ask, ask_lots = self.touch
        return {"e": "bookTicker", "u": self.update, "s": self.symbol, "ps": self.symbol, "b": self._px(bid),
                "B": self._size(bid_lots), "a": self._px(ask), "A": self._size(ask_lots),
                "T": now_ms - MADE_BEFORE_MS, "E": now_ms, "st": 1}

    def _depth(self, now_ms: int) -> Json:
        step = int(leader_step(self.states[0], float(self.touch[0])))
        bids, asks = ([[self._px(px + sign * k * step), self._size(lots * (k + 1))] for k in range(LEVELS)]
                      for sign, px, lots in ((-1, *self.touch[:2]), (1, *self.touch[2:])))
        return {"e": "depthUpdate", "E": now_ms, "T": now_ms - MADE_BEFORE_MS, "s": self.symbol, "ps": self.symbol,
                "st": 1, "U": self.update, "u": self.update, "pu": self.update - 1, "b": bids, "a": asks}

    def _trade(self, now_ms: int, side: int, lots: int) -> Json:
        self.trade += 1
        px = self.touch[2 if side == BID else 0]
        return {"e": "aggTrade", "E": now_ms, "a": self.trade, "s": self.symbol, "p": self._px(px),
                "q": self._size(lots), "nq": self._size(lots), "f": self.trade, "l": self.trade,
                "T": now_ms - EVERY_MS, "m": side == ASK, "st": 1}


class Client:
    """One connection: the streams that it wants, and whether they come wrapped."""

    def __init__(self, socket: web.WebSocketResponse, served: tuple[str, ...], combined: bool,
                 names: list[str]) -> None:
        self.socket, self.served, self.combined = socket, served, combined
        self.wanted = set(names)
        self.transport: asyncio.Transport | None = None

    def frame(self, stream: str, event: Json) -> bytes | None:
        """The event as this client gets it; None if it did not ask for it, or asked at the wrong path."""
        if stream not in self.wanted or stream.partition("@")[2] not in self.served:
            return None
        return orjson.dumps({"stream": stream, "data": event} if self.combined else event)

    async def tell(self, frame: bytes) -> None:
        """Hand a frame over; a client that is gone or far behind is let go, the others do not wait for it."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > BEHIND_BYTES:
            self.transport.abort()
            return
        with contextlib.suppress(ConnectionError):
            await self.socket.send_str(frame.decode())

    def answer(self, text: str) -> Json:
        """Take a request of the client: SUBSCRIBE or UNSUBSCRIBE."""
        try:
            asked = orjson.loads(text)
            change = {"SUBSCRIBE": self.wanted.update, "UNSUBSCRIBE": self.wanted.difference_update}[asked["method"]]
            change(asked["params"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return INVALID
        return {"result": None, "id": asked.get("id")}


class Reference:
    """Serves the streams of all coins; give `routes` to the exchange's server and run `run` beside it."""

    def __init__(self, coins: list[Coin]) -> None:
        self.coins = coins
        self.clients: set[Client] = set()

    def routes(self) -> list[web.RouteDef]:
        """Paths of the venue: raw streams under /ws, combined ones under /stream, each by what it serves."""
        return [web.get(f"/reference/{route}/{kind}", self._serve) for route in ROUTES for kind in ("ws", "stream")
                ] + [web.get(f"/reference/{route}/ws/{{names}}", self._serve) for route in ROUTES]

    async def run(self) -> None:
        """Tell what is due on the generator's grid, for ever."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            due_s = max(due_s + STEP_MS / 1000.0, loop.time())
            await asyncio.sleep(due_s - loop.time())
            await self.tell(time.time_ns() // 1_000_000)

    async def tell(self, now_ms: int) -> None:
        """Advance every coin that somebody listens to, and hand out what that brings."""
        wanted = set[str]().union(*(client.wanted for client in self.clients))
        for coin in self.coins:
            if coin.streams.isdisjoint(wanted):
                continue
            for kind, event in coin.advance(now_ms):
                stream = f"{coin.symbol.lower()}@{kind}"
                for client in list(self.clients):
                    frame = client.frame(stream, event)
                    if frame is not None:
                        await client.tell(frame)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        _, _, route, kind, *names = request.path.split("/")
        asked = names or request.query.get("streams", "").split("/")
        socket = web.WebSocketResponse(compress=False, autoping=True)
        await socket.prepare(request)
        client = Client(socket, ROUTES[route], kind == "stream", [name for name in asked if name])
        client.transport = request.transport
        self.clients.add(client)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_json(client.answer(message.data), dumps=lambda told: orjson.dumps(told).decode())
        finally:
            self.clients.discard(client)
        return socket
