"""Claims about how a frame becomes market records."""

import time

import numpy as np
import orjson
import pytest
from support.flow import CAPTURED, Flow, needs_captured

from mmfast.feed.publish import FAULT
from mmfast.records.control import (
    CHANNEL_BBO,
    CHANNEL_BOOK_FAST,
    CHANNEL_BOOK_SLOW,
    CHANNEL_COUNT,
    CHANNEL_CTX,
    CHANNEL_TRADES,
)
from mmfast.records.market import (
    GAP_CONNECTION_LOST,
    KIND_BBO,
    KIND_BOOK,
    KIND_CTX,
    KIND_GAP,
    KIND_TIMER,
    KIND_TRADE,
)
from mmfast.rings import broadcast
from mmfast.rings.bell import lie_down
from mmfast.runtime.wake import bell_address
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid import decode

TIME_MS = 1_788_490_065_008
CODES = {"bbo": decode.BBO, "trades": decode.TRADES, "l2Book": decode.BOOK, "activeAssetCtx": decode.CTX}
COINS = ("BTC", "MATIC", "SOL")
SZ_DECIMALS = {"BTC": 5, "MATIC": 1, "SOL": 2}


@pytest.fixture
def flow():
    made = Flow(COINS)
    yield made
    made.close()


def bbo(bid="80639.0", ask="80640.0", time_ms=TIME_MS, coin="BTC"):
    level = '{"px":"%s","sz":"1.5","n":3}'
    sides = ",".join("null" if px is None else level % px for px in (bid, ask))
    return f'{{"channel":"bbo","data":{{"coin":"{coin}","time":{time_ms},"bbo":[{sides}]}}}}'.encode()


def book(bid="80639.0", ask="80640.0", time_ms=TIME_MS, fast=False):
    levels = [[{"px": px, "sz": "1.5", "n": 3}] for px in (bid, ask)]
    data = {"coin": "BTC", "time": time_ms, "levels": levels, **({"fast": True} if fast else {})}
    return orjson.dumps({"channel": "l2Book", "data": data})


def trades(*times_ms, first_tid=1, px="80640.0", coin="BTC"):
    prints = [{"coin": coin, "side": "B", "px": px, "sz": "0.5", "time": t, "hash": "0x" + "1" * 64,
               "tid": first_tid + k, "users": ["0x" + "2" * 40] * 2} for k, t in enumerate(times_ms)]
    return orjson.dumps({"channel": "trades", "data": prints})


def channel(flow, kind, inst=0):
    return flow.house.table("channel")[inst * CHANNEL_COUNT + kind]


def test_a_record_says_when_and_from_which_frame_it_came(flow):
    flow.frame(b'{"channel":"pong"}')
    before = time.monotonic_ns()
    assert flow.frame(bbo(), at_ns=before - 1000) == decode.BBO
    (record,) = flow.records()
    assert (record["kind"], record["inst"], record["seq"]) == (KIND_BBO, 0, 0)
    assert record["src_seq"] == 2  # the second frame
    assert record["ts_exch_ns"] == TIME_MS * 1_000_000
    assert record["ts_recv_ns"] == before - 1000 < before <= record["ts_ns"] <= time.monotonic_ns()
    assert list(record["px_ticks"]) == [806_390, 806_400]
    assert list(record["lots"]) == [150_000, 150_000]
    assert flow.count("feed", "record_count") == 1


def test_each_channel_is_stamped_and_its_interval_learnt(flow):
    times = [1_000_000_000 + number * 50_000_000 for number in range(20)]
    for number, at_ns in enumerate(times):
        assert flow.frame(bbo(time_ms=TIME_MS + number), at_ns=at_ns) == decode.BBO
    row = channel(flow, CHANNEL_BBO)
    assert (row["message_count"], row["last_ns"], row["interval_ns"]) == (20, times[-1], 50_000_000)
    assert row["last_exch_ns"] == (TIME_MS + 19) * 1_000_000
    flow.frame(bbo(time_ms=TIME_MS + 20), at_ns=times[-1] + 130_000_000)
    assert row["interval_ns"] == 55_000_000  # a sixteenth of the way
    assert [channel(flow, k)["message_count"] for k in (CHANNEL_TRADES, CHANNEL_BOOK_SLOW, CHANNEL_CTX)] == [0, 0, 0]
    assert flow.house.table("channel")["message_count"].sum() == 21


def test_fast_and_slow_books_are_different_channels(flow):
    assert flow.frame(book(fast=True)) == decode.BOOK
    assert flow.frame(book(time_ms=TIME_MS + 1)) == decode.BOOK
    assert [channel(flow, k)["message_count"] for k in (CHANNEL_BOOK_FAST, CHANNEL_BOOK_SLOW)] == [1, 1]
    assert [r["fast"] for r in flow.records(KIND_BOOK)] == [1, 0]


def test_an_empty_side_is_let_through(flow):
    assert flow.frame(bbo(bid=None)) == decode.BBO
    assert list(flow.records()[0]["lots"]) == [0, 150_000]


@pytest.mark.parametrize("frame", [bbo(bid="80640.0"), bbo(bid="80641.0"), book(bid="80640.0")])
def test_a_crossed_or_locked_market_is_quarantined_and_counted(flow, frame):
    assert flow.frame(frame) == FAULT
    assert flow.records() == []
    assert flow.count("feed", "crossed_count") == 1
    assert not flow.house.table("channel")["message_count"].any()
    assert flow.frame(bbo()) == decode.BBO  # and the next one is not in its way
    assert len(flow.records()) == 1


def test_what_is_older_than_what_was_seen_is_dropped_and_counted(flow):
    for frame in (bbo(time_ms=TIME_MS), bbo(time_ms=TIME_MS - 1), book(), book(time_ms=TIME_MS - 1, fast=True),
                  bbo(time_ms=TIME_MS)):
        flow.frame(frame)
    assert flow.count("feed", "regressed_count") == 2
    assert [r["kind"] for r in flow.records()] == [KIND_BBO, KIND_BOOK, KIND_BBO]


def test_a_coin_that_is_not_traded_here_is_counted(flow):
    assert flow.frame(bbo(coin="DOGE")) == FAULT
    assert flow.frame(bbo(coin="BT")) == FAULT
    assert flow.count("feed", "unknown_coin_count") == 2
    assert flow.records() == []


@pytest.mark.parametrize("cut", [30, 60, 90])
def test_a_broken_frame_is_counted_and_harms_nothing(flow, cut):
    whole = bbo()
    assert flow.frame(whole[:cut]) == FAULT
    assert flow.count("feed", "decode_error_count") + flow.count("feed", "unknown_coin_count") == 1
    assert flow.records() == []
    assert flow.frame(whole) == decode.BBO
    assert [r["seq"] for r in flow.records()] == [0]


@pytest.mark.parametrize(("payload", "code"), [
    (b'{"channel":"pong"}', decode.PONG), (b'{"channel":"error","data":"no"}', decode.ERROR), (b"", decode.MALFORMED),
    (b"{}", decode.MALFORMED), (b'{"channel":"candle","data":{}}', decode.OTHER),
    (b'{"channel":"subscriptionResponse","data":{}}', decode.SUBSCRIPTION)])
def test_what_is_no_market_data_is_told_and_not_published(flow, payload, code):
    assert flow.frame(payload) == code
    assert flow.records() == []


def test_the_prints_of_a_frame_are_one_batch(flow):
    assert flow.frame(trades(TIME_MS, TIME_MS, TIME_MS + 1)) == decode.TRADES
    prints = flow.records(KIND_TRADE)
    assert [(p["batch_index"], p["batch_count"], p["tid"]) for p in prints] == [(0, 3, 1), (1, 3, 2), (2, 3, 3)]
    assert {p["src_seq"] for p in prints} == {1}
    assert {(p["px_ticks"], p["lots"], p["side"]) for p in prints} == {(806_400, 50_000, BID)}
    assert channel(flow, CHANNEL_TRADES)["message_count"] == 1
    assert channel(flow, CHANNEL_TRADES)["last_exch_ns"] == (TIME_MS + 1) * 1_000_000


def test_all_prints_that_follow_the_first_subscription_are_old(flow):
    flow.states["replaying"] = 1
    flow.frame(trades(TIME_MS, TIME_MS + 1))
    flow.frame(trades(TIME_MS + 2, first_tid=9))
    assert [p["replayed"] for p in flow.records()] == [1, 1, 0]
    assert flow.count("feed", "replayed_trade_count") == 2


def test_after_a_reconnect_only_what_was_seen_is_old(flow):
    flow.frame(trades(TIME_MS))
    flow.states["replaying"] = 1
    flow.frame(trades(TIME_MS - 1, TIME_MS, TIME_MS + 1))
    assert [p["replayed"] for p in flow.records()] == [0, 1, 1, 0]


def test_a_frame_that_breaks_between_prints_keeps_the_good_ones_and_rings(flow):
    whole = trades(TIME_MS, TIME_MS + 1)
    broken = whole.replace(b'"tid":2', b'"tid":x')
    bell = bell_address(flow.house, "estimator")
    lie_down(bell)
    assert flow.frame(broken) == FAULT
    assert [(p["tid"], p["batch_count"]) for p in flow.records()] == [(1, 2)]
    assert flow.count("feed", "decode_error_count") == 1
    assert flow.house.table("bell")["asleep"][1] == 0
    assert flow.states["last_trade_ns"][0] == TIME_MS * 1_000_000
    assert flow.frame(trades(TIME_MS + 2, first_tid=3)) == decode.TRADES


def test_a_sleeping_estimator_is_woken_by_every_kind_of_record(flow):
    bell = bell_address(flow.house, "estimator")
    for publish in (lambda: flow.frame(bbo()), flow.timer, lambda: flow.gap(0, GAP_CONNECTION_LOST)):
        lie_down(bell)
        publish()
        assert flow.house.table("bell")["asleep"][1] == 0
    assert flow.house.table("bell")["wakes"][1] == 3


def test_timers_and_gaps_are_for_everybody_unless_they_name_a_coin(flow):
    flow.timer(at_ns=7)
    flow.gap(-1, GAP_CONNECTION_LOST, at_ns=8)
    flow.gap(1, GAP_CONNECTION_LOST, at_ns=9)
    assert [(r["kind"], r["inst"], r["ts_recv_ns"], r["ts_exch_ns"]) for r in flow.records()] == [
        (KIND_TIMER, -1, 7, 0), (KIND_GAP, -1, 8, 0), (KIND_GAP, 1, 9, 0)]


def test_the_ring_may_be_lapped_many_times(flow):
    for number in range(3 * 8192):
        flow.timer(at_ns=number + 1)
    ring, target = flow.house.address["market"], np.zeros(112, np.int64)
    assert broadcast.head(ring) == 3 * 8192
    assert broadcast.receive(ring, 0, target.ctypes.data, 128) == broadcast.LAPPED
    assert broadcast.receive(ring, 3 * 8192 - 1, target.ctypes.data, 128) == broadcast.READ
    assert target[4] == 3 * 8192


def captured_frames():
    """Every frame of a market channel of our coins: (file, payload, message)."""
    for path in sorted(CAPTURED.glob("ws_*")):
        for line in path.read_bytes().splitlines():
            payload = line[line.index(b"{"):]
            message = orjson.loads(payload)
            data = message.get("data")
            about = data[0] if isinstance(data, list) and data else data
            if message.get("channel") in CODES and isinstance(about, dict) and about.get("coin") in COINS:
                yield path.name, payload, message


def scaled(text, digits):
    """The number that the venue writes as ``text`` in units of 10^-digits, by moving the point."""
    whole, _, part = text.partition(".")
    assert not part[digits:].strip("0")
    return int(whole + part[:digits].ljust(digits, "0"))


def level(entry, decimals):
    return scaled(entry["px"], 6 - decimals), scaled(entry["sz"], decimals), entry["n"]


def check_bbo(record, data, decimals):
    for side, entry in enumerate(data["bbo"]):
        assert (0, 0, 0) if entry is None else level(entry, decimals) == (
            record["px_ticks"][side], record["lots"][side], record["count"][side])
        assert entry is not None or record["lots"][side] == 0


def check_book(record, data, decimals):
    for side, entries in enumerate(data["levels"]):
        assert record["level_count"][side] == len(entries)
        for k, entry in enumerate(entries):
            assert level(entry, decimals) == (record["px_ticks"][side, k], record["lots"][side, k],
                                              record["count"][side, k])
    assert record["fast"] == int(data.get("fast", False))


def check_ctx(record, data):
    names = {"funding_rate_h": "funding", "premium": "premium", "mark_px": "markPx", "mid_px": "midPx",
             "open_interest": "openInterest", "oracle_px": "oraclePx", "day_volume_usd": "dayNtlVlm"}
    for field, key in names.items():
        want = data["ctx"][key]
        assert np.isnan(record[field]) if want is None else record[field] == pytest.approx(float(want), rel=1e-14)


@needs_captured
def test_captured_frames_become_what_a_json_reader_reads_in_them():
    seen = dict.fromkeys(CODES, 0)
    for name, payload, message in captured_frames():
        flow = Flow(COINS)
        assert flow.frame(payload) == CODES[message["channel"]], (name, payload[:200])
        data, records = message["data"], flow.records()
        seen[message["channel"]] += len(records)
        decimals = SZ_DECIMALS[(data[0] if isinstance(data, list) else data)["coin"]]
        if message["channel"] == "trades":
            assert [(p["px_ticks"], p["lots"], p["tid"], p["side"], p["ts_exch_ns"]) for p in records] == [
                (scaled(t["px"], 6 - decimals), scaled(t["sz"], decimals), t["tid"],
                 ASK if t["side"] == "A" else BID, t["time"] * 1_000_000) for t in data]
        elif message["channel"] == "bbo":
            check_bbo(records[0], data, decimals)
        elif message["channel"] == "l2Book":
            check_book(records[0], data, decimals)
        else:
            check_ctx(records[0], data)
        flow.close()
    assert seen["bbo"] >= 4
    assert seen["trades"] > 50
    assert seen["l2Book"] >= 50
    assert seen["activeAssetCtx"] >= 2


@needs_captured
def test_a_captured_session_goes_through_in_order_without_a_fault(flow):
    frames = [f for f in captured_frames() if "hftbacktest" in f[0]]
    codes = [flow.frame(payload) for _, payload, _ in frames]
    assert codes == [CODES[message["channel"]] for _, _, message in frames]
    assert {flow.count("feed", name) for name in ("decode_error_count", "crossed_count", "regressed_count")} == {0}
    records = flow.records()
    assert [r["seq"] for r in records] == list(range(len(records)))
    assert {int(r["kind"]) for r in records} == {KIND_TRADE, KIND_BOOK}
    assert KIND_CTX not in {int(r["kind"]) for r in records}
