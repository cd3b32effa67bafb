"""Slices over minutes: how much, when, and who is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.venue import order

from mmfast.sim import answers, twap
from mmfast.sim.twap import GONE, SLICE_MS, Twap
from mmfast.units import BID


def start(client, sz="1", minutes=5, is_buy=True, reduce_only=False):
    asked = {"a": 0, "b": is_buy, "s": sz, "r": reduce_only, "m": minutes, "t": False}
    return client.do({"type": "twapOrder", "twap": asked})["response"]["data"]["status"]


def cancel(client, number, asset=0):
    return client.do({"type": "twapCancel", "a": asset, "t": number})["response"]["data"]["status"]


@given(st.integers(1, 10**6), st.integers(5, 60), st.lists(st.integers(1, 200_000), max_size=40))
def test_slices_never_exceed_the_whole_and_reach_it_if_all_fill(lots, minutes, waits):
    one, now_ms = Twap(1, 0, BID, lots, minutes, False, False, 0), 0
    for wait in [*waits, *[SLICE_MS] * one.slices]:
        wanted = one.due_lots(now_ms)
        assert 0 <= wanted <= 3 * -(-lots // one.slices)
        assert one.due_lots(now_ms) == 0  # a slice is sent once
        one.done_lots += wanted
        assert one.done_lots <= lots
        now_ms += wait
    assert one.done_lots == lots or waits


def test_a_tenth_is_bought_every_half_minute(venue, client):
    number = start(client)["running"]["twapId"]
    assert client.account.lots(0) == 10_000
    venue.block(10_000)
    assert client.account.lots(0) == 10_000
    for _ in range(9):
        venue.block(30_000)
    assert client.account.lots(0) == 100_000
    venue.block(30_000)
    assert number not in client.account.twaps
    assert cancel(client, number) == {"error": GONE}


def test_slices_are_told_apart_from_other_fills(venue, client):
    number = start(client)["running"]["twapId"]
    (told,) = venue.exchange.ledger.slices[client.account.owner]
    assert (told["twapId"], told["fill"]["twapId"], told["fill"]["hash"]) == (number, number, "0x" + "0" * 64)
    assert not venue.exchange.ledger.fills[client.account.owner]
    ask = {"user": client.address}
    assert answers.answer(venue.exchange, {"type": "userFills", **ask}) == []
    assert answers.answer(venue.exchange, {"type": "userTwapSliceFills", **ask}) == [told]
    (trade,) = venue.exchange.recent_trades(venue.exchange.instruments[0])
    assert (trade["hash"], trade["users"][0]) == (told["fill"]["hash"], client.address)


def test_what_was_missed_is_made_up_by_three_times_the_size(venue, client):
    start(client)
    venue.source.px = 90_000.0  # the mark is so low that nothing is within three percent of it
    venue.block(30_000)
    venue.block(30_000)
    venue.block(30_000)
    assert client.account.lots(0) == 10_000
    venue.source.px = 100_000.0
    venue.block(30_000)
    assert client.account.lots(0) == 40_000


def test_a_cancelled_one_sends_no_more(venue, client):
    number = start(client)["running"]["twapId"]
    (shown,) = twap.states(venue.exchange.ledger, client.account)
    assert (shown[0], shown[1]["executedSz"], shown[1]["sz"]) == (number, "0.1", "1.0")
    assert cancel(client, number, asset=1) == {"error": GONE}
    assert cancel(client, number) == "success"
    venue.block(60_000)
    assert client.account.lots(0) == 10_000


def test_beginnings_and_ends_are_told_and_remembered(venue, client):
    def told():
        return [(one["twapId"], one["status"]["status"], one["state"]["executedSz"])
                for one in venue.exchange.ledger.twaps[client.account.owner]]

    number = start(client)["running"]["twapId"]
    assert told() == [(number, "activated", "0.0")]
    cancel(client, number)
    assert told() == [(number, "terminated", "0.1")]
    other = start(client)["running"]["twapId"]
    for _ in range(9):
        venue.block(30_000)
    assert told() == [(other, "finished", "1.0")]
    known = answers.answer(venue.exchange, {"type": "twapHistory", "user": client.address})
    assert [one["status"]["status"] for one in known] == ["finished", "activated", "terminated", "activated"]
    assert known[0]["time"] == venue.now_ms // 1000


def test_reduce_only_never_flips(venue, client):
    client.place(order("B", "100001", "0.15", "Ioc"))
    start(client, is_buy=False, reduce_only=True)
    for _ in range(4):
        venue.block(30_000)
    assert client.account.lots(0) == 0


@pytest.mark.parametrize(("sz", "minutes", "words"), [
    ("1", 4, "Invalid TWAP duration: 4 min(s)"), ("1", 1441, "Invalid TWAP duration: 1441 min(s)"),
    ("0.0005", 5, "Order must have minimum value of $10. asset=0"), ("0", 5, "Order has invalid size. asset=0"),
])
def test_what_is_no_twap_is_refused(client, sz, minutes, words):
    assert start(client, sz, minutes) == {"error": words}
