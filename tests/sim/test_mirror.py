"""A mirror shows what it is told: books, touches and trades of another exchange around its own users' orders."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast.records.order import TIF_ALO
from mmfast.sim import mirror
from mmfast.sim.market import Market
from mmfast.sim.mirror import MirrorSource, units
from mmfast.units import BID

NOW_MS = 1_795_000_000_000


def side(first, step, sizes):
    return [{"px": f"{first + step * k}.0", "sz": size, "n": 3} for k, size in enumerate(sizes)]


def book(time_ms=NOW_MS, bid=99_999, ask=100_001, sizes=("1.0", "2.0", "3.0")):
    return {"coin": "BTC", "time": time_ms, "levels": [side(bid, -1, sizes), side(ask, 1, sizes)]}


def touch(time_ms, bid, ask, size="0.5"):
    return {"coin": "BTC", "time": time_ms, "bbo": [
        None if px is None else {"px": f"{px}.0", "sz": size, "n": 1} for px in (bid, ask)]}


def trade(time_ms, px, size, taker, tid):
    return {"coin": "BTC", "side": taker, "px": f"{px}.0", "sz": size, "time": time_ms, "hash": "0x0", "tid": tid,
            "users": []}


@pytest.fixture
def source():
    made = MirrorSource("BTC", 5)
    made.begin(book())
    return made


@pytest.fixture
def market(source):
    return Market("BTC", 5, source, NOW_MS)


def block(market, now_ms=NOW_MS + 70):
    market.advance_makers(now_ms)
    return market.advance_takers(now_ms)


def prices(market):
    (bid, bid_lots, _), (ask, ask_lots, _) = market.touch()
    return bid // 10, bid_lots, ask // 10, ask_lots


def test_the_first_book_is_shown_at_once(market):
    assert prices(market) == (99_999, 100_000, 100_001, 100_000)
    assert [level[1] for level in market.depth(20)[0]] == [100_000, 200_000, 300_000]


def test_a_touch_moves_the_book_and_an_older_book_does_not_move_it_back(source, market):
    source.take("bbo", touch(NOW_MS + 200, 100_002, 100_003))
    block(market)
    assert prices(market) == (100_002, 50_000, 100_003, 50_000)
    source.take("l2Book", book(NOW_MS + 100))
    block(market)
    assert prices(market) == (100_002, 50_000, 100_003, 50_000)
    assert market.depth(20)[1][-1][0] == 1_000_030  # deeper levels are the book's
    source.take("l2Book", book(NOW_MS + 300))
    block(market)
    assert prices(market) == (99_999, 100_000, 100_001, 100_000)


def test_behind_a_fast_book_stand_the_levels_of_the_last_whole_one(source, market):
    source.take("l2Book", {**book(NOW_MS + 100, 100_000, 100_002, ("5.0",)), "fast": True})
    block(market)
    bids, asks = market.depth(20)
    assert [(px // 10, lots) for px, lots, _ in bids] == [
        (100_000, 500_000), (99_999, 100_000), (99_998, 200_000), (99_997, 300_000)]
    assert [(px // 10, lots) for px, lots, _ in asks] == [(100_002, 500_000), (100_003, 300_000)]


def test_trades_are_printed_once_and_not_those_of_before(source, market):
    source.take("trades", [trade(NOW_MS - 5, 100_001, "0.1", "B", 1), trade(NOW_MS + 5, 100_001, "0.2", "B", 2)])
    source.take("trades", [trade(NOW_MS + 5, 100_001, "0.2", "B", 2), trade(NOW_MS + 6, 99_999, "0.3", "A", 3)])
    block(market)
    assert [(one.px_ticks, one.lots, one.tid) for one in market.take_prints()] == [
        (1_000_010, 20_000, 2), (999_990, 30_000, 3)]


def test_a_users_order_is_filled_by_mirrored_flow_after_the_queue_ahead(source, market):
    market.add(1, 1, BID, 999_990, 50_000, TIF_ALO, NOW_MS)
    source.take("trades", [trade(NOW_MS + 5, 99_999, "0.9", "A", 2)])
    assert block(market) == []
    source.take("trades", [trade(NOW_MS + 6, 99_999, "0.3", "A", 3)])
    (match,) = block(market, NOW_MS + 140)
    assert (match.order_id, match.lots, match.maker) == (1, 20_000, True)


def test_context_is_the_others_and_of_the_book_until_it_is_told(source, market):
    before = market.context()
    assert before.oracle_px == 100_000.0
    assert all(map(math.isnan, (before.mark_px, before.premium, before.funding_rate_h)))
    source.take("activeAssetCtx", {"coin": "BTC", "ctx": {
        "oraclePx": "100100.5", "markPx": "100050.0", "premium": "0.001", "funding": "0.0000125",
        "openInterest": "7.5"}})
    told = market.context()
    assert (told.oracle_px, told.mark_px, told.premium, told.funding_rate_h, told.open_interest) == (
        100_100.5, 100_050.0, 0.001, 1.25e-5, 7.5)


@pytest.mark.parametrize(("channel", "data"), [
    ("bbo", touch(NOW_MS, 100_005, 100_001)), ("bbo", {"coin": "BTC"}), ("l2Book", book(bid=100_005)),
    ("l2Book", {"coin": "BTC", "time": NOW_MS, "levels": [[{"px": "x", "sz": "1.0", "n": 1}], []]}),
    ("trades", [trade(NOW_MS + 5, 100_001, "0.000001", "B", 9)]), ("trades", [{"coin": "BTC"}]), ("trades", None),
    ("bbo", touch(NOW_MS, 99_999, 100_001, "NaN")), ("activeAssetCtx", {"coin": "BTC"})])
def test_what_cannot_be_used_is_counted_and_changes_nothing(source, market, channel, data):
    before = prices(market)
    source.take(channel, data)
    block(market)
    assert source.unusable_count == 1
    assert prices(market) == before
    assert market.take_prints() == []


def test_silence_makes_the_book_stale_and_a_frame_makes_it_fresh(source, monkeypatch):
    assert not source.stale
    monkeypatch.setattr(mirror, "STALE_NS", -1)
    assert source.stale


def test_an_exchange_without_a_book_cannot_be_mirrored():
    with pytest.raises(ValueError, match="empty side"):
        MirrorSource("BTC", 5).begin({"coin": "BTC", "time": NOW_MS, "levels": [[], []]})


@given(st.integers(1, 10**12), st.integers(0, 6))
def test_units_are_exact(value, decimals):
    whole, part = divmod(value, 10**decimals)
    assert units(f"{whole}.{part:0{decimals}d}" if decimals else f"{whole}.0", decimals) == value
    for wrong in ("0", "-1.0", "nan", "inf", "1e30", "0.0000000001"):
        with pytest.raises(ValueError, match="positive multiple"):
            units(wrong, decimals)


def test_numbers_that_are_unknown_stay_so_in_the_source():
    assert all(math.isnan(value) for value in MirrorSource("BTC", 5)._numbers)
