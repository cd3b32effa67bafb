"""Cadence and interest."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from support.shapes import inflated
from support.venue import Venue, order

from mmfast.sim import topics
from mmfast.sim.channels import REGIMES, Cadence, Channels, Clock


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


def test_states_of_an_account_are_told_again_whole_every_five_seconds():
    venue = Venue()
    channels, client = Channels(venue.exchange), venue.client()
    kinds = ("openOrders", "clearinghouseState", "webData3", "spotState", "twapStates")
    for kind in kinds:
        want(channels, type=kind, user=client.address)
    counts = Counter()
    for _ in range(715):  # 50 s
        counts.update(message["channel"] for _, message in channels.after(venue.block()))
    assert all(10 <= counts[kind] <= 11 for kind in kinds)


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


def hear(channels, venue, key):
    """Data of one topic's frames in the next block."""
    return [message["data"] for topic, message in channels.after(venue.block()) if topic == key]


def test_a_transfer_is_told_once_and_not_again_to_a_new_subscriber():
    venue = Venue()
    client = venue.client()
    channels = Channels(venue.exchange)
    key = want(channels, type="userNonFundingLedgerUpdates", user=client.address)
    (first,) = channels.snapshot(channels.wanted[key])
    assert len(first["data"]["nonFundingLedgerUpdates"]) == 1
    venue.exchange.deposit(client.address, 5_000_000)
    (news,) = hear(channels, venue, key)
    assert news["nonFundingLedgerUpdates"][0]["delta"] == {"type": "deposit", "usdc": "5.0"}
    assert "isSnapshot" not in news
    assert hear(channels, venue, key) == []
    venue.exchange.deposit(client.address, 1)
    channels.snapshot(channels.wanted[key])
    assert hear(channels, venue, key) == []


def test_only_a_resting_order_that_is_filled_is_notified():
    venue = Venue()
    client = venue.client()
    channels = Channels(venue.exchange)
    key = want(channels, type="notification", user=client.address)
    client.submit({"type": "order", "grouping": "na", "orders": [order("B", "100001", "0.1", "Ioc")]})
    assert hear(channels, venue, key) == []
    client.oid(order("B", "100000", "0.1"))
    venue.source.strike(1, 1_000_000, 10_000)
    assert hear(channels, venue, key) == [{"notification": "Resting order filled: Bought 0.1 BTC at $100000"}]


def test_a_candle_is_repeated_only_with_another_trade_in_it():
    venue = Venue()
    channels = Channels(venue.exchange, Cadence(candle_ms=1))
    key = want(channels, type="candle", coin="BTC", interval="1h")
    counts = []
    for strikes in (1, 0, 0, 1, 0):
        if strikes:
            venue.source.strike(0, 1_000_010, 10)
        counts.append([data["n"] for data in hear(channels, venue, key)])
    assert counts == [[1], [], [], [2], []]


def test_fast_contexts_bring_everything_then_changes_only():
    venue = Venue()
    channels = Channels(venue.exchange, Cadence(context_ms=1))
    key = want(channels, type="fastAssetCtxs")
    (first,) = channels.snapshot(channels.wanted[key])
    assert inflated(first["data"]) == {"BTC": {"markPx": "100000.0", "midPx": "100000.0"}}
    assert len(hear(channels, venue, key)) == 1
    assert hear(channels, venue, key) == []
    venue.client().oid(order("B", "100000", "0.1"))
    (changes,) = hear(channels, venue, key)
    assert inflated(changes) == {"BTC": {"midPx": "100000.5"}}


def test_an_order_that_the_venue_takes_away_is_told_as_such():
    venue = Venue()
    client = venue.client()
    channels = Channels(venue.exchange)
    key = want(channels, type="userEvents", user=client.address)
    oid = client.oid(order("B", "99990", "0.1"))
    account = client.account
    venue.exchange.ledger.begin(venue.now_ms)
    venue.exchange.ledger.cancel(account, account.orders.open[oid], "marginCanceled")
    told = dict(channels._private())[key]
    assert told["data"] == {"nonUserCancel": [{"coin": "BTC", "oid": oid}]}


def test_before_june_2026_whole_books_came_every_half_second():
    assert (REGIMES["2025"].book_ms, REGIMES["2026"].book_ms, REGIMES["2026"].fast_book_ms) == (500, 5400, 540)
