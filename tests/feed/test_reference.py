"""Claims about the reference: records of their own kinds, counted faults, ages; connections on which nothing waits."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import orjson
import pytest
from aiohttp import web
from support.feed_bench import NOWHERE, Bench, until
from support.flow import Flow

from mmfast.feed.publish import FAULT
from mmfast.feed.reference import publish_reference
from mmfast.feed.stage import ReferenceFeed, reference_urls
from mmfast.records.control import CHANNEL_COUNT, CHANNEL_REFERENCE
from mmfast.records.market import (
    GAP_REFERENCE_LOST,
    KIND_GAP,
    KIND_REFERENCE_BBO,
    KIND_REFERENCE_BOOK,
    KIND_REFERENCE_TRADE,
)
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.units import ASK
from mmfast.venues.binance import decode

TIME_MS = 1_785_121_247_583


@pytest.fixture
def flow():
    made = Flow(("BTC", "ETH"))
    made.symbols = made.instruments.copy()
    for row in made.symbols:
        name = bytes(row["name"]).rstrip(b"\0") + b"USDT"
        row["name"][: len(name)] = list(name)
    yield made
    made.close()


def ticker(symbol="ETHUSDT", bid="1943.64", ask="1943.65", time_ms=TIME_MS):
    return {"e": "bookTicker", "u": 1, "s": symbol, "b": bid, "B": "113.445", "a": ask, "A": "182.433", "T": time_ms,
            "E": time_ms + 1}


def publish(flow, event, at_ns=5):
    return publish_reference(orjson.dumps(event), flow.context.ctypes.data, flow.symbols, at_ns)


def count(flow, name):
    return Counters(flow.house, "feed").get(name)


def test_a_ticker_is_a_record_of_its_own_kind_in_our_ticks(flow):
    assert publish(flow, {"stream": "ethusdt@bookTicker", "data": ticker()}, 77) == decode.TICKER
    [record] = flow.records()
    assert (record["kind"], record["inst"], record["ts_recv_ns"]) == (KIND_REFERENCE_BBO, 1, 77)
    assert record["px_ticks"].tolist() == [194_364, 194_365]
    assert record["lots"].tolist() == [1_134_450, 1_824_330]
    row = flow.house.table("channel")[CHANNEL_COUNT + CHANNEL_REFERENCE]
    assert (row["last_ns"], row["message_count"]) == (77, 1)


def test_trades_and_depth_are_records_too(flow):
    trade = {"e": "aggTrade", "s": "BTCUSDT", "p": "85299.90", "q": "0.004", "a": 9, "T": TIME_MS, "m": True}
    depth = {"e": "depthUpdate", "s": "BTCUSDT", "T": TIME_MS, "b": [["85299.9", "1"]], "a": [["85300.0", "2"]]}
    assert publish(flow, trade) == decode.TRADE
    assert publish(flow, depth) == decode.DEPTH
    trade, book = flow.records()
    assert (trade["kind"], trade["side"], trade["px_ticks"], trade["lots"]) == (KIND_REFERENCE_TRADE, ASK, 852_999, 400)
    assert (book["kind"], book["px_ticks"][ASK, 0], book["lots"][ASK, 0]) == (KIND_REFERENCE_BOOK, 853_000, 200_000)


def test_what_cannot_be_used_is_counted_and_not_published(flow):
    assert publish(flow, ticker("SOLUSDT")) == FAULT
    assert publish(flow, ticker(bid="1943.65")) == FAULT
    assert publish(flow, ticker()) == decode.TICKER
    assert publish(flow, ticker(time_ms=TIME_MS - 1)) == FAULT
    assert publish(flow, {**ticker(), "b": "x"}) == FAULT
    assert publish(flow, {"result": None, "id": 1}) == decode.OTHER
    assert publish(flow, {"error": {"code": 2}}) == decode.ERROR
    assert len(flow.records()) == 1
    for name in ("unknown_coin_count", "crossed_count", "regressed_count", "decode_error_count"):
        assert count(flow, name) == 1, name


# ---- its connections: what it does never reaches the market that is traded

PATH = "/public/stream"
GARBAGE = ('{"stream":"x","data":{"e":"bookTicker","s":"BTCUSDT","b":"nan"}}', "\x00\ufffd{", "[]", "{" * 200,
           '{"e":"depthUpdate","s":"BTCUSDT","T":1,"b":[[]],"a":7}', '{"error":{"code":2,"msg":"Invalid request"}}')


class Other:
    """Another venue on this host that sends what it is told to."""

    def __init__(self):
        self.sockets, self.transports, self.asked, self.numbers = [], [], [], itertools.count(1)

    async def serve(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.asked.append(request.path_qs)
        if request.path == PATH:
            self.sockets.append(socket)
            self.transports.append(request.transport)
        async for _ in socket:
            pass
        return socket

    async def tell(self, **changes):
        """One touch of BTC to whoever listens."""
        event = {"e": "bookTicker", "s": "BTCUSDT", "b": "100000.0", "B": "1.0", "a": "100000.1", "A": "1.0",
                 "T": 1_790_000_000_000 + next(self.numbers), **changes}
        for socket in self.sockets:
            with contextlib.suppress(ConnectionError):
                await socket.send_str(orjson.dumps(event).decode())

    async def hang_up(self):
        """End every connection without a close frame."""
        for transport in self.transports:
            transport.abort()
        self.sockets.clear()
        self.transports.clear()


@contextlib.asynccontextmanager
async def other_venue():
    other, app = Other(), web.Application()
    app.add_routes([web.get(PATH, other.serve), web.get("/market/stream", other.serve)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield other, f"ws://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def run(tmp_path):
    """Runs scenario(bench, stage, other): a feed with no market of its own, beside another venue."""
    benches = []

    def start(scenario, **changes):
        async def main():
            async with other_venue() as (other, base):
                bench = Bench(("BTC", "ETH"), tmp_path, **{
                    "reference.kind": "binance", "reference.ticker_url": f"{base}/public",
                    "reference.trades_url": f"{base}/market", "reference.reconnect_first_s": 0.01,
                    "reference.reconnect_max_s": 0.05, **changes})
                benches.append(bench)
                stage = bench.stage()
                stage.link.open = stage.link.close = lambda: None
                running = asyncio.create_task(stage.run())
                await scenario(bench, stage, other)
                Control(bench.house).ask_stop()
                async with asyncio.timeout(10.0):
                    assert await running == 0

        asyncio.run(main())

    yield start
    for bench in benches:
        bench.close()


def heard(bench):
    return len(bench.records(KIND_REFERENCE_BBO))


def test_its_prices_are_heard_and_a_lost_connection_is_one_gap_and_comes_back(run):
    async def scenario(bench, stage, other):
        await until(lambda: other.sockets)
        assert other.asked[0].startswith(PATH + "?streams=btcusdt@bookTicker/")
        await other.tell()
        await until(lambda: heard(bench) == 1)
        await other.hang_up()
        await until(lambda: other.sockets)
        [gap] = bench.records(KIND_GAP)
        assert (gap["inst"], gap["reason"]) == (-1, GAP_REFERENCE_LOST)
        await other.tell()
        await until(lambda: heard(bench) == 2)
        assert bench.count("gap_count") == 0  # of the market that is traded

    run(scenario)


def test_garbage_is_counted_and_the_next_good_price_is_heard(run):
    async def scenario(bench, stage, other):
        await until(lambda: other.sockets)
        for text in GARBAGE:
            await other.sockets[0].send_str(text)
        await other.sockets[0].send_bytes(b"\xff" * 300)
        await other.tell()
        await until(lambda: heard(bench) == 1)
        assert bench.count("decode_error_count") == 2
        assert bench.records(KIND_GAP) == []
        assert any("the reference says" in line for line in bench.said())

    run(scenario)


def test_streams_that_are_open_and_tell_no_price_are_asked_for_anew(run):
    async def scenario(bench, stage, other):
        await until(lambda: other.sockets)
        await other.tell(T=4_000_000_000_000)  # its clock is wrong: everything after it is older
        await until(lambda: heard(bench) == 1)
        while len(other.sockets) == 1:
            await other.tell()
            await asyncio.sleep(0.02)
        await other.tell()
        await until(lambda: heard(bench) == 2)
        assert any("tells no prices" in line for line in bench.said())

    run(scenario, **{"reference.silence_s": 0.3})


def test_a_connection_that_fails_in_an_unforeseen_way_is_begun_again(run):
    async def scenario(bench, stage, other):
        await until(lambda: other.sockets)
        link = stage.reference.links[0]
        link._connect = None  # no way to connect that is known to it
        await other.hang_up()
        await until(lambda: any("TypeError" in line for line in bench.said()))
        del link._connect
        await until(lambda: other.sockets)
        await other.tell()
        await until(lambda: heard(bench) == 1)

    run(scenario)


def test_a_reference_that_is_not_there_costs_nothing_but_attempts(run):
    async def scenario(bench, stage, other):
        await until(lambda: bench.count("reference_lost_count") > 2 and bench.count("timer_count") > 20)
        assert bench.records(KIND_GAP) == []

    run(scenario, **{"reference.ticker_url": "ws://127.0.0.1:9", "reference.trades_url": "ws://127.0.0.1:9"})


def test_none_and_recorded_markets_have_no_reference(tmp_path):
    bench = Bench(("BTC",), tmp_path)
    try:
        assert ReferenceFeed(bench.stage(), bench.house, NOWHERE).links == []
        assert bench.channel(CHANNEL_REFERENCE)["limit_ns"] == 0
        local = bench.config.model_copy(update={"reference": bench.config.reference.model_copy(
            update={"kind": "local"})})
        assert len(reference_urls(local, NOWHERE)) == 2
        market = local.market.model_copy(update={"kind": "recording"})
        assert reference_urls(local.model_copy(update={"market": market}), NOWHERE) == []
    finally:
        bench.close()
