"""Candles, funding rates and margin tables over /info."""

from __future__ import annotations

import json

import pytest
from support import shapes
from support.venue import Venue, order

from mmfast.sim.answers import answer
from mmfast.sim.asked import NotServed
from mmfast.sim.exchange import HOUR_MS


def candles(venue, interval, **span):
    return answer(venue.exchange, {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": interval, **span}})


def test_candles_are_told_in_the_venues_words():
    venue = Venue()
    client = venue.client()
    client.place(order("B", "100002", "1.5", "Ioc"))
    (made,) = candles(venue, "1m", startTime=0)
    assert {key: made[key] for key in "soclhvn"} == {
        "s": "BTC", "o": "100001.0", "c": "100002.0", "l": "100001.0", "h": "100002.0", "v": "1.5", "n": 2}
    assert made["t"] <= venue.now_ms <= made["T"] == made["t"] + 59_999
    assert candles(venue, "1m", startTime=made["T"] + 1) == []


@pytest.mark.skipif(not shapes.SAMPLES.exists(), reason="captured samples are not beside the repository")
def test_candles_have_the_keys_of_recorded_ones():
    entries = json.loads((shapes.SAMPLES / "sdk-cassettes" / "test_get_candles_snapshot.json").read_text())
    recorded = next(one["response"] for one in entries if one["request"]["type"] == "candleSnapshot")[0]
    venue = Venue()
    venue.client().place(order("B", "100001", "0.1", "Ioc"))
    (made,) = candles(venue, "1h", startTime=0)
    assert {key: type(value) for key, value in made.items()} == {key: type(value) for key, value in recorded.items()}
    assert recorded["T"] - recorded["t"] == made["T"] - made["t"]


def test_an_interval_that_the_venue_has_not_is_not_served():
    with pytest.raises(NotServed):
        candles(Venue(), "2m", startTime=0)


def test_funding_history_is_paged_from_its_start():
    venue = Venue()
    for _ in range(4):
        venue.block(after_ms=HOUR_MS)
    told = answer(venue.exchange, {"type": "fundingHistory", "coin": "BTC", "startTime": 0})
    assert [one["fundingRate"] for one in told] == ["0.0000125"] * 4
    later = answer(venue.exchange, {"type": "fundingHistory", "coin": "BTC", "startTime": told[2]["time"]})
    assert later == told[2:]


def test_predicted_funding_names_this_venue_and_its_hour():
    venue = Venue(coins=("BTC", "ETH"))
    told = answer(venue.exchange, {"type": "predictedFundings"})
    assert [coin for coin, _ in told] == ["BTC", "ETH"]
    here = dict(told[0][1])["HlPerp"]
    assert here == {"fundingRate": "0.0000125", "nextFundingTime": venue.now_ms // HOUR_MS * HOUR_MS,
                    "fundingIntervalHours": 1}


def test_margin_table_is_the_one_that_meta_shows():
    venue = Venue()
    meta = answer(venue.exchange, {"type": "meta"})
    number = meta["universe"][0]["marginTableId"]
    assert answer(venue.exchange, {"type": "marginTable", "id": number}) == dict(meta["marginTables"])[number]
