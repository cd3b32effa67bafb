"""
A link: one WebSocket to the venue that is kept up, pinged, watched for silence, reconnected within limits.

In      a URL and three callbacks: connected, frame, lost.
Out     payload bytes with the time they were received, handed over synchronously from the socket's callback.
Source  the venue's limits: 60 s of silence closes, at most 30 new connections a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import picows

PING = b'{"method":"ping"}'
CONNECT_TIMEOUT_S = 5.0


class LinkPolicy(NamedTuple):
    """
    Limits of a link: time between pings, silence that counts as dead, delays before a new attempt.

    ``ping`` is the text frame that asks for an answer; empty for a venue that knows only the protocol's own ping.
    """

    ping_s: float
    silence_s: float
    retry_first_s: float
    retry_max_s: float
    connections_per_minute: int
    ping: bytes = PING


class Link(picows.WSListener):
    """
    Keeps one connection. ``on_connected()`` sends the subscriptions, ``on_frame(payload, ts_recv_ns)`` gets
    every text frame, ``on_lost(reason)`` is called once for each connection that ends or cannot be made.
    """

    def __init__(self, url: str, policy: LinkPolicy, on_connected: Callable[[], None],
                 on_frame: Callable[[bytes, int], None], on_lost: Callable[[str], None]) -> None:
        self.url = url
        self.policy = policy
        self.connected = False
        self.connect_count = 0
        self.last_frame_ns = 0
        self._on_connected, self._on_frame, self._on_lost = on_connected, on_frame, on_lost
        self._transport: picows.WSTransport | None = None
        self._attempts: list[float] = []
        self._closing = False
        self._reason = ""
        self._gone = asyncio.Event()
        self._closed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Keep the connection up from now on, beside what else the loop does; `check` tells if that has failed."""
        self._keeping = asyncio.ensure_future(self.keep_up())

    def check(self) -> None:
        """Raise what ended `keep_up`, if anything did: a process must not go on beating with a dead link."""
        if self._keeping is not None and self._keeping.done():
            self._keeping.result()

    def send(self, payload: bytes) -> bool:
        """Write one text frame; False if there is no connection (nothing was written)."""
        if not self.connected or self._transport is None:
            return False
        self._transport.send(picows.WSMsgType.TEXT, payload)
        return True

    async def keep_up(self) -> None:
        """Connect, and connect again whenever the connection ends, until `close`."""
        delay = self.policy.retry_first_s
        while not self._closing:
            await self._wait_for_allowance()
            if self._closing:
                return
            problem = await self._connect()
            if not problem:
                delay = self.policy.retry_first_s
                await self._watch()
            elif not self._closing:
                self._on_lost(f"cannot connect: {problem}")
            await self._pause(delay)
            delay = min(2.0 * delay, self.policy.retry_max_s)

    async def _connect(self) -> str:
        """Try to connect once; what went wrong, empty if nothing did."""
        before = self.connect_count
        self._gone.clear()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await picows.ws_connect(lambda: self, self.url)
        except (OSError, picows.WSError) as error:  # a timeout is an OSError too
            return f"{type(error).__name__} {error}".strip()
        # A peer that hangs up in the middle of the upgrade raises nothing.
        return "" if self.connect_count > before else "the other side hung up during the handshake"

    def drop(self, reason: str) -> None:
        """End the connection at once; `keep_up` makes a new one."""
        self._reason = reason
        if self._transport is not None:
            self._transport.disconnect(False)

    def close(self) -> None:
        """End the connection and stop keeping it up."""
        self._closing = True
        self._closed.set()
        self.drop("closed by us")
        if self._keeping is not None:
            self._keeping.cancel()

    async def _wait_for_allowance(self) -> None:
        now = time.monotonic()
        self._attempts = [t for t in self._attempts if now - t < 60.0]
        if len(self._attempts) >= self.policy.connections_per_minute:
            await self._pause(60.0 - (now - self._attempts[0]))
        self._attempts.append(time.monotonic())

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until `close`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    async def _watch(self) -> None:
        """Ping on time, and end a connection that has been silent for too long."""
        step = min(self.policy.silence_s / 4, self.policy.ping_s)
        next_ping = time.monotonic() + self.policy.ping_s
        while self.connected:
            try:
                async with asyncio.timeout(step):
                    await self._gone.wait()
                return
            except TimeoutError:
                silence_s = (time.monotonic_ns() - self.last_frame_ns) * 1e-9
                if silence_s > self.policy.silence_s:
                    self.drop(f"silent for {silence_s:.1f} s")
                elif time.monotonic() >= next_ping or silence_s > self.policy.silence_s / 2:
                    next_ping = time.monotonic() + self.policy.ping_s
                    self._ping()

    def _ping(self) -> None:
        if self.policy.ping:
            self.send(self.policy.ping)
        elif self._transport is not None:
            self._transport.send_ping()

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """The upgrade is done: subscribe."""
        self._transport = transport
        self.connected = True
        self.connect_count += 1
        self._reason = ""
        self.last_frame_ns = time.monotonic_ns()
        try:
            self._on_connected()
        except Exception as error:
            self._blame(error)
            raise

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """A frame arrived: stamp it first."""
        now = time.monotonic_ns()
        self.last_frame_ns = now
        if frame.msg_type == picows.WSMsgType.TEXT:
            try:
                self._on_frame(frame.get_payload_as_bytes(), now)
            except Exception as error:
                self._blame(error)
                raise
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            self._reason = self._reason or "closed by the venue"
            transport.disconnect(False)

    def _blame(self, error: Exception) -> None:
        """Tell a callback's exception as the reason: the socket ends the connection because of it."""
        self._reason = f"callback failed: {type(error).__name__}: {error}"

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """The connection is gone."""
        self.connected = False
        self._transport = None
        self._gone.set()
        if not self._closing:
            self._on_lost(self._reason or "connection lost")
