"""Cadence and interest."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from support.venue import Venue, order

from mmfast.sim import topics
from mmfast.sim.channels import Cadence, Channels, Clock


def want(channels, **asked):
    topic = topics.normalised(asked, {"BTC", "ETH"})
    channels.wanted[topics.key(topic)] = topic
    return topics.key(topic)


def test_nothing_is_built_that_nobody_wants():
    venue = Venue()
    channels = Channels(venue.exchange)
    client = venue.client()
    client.place(order("B", "100001", "0.1", "Ioc"))
    assert channels.after(venue.block()) == []


def test_books_of_one_clock_come_in_one_block_with_one_time():
    venue = Venue(coins=("BTC", "ETH"))
    channels = Channels(venue.exchange)
    for coin in ("BTC", "ETH"):
        want(channels, type="l2Book", coin=coin, fast=True)
    times = []
    for _ in range(200):
        frames = [message["data"] for _, message in channels.after(venue.block())]
        assert len(frames) in (0, 2)
        assert len({data["time"] for data in frames}) <= 1
        times += [frames[0]["time"]] if frames else []
    gaps = [later - first for first, later in itertools.pairwise(times)]
    assert sum(gaps) / len(gaps) == 540 or 500 < sum(gaps) / len(gaps) < 580


def test_channels_keep_the_venues_cadence():
    venue = Venue()
    channels = Channels(venue.exchange, Cadence())
    want(channels, type="l2Book", coin="BTC")
    want(channels, type="activeAssetCtx", coin="BTC")
    want(channels, type="allMids")
    counts = Counter()
    for _ in range(1543):  # 108 s
        counts.update(message["channel"] for _, message in channels.after(venue.block()))
    assert 19 <= counts["l2Book"] <= 21
    assert 106 <= counts["activeAssetCtx"] <= 109
    assert 20 <= counts["allMids"] <= 23


@given(st.integers(1, 1000), st.lists(st.integers(1, 3000), max_size=60))
def test_clock_is_due_once_in_each_period_that_has_a_block(period, gaps):
    clock, now, slots = Clock(period), 10**12, []
    for gap in gaps:
        now += gap
        if clock.due(now):
            slots.append(now // period)
    assert slots == sorted(set(slots))


def test_trades_snapshot_repeats_the_last_thirty_without_a_flag():
    venue = Venue()
    channels = Channels(venue.exchange)
    topic = topics.normalised({"type": "trades", "coin": "BTC"}, {"BTC"})
    assert channels.snapshot(topic) == []
    for _ in range(35):
        venue.source.strike(0, 1_000_010, 10)
        venue.block()
    (replayed,) = channels.snapshot(topic)
    assert len(replayed["data"]) == 30
    assert set(replayed) == {"channel", "data"}
    times = [one["time"] for one in replayed["data"]]
    assert times == sorted(times)


def test_one_users_frames_go_to_nobody_else():
    venue = Venue()
    channels = Channels(venue.exchange)
    first, second = venue.client(1), venue.client(2)
    key = want(channels, type="orderUpdates", user=first.address)
    want(channels, type="orderUpdates", user=second.address)
    first.submit({"type": "order", "grouping": "na", "orders": [order("B", "99990", "0.1")]})
    assert [topic for topic, _ in channels.after(venue.block())] == [key]
