"""An engine beside a reference that misbehaves in every way: the channel shows it, the quotes go on without."""

from __future__ import annotations

import asyncio
import threading
import time

import orjson
import pytest
from aiohttp import web
from support.engine import EngineProcess

GARBAGE = ('{"stream":"x","data":{"e":"bookTicker","s":"ETHUSDT","b":"-1"}}', "{" * 99, "[]", '{"error":{"code":2}}')
EVERY_S = 0.05


class Other(threading.Thread):
    """Another venue on this host, in a thread of its own, in one of the moods of ``tick``."""

    def __init__(self):
        super().__init__(daemon=True)
        self.mood, self.sockets, self.started = "well", set(), threading.Event()
        self.start()
        assert self.started.wait(10.0)

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        app = web.Application()
        app.add_routes([web.get("/public/stream", self.welcome), web.get("/market/stream", self.welcome)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self.started.set()
        while self.mood != "gone":
            await asyncio.sleep(EVERY_S)
            for socket in list(self.sockets):
                for text in self.tick():
                    if not socket.closed:
                        await socket.send_str(text)
        await runner.cleanup()

    def tick(self):
        """What it says now: a touch, nothing, or nonsense."""
        now_ms = time.time_ns() // 1_000_000
        touch = {"e": "bookTicker", "s": "ETHUSDT", "b": "4300.0", "B": "9", "a": "4300.1", "A": "9", "T": now_ms}
        return {"well": (orjson.dumps(touch).decode(),), "garbage": GARBAGE}.get(self.mood, ())

    async def welcome(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if request.path.startswith("/public"):
            self.sockets.add(socket)
        async for _ in socket:
            pass
        self.sockets.discard(socket)
        return socket


@pytest.fixture
def other():
    made = Other()
    yield made
    made.mood = "gone"
    made.join(10.0)


def channel(engine):
    return next(row for row in engine.look()["channels"] if row["channel"] == "reference")


def told(engine):
    """What ``mmfast explain`` says about the lead."""
    lines = engine.verb("explain", "--now", "ETH").out.splitlines()
    return next(line for line in lines if "lead-lag" in line)


def quotes_go_on(engine):
    """New orders are placed, on both sides."""
    before = engine.look()["counters"]["gateway"]["order_sent_count"]
    engine.wait(lambda: engine.look()["counters"]["gateway"]["order_sent_count"] > before, 20.0, "no new order")
    engine.wait_quoting()


def test_whatever_the_reference_does_the_engine_quotes(tmp_path, other):
    base = f"ws://127.0.0.1:{other.port}"
    environ = {"MMFAST_REFERENCE__KIND": "binance", "MMFAST_REFERENCE__TICKER_URL": f"{base}/public",
               "MMFAST_REFERENCE__TRADES_URL": f"{base}/market"}
    with EngineProcess(tmp_path, "--coin", "ETH", environ=environ) as engine:
        engine.wait_quoting()
        engine.wait(lambda: channel(engine)["message_count"] > 20, 10.0, "the reference is not heard")
        assert (channel(engine)["limit_ms"], channel(engine)["stale"]) == (2000.0, False)
        assert "no lag between the reference and us is significant yet" in told(engine)
        other.mood = "garbage"
        engine.wait(lambda: channel(engine)["stale"], 10.0, "garbage counts as prices")
        engine.wait(lambda: "the reference has been silent for" in told(engine), 10.0, "explain is silent")
        quotes_go_on(engine)
        other.mood = "well"
        engine.wait(lambda: not channel(engine)["stale"], 10.0, "good prices are not heard after bad ones")
        other.mood = "gone"
        engine.wait(lambda: engine.look()["counters"]["feed"]["reference_lost_count"] > 2, 10.0, "its end is not seen")
        quotes_go_on(engine)
        assert all(engine.restarts(process) == 0 for process in ("feed", "estimator", "quoter", "gateway"))
        assert engine.look()["counters"]["feed"]["gap_count"] == 0
        assert engine.end() == 0
