"""The stand-in for the reference venue: its events are those of the venue, and only what was asked for comes."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import numpy as np
import orjson
import pytest
from aiohttp import web

from mmfast.records.market import BBO, BOOK, TRADE
from mmfast.sim.book import new_book
from mmfast.sim.reference import Client, Coin, Reference
from mmfast.sim.synthetic import SyntheticSource
from mmfast.venues.binance import decode
from mmfast.venues.binance.streams import TICKERS, TRADES, stream_path
from mmfast.venues.hyperliquid.codes import OK

START_MS = 1_700_000_000_000
CAPTURED = {  # keys of captured events, 2026
    "bookTicker": {"e", "u", "s", "ps", "b", "B", "a", "A", "T", "E", "st"},
    "aggTrade": {"e", "E", "a", "s", "p", "q", "nq", "f", "l", "T", "m", "st"},
    "depthUpdate": {"e", "E", "T", "s", "ps", "st", "U", "u", "pu", "b", "a"},
}


def coin(name="BTC"):
    source = SyntheticSource(name, 1)
    source.start(new_book(name), 5, START_MS)
    return Coin(name, 5, source.states)


def test_every_event_has_the_keys_of_the_captures_and_decodes():
    made, seen = coin(), {}
    records = {decode.TICKER: (decode.decode_ticker, np.zeros(1, BBO)[0]),
               decode.TRADE: (decode.decode_trade, np.zeros(1, TRADE)[0]),
               decode.DEPTH: (decode.decode_depth, np.zeros(1, BOOK)[0])}
    for now_ms in range(START_MS, START_MS + 10_000, 50):
        for _, event in made.advance(now_ms):
            assert set(event) == CAPTURED[event["e"]]
            payload = orjson.dumps(event)
            decoder, record = records[decode.event(payload, 0)]
            assert decoder(payload, 0, record, 5) == OK
            assert record["ts_exch_ns"] == event["T"] * 1_000_000
            seen[event["e"]] = seen.get(event["e"], 0) + 1
    assert seen["bookTicker"] >= 198
    assert seen["depthUpdate"] == pytest.approx(100, abs=2)
    assert seen["aggTrade"] > 20
    book = records[decode.DEPTH][1]
    assert book["level_count"].tolist() == [20, 20]
    assert (np.diff(book["px_ticks"][0]) < 0).all()
    assert (np.diff(book["px_ticks"][1]) > 0).all()


def test_nothing_is_due_twice():
    made = coin()
    assert made.advance(START_MS + 1000)
    assert made.advance(START_MS + 1000) == []


def test_a_client_gets_what_it_asked_for_and_its_path_serves():
    client = Client(None, ("bookTicker",), True, ["btcusdt@bookTicker", "btcusdt@aggTrade"])
    wrapped = json.loads(client.frame("btcusdt@bookTicker", {"e": "bookTicker"}))
    assert wrapped == {"stream": "btcusdt@bookTicker", "data": {"e": "bookTicker"}}
    assert client.frame("btcusdt@aggTrade", {}) is None
    assert client.frame("ethusdt@bookTicker", {}) is None
    assert client.answer('{"method":"SUBSCRIBE","params":["ethusdt@bookTicker"],"id":7}') == {"result": None, "id": 7}
    assert client.frame("ethusdt@bookTicker", {}) is not None
    for text in ("", "[]", '{"method":"ping"}', '{"method":"SUBSCRIBE"}'):
        assert "error" in client.answer(text)


def test_streams_come_over_a_socket_at_their_paths():
    async def scenario():
        reference = Reference([coin(), coin("ETH")])
        app = web.Application()
        app.add_routes(reference.routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}/reference"
        try:
            async with aiohttp.ClientSession() as http, asyncio.timeout(10.0):
                async with (http.ws_connect(base + "/public" + stream_path(["BTCUSDT"], TICKERS)) as tickers,
                            http.ws_connect(base + "/market" + stream_path(["BTCUSDT", "ETHUSDT"], TRADES)) as trades,
                            http.ws_connect(base + "/public/ws/ethusdt@bookTicker") as raw):
                    for k in range(40):
                        await reference.tell(START_MS + 50 * k)
                    heard = [(await tickers.receive_json())["stream"] for _ in range(10)]
                    assert set(heard) == {"btcusdt@bookTicker", "btcusdt@depth20@100ms"}
                    assert (await raw.receive_json())["s"] == "ETHUSDT"
                    assert (await trades.receive_json())["data"]["e"] == "aggTrade"
                    await raw.send_str("{")
                    rest = [await raw.receive_json() for _ in range(40)]
                    assert "error" in rest[-1]
                assert len(reference.clients) <= 3
        finally:
            await runner.cleanup()

    asyncio.run(scenario())


class Wire:
    """Socket and transport of a client in one; ``buffered`` bytes were not taken yet."""

    def __init__(self, buffered=0, is_gone=False, is_reset=False):
        self.buffered, self.is_gone, self.is_reset = buffered, is_gone, is_reset
        self.heard, self.aborted = [], False

    def is_closing(self):
        return self.is_gone

    def get_write_buffer_size(self):
        return self.buffered

    def abort(self):
        self.aborted = True

    async def send_str(self, text):
        if self.is_reset:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        self.heard.append(text)


def test_a_client_that_is_gone_or_far_behind_keeps_nobody_else_waiting():
    reference = Reference([coin()])
    wires = [Wire(is_reset=True), Wire(is_gone=True), Wire(buffered=1 << 20), Wire()]
    for wire in wires:
        client = Client(wire, ("bookTicker",), False, ["btcusdt@bookTicker"])
        client.transport = wire
        reference.clients.add(client)
    asyncio.run(reference.tell(START_MS + 1000))
    assert [len(wire.heard) for wire in wires] == [0, 0, 0, 1]
    assert [wire.aborted for wire in wires] == [False, False, True, False]
