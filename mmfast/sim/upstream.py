"""
Upstream: the client that a mirror watches another exchange with.

In      the address of an exchange that speaks the venue's protocol; coins.
Out     sources that are kept up to date, told when the connection is lost and when it is back.
Source  the venue's limits: a ping before 60 s of silence, back-off between connections. Only public channels are
        asked for, and nothing is ever signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from mmfast.sim.mirror import MirrorSource

Json = dict[str, Any]
CHANNELS: tuple[Json, ...] = (
    {"type": "trades"}, {"type": "bbo"}, {"type": "l2Book"}, {"type": "l2Book", "fast": True},
    {"type": "activeAssetCtx"})
SILENCE_S, PING_S = 8.0, 20.0
RETRY_FIRST_S, RETRY_MAX_S = 0.5, 8.0
TIMEOUT_S = 10.0


def check_address(url: str) -> str:
    """The address without a slash at its end; ValueError unless it is http:// or https:// and a host."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"upstream {url!r} is no address of an exchange: write http://HOST:PORT or https://HOST")
    return url.rstrip("/")


class Upstream:
    """One connection to one exchange, for all coins; ``told`` hears ``lost`` and ``back``."""

    def __init__(self, url: str, coins: tuple[str, ...], told: Callable[[str], None]) -> None:
        self.url = check_address(url)
        self.heard: Callable[[str, str, Any], None] = lambda coin, channel, data: None  # what the sources were told
        self.sources: dict[str, MirrorSource] = {}
        self._coins, self._told = coins, told

    async def open(self) -> dict[str, MirrorSource]:
        """
        Read coins and first books.

        Raises
        ------
        ValueError
            If the exchange cannot be asked, or does not have a coin.
        """
        try:
            async with self._http() as http:
                listed = {row["name"]: row["szDecimals"] for row in (await self._ask(http, type="meta"))["universe"]}
                missing = [coin for coin in self._coins if coin not in listed]
                if missing:
                    raise ValueError(f"upstream {self.url} does not trade {', '.join(missing)}")
                for coin in self._coins:
                    self.sources[coin] = MirrorSource(coin, listed[coin])
                    self.sources[coin].begin(await self._ask(http, type="l2Book", coin=coin))
        except (aiohttp.ClientError, TimeoutError, KeyError, TypeError) as error:
            raise ValueError(f"upstream {self.url} cannot be asked: {type(error).__name__} {error}") from error
        return self.sources

    def _http(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), raise_for_status=True)

    async def _ask(self, http: aiohttp.ClientSession, **asked: Any) -> Any:
        async with http.post(f"{self.url}/info", json=asked) as answer:
            return orjson.loads(await answer.read())

    async def run(self) -> None:
        """Watch for ever, and connect again whenever the connection ends."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                async with aiohttp.ClientSession() as http:
                    await self._watch(http)
            except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError too
                self._told(f"lost: {type(error).__name__} {error}".strip())
            else:
                delay_s = RETRY_FIRST_S
                self._told("lost: the connection has ended")
            await asyncio.sleep(delay_s)
            delay_s = min(2.0 * delay_s, RETRY_MAX_S)

    async def _watch(self, http: aiohttp.ClientSession) -> None:
        """One connection, until it ends or falls silent."""
        async with http.ws_connect(f"{self.url}/ws", timeout=aiohttp.ClientWSTimeout(ws_close=1.0)) as socket:
            for coin in self._coins:
                for channel in CHANNELS:
                    await socket.send_json({"method": "subscribe", "subscription": {**channel, "coin": coin}})
            self._told("back")
            pinging = asyncio.create_task(self._ping(socket))
            try:
                while True:
                    async with asyncio.timeout(SILENCE_S):  # wait_for loses a cancellation that comes with a frame
                        message = await socket.receive()
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        return
                    self._hear(message.data)
            finally:
                pinging.cancel()

    async def _ping(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while not socket.closed:
            await asyncio.sleep(PING_S)
            await socket.send_json({"method": "ping"})

    def _hear(self, text: str) -> None:
        """Hand a frame to the coin that it is about."""
        try:
            frame = orjson.loads(text)
            channel, data = frame.get("channel"), frame.get("data")
            coin = data[0]["coin"] if channel == "trades" else data["coin"]
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, IndexError):
            return  # acks and pongs, or what is no frame
        if coin in self.sources:
            self.heard(coin, channel, data)
            self.sources[coin].take(channel, data)
