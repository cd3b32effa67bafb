"""Claims about the reference's frames on the ring: records of their own kinds, counted faults, ages."""

from __future__ import annotations

import orjson
import pytest
from support.flow import Flow

from mmfast.feed.publish import FAULT
from mmfast.feed.reference import publish_reference
from mmfast.records.control import CHANNEL_COUNT, CHANNEL_REFERENCE
from mmfast.records.market import KIND_REFERENCE_BBO, KIND_REFERENCE_BOOK, KIND_REFERENCE_TRADE
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
