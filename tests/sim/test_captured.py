"""Every frame and answer of the exchange is of a shape that was captured from the venue, or documented by it."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import shapes
from support.venue import Client, Venue, cancel_action, order, order_action, trigger

from mmfast.sim import topics
from mmfast.sim.answers import ANSWERS, answer
from mmfast.sim.channels import Cadence, Channels

needs_samples = pytest.mark.skipif(not shapes.SAMPLES.exists(), reason="captured samples are not beside the repository")
EVERY_BLOCK = Cadence(1, 1, 1, 1, 1, 1, 1)
NO_FRAMES = ("outcomeMetaUpdates",)  # there are no outcomes here
CHANNEL = {"userEvents": "user"}


def asked(kind, user):
    return {"type": kind, "coin": "BTC", "user": user, "interval": "1m"}


def life(venue):
    """A client's whole life: rests, is filled, takes, shrinks, cancels, is refused, is funded, is paid again."""
    client = venue.client()
    agent = Client(venue, 3)
    venue.exchange.approve(client.address, agent.address)
    yield client
    client.do({"type": "setReferrer", "code": "ONE"})
    venue.exchange.stake(client.address, 150 * 10**8)
    client.oid(order("B", "100000", "0.1", cloid=7))
    venue.source.strike(1, 1_000_000, 5_000)
    venue.block()
    yield client
    client.place(order("S", "99900", "0.3", "Ioc"), order("S", "100500", "0.1"), order("B", "99000", "0.00001"))
    client.place(order("B", "100500", "0.01", reduce_only=True), order("B", "99000", "0.1", "Ioc"))
    yield client
    venue.block(after_ms=3_600_000)
    yield client
    venue.exchange.deposit(client.address, 10_000_000)
    open_oids = list(client.account.orders.open)
    client.do(cancel_action(*open_oids))
    yield client
    client.do({"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 10})
    client.place(order("B", "100001", "0.2", "Ioc"))
    client.place(order("B", "99990", "0.5"), trigger("S", "tp", "100500", "0.5"), trigger("S", "sl", "99000", "0.5"),
                 grouping="normalTpsl")
    client.place(trigger("S", "sl", "99500", "0.2"))
    made = client.do({"type": "createSubAccount", "name": "one"})["response"]["data"]
    client.do({"type": "subAccountTransfer", "subAccountUser": made, "isDeposit": True, "usd": 5_000_000})
    yield client
    poor = venue.client(2, usd=2_600.0)
    poor.do({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 40})
    poor.place(order("B", "100005", "0.9", "Ioc"))
    poor.oid(order("B", "99000", "0.001"))
    yield poor
    slices = {"a": 0, "b": True, "s": "0.1", "r": False, "m": 5, "t": False}
    client.do({"type": "twapOrder", "twap": slices})
    venue.exchange.instruments[0].guards = frozenset({"cap"})
    yield client
    venue.exchange.instruments[0].guards = frozenset()
    client.oid(order("B", "100000", "2"))
    venue.source.px = 98_370.0  # one is liquidated, the other's stop is triggered
    venue.block()
    yield poor
    yield client


@pytest.fixture(scope="module")
def frames():
    """All frames of all channels over a client's life: what a subscription brings, and what blocks bring."""
    venue = Venue()
    channels = Channels(venue.exchange, EVERY_BLOCK)
    collected = []
    after = venue.block

    def block(*args, **options):
        made = after(*args, **options)
        collected.extend(frame for _, frame in channels.after(made))
        return made

    venue.block = block
    for client in life(venue):
        for kind in topics.SHAPES:
            variants = [{}, {"fast": True}, {"nSigFigs": 3}] if kind == "l2Book" else [{}]
            for more in (*variants, *([{"aggregateByTime": True}] if kind == "userFills" else [])):
                topic = topics.normalised({**asked(kind, client.address), **more}, {"BTC"})
                channels.wanted[topics.key(topic)] = topic
                collected.extend(channels.snapshot(topic))
    return json.loads(json.dumps(collected))


def test_every_frame_of_the_exchange_is_of_a_captured_shape(frames):
    for frame in frames:
        shapes.check_frame(frame)


def test_every_channel_that_is_served_was_among_them(frames):
    told = {frame["channel"] for frame in frames}
    served = {CHANNEL.get(kind, kind) for kind in topics.SHAPES} - set(NO_FRAMES)
    assert served <= told
    assert {key for frame in frames if frame["channel"] == "user" for key in frame["data"]} == {
        "fills", "funding", "liquidation", "nonUserCancel", "twapHistory", "twapSliceFills"}


def test_every_answer_of_info_is_of_a_captured_shape():
    venue = Venue()
    for client in life(venue):
        oids = [*client.account.orders.latest, 5]
        for kind in ANSWERS:
            for oid in oids if kind == "orderStatus" else (5,):
                found = answer(venue.exchange, {
                    **asked(kind, client.address), "oid": oid, "startTime": 0, "id": 56, "builder": client.address,
                    "vaultAddress": client.address, "req": {"coin": "BTC", "interval": "1m", "startTime": 0}})
                shapes.check(f"info:{kind}", json.loads(json.dumps(found)))


def test_answers_over_the_socket_are_of_a_captured_shape():
    venue = Venue()
    client = venue.client()
    bodies = [order_action(order("B", "99990", "0.1", cloid=1)), order_action(order("B", "100500", "0.1")),
              order_action(order("B", "100500", "0.1", "Ioc")), order_action(), {"type": "noop"}]
    for body in bodies:
        payload = client.do(body)
        shapes.check_frame({"channel": "post", "data": {"id": 1, "response": {"type": "action", "payload": payload}}})


@needs_samples
def test_the_shapes_that_are_kept_are_those_of_the_captures():
    assert json.loads(json.dumps(shapes.learned())) == shapes.known()


@needs_samples
def test_everything_captured_is_of_the_shapes_that_are_kept():
    count = 0
    for name, value in shapes.examples():
        if value not in ({}, []) and "{}" not in json.dumps(value):
            assert list(shapes.faults(value, shapes.known()[name], name)) == []
            count += 1
    assert count > 100


def parts(value, path=()):
    """All places in a message that hold a value or a key."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*path, key)
            yield from parts(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from parts(part, (*path, number))


@given(st.data())
def test_a_message_that_is_changed_anywhere_is_not_of_its_shape(data):
    venue = Venue()
    client = venue.client()
    client.oid(order("B", "99990", "0.1"))
    name, kind = data.draw(st.sampled_from([("info:frontendOpenOrders", "frontendOpenOrders"),
                                            ("info:clearinghouseState", "clearinghouseState"),
                                            ("info:userFees", "userFees"), ("info:l2Book", "l2Book")]))
    found = answer(venue.exchange, asked(kind, client.address))
    spoilt = copy.deepcopy(found)
    *way, last = data.draw(st.sampled_from(list(parts(found))))
    holder = spoilt
    for step in way:
        holder = holder[step]
    if isinstance(holder, dict) and data.draw(st.booleans()):
        holder[f"{last}X"] = holder.pop(last)
    else:
        holder[last] = 0.5  # no number of the venue is a float
    assert list(shapes.faults(spoilt, shapes.known()[name], name))
    assert not list(shapes.faults(found, shapes.known()[name], name))
