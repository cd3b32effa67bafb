"""Dialogues on the WebSocket, word for word where words were captured."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.live_server import live, wall_ms
from support.venue import Venue, order, order_action

from mmfast.sim import server as server_module
from mmfast.sim.limits import Limits
from mmfast.sim.session import encode


def test_ack_is_normalised_and_precedes_the_first_data():
    async def scenario(venue):
        async with venue.socket() as client:
            ack = await client.subscribe(type="l2Book", coin="BTC", fast=True)
            assert ack == {"channel": "subscriptionResponse", "data": {"method": "subscribe", "subscription": {
                "type": "l2Book", "coin": "BTC", "nSigFigs": None, "mantissa": None, "fast": True}}}
            assert (await client.hear())["channel"] == "l2Book"
            await client.say(method="unsubscribe", subscription={"type": "l2Book", "coin": "BTC", "fast": True})
            assert (await client.hear("subscriptionResponse"))["data"]["method"] == "unsubscribe"

    live(scenario)


def test_second_subscription_and_missing_one_are_errors():
    async def scenario(venue):
        async with venue.socket() as client:
            await client.subscribe(type="bbo", coin="BTC")
            await client.hear("bbo")
            again = await client.subscribe(type="bbo", coin="BTC")
            assert again == {"channel": "error", "data": 'Already subscribed: {"type":"bbo","coin":"BTC"}'}
            await client.say(method="unsubscribe", subscription={"type": "trades", "coin": "BTC"})
            assert (await client.hear())["data"] == 'Already unsubscribed: {"type":"trades","coin":"BTC"}'

    live(scenario)


@pytest.mark.parametrize("text", ["not json", "[]", "3", '{"method":"sing"}', '{"method":"subscribe"}', '{"method":[]}',
                                  '{"method":"subscribe","subscription":{"type":"bbo","coin":["BTC","ETH"]}}',
                                  '{"method":"post","request":{"type":"info","payload":{"type":"meta"}}}',
                                  '{"method":"post","id":1,"request":{"type":"info","payload":0}}',
                                  '{"method":"post","id":1,"request":{"type":"info","payload":{"type":"sing"}}}'])
def test_unreadable_frame_is_quoted_back_and_forgiven(text):
    async def scenario(venue):
        async with venue.socket() as client:
            await client.socket.send_str(text)
            assert await client.hear() == {
                "channel": "error", "data": f"Error parsing JSON into valid websocket request: {text}"}
            await client.say(method="ping")
            assert await client.hear() == {"channel": "pong"}

    live(scenario)


def test_unknown_coin_costs_the_connection_without_a_close_frame():
    async def scenario(venue):
        async with venue.socket() as client:
            await client.subscribe(type="bbo", coin="BTC")
            await client.say(method="subscribe", subscription={"type": "bbo", "coin": "btc"})
            with pytest.raises(ConnectionError):
                await client.hear("error")
            assert client.socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE

    live(scenario)


def test_connection_is_dropped_after_our_own_silence_only():
    async def scenario(venue):
        async with venue.socket() as quiet, venue.socket() as busy:
            await busy.subscribe(type="activeAssetCtx", coin="BTC")
            with pytest.raises(ConnectionError):
                await quiet.hear()
            await busy.hear("activeAssetCtx")

    live(scenario, Venue(limits=Limits(idle_s=0.5)))


def test_order_goes_by_post_and_its_events_come_by_their_channels():
    venue = Venue(start_ms=wall_ms())
    maker = venue.client()

    async def scenario(live_venue):
        async with live_venue.socket() as client:
            await client.subscribe(type="orderUpdates", user=maker.address.upper().replace("0X", "0x"))
            snapshot = await client.subscribe(type="userFills", user=maker.address)
            assert snapshot["channel"] == "subscriptionResponse"
            body = maker.signed(order_action(order("B", "100001", "0.1", "Ioc", cloid=4)))
            await client.say(method="post", id=256, request={"type": "action", "payload": body})
            posted = (await client.hear("post"))["data"]
            assert posted["id"] == 256
            status = posted["response"]["payload"]["response"]["data"]["statuses"][0]
            assert posted["response"]["type"] == "action"
            assert status["filled"]["totalSz"] == "0.1"
            changes = (await client.hear("orderUpdates"))["data"]
            assert [one["status"] for one in changes] == ["open", "filled"]
            fills = (await client.hear("userFills"))["data"]
            assert fills["fills"][0]["cloid"] == f"0x{4:032x}"

    live(scenario, venue)


def test_info_by_post_wraps_the_answer_in_its_type():
    async def scenario(venue):
        async with venue.socket() as client:
            ask = {"type": "info", "payload": {"type": "l2Book", "coin": "DOGE", "nSigFigs": None, "mantissa": None}}
            await client.say(method="post", id=7, request=ask)
            assert await client.hear() == {"channel": "post", "data": {
                "id": 7, "response": {"type": "info", "payload": {"type": "l2Book", "data": None}}}}

    live(scenario)


def test_too_many_users_subscriptions_and_messages_are_refused():
    async def scenario(venue):
        async with venue.socket() as client:
            for number in range(2):
                await client.subscribe(type="orderUpdates", user=f"0x{number:040x}")
            refused = await client.subscribe(type="orderUpdates", user=f"0x{9:040x}")
            assert refused["data"] == "Cannot track more than 2 total users."
            await client.subscribe(type="userEvents", user=f"0x{1:040x}")
            refused = await client.subscribe(type="trades", coin="BTC")
            assert refused["data"] == "Cannot track more than 3 total subscriptions."
            for _ in range(10):
                await client.say(method="ping")
            heard = [(await client.hear())["channel"] for _ in range(10)]
            assert "error" in heard

    live(scenario, Venue(limits=Limits(ws_users=2, ws_subscriptions=3, ws_messages_per_minute=10)))


def test_posts_in_flight_are_counted_over_all_sockets_until_they_are_answered():
    venue = Venue(limits=Limits(ws_inflight=2), start_ms=wall_ms())
    signer = venue.client()

    def post(number):
        return {"id": number, "request": {"type": "action", "payload": signer.signed({"type": "noop"})}}

    async def scenario(live_venue):
        rests = [asyncio.create_task(live_venue.post("/exchange", signer.signed({"type": "noop"}))) for _ in range(3)]
        async with live_venue.socket() as first, live_venue.socket() as other:
            for number in (1, 2):
                await first.say(method="post", **post(number))
            await first.say(method="ping")
            assert (await first.hear())["channel"] == "pong"  # both were read, and no block has been yet
            await other.say(method="post", **post(3))
            assert (await other.hear())["data"] == "too many pending post requests id=3"
            assert {(await first.hear("post"))["data"]["id"] for _ in range(2)} == {1, 2}
            await other.say(method="post", **post(4))
            assert (await other.hear("post"))["data"]["id"] == 4
        assert [one["status"] for one in await asyncio.gather(*rests)] == ["ok"] * 3

    live(scenario, venue, block_ms=700.0)


def test_users_are_freed_when_their_socket_closes():
    async def scenario(venue):
        async with venue.socket() as client:
            await client.subscribe(type="orderUpdates", user=f"0x{1:040x}")
            assert venue.server.users
        async with asyncio.timeout(5):
            while venue.server.users or venue.server.channels.wanted or venue.server.subscription_count:
                await asyncio.sleep(0.01)

    live(scenario)


def test_trades_are_replayed_on_each_subscription_without_a_flag():
    venue = Venue()

    async def scenario(live_venue):
        venue.source.strike(0, 1_000_010, 500)
        await asyncio.sleep(0)
        async with live_venue.socket() as client:
            await client.subscribe(type="trades", coin="BTC")
            first = await client.hear("trades")
        async with live_venue.socket() as client:
            await client.subscribe(type="trades", coin="BTC")
            assert await client.hear("trades") == first

    live(scenario, venue)


@given(st.text(min_size=0, max_size=70_000).map(lambda text: text * 3) | st.integers(0, 70_000).map(lambda n: "x" * n))
def test_encoded_frame_is_one_unmasked_text_frame(text):
    frame = encode(text)
    assert frame[0] == 0x81
    size, start = frame[1], 2
    if size == 126:
        size, start = int.from_bytes(frame[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(frame[2:10], "big"), 10
    assert len(frame) == start + size
    assert json.loads(frame[start:]) == text


def test_a_user_counts_for_a_while_after_the_connection_has_ended(monkeypatch):
    venue = Venue(limits=Limits(ws_users=1))
    monkeypatch.setattr(server_module, "LINGER_S", 0.3)
    first, second = ("0x" + digit * 40 for digit in "12")

    async def scenario(server):
        async with server.socket() as client:
            await client.subscribe(type="orderUpdates", user=first)
        async with server.socket() as client:
            refused = await client.subscribe(type="orderUpdates", user=second)
            assert refused == {"channel": "error", "data": "Cannot track more than 1 total users."}
            while server.server.users:
                await asyncio.sleep(0.01)
            assert (await client.subscribe(type="orderUpdates", user=second))["channel"] == "subscriptionResponse"

    live(scenario, venue)


def test_items_of_an_answer_by_post_weigh_as_they_do_by_http():
    venue = Venue(limits=Limits(rest_weight_per_minute=80))
    maker = venue.client()
    for k in range(10):
        maker.do(order_action(*(order("B", str(99_000 - 40 * k - j), "0.001") for j in range(40))))

    async def scenario(live_venue):
        async with live_venue.socket() as client:
            ask = {"type": "info", "payload": {"type": "historicalOrders", "user": maker.address}}
            told = []
            for number in range(3):
                await client.say(method="post", id=number, request=ask)
                told.append((await client.hear())["data"]["response"]["type"])
            assert told == ["info", "info", "error"]

    live(scenario, venue)
