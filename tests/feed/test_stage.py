"""Claims about the feed handler's process, with a link that leads nowhere and with an exchange in the same loop."""

import asyncio
import time

import numpy as np
import orjson
import pytest
from support.feed_bench import Bench, until
from support.live_server import live, wall_ms
from support.venue import Venue

from mmfast.feed.stage import SUBSCRIPTIONS, channel_limits_ns, wide_subscriptions
from mmfast.records.control import (
    CHANNEL_BBO,
    CHANNEL_BOOK_FAST,
    CHANNEL_BOOK_SLOW,
    CHANNEL_BOOK_WIDE,
    CHANNEL_COUNT,
    CHANNEL_CTX,
    CHANNEL_REFERENCE,
    CHANNEL_TRADES,
    STATE_RUNNING,
)
from mmfast.records.market import (
    GAP_CONNECTION_LOST,
    GAP_STALE,
    KIND_BBO,
    KIND_BOOK,
    KIND_CTX,
    KIND_GAP,
    KIND_TIMER,
    REFERENCE_AGE_S,
)
from mmfast.runtime.control import Control
from mmfast.runtime.heartbeat import Heart
from mmfast.units import ASK, BID, NS_PER_S

DEADLINE_S = 10.0
TIME_MS = 1_795_000_000_000


@pytest.fixture
def bench(tmp_path):
    made = Bench(("BTC", "ETH"), tmp_path)
    yield made
    made.close()


@pytest.fixture
def single(tmp_path):
    made = Bench(("BTC",), tmp_path)
    yield made
    made.close()


def touch(coin="BTC", time_ms=TIME_MS):
    """A frame of the touch."""
    sides = [{"px": "100000.0", "sz": "1.5", "n": 2}, {"px": "100001.0", "sz": "2.0", "n": 1}]
    return orjson.dumps({"channel": "bbo", "data": {"coin": coin, "time": time_ms, "bbo": sides}})


# ---- frames

def test_every_connection_asks_for_every_channel_of_each_coin_and_says_that_it_runs(bench):
    stage = bench.stage()
    stage._on_connected()
    stage._on_connected()
    wanted = [{"method": "subscribe", "subscription": {**topic, "coin": coin}}
              for coin, row in zip(("BTC", "ETH"), stage.instruments)
              for topic in (*(one for _, one in SUBSCRIPTIONS), *wide_subscriptions(int(row["start_mark_ticks"])))]
    assert len(wanted) == 2 * 5 + 3 + 2  # three books of merged prices at 80 000 dollars, two at 3 000
    assert stage.link.sent == wanted + wanted
    assert bench.count("connect_count") == 2
    assert list(stage.states["replaying"]) == [1, 1]
    assert Heart(bench.house, "feed").state == STATE_RUNNING


def test_a_frame_is_counted_timed_and_handed_on(bench):
    stage = bench.stage()
    frame, at_ns = touch("ETH"), time.monotonic_ns()
    stage._on_frame(frame, at_ns)
    [record] = bench.records(KIND_BBO)
    assert (record["inst"], record["ts_recv_ns"], record["px_ticks"][BID]) == (1, at_ns, 10_000_000)
    assert (bench.count("frame_count"), bench.count("byte_count")) == (1, len(frame))
    assert bench.house.table("histogram")["count"].sum() == 1
    assert bench.after == 1
    assert bench.channel(CHANNEL_BBO, 1)["last_ns"] == at_ns


@pytest.mark.parametrize("frame", [b'{"channel":"error","data":"Already subscribed"}', b"[1,2", b""])
def test_error_frames_and_frames_without_a_channel_are_counted_and_said_and_go_nowhere(bench, frame):
    stage = bench.stage()
    stage._on_frame(frame, 1)
    assert bench.count("error_frame_count") == 1
    assert len(bench.said()) == 1
    assert f"the venue says: {frame!r}" == bench.said()[0]
    assert bench.after == 0


@pytest.mark.parametrize("frame", [touch("DOGE"), touch().replace(b"100000.0", b"100002.0"), touch()[:60]])
def test_market_data_that_cannot_be_used_is_said_and_goes_nowhere(bench, frame):
    stage = bench.stage()
    stage._on_frame(frame, 1)
    assert bench.said()
    assert bench.records(KIND_BBO) == []
    assert bench.after == 0


# ---- clock and silence

def test_every_tick_is_a_record_with_a_growing_index_and_a_heartbeat(bench):
    stage = bench.stage()
    before = Heart(bench.house, "feed").age_ns
    for _ in range(4):
        stage._tick(time.monotonic_ns())
    timers = bench.records(KIND_TIMER)
    assert [int(t["tick_index"]) for t in timers] == [1, 2, 3, 4]
    assert bench.count("timer_count") == 4
    assert Heart(bench.house, "feed").age_ns < before
    assert (bench.after, stage.link.checks) == (4, 4)


def test_a_tick_does_not_outlive_a_link_that_failed(bench):
    stage = bench.stage()

    def fail():
        raise RuntimeError("the link ended")

    stage.link.check = fail
    with pytest.raises(RuntimeError, match="the link ended"):
        stage._tick(time.monotonic_ns())
    assert bench.records(KIND_TIMER) == []


def test_the_limits_of_silence_are_those_of_the_configuration_and_none_for_the_touch_alone(bench):
    feed = bench.config.feed
    limits = channel_limits_ns(feed, has_reference=False)
    assert limits.dtype == np.int64
    assert limits[CHANNEL_BBO] == limits[CHANNEL_REFERENCE] == 0
    assert channel_limits_ns(feed, has_reference=True)[CHANNEL_REFERENCE] == round(REFERENCE_AGE_S * NS_PER_S)
    for channel, seconds in ((CHANNEL_BOOK_FAST, feed.stale_bbo_or_book_s), (CHANNEL_TRADES, feed.stale_trades_s),
                             (CHANNEL_BOOK_SLOW, feed.stale_book_slow_s),
                             (CHANNEL_BOOK_WIDE, feed.stale_book_slow_s), (CHANNEL_CTX, feed.stale_ctx_s)):
        assert limits[channel] == round(seconds * NS_PER_S)
    bench.stage()
    assert (bench.house.table("channel")["limit_ns"].reshape(2, CHANNEL_COUNT) == limits).all()


def test_a_channel_that_falls_silent_is_counted_once_and_again_after_it_spoke(bench):
    stage = bench.stage()
    now, row = time.monotonic_ns(), bench.channel(CHANNEL_CTX, 1)
    limit = int(stage.limits_ns[CHANNEL_CTX])
    row["last_ns"] = now
    counts = []
    for at_ns in (now + limit, now + limit + 1, now + limit + 2):
        stage._note_stale(at_ns)
        counts.append(int(row["gap_count"]))
    assert counts == [0, 1, 1]
    row["last_ns"] = now + limit + 3
    stage._note_stale(now + limit + 3)
    stage._note_stale(now + 2 * limit + 4)
    assert row["gap_count"] == 2
    assert bench.house.table("channel")["gap_count"].sum() == 2
    assert bench.records(KIND_GAP) == []


def test_a_channel_that_never_spoke_is_not_silent(bench):
    stage = bench.stage()
    stage._note_stale(time.monotonic_ns())
    assert bench.house.table("channel")["gap_count"].sum() == 0
    assert bench.records(KIND_GAP) == []


def test_a_coin_is_given_up_when_touch_and_fast_book_are_both_silent(bench):
    stage, now = bench.stage(), time.monotonic_ns()
    limit = int(stage.limits_ns[CHANNEL_BOOK_FAST])
    for inst in range(2):
        bench.channel(CHANNEL_BBO, inst)["last_ns"] = bench.channel(CHANNEL_BOOK_FAST, inst)["last_ns"] = now
    bench.channel(CHANNEL_BBO, 0)["last_ns"] = now + limit
    stage._note_stale(now + limit + 1)
    stage._note_stale(now + limit + 2)
    [gap] = bench.records(KIND_GAP)
    assert (gap["inst"], gap["reason"]) == (1, GAP_STALE)
    bench.channel(CHANNEL_BOOK_FAST, 1)["last_ns"] = now + limit + 3  # speaks, and falls silent again
    stage._note_stale(now + limit + 3)
    stage._note_stale(now + 2 * limit + 4)
    assert [int(g["inst"]) for g in bench.records(KIND_GAP)] == [1, 0, 1]
    assert bench.count("gap_count") == 3


def test_a_lost_connection_is_a_gap_of_all_coins(bench):
    bench.stage()._on_lost("silent for 5.0 s")
    [gap] = bench.records(KIND_GAP)
    assert (gap["inst"], gap["reason"]) == (-1, GAP_CONNECTION_LOST)
    assert bench.count("gap_count") == 1
    assert bench.said() == ["market data silent for 5.0 s"]


# ---- with an exchange

def test_an_exchanges_channels_become_records_and_a_dropped_connection_comes_back(single):
    single.house.table("instrument")["sz_decimals"] = 5

    async def scenario(market):
        stage = single.stage(market.url.replace("http", "ws") + "/ws")
        running = asyncio.create_task(stage.run())
        await until(lambda: all(single.records(k) for k in (KIND_BBO, KIND_BOOK, KIND_CTX, KIND_TIMER)))
        await until(lambda: {int(b["fast"]) for b in single.records(KIND_BOOK)} == {0, 1})
        for session in list(market.server._sessions):
            session.transport.abort()
        await until(lambda: single.count("connect_count") == 2)
        heard = single.count("record_count")
        await until(lambda: single.count("record_count") > heard + 2)
        Control(single.house).ask_stop()
        async with asyncio.timeout(DEADLINE_S):
            assert await running == 0
        await until(lambda: not stage.link.connected)

    live(scenario, Venue(start_ms=wall_ms()))
    first = single.records(KIND_BBO)[0]
    assert list(first["px_ticks"]) == [999_990, 1_000_010]
    assert list(first["lots"]) == [100_000, 100_000]
    assert [int(g["reason"]) for g in single.records(KIND_GAP)] == [GAP_CONNECTION_LOST]
    indices = [int(t["tick_index"]) for t in single.records(KIND_TIMER)]
    assert indices == list(range(1, len(indices) + 1))
    assert single.count("error_frame_count") == single.count("decode_error_count") == 0
    assert first["px_ticks"][BID] < first["px_ticks"][ASK]


def test_an_exchange_that_is_not_there_is_a_gap_and_the_clock_goes_on(single):
    async def scenario():
        stage = single.stage("ws://127.0.0.1:9/ws")
        running = asyncio.create_task(stage.run())
        await until(lambda: single.records(KIND_GAP) and single.count("timer_count") > 3)
        Control(single.house).ask_stop()
        async with asyncio.timeout(DEADLINE_S):
            assert await running == 0

    asyncio.run(scenario())
    assert "cannot connect" in single.said()[0]
    assert single.count("connect_count") == 0
