"""HTTP codes, limits and latency of the one port."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from support.live_server import live, wall_ms
from support.venue import Venue, order, order_action

from mmfast.sim.limits import Limits


class Slow:
    """A fixed latency, in seconds."""

    def __init__(self, entry_s: float, exit_s: float) -> None:
        self._entry_s, self._exit_s = entry_s, exit_s

    def entry_ns(self) -> int:
        return round(self._entry_s * 1e9)

    def exit_ns(self) -> int:
        return round(self._exit_s * 1e9)


@pytest.mark.parametrize(("path", "headers", "body", "status", "text"), [
    ("/info", {}, b'{"type":"meta"}', 415, "Expected request with `Content-Type: application/json`"),
    ("/info", {"Content-Type": "application/json"}, b'{"type"', 400, "Failed to parse the request body as JSON"),
    ("/info", {"Content-Type": "application/json"}, b'{"type":"sing"}', 422,
     "Failed to deserialize the JSON body into the target type"),
    ("/exchange", {"Content-Type": "application/json"}, b'{"action":{"type":"order"}}', 422,
     "Failed to deserialize the JSON body into the target type"),
    ("/exchange", {"Content-Type": "text/plain"}, b"{}", 415, "Expected request with `Content-Type: application/json`"),
    ("/info", {"Content-Type": "application/json"}, b'{"type":"l2Book","coin":"DOGE"}', 200, "null"),
])
def test_http_refusals_have_the_venues_codes(path, headers, body, status, text):
    async def scenario(venue):
        async with venue.http.post(venue.url + path, data=body, headers=headers,
                                   skip_auto_headers=["Content-Type"]) as answer:
            assert (answer.status, await answer.text()) == (status, text)

    live(scenario)


def test_get_is_not_allowed():
    async def scenario(venue):
        async with venue.http.get(venue.url + "/info") as answer:
            assert answer.status == 405

    live(scenario)


def test_order_by_rest_is_answered_after_its_block():
    venue = Venue(start_ms=wall_ms())
    client = venue.client()

    async def scenario(live_venue):
        answer = await live_venue.post("/exchange", client.signed(order_action(order("B", "99990", "0.1"))))
        oid = answer["response"]["data"]["statuses"][0]["resting"]["oid"]
        found = await live_venue.post("/info", {"type": "openOrders", "user": client.address})
        assert [one["oid"] for one in found] == [oid]
        assert live_venue.server.inflight == 0

    live(scenario, venue)


def test_ip_weight_is_refused_when_used_up():
    async def scenario(venue):
        codes = []
        for _ in range(4):
            async with venue.http.post(venue.url + "/info", json={"type": "meta"}) as answer:
                codes.append(answer.status)
                text = await answer.text()
        assert codes == [200, 200, 200, 429]
        assert text == "null"

    live(scenario, Venue(limits=Limits(rest_weight_per_minute=60)))


def test_connections_beyond_the_limit_are_refused():
    async def scenario(venue):
        async with venue.socket(), venue.http.get(
                venue.url + "/ws", headers={"Connection": "Upgrade", "Upgrade": "websocket",
                                            "Sec-WebSocket-Version": "13",
                                            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}) as answer:
            assert answer.status == 429

    live(scenario, Venue(limits=Limits(ws_connections=1)))


def test_latency_is_paid_both_ways():
    venue = Venue(start_ms=wall_ms())
    client = venue.client()

    async def scenario(live_venue):
        started = time.monotonic()
        await live_venue.post("/exchange", client.signed({"type": "noop"}))
        assert 0.2 <= time.monotonic() - started < 2.0

    live(scenario, venue, latency=Slow(0.1, 0.1))


def test_frames_keep_their_order_when_they_are_late():
    venue = Venue(start_ms=wall_ms())
    client = venue.client()

    async def scenario(live_venue):
        async with live_venue.socket() as reader:
            await reader.subscribe(type="orderUpdates", user=client.address)
            bodies = [client.signed(order_action(order("B", str(99_000 + 10 * k), "0.1"))) for k in range(8)]
            await asyncio.gather(*(live_venue.post("/exchange", body) for body in bodies))
            times = []
            while len(times) < 8:
                times += [one["statusTimestamp"] for one in (await reader.hear("orderUpdates"))["data"]]
            assert times == sorted(times)

    live(scenario, venue, latency=Slow(0.0, 0.05))


def test_two_subscribers_get_the_same_bytes():
    async def scenario(venue):
        async with venue.socket() as first, venue.socket() as second:
            for client in (first, second):
                await client.subscribe(type="activeAssetCtx", coin="BTC")
                await client.hear("activeAssetCtx")
            assert await first.hear("activeAssetCtx") == await second.hear("activeAssetCtx")

    live(scenario)


def test_snapshot_is_never_followed_by_an_older_frame():
    async def scenario(venue):
        async with venue.socket() as early:
            await early.subscribe(type="l2Book", coin="BTC", fast=True)
            await early.hear("l2Book")
            await early.hear("l2Book")
            async with venue.socket() as late:
                await late.subscribe(type="l2Book", coin="BTC", fast=True)
                times = [(await late.hear("l2Book"))["data"]["time"] for _ in range(5)]
        assert times == sorted(times)

    live(scenario, latency=Slow(0.0, 0.3))


def test_connections_beyond_thirty_a_minute_are_refused():
    venue = Venue(limits=Limits(ws_new_per_minute=3))

    async def scenario(live_venue):
        for _ in range(3):
            async with live_venue.socket():
                pass
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with live_venue.socket():
                pass
        assert caught.value.status == 429

    live(scenario, venue)


@pytest.mark.parametrize("body", [{"type": "metaAndAssetCtxs", "dex": "xyz"},
                                  {"type": "fundingHistory", "coin": "DOGE", "startTime": 0}])
def test_what_is_not_there_is_an_internal_error_without_words(body):
    async def scenario(venue):
        async with venue.http.post(venue.url + "/info", json=body) as answer:
            assert (answer.status, await answer.text()) == (500, "null")
        async with venue.socket() as client:
            await client.say(method="post", id=3, request={"type": "info", "payload": body})
            response = (await client.hear("post"))["data"]["response"]
            assert response == {"type": "error", "payload": "500 Internal Server Error: null"}

    live(scenario)
