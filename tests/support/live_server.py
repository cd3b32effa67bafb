"""A server over a still market in this process's own loop, for dialogues with exact timing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from support import shapes
from support.venue import Venue

from mmfast.sim.blocks import BlockClock
from mmfast.sim.channels import Cadence
from mmfast.sim.server import Server

DEADLINE_S = 10.0
FAST = Cadence(100, 200, 150, 150, 150)


def wall_ms() -> int:
    """Now; nonces of live clients must be near it."""
    return time.time_ns() // 1_000_000


class Dialogue:
    """One WebSocket of a client; frames are read with a deadline, and must be of a shape that was captured."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def subscribe(self, **topic: Any) -> dict[str, Any]:
        """Subscribe; the next frame, which must be the ack or an error."""
        await self.say(method="subscribe", subscription=topic)
        return await self.hear()

    async def hear(self, channel: str | None = None) -> Any:
        """The next frame, or the next one of a channel; ConnectionError when the socket is gone."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError(f"{message.type} {message.data}")
                frame = message.json()
                shapes.check_frame(frame)
                if channel is None or frame["channel"] == channel:
                    return frame


class Live:
    """A running server and an HTTP client for it."""

    def __init__(self, venue: Venue, server: Server, http: aiohttp.ClientSession) -> None:
        self.venue, self.server, self.http = venue, server, http
        self.url = f"http://127.0.0.1:{server.port}"

    @contextlib.asynccontextmanager
    async def socket(self) -> AsyncIterator[Dialogue]:
        async with self.http.ws_connect(self.url + "/ws") as opened:
            yield Dialogue(opened)

    async def post(self, path: str, body: Any) -> Any:
        async with self.http.post(self.url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


def live(scenario: Callable[[Live], Any], venue: Venue | None = None, block_ms: float = 15.0,
         latency: Any = None, faults: Any = None) -> None:
    """Run a coroutine against a server whose blocks are short."""
    async def main() -> None:
        made = venue or Venue()
        server = Server(made.exchange, BlockClock(1, block_ms, 1.0), FAST, latency, faults)
        await server.start()
        blocks = asyncio.create_task(server.run())
        try:
            async with aiohttp.ClientSession() as http, asyncio.timeout(3 * DEADLINE_S):
                await scenario(Live(made, server, http))
            assert not blocks.done(), blocks.exception()
        finally:
            blocks.cancel()
            await server.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await blocks

    asyncio.run(main())
