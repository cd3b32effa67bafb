"""Coins that are delisted or have no cross margin: what is told of them, what is refused."""

from __future__ import annotations

import orjson
import pytest
from support.venue import START_MS, Venue, order, trigger

from mmfast.sim import answers, command, depth, wire
from mmfast.sim.command import Options
from mmfast.sim.listing import Listing, listings
from mmfast.sim.state import save
from mmfast.venues.hyperliquid.info import parse_meta

HALTED = "Trading is halted. asset=1"


@pytest.fixture
def venue():
    return Venue(coins=("BTC", "MATIC", "LOOM", "HPOS"), listings=listings(("MATIC", "LOOM"), ("LOOM",), ("HPOS",)))


def test_meta_tells_what_is_so_and_nothing_else(venue):
    universe = answers.answer(venue.exchange, {"type": "meta"})["universe"]
    usual = {"name", "szDecimals", "maxLeverage", "marginTableId"}
    assert [{k: v for k, v in one.items() if k not in usual} for one in universe] == [
        {}, {"isDelisted": True}, {"onlyIsolated": True, "marginMode": "strictIsolated", "isDelisted": True},
        {"onlyIsolated": True, "marginMode": "noCross"}]


def test_the_engines_reader_sees_what_is_delisted_and_what_has_no_cross_margin(venue):
    coins = parse_meta(orjson.dumps(answers.answer(venue.exchange, {"type": "meta"})))
    assert [one.is_delisted for one in coins] == [False, True, True, False]
    assert [one.isolated_only for one in coins] == [False, False, True, True]


def test_frames_of_a_delisted_coin_are_as_captured(venue):
    venue.block()
    instrument = venue.exchange.by_name["MATIC"]
    assert wire.bbo(instrument, instrument.market.touch(), 1)["data"]["bbo"] == [None, None]
    assert depth.book(instrument, 1)["levels"] == [[], []]
    px = "100000.0"
    assert wire.context(instrument) == {
        "funding": "0.0", "openInterest": "0.0", "prevDayPx": px, "dayNtlVlm": "0.0", "premium": None, "oraclePx": px,
        "markPx": px, "midPx": None, "impactPxs": None, "dayBaseVlm": "0.0"}


def test_orders_of_every_kind_on_a_delisted_coin_are_refused_and_the_rest_of_the_batch_is_not(venue):
    client = venue.client()
    placed = client.place(order("B", "99000", "0.1", asset=1), order("B", "99000", "0.1"),
                          order("B", "100001", "0.1", "Ioc", asset=1), trigger("S", "sl", "90000", "0.1", asset=1))
    assert placed[0] == placed[2] == placed[3] == {"error": HALTED}
    oid = placed[1]["resting"]["oid"]
    moved = client.do({"type": "modify", "oid": oid, "order": order("B", "99001", "0.1", asset=1)})
    assert moved["status"] == "err"
    assert client.account.orders.open[oid].asset == 0
    twap = {"a": 1, "b": True, "s": "1", "r": False, "m": 10, "t": False}
    assert client.do({"type": "twapOrder", "twap": twap})["response"]["data"]["status"] == {"error": HALTED}


def test_an_hour_of_a_delisted_coin_is_paid_by_nobody(venue):
    client = venue.client()
    client.place(order("B", "100001", "0.1", "Ioc"))
    venue.block(3_600_000)
    venue.block(3_600_000)
    assert {one["coin"] for one in client.account.fundings} == {"BTC"}
    (told, *_) = answers.answer(venue.exchange, {"type": "fundingHistory", "coin": "MATIC", "startTime": 0})
    assert (told["fundingRate"], told["premium"]) == ("0.0", "0.0")


def test_the_program_lists_coins_as_it_is_asked():
    options = Options(coins=("BTC", "MATIC", "SOL"), delisted=("MATIC",), no_cross=("SOL",))
    made = command.build(options, START_MS)
    assert [(one.name, one.listing) for one in made.instruments] == [
        ("BTC", Listing()), ("MATIC", Listing(delisted=True)), ("SOL", Listing(margin_mode="noCross"))]
    for k in range(3):
        made.step(START_MS + 70 * (k + 1), 10**18)
    assert made.by_name["MATIC"].mark_ticks > 0
    assert [coin.symbol for coin in command.reference_of(made).coins] == ["BTCUSDT", "SOLUSDT"]


@pytest.mark.parametrize(("options", "word"), [
    (Options(coins=("BTC",), delisted=("MATIC",)), "MATIC"),
    (Options(coins=("BTC",), strict_isolated=("BTC",), no_cross=("BTC",)), "not both")])
def test_listings_that_cannot_be_are_refused_by_name(options, word):
    with pytest.raises(ValueError, match=word):
        command.listed(options)


def test_a_state_goes_on_with_the_listings_it_was_kept_with(tmp_path):
    options = Options(coins=("BTC", "SOL"), no_cross=("SOL",), state=tmp_path / "state")
    save(command.build(options, START_MS), tmp_path / "state")
    assert command.open_exchange(options, START_MS).by_name["SOL"].listing == Listing(margin_mode="noCross")
    with pytest.raises(ValueError, match="listed otherwise"):
        command.open_exchange(Options(coins=("BTC", "SOL"), state=tmp_path / "state"), START_MS)
