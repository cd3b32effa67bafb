"""Faults: scripts that are read or drawn, dice that keep to their shares, and each kind on a real socket."""

from __future__ import annotations

import asyncio
import itertools
import json

import aiohttp
import pytest
from support import shapes
from support.live_server import live, wall_ms
from support.venue import Venue, order, order_action

from mmfast.sim.faults import KINDS, OF_ANSWERS, OF_FRAMES, Fate, Fault, Faults, drawn, from_option, parse
from mmfast.sim.session import encode, halved
from mmfast.sim.truth import Truth, read

S = 10**9


def started(*script, seed=0, truth=None):
    """A script whose faults at 0 s have begun."""
    faults = Faults(script, seed, truth)
    faults.begin(S)
    faults.step(S)
    return faults


def test_a_seed_draws_the_same_script_again_and_another_seed_another():
    first, again, other = (list(itertools.islice(drawn(seed), 50)) for seed in (7, 7, 8))
    assert first == again != other
    assert {fault.kind for fault in itertools.islice(drawn(1), 300)} == set(KINDS)
    times = [fault.at_s for fault in first]
    assert times == sorted(times)
    assert times[0] >= 15.0


def test_a_file_is_read_in_order_of_time(tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text('seed = 3\n[[fault]]\nkind = "drop"\nat_s = 9\nfor_s = 1\nchannels = ["account"]\nshare = 0.5\n'
                    '[[fault]]\nkind = "clock"\nat_s = 2.5\nms = 1500\n')
    faults = from_option(str(file))
    faults.begin(S)
    assert faults.step(S) == []
    assert faults.step(4 * S) == [Fault("clock", 2.5, ms=1500)]
    (drop,) = faults.step(11 * S)
    assert "orderUpdates" in drop.channels
    assert "bbo" not in drop.channels


@pytest.mark.parametrize(("text", "said"), [
    ('[[fault]]\nkind = "sing"\nat_s = 1', "fault 1: kind 'sing' is not one of drop, "),
    ('[[fault]]\nkind = "drop"', "at_s is missing"),
    ('[[fault]]\nkind = "drop"\nat_s = -1', "at_s -1 is not a number from 0"),
    ('[[fault]]\nkind = "drop"\nat_s = 1\nshare = 2', "share 2 is not a number from 0 to 1"),
    ('[[fault]]\nkind = "drop"\nat_s = nan', "at_s nan is not a number"),
    ('[[fault]]\nkind = "drop"\nat_s = 1\nchannels = ["bo"]', "channel 'bo' is neither a group"),
    ('[[fault]]\nkind = "drop"\nat_s = 1\nwhen = 2', "unknown key 'when'"),
    ('seed = "x"', "seed 'x' is not a whole number"), ("fault = 3", "fault 3 is no list"), ("[[", "faults"),
    ("sed = 1", "unknown key"),
])
def test_a_script_that_cannot_be_is_refused_by_place_and_value(tmp_path, text, said):
    file = tmp_path / "faults.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        from_option(str(file))


def test_what_is_neither_seed_nor_file_is_refused():
    with pytest.raises(ValueError, match=r"'nowhere\.toml' is neither a seed"):
        from_option("nowhere.toml")


def test_nothing_happens_before_the_first_connection_or_after_the_end(tmp_path):
    truth = Truth(tmp_path / "truth.jsonl")
    faults = Faults([Fault("drop", 1.0, 2.0)], 0, truth)
    assert faults.step(99 * S) == []
    faults.begin(100 * S)
    faults.step(101 * S)
    assert faults.copies("bbo") == []
    faults.step(103 * S)
    assert faults.copies("bbo") == [0.0]
    truth.close()
    begin, end = read(tmp_path / "truth.jsonl")
    assert [begin["phase"], end["phase"], end["count"]] == ["begin", "end", 1]
    assert begin["fault"] == "drop"


def test_dice_keep_to_the_share_and_to_the_channels():
    faults = started(Fault("drop", 0.0, 9.0, ("bbo",), 0.25))
    assert 180 < sum(faults.copies("bbo") == [] for _ in range(1000)) < 320
    assert all(faults.copies("trades") == [0.0] for _ in range(100))


def test_copies_tell_duplicates_and_how_late_a_frame_is():
    assert started(Fault("duplicate", 0.0, 9.0)).copies("bbo") == [0.0, 0.0]
    late = [started(Fault("reorder", 0.0, 9.0, ms=500.0), seed=seed).copies("bbo")[0] for seed in range(20)]
    assert 0.0 < min(late) < max(late) <= 0.5
    assert started(Fault("lag", 0.0, 9.0, ms=500.0)).lag_s("bbo") == 0.5


def test_fates_are_those_of_the_script():
    assert Faults().fate("post") == Fate()
    for kind in OF_ANSWERS:
        assert started(Fault(kind, 0.0, 9.0, ("post",), ms=200.0)).fate("post") == Fate(kind, 0.2)
        assert started(Fault(kind, 0.0, 9.0, ("info",))).fate("post") == Fate()


@pytest.mark.parametrize("size", [10, 125, 126, 1000, 65535, 70000])
def test_half_a_frame_is_a_whole_frame_of_broken_json(size):
    frame = halved(encode({"channel": "x", "data": "y" * size}))
    start = {126: 4, 127: 10}.get(frame[1], 2)
    length = frame[1] if start == 2 else int.from_bytes(frame[2:start], "big")
    assert len(frame) - start == length
    with pytest.raises(json.JSONDecodeError):
        json.loads(frame[start:])


def wrong(kind, **more):
    return Faults([Fault(kind, 0.0, 30.0, **more)])


async def begun(server):
    """Until the first block after the first connection has let the faults begin."""
    async with asyncio.timeout(5.0):
        while not server.server.faults.running:
            await asyncio.sleep(0.005)


async def order_by_post(client, server, account):
    await begun(server)
    await client.say(method="post", id=1, request={
        "type": "action", "payload": account.signed(order_action(order("B", "99990", "0.1", cloid=1)))})


@pytest.mark.parametrize("kind", ["lose", "lie"])
def test_an_action_is_executed_though_its_answer_is_lost_or_a_lie(kind):
    venue = Venue(start_ms=wall_ms())
    account = venue.client()

    async def scenario(server):
        async with server.socket() as client:
            await client.subscribe(type="orderUpdates", user=account.address)
            await order_by_post(client, server, account)
            if kind == "lie":
                response = (await client.hear())["data"]["response"]
                assert response["type"] == "error"
            update = await client.hear()
            assert update["data"][0]["status"] == "open"
            await client.say(method="ping")
            assert (await client.hear())["channel"] == "pong"

    live(scenario, venue, faults=wrong(kind, channels=("post",)))


@pytest.mark.parametrize(("kind", "status"), [("unavailable", 502), ("throttle", 429)])
def test_an_action_is_not_executed_when_the_gate_is_closed(kind, status):
    venue = Venue(start_ms=wall_ms())
    account = venue.client()

    async def scenario(server):
        async with server.socket() as client:
            await order_by_post(client, server, account)
            payload = (await client.hear("post"))["data"]["response"]["payload"]
            assert payload.startswith(str(status))
            body = account.signed(order_action(order("B", "99990", "0.1")))
            async with server.http.post(server.url + "/exchange", json=body) as answer:
                assert answer.status == status
            async with server.http.post(server.url + "/info", json={"type": "meta"}) as answer:
                assert answer.status == status
        assert account.account.orders.open == {}

    live(scenario, venue, faults=wrong(kind))


def test_an_executed_action_by_rest_can_end_in_a_bad_gateway():
    venue = Venue(start_ms=wall_ms())
    account = venue.client()

    async def scenario(server):
        async with server.socket():
            await begun(server)
            body = account.signed(order_action(order("B", "99990", "0.1")))
            async with server.http.post(server.url + "/exchange", json=body) as answer:
                assert (answer.status, await answer.text()) == (502, "null")
        assert len(account.account.orders.open) == 1

    live(scenario, venue, faults=wrong("lie", channels=("exchange",)))


def test_half_open_says_nothing_and_hears_nothing_while_new_connections_work():
    async def scenario(server):
        async with server.socket() as deaf:
            await begun(server)
            await deaf.say(method="ping")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await deaf.hear()
            assert not deaf.socket.closed
            async with server.socket() as client:
                await client.say(method="ping")
                assert (await client.hear())["channel"] == "pong"

    live(scenario, faults=wrong("half_open"))


def test_disconnect_ends_every_connection_and_refuse_keeps_them_out():
    async def scenario(server):
        async with server.socket() as client:
            with pytest.raises(ConnectionError):
                await client.hear()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with server.socket():
                pass

    live(scenario, faults=Faults([Fault("disconnect", 0.05), Fault("refuse", 0.05, 30.0)]))


def test_sliced_and_late_frames_arrive_whole_and_in_order():
    async def scenario(server):
        async with server.socket() as client:
            await client.subscribe(type="l2Book", coin="BTC", fast=True)
            times = [(await client.hear("l2Book"))["data"]["time"] for _ in range(6)]
            assert times == sorted(times)

    live(scenario, faults=Faults([Fault("slice", 0.0, 30.0), Fault("lag", 0.1, 30.0, ms=80.0),
                                  Fault("lag", 0.4, 0.2, ms=150.0)]))


def test_garbled_frames_are_no_json():
    async def scenario(server):
        async with server.socket() as client:
            await begun(server)
            await client.say(method="subscribe", subscription={"type": "bbo", "coin": "BTC"})
            message = await client.socket.receive()
            with pytest.raises(json.JSONDecodeError):
                json.loads(message.data)

    live(scenario, faults=wrong("garble"))


def test_a_clock_that_is_ahead_lets_actions_expire():
    venue = Venue(start_ms=wall_ms())
    account = venue.client()

    async def scenario(server):
        async with server.socket():
            while venue.exchange.now_ms < wall_ms() + 4000:
                await asyncio.sleep(0.02)
            body = account.signed(order_action(order("B", "99990", "0.1")), expires=wall_ms() + 2000)
            assert await server.post("/exchange", body) == {"status": "err", "response": "Action already expired"}

    live(scenario, venue, faults=wrong("clock", ms=5000.0))


def test_an_upgrade_ends_connections_and_blocks_and_lets_only_post_only_orders_in_after():
    venue = Venue(start_ms=wall_ms())
    account = venue.client()
    maker, taker = (order_action(order("B", px, "0.1", tif)) for px, tif in (("99990", "Alo"), ("100001", "Ioc")))

    async def scenario(server):
        async with server.socket() as client:
            with pytest.raises(ConnectionError):
                await client.hear("never")
        halted = venue.exchange.now_ms
        answer = await server.post("/exchange", account.signed(maker))
        assert venue.exchange.now_ms - halted > 200  # nothing was executed in between
        assert "resting" in answer["response"]["data"]["statuses"][0]
        refused = await server.post("/exchange", account.signed(taker))
        assert "after a network upgrade" in refused["response"]["data"]["statuses"][0]["error"]
        while "error" in refused["response"]["data"]["statuses"][0]:
            refused = await server.post("/exchange", account.signed(taker))

    live(scenario, venue, faults=Faults([Fault("upgrade", 0.1, 0.5, ms=700.0)]))


def test_absurd_books_are_crossed_empty_or_a_fifth_too_high():
    faults = started(Fault("absurd", 0.0, 9.0))
    level = [{"px": f"{px}.0", "sz": "1.0", "n": 1} for px in (99_999, 100_001)]
    for message in ({"channel": "bbo", "data": {"coin": "BTC", "bbo": level}},
                    {"channel": "l2Book", "data": {"coin": "BTC", "levels": [[level[0]], [level[1]]]}}):
        seen = {str(faults.twisted(message)["data"]) for _ in range(40)}
        assert len(seen) == 3
        assert str(message["data"]) not in seen
        assert sum("120000.0" in one for one in seen) == 1
        for _ in range(20):
            shapes.check_frame({**faults.twisted(message), "data": {**faults.twisted(message)["data"], "time": 1}})
    other = {"channel": "trades", "data": []}
    assert faults.twisted(other) is other
    assert Faults().twisted(message) is message


def test_every_kind_has_its_place():
    assert set(OF_FRAMES) | set(OF_ANSWERS) | {
        "disconnect", "half_open", "refuse", "clock", "upgrade", "congestion", "cap", "pace", "oracle"} == set(KINDS)
    with pytest.raises(ValueError, match="is no table"):
        parse(3, "here")
