"""What a new subscription is told, and what it is not."""

from __future__ import annotations

import pytest
from support.shapes import inflated
from support.venue import Venue, order

from mmfast.sim import topics
from mmfast.sim.snapshots import SILENT, deflated, price_changes, snapshot


def told(venue, **asked):
    return snapshot(venue.exchange, topics.normalised(asked, {"BTC", "ETH"}))


def test_deflated_is_what_the_venue_sends_and_what_its_documentation_inflates():
    message = {"BTC": {"markPx": "97500.5"}, "@107": {"midPx": None}}
    assert inflated(deflated(message)) == message


def test_price_changes_leave_out_what_has_not_changed():
    before = {"BTC": ("1.0", "2.0"), "ETH": ("3.0", None)}
    assert price_changes(before, before) == {}
    assert price_changes(before, {"BTC": ("1.0", None), "ETH": ("4.0", None)}) == {
        "BTC": {"midPx": None}, "ETH": {"markPx": "4.0"}}
    assert price_changes({}, before) == {
        "BTC": {"markPx": "1.0", "midPx": "2.0"}, "ETH": {"markPx": "3.0", "midPx": None}}


@pytest.mark.parametrize("kind", SILENT)
def test_channels_of_events_only_have_no_snapshot(kind):
    venue = Venue()
    client = venue.client()
    client.oid(order("B", "99990", "0.1"))
    assert told(venue, type=kind, user=client.address) == []


def test_histories_are_flagged_and_hold_what_was_before():
    venue = Venue()
    client = venue.client()
    oid = client.oid(order("B", "99990", "0.1"))
    client.place(order("B", "100001", "0.1", "Ioc"))
    (orders,) = told(venue, type="userHistoricalOrders", user=client.address)
    assert orders["data"]["isSnapshot"] is True
    assert [entry["status"] for entry in orders["data"]["orderHistory"]] == ["filled", "open", "open"]
    assert orders["data"]["orderHistory"][-1]["order"]["oid"] == oid
    (fills,) = told(venue, type="userFills", user=client.address)
    assert len(fills["data"]["fills"]) == 1


def test_aggregated_fills_are_fewer_and_as_large():
    venue = Venue()
    client = venue.client()
    client.place(order("B", "100003", "2.5", "Ioc"))
    (each,) = told(venue, type="userFills", user=client.address)
    (whole,) = told(venue, type="userFills", user=client.address, aggregateByTime=True)
    assert (len(each["data"]["fills"]), len(whole["data"]["fills"])) == (3, 1)
    assert whole["data"]["fills"][0]["sz"] == "2.5"


def test_contexts_of_all_coins_come_in_the_order_of_their_ids():
    venue = Venue(coins=("BTC", "ETH"))
    (frame,) = told(venue, type="allDexsAssetCtxs")
    ((dex, contexts),) = frame["data"]["ctxs"]
    assert dex == ""
    assert [one["markPx"] for one in contexts] == ["100000.0", "100000.0"]
    (one_dex,) = told(venue, type="assetCtxs")
    assert one_dex["data"] == {"dex": "", "ctxs": contexts}


def test_a_candle_is_told_once_there_was_a_trade():
    venue = Venue()
    assert told(venue, type="candle", coin="BTC", interval="1m") == []
    venue.client().place(order("B", "100001", "0.1", "Ioc"))
    (frame,) = told(venue, type="candle", coin="BTC", interval="1m")
    assert (frame["data"]["i"], frame["data"]["n"]) == ("1m", 1)
