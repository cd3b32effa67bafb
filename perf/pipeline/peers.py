"""
What else answers a tick with an order: the floor of this host, the limit of the codec, what other clients are made of.

    echo     picows; splices the price into an order made before: nothing is decoded, nothing is signed
    codec    picows; mmfast's own decoder, encoder and signature: no model, no rings, no order table
    aiohttp  aiohttp, json, eth_account: how a bot of coroutines does it
    SDK      websocket-client, json, eth_account: the parts of the official SDK, put together as it does

In      the venue's port.
Out     one post-only order at the new bid for each touch; ends when the venue says so.
Source  the documentation of each; eth_account signs with libsecp256k1 (coincurve) here, its fastest way.
"""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import os
import time
from collections.abc import Callable
from socket import socket
from typing import Any

import numpy as np
import picows
import uvloop

from mmfast.records.market import BBO
from mmfast.records.order import TIF_ALO
from mmfast.runtime.wallet import Wallet
from mmfast.units import BID
from mmfast.venues.hyperliquid import actions, decode
from perf.pipeline.venue import BYE, COIN, SZ_DECIMALS, Board

SUBSCRIBE = b'{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}'
SECRET = b"\x01\x23" * 16
SIZE, LOTS, SALT = 0.01, 1000, 7
EXPIRES_MS = 2000
Answer = Callable[[bytes], bytes]


class Peer:
    """``answer(port)`` answers touches until the venue says bye."""

    def __init__(self, name: str, answer: Callable[[int], None], needs: tuple[str, ...] = ()) -> None:
        self.name, self.answer = name, answer
        self.missing = [module for module in needs if importlib.util.find_spec(module) is None]

    def run(self, board: Board, ws: socket, http: socket) -> None:
        """Body of the peer's process, which stays on one core."""
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.answer(ws.getsockname()[1])


def echo() -> Answer:
    """The price of the bid, as it came, in an order that is not signed."""
    numbers = itertools.count(1)
    frame = (b'{"method":"post","id":%d,"request":{"type":"action","payload":{"action":{"type":"order","orders":['
             b'{"a":0,"b":true,"p":"%b","s":"0.01","r":false,"t":{"limit":{"tif":"Alo"}}}],"grouping":"na"}}}}')

    def answer(payload: bytes) -> bytes:
        start = payload.index(b'"px":"') + 6
        return frame % (next(numbers), payload[start : payload.index(b'"', start)])

    return answer


def codec() -> Answer:
    """Decoded, encoded and signed by the kernels and classes that the engine uses."""
    numbers, touches, wallet = itertools.count(1), np.zeros(1, BBO), Wallet(bytearray(SECRET), False)
    touch = touches[0]

    def answer(payload: bytes) -> bytes:
        decode.decode_bbo(payload, touch, SZ_DECIMALS)
        number = next(numbers)
        order = actions.Order(0, BID, int(touch["px_ticks"][BID]), LOTS, SZ_DECIMALS, TIF_ALO, False, SALT, number)
        return wallet.sign(number, actions.place([order]), time.time_ns() // 1_000_000, EXPIRES_MS).frame

    return answer


def plain() -> Callable[[Any], str]:
    """The way of the official SDK: json, floats, dicts, typed data."""
    os.environ["ECC_BACKEND_CLASS"] = "eth_keys.backends.CoinCurveECCBackend"
    from eth_account import Account
    from hyperliquid.utils.signing import order_request_to_order_wire, order_wires_to_order_action, sign_l1_action
    from hyperliquid.utils.types import Cloid

    numbers, wallet = itertools.count(1), Account.from_key(SECRET)

    def answer(message: Any) -> str:
        number, nonce = next(numbers), int(time.time() * 1000)
        order = {"coin": COIN, "is_buy": True, "sz": SIZE, "limit_px": float(message["data"]["bbo"][0]["px"]),
                 "reduce_only": False, "order_type": {"limit": {"tif": "Alo"}},
                 "cloid": Cloid.from_int(SALT << 64 | number)}
        action = order_wires_to_order_action([order_request_to_order_wire(order, 0)])
        signature = sign_l1_action(wallet, action, None, nonce, nonce + EXPIRES_MS, False)
        body = {"action": action, "nonce": nonce, "signature": signature, "vaultAddress": None,
                "expiresAfter": nonce + EXPIRES_MS}
        return json.dumps({"method": "post", "id": number, "request": {"type": "action", "payload": body}})

    return answer


class Client(picows.WSListener):
    """Answers every touch from the socket's callback."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.over = answer, asyncio.Event()

    def on_ws_connected(self, transport: Any) -> None:
        """Subscribe."""
        transport.send(picows.WSMsgType.TEXT, SUBSCRIBE)

    def on_ws_frame(self, transport: Any, frame: Any) -> None:
        """A touch is answered, a bye is obeyed."""
        payload = frame.get_payload_as_bytes()
        if payload.startswith(b'{"channel":"bbo"'):
            transport.send(picows.WSMsgType.TEXT, self.answer(payload))
        elif payload == BYE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: Any) -> None:
        """The end."""
        self.over.set()


def with_picows(make: Callable[[], Answer], busy: bool) -> Callable[[int], None]:
    """In uvloop; ``busy`` keeps it from sleeping."""

    async def serve(port: int) -> None:
        loop, answer = asyncio.get_running_loop(), make()
        client = Client(answer)
        await picows.ws_connect(lambda: client, f"ws://127.0.0.1:{port}/ws")

        def spin() -> None:
            loop.call_soon(spin)

        if busy:
            spin()
        await client.over.wait()

    return lambda port: uvloop.run(serve(port))


def with_aiohttp(port: int) -> None:
    """A coroutine that waits for messages."""
    import aiohttp

    async def serve() -> None:
        answer = plain()
        async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{port}/ws") as link:
            await link.send_str(SUBSCRIBE.decode())
            async for frame in link:
                message = json.loads(frame.data)
                if message["channel"] == "bbo":
                    await link.send_str(answer(message))
                elif message["channel"] == "bye":
                    break

    asyncio.run(serve())


def with_sdk_parts(port: int) -> None:
    """A thread's worth of websocket-client, as the SDK's own manager runs it."""
    import websocket

    answer = plain()

    def on_message(link: Any, text: str) -> None:
        message = json.loads(text)
        if message["channel"] == "bbo":
            link.send(answer(message))
        elif message["channel"] == "bye":
            link.close()

    websocket.WebSocketApp(f"ws://127.0.0.1:{port}/ws", on_message=on_message,
                           on_open=lambda link: link.send(SUBSCRIBE.decode())).run_forever()


SIGNED = ("eth_account", "hyperliquid", "coincurve")
PEERS = (
    Peer("floor: echo, busy", with_picows(echo, True)),
    Peer("floor: echo, blocking", with_picows(echo, False)),
    Peer("codec alone, busy", with_picows(codec, True)),
    Peer("codec alone, blocking", with_picows(codec, False)),
    Peer("aiohttp, json, eth_account", with_aiohttp, ("aiohttp", *SIGNED)),
    Peer("parts of the official SDK", with_sdk_parts, ("websocket", *SIGNED)),
)


def warm() -> None:
    """Import and compile before forking, so that no peer does it against the clock."""
    codec()(b'{"channel":"bbo","data":{"coin":"BTC","time":1,"bbo":[{"px":"1.0","sz":"1","n":1},'
            b'{"px":"1.1","sz":"1","n":1}]}}')
    if not PEERS[-1].missing:
        plain()({"data": {"bbo": [{"px": "1.0"}]}})
