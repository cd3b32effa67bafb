"""Emitted frames have the keys, the order of keys and the types of captured ones."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.venue import Venue, cancel_action, order

from mmfast.sim import topics, wire
from mmfast.sim.channels import Cadence, Channels
from mmfast.units import ASK

CAPTURED = Path(__file__).parents[2].parent / "shared" / "hyperliquid" / "samples" / "captured"
needs_samples = pytest.mark.skipif(not CAPTURED.exists(), reason="captured samples are not beside the repository")
NUMBER = re.compile(r"-?\d+\.\d+\Z")  # every number text on the wire has a point
OPTIONAL = {"cloid", "reduceOnly", "builderFee", "liquidation", "fast", "spread", "isSnapshot"}


def captured(channel, **data):
    """Captured data of a channel, those whose keys have these values."""
    found = []
    for path in sorted(CAPTURED.glob("ws_*.jsonl")):
        for line in path.read_text().splitlines():
            message = json.loads(line)
            if message["channel"] == channel and all(message["data"].get(k) == v for k, v in data.items()):
                found.append(message["data"])
    assert found, f"nothing captured on {channel}"
    return found


def shape(value):
    """Keys in order and types; optional keys left out, and nSamples, which is a number or null."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items() if key not in OPTIONAL | {"nSamples"}}
    if isinstance(value, list):
        return [shape(part) for part in value[:1]]
    if isinstance(value, str):
        return "number" if NUMBER.match(value) else "hex" if value.startswith("0x") else "text"
    return type(value).__name__


def same_shape(ours, theirs):
    assert json.dumps(shape(ours)) == json.dumps(shape(theirs))


@pytest.fixture
def session():
    """Frames by channel of a little trading."""
    venue = Venue()
    channels = Channels(venue.exchange, Cadence(1, 1, 1, 1, 1))
    client = venue.client()
    asked = [{"type": "l2Book", "coin": "BTC"}, {"type": "l2Book", "coin": "BTC", "fast": True},
             {"type": "l2Book", "coin": "BTC", "nSigFigs": 4}, {"type": "allMids"}]
    asked += [{"type": kind, "coin": "BTC"} for kind in ("bbo", "trades", "activeAssetCtx")]
    asked += [{"type": kind, "user": client.address} for kind in topics.SHAPES if kind in (
        "orderUpdates", "userEvents", "userFills", "userFundings", "userNonFundingLedgerUpdates", "openOrders")]
    asked.append({"type": "activeAssetData", "user": client.address, "coin": "BTC"})
    for one in asked:
        topic = topics.normalised(one, {"BTC"})
        channels.wanted[topics.key(topic)] = topic
    frames = {}

    def keep():
        for _, message in channels.after(venue.block()):
            frames.setdefault(message["channel"], []).append(message["data"])

    client.submit(order_batch())
    keep()
    venue.source.strike(ASK, 999_990, 5_000)
    keep()
    client.submit(cancel_action(*client.account.orders.open))
    keep()
    venue.now_ms += 3_600_000
    keep()
    frames["snapshots"] = [message for topic in channels.wanted.values() for message in channels.snapshot(topic)]
    return frames


def order_batch():
    return {"type": "order", "grouping": "na",
            "orders": [order("B", "100000", "0.1", cloid=5), order("B", "100001", "0.2", "Ioc")]}


@needs_samples
@pytest.mark.parametrize("channel", ["bbo", "l2Book", "trades", "activeAssetCtx", "orderUpdates", "userFundings",
                                     "userNonFundingLedgerUpdates", "openOrders"])
def test_frame_has_the_shape_of_a_captured_one(session, channel):
    def full(data):
        text = json.dumps(data)
        return "null" not in text.replace('"nSamples": null', "") and "[]" not in text.replace('"children": []', "")

    made = session.get(channel) or [m["data"] for m in session["snapshots"] if m["channel"] == channel]
    theirs = next(data for data in captured(channel) if full(data))
    same_shape(next(data for data in made if full(data)), theirs)


@needs_samples
def test_fill_has_the_keys_and_types_of_a_captured_fill(session):
    theirs = next(data["fills"][0] for data in captured("user") if "fills" in data)
    fills = [fill for data in session["user"] if "fills" in data for fill in data["fills"]]
    assert len(fills) >= 2
    for fill in fills:
        same_shape(fill, theirs)
    assert [fill["crossed"] for fill in fills] == [True, False]
    assert fills[1]["cloid"] == f"0x{5:032x}"


@needs_samples
def test_funding_event_has_the_shape_of_a_captured_one(session):
    theirs = next(data for data in captured("user") if "funding" in data)
    same_shape(next(data for data in session["user"] if "funding" in data), theirs)


def test_fast_and_rounded_books_are_marked_and_plain_ones_are_not(session):
    keys = {tuple(data)[3:] for data in session["l2Book"]}
    assert keys == {(), ("fast",), ("spread",)}


def test_snapshot_flag_is_there_once_and_then_absent(session):
    assert all("isSnapshot" not in data for data in session["userFills"])
    (first,) = [m["data"] for m in session["snapshots"] if m["channel"] == "userFills"]
    assert list(first) == ["isSnapshot", "user", "fills"]
    assert first["isSnapshot"] is True


def test_order_updates_show_what_remains_and_when(session):
    changes = [(one["status"], one["order"]["sz"], one["order"]["origSz"])
               for data in session["orderUpdates"] for one in data]
    assert changes == [("open", "0.1", "0.1"), ("open", "0.2", "0.2"), ("filled", "0.0", "0.2"),
                       ("canceled", "0.05", "0.1")]


@given(st.integers(-10**15, 10**15), st.integers(0, 8))
def test_decimal_text_is_exact_and_never_bare(value, decimals):
    text = wire.decimal(value, decimals)
    assert Decimal(text) == Decimal(value).scaleb(-decimals)
    assert NUMBER.match(text)
    assert not re.search(r"\.\d+0\Z", text)


@pytest.mark.parametrize(("start", "signed", "words"), [
    (0, 5, "Open Long"), (0, -5, "Open Short"), (5, 5, "Open Long"), (-5, -5, "Open Short"), (5, -5, "Close Long"),
    (5, -2, "Close Long"), (-5, 5, "Close Short"), (5, -9, "Long > Short"), (-5, 9, "Short > Long")])
def test_direction_names_what_a_fill_did(start, signed, words):
    assert wire.direction(start, signed) == words


def test_transactions_of_different_takers_differ_in_their_first_eight_bytes():
    takers = [*range(-5000, 5000), 2**62, -(2**62)]
    hashes = {wire.transaction(taker)[:18] for taker in takers}
    assert len(hashes) == len(takers)
    assert {len(wire.transaction(taker)) for taker in takers} == {66}


def test_unknown_number_is_null():
    assert wire.real(float("nan")) is None
    assert wire.real(0.0000125) == "0.0000125"
    assert wire.real(3.0) == "3.0"
