"""Claims about the link, against a real WebSocket server on a real socket."""

import asyncio
import logging
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import asynccontextmanager
from itertools import pairwise

import picows
import pytest
import uvloop
from aiohttp import web

from mmfast.runtime import link as links
from mmfast.runtime.link import PING, Link, LinkPolicy
from mmfast.runtime.rest import VenueUnreachable, ask

POLICY = LinkPolicy(ping_s=5.0, silence_s=5.0, retry_first_s=0.01, retry_max_s=0.04, connections_per_minute=1000)


class Peer(picows.WSListener):
    """One connection on the server's side."""

    def __init__(self, server):
        self.server = server
        self.transport = None

    def on_ws_connected(self, transport):
        self.transport = transport
        self.server.peers.append(self)
        if self.server.greet:
            self.say(self.server.greet)
        if self.server.hang_up:
            transport.disconnect(False)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == picows.WSMsgType.TEXT:
            self.server.heard.append(frame.get_payload_as_bytes())
            if self.server.echo:
                self.say(b"re:" + self.server.heard[-1])

    def say(self, payload):
        self.transport.send(picows.WSMsgType.TEXT, payload)

    def reset(self):
        """Drop the connection with a TCP reset, as a dying host does."""
        raw = self.transport.underlying_transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.transport.underlying_transport.abort()


class Server:
    def __init__(self):
        self.peers, self.heard, self.greet, self.echo, self.hang_up = [], [], b"", False, False


class Told:
    """What the link told: events in order, frames with their times."""

    def __init__(self):
        self.events, self.frames, self.on_connected = [], [], lambda: None

    def connected(self):
        self.events.append("connected")
        self.on_connected()

    def frame(self, payload, ts_recv_ns):
        self.frames.append((payload, ts_recv_ns))

    def lost(self, reason):
        self.events.append(reason)


@asynccontextmanager
async def linked(server, policy=POLICY, wait=True):
    """A link to ``server``: (link, told). At the end the link is closed, and must end."""
    async with listening(server) as url:
        told = Told()
        link = Link(url, policy, told.connected, told.frame, told.lost)
        keeping = asyncio.ensure_future(link.keep_up())
        try:
            if wait:
                await until(lambda: link.connected)
            yield link, told
        finally:
            link.close()
            async with asyncio.timeout(2.0):
                await keeping


@asynccontextmanager
async def listening(server):
    running = await picows.ws_create_server(lambda request: Peer(server), "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/ws"
    finally:
        running.close()
        for peer in server.peers:
            peer.transport.disconnect(False)
        await asyncio.sleep(0.01)


async def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def quiet():
    """The library's own log of what these tests provoke."""
    logging.getLogger("picows").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("picows").setLevel(logging.NOTSET)


@pytest.fixture(params=[uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def run(request):
    return request.param


def test_frames_come_whole_in_order_and_stamped(run):
    async def body():
        server = Server()
        async with linked(server) as (link, told):
            before = time.monotonic_ns()
            for number in range(200):
                server.peers[0].say(b"%d" % number)
            server.peers[0].transport.send(picows.WSMsgType.BINARY, b"not text")
            await until(lambda: len(told.frames) == 200)
            assert [payload for payload, _ in told.frames] == [b"%d" % n for n in range(200)]
            stamps = [ts for _, ts in told.frames]
            assert before <= stamps[0] <= time.monotonic_ns()
            assert stamps == sorted(stamps)
            assert link.last_frame_ns >= stamps[-1]
            assert told.events == ["connected"]

    run(body())


def test_subscriptions_are_sent_on_every_connection(run):
    async def body():
        server = Server()
        async with linked(server, wait=False) as (link, told):
            told.on_connected = lambda: link.send(b"subscribe")
            await until(lambda: len(server.heard) == 1)
            server.peers[0].reset()
            await until(lambda: len(server.heard) == 2)
            assert link.connect_count == 2
            assert told.events == ["connected", told.events[1], "connected"]

    run(body())


@pytest.mark.parametrize("how", ["reset", "close frame", "plain end"])
def test_a_lost_connection_is_told_once_and_replaced(run, how):
    async def body():
        server = Server()
        async with linked(server) as (link, told):
            for number in range(3):
                peer = server.peers[-1]
                if how == "reset":
                    peer.reset()
                elif how == "close frame":
                    peer.transport.send_close(picows.WSCloseCode.GOING_AWAY)
                else:
                    peer.transport.disconnect(False)
                await until(lambda n=number: link.connect_count == n + 2 and link.connected)
            reason = "closed by the venue" if how == "close frame" else "connection lost"
            assert told.events == ["connected", *[reason, "connected"] * 3]

    run(body())


def test_a_silent_connection_is_given_up_and_replaced(run):
    async def body():
        server, policy = Server(), POLICY._replace(silence_s=0.12, ping_s=10.0)
        async with linked(server, policy) as (link, told):
            await until(lambda: link.connect_count == 2)
            assert told.events[1].startswith("silent for 0.")
            assert len([e for e in told.events if e.startswith("silent")]) == 1
            assert PING in server.heard  # it asked before it gave up

    run(body())


def test_answers_to_pings_keep_a_quiet_connection():
    async def body():
        server, policy = Server(), POLICY._replace(silence_s=0.2, ping_s=10.0)
        server.echo = True
        async with linked(server, policy) as (link, told):
            await asyncio.sleep(0.5)
            assert (link.connect_count, told.events) == (1, ["connected"])

    uvloop.run(body())


def test_pings_are_sent_on_time_however_busy_the_connection_is():
    async def body():
        server, policy = Server(), POLICY._replace(ping_s=0.05)
        async with linked(server, policy):
            start = time.monotonic()
            while time.monotonic() - start < 0.4:
                server.peers[0].say(b"data")
                await asyncio.sleep(0.005)
            pings = server.heard.count(PING)
            assert 3 <= pings <= 8
            assert set(server.heard) == {PING}

    uvloop.run(body())


def test_no_more_connections_than_the_venue_allows():
    async def body():
        server = Server()
        server.hang_up = True
        policy = POLICY._replace(connections_per_minute=5, retry_first_s=0.0, retry_max_s=0.0)
        async with linked(server, policy, wait=False) as (link, told):
            await until(lambda: len(server.peers) == 5)
            await asyncio.sleep(0.15)
            assert (len(server.peers), link.connect_count) == (5, 5)
        assert len([e for e in told.events if e != "connected"]) == 5

    uvloop.run(body())


class Hasty(Link):
    """A link whose waits pass at once on a clock of its own."""

    passed_s = 0.0

    async def _pause(self, seconds):
        Hasty.passed_s += seconds
        await asyncio.sleep(0)


def test_an_attempt_leaves_the_allowance_after_a_minute_and_not_before(monkeypatch):
    async def body():
        clock = type("Clock", (), {"monotonic": lambda: time.monotonic() + Hasty.passed_s,
                                   "monotonic_ns": time.monotonic_ns})
        monkeypatch.setattr(links, "time", clock)
        server, told, attempts = Server(), Told(), []
        server.hang_up = True
        async with listening(server) as url:
            policy = POLICY._replace(connections_per_minute=3, retry_first_s=15.0, retry_max_s=15.0)
            link = Hasty(url, policy, lambda: attempts.append(clock.monotonic()), told.frame, told.lost)
            keeping = asyncio.ensure_future(link.keep_up())
            await until(lambda: len(attempts) >= 10)
            link.close()
            async with asyncio.timeout(2.0):
                await keeping
        assert all(later - earlier > 59.9 for earlier, later in zip(attempts, attempts[3:]))
        assert attempts[9] - attempts[0] < 240.0  # and none is kept waiting for longer

    uvloop.run(body())


def test_a_venue_that_is_not_there_is_tried_again_ever_more_slowly(run):
    async def body():
        taken = socket.create_server(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.close()
        told, times = Told(), []
        link = Link(f"ws://127.0.0.1:{port}/", POLICY._replace(retry_first_s=0.02, retry_max_s=0.08), told.connected,
                    told.frame, lambda reason: (told.lost(reason), times.append(time.monotonic())))
        keeping = asyncio.ensure_future(link.keep_up())
        await until(lambda: len(times) >= 5)
        link.close()
        async with asyncio.timeout(2.0):
            await keeping
        assert all("cannot connect: ConnectionRefusedError" in e for e in told.events)
        gaps = [b - a for a, b in pairwise(times)]
        assert all(gap > 0.8 * least for gap, least in zip(gaps, (0.02, 0.04, 0.08, 0.08)))

    run(body())


@pytest.mark.parametrize(("answer", "reason"), [
    (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"), (b"", "hung up during the handshake")])
def test_a_refused_upgrade_is_told_once_for_each_attempt(run, answer, reason):
    async def body():
        asked = []

        async def refuse(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            asked.append(1)
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        told = Told()
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        link = Link(url, POLICY, told.connected, told.frame, told.lost)
        keeping = asyncio.ensure_future(link.keep_up())
        await until(lambda: len(asked) >= 3)
        link.close()
        async with asyncio.timeout(2.0):
            await keeping
        server.close()
        assert len(asked) - 1 <= len(told.events) <= len(asked)
        assert all(e.startswith("cannot connect: ") and reason in e for e in told.events)
        assert link.connect_count == 0

    run(body())


def test_a_venue_that_never_answers_the_upgrade_is_given_up(monkeypatch):
    async def body():
        monkeypatch.setattr(links, "CONNECT_TIMEOUT_S", 0.05)
        server = socket.create_server(("127.0.0.1", 0))
        told = Told()
        link = Link(f"ws://127.0.0.1:{server.getsockname()[1]}/", POLICY, told.connected, told.frame, told.lost)
        keeping = asyncio.ensure_future(link.keep_up())
        await until(lambda: len(told.events) >= 2)
        link.close()
        async with asyncio.timeout(2.0):
            await keeping
        server.close()
        assert set(told.events) == {"cannot connect: TimeoutError"}

    uvloop.run(body())


def test_a_callback_that_fails_costs_the_connection_and_is_named():
    async def body():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        server = Server()
        async with linked(server) as (link, told):
            def fail(payload, ts_recv_ns):
                raise KeyError("no such coin")
            link._on_frame = fail
            server.peers[0].say(b"bad")
            await until(lambda: link.connect_count == 2)
            assert told.events[1] == "callback failed: KeyError: 'no such coin'"

    uvloop.run(body())


def test_nothing_is_written_without_a_connection():
    async def body():
        server = Server()
        async with linked(server, POLICY._replace(retry_first_s=0.2)) as (link, told):
            assert link.send(b"first")
            link.drop("by hand")
            await until(lambda: not link.connected)
            assert link.send(b"second") is False
            await until(lambda: server.heard == [b"first"])
            assert told.events == ["connected", "by hand"]

    uvloop.run(body())


def test_a_dropped_connection_is_replaced():
    async def body():
        server = Server()
        async with linked(server) as (link, told):
            link.drop("out of step")
            await until(lambda: link.connect_count == 2)
            assert told.events == ["connected", "out of step", "connected"]

    uvloop.run(body())


@pytest.mark.parametrize("when", ["connected", "waiting to retry", "waiting for the allowance"])
def test_close_ends_it_at_once_and_loses_nothing(when):
    async def body():
        server = Server()
        policy = POLICY._replace(retry_first_s=30.0, connections_per_minute=1 if "allowance" in when else 30)
        if "allowance" in when:
            policy = policy._replace(retry_first_s=0.0)
        async with linked(server, policy) as (link, told):
            if when != "connected":
                server.peers[0].reset()
                await until(lambda: len(told.events) == 2)
                await asyncio.sleep(0.02)
            count, start = len(server.peers), time.monotonic()
        assert time.monotonic() - start < 1.0
        assert not link.connected
        assert len(server.peers) == count
        assert told.events[:1] == ["connected"]
        assert "closed by us" not in told.events

    uvloop.run(body())


# ---- encrypted, as the real venue is

@pytest.fixture
def certificate(tmp_path):
    """A certificate of this host that nobody has vouched for: (certificate, key)."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    return cert, key


@asynccontextmanager
async def encrypted(certificate):
    """A server on this host that speaks TLS: its port, of `/ws` that greets and of `/info` that answers."""
    async def greet(request):
        made = web.WebSocketResponse()
        await made.prepare(request)
        await made.send_str("hello")
        await made.receive()
        return made

    async def info(request):
        return web.json_response({"time": 7})

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    app = web.Application()
    app.add_routes([web.get("/ws", greet), web.post("/info", info)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("vouched", [False, True])
def test_an_encrypted_venue_is_spoken_to_only_if_its_certificate_is_vouched_for(certificate, monkeypatch, vouched):
    if vouched:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    async def dialogue():
        told = Told()
        async with encrypted(certificate) as port:
            link = Link(f"wss://localhost:{port}/ws", POLICY, told.connected, told.frame, told.lost)
            link.open()
            async with asyncio.timeout(10.0):
                while not told.frames and len(told.events) < 2:
                    await asyncio.sleep(0.01)
            link.close()
            asked = asyncio.get_running_loop().run_in_executor(None, ask, f"https://localhost:{port}", "/info", {})
            if vouched:
                assert await asked == {"time": 7}
            else:
                with pytest.raises(VenueUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
                    await asked
        return told

    told = uvloop.run(dialogue())
    if vouched:
        assert [payload for payload, _ in told.frames] == [b"hello"]
    else:
        assert told.frames == []
        assert all("CERTIFICATE_VERIFY_FAILED" in reason for reason in told.events)
