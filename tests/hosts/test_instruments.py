"""Claims about what the venue says our coins are."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.flow import CAPTURED, needs_captured

from mmfast.hosts import instruments
from mmfast.hosts.instruments import (
    Listed,
    UnknownCoin,
    fetch_listed,
    fetch_open_orders,
    fetch_positions,
    instrument_table,
    to_lots,
)

UNIVERSE = [{"name": "BTC", "szDecimals": 5, "maxLeverage": 40}, {"name": "ETH", "szDecimals": 4, "maxLeverage": 25},
            {"name": "MATIC", "szDecimals": 1, "maxLeverage": 20, "isDelisted": True},
            {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10}, {"name": "QUIET", "szDecimals": 2, "maxLeverage": 3}]
CONTEXTS = [{"markPx": px} for px in ("80640.0", "3000.5", "0.4", "0.0123", None)]


@pytest.fixture
def venue(monkeypatch):
    """Answers of /info by type; the questions asked."""
    answers, asked = {"metaAndAssetCtxs": [{"universe": UNIVERSE}, CONTEXTS]}, []

    def ask(url, path, body, timeout_s=0.0):
        asked.append((url, path, body))
        return answers[body["type"]]

    monkeypatch.setattr(instruments, "ask", ask)
    return answers, asked


def test_coins_come_in_the_order_they_were_asked_for_with_their_place_in_the_universe(venue):
    assert fetch_listed("http://venue", ["kPEPE", "BTC"]) == [Listed("kPEPE", 3, 0, 10, 0.0123),
                                                              Listed("BTC", 0, 5, 40, 80_640.0)]
    assert venue[1] == [("http://venue", "/info", {"type": "metaAndAssetCtxs"})]


@pytest.mark.parametrize(("coin", "hint"), [("btc", "BTC"), ("KPEPE", "kPEPE"), ("ETTH", "ETH"), ("MATIC", "BTC"),
                                            ("ZZZ", "BTC, ETH, QUIET, kPEPE")])
def test_a_coin_that_is_not_traded_is_refused_with_those_that_are_near(venue, coin, hint):
    with pytest.raises(UnknownCoin) as refusal:
        fetch_listed("http://venue", [coin])
    assert repr(coin) in str(refusal.value)
    assert hint in str(refusal.value)


def test_a_coin_without_a_price_cannot_be_quoted(venue):
    with pytest.raises(UnknownCoin, match="'QUIET' has no mark price"):
        fetch_listed("http://venue", ["QUIET"])


def test_positions_are_signed_lots_and_zero_for_coins_we_do_not_hold(venue):
    venue[0]["clearinghouseState"] = {"assetPositions": [
        {"position": {"coin": "ETH", "szi": "-1.5"}}, {"position": {"coin": "DOGE", "szi": "7"}}]}
    listed = [Listed("BTC", 0, 5, 40, 1.0), Listed("ETH", 1, 4, 25, 1.0)]
    assert fetch_positions("http://venue", "0xabc", listed) == [0, -15_000]
    assert venue[1][0][2] == {"type": "clearinghouseState", "user": "0xabc"}


def test_open_orders_are_those_of_the_account(venue):
    venue[0]["openOrders"] = [{"coin": "BTC", "oid": 1}]
    assert fetch_open_orders("http://venue", "0xabc") == [{"coin": "BTC", "oid": 1}]


@pytest.mark.parametrize(("size", "decimals", "lots"), [
    ("0.0", 5, 0), ("1", 5, 100_000), ("-0.00001", 5, -1), ("13.74589", 5, 1_374_589), ("1.50", 1, 15), ("42", 0, 42),
    ("42.0", 0, 42), ("-.5", 1, -5), ("0.10000000", 2, 10), ("123456789.12345", 5, 12_345_678_912_345)])
def test_sizes_become_lots_exactly(size, decimals, lots):
    assert to_lots(size, decimals) == lots


@given(st.integers(-10**12, 10**12), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_lots_survive_the_way_through_the_venues_writing(lots, decimals):
    assert to_lots(format(Decimal(lots).scaleb(-decimals), "f"), decimals) == lots


@pytest.mark.parametrize(("size", "decimals"), [("0.15", 1), ("1.000001", 5), ("0.1", 0)])
def test_a_part_of_a_lot_is_refused(size, decimals):
    with pytest.raises(ValueError, match=f"size '{size}' is not a whole number of lots"):
        to_lots(size, decimals)


@pytest.mark.parametrize("size", ["", "abc", "1e5", "--1", "0x10", "1.2.3", "NaN"])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="not a whole number of lots"):
        to_lots(size, 5)


def test_the_table_holds_names_scales_and_marks():
    table = instrument_table([Listed("BTC", 0, 5, 40, 80_640.05), Listed("kPEPE", 3, 0, 10, 0.012345)])
    assert [bytes(row["name"]).rstrip(b"\0") for row in table] == [b"BTC", b"kPEPE"]
    assert list(table["asset"]) == [0, 3]
    assert list(table["max_leverage"]) == [40, 10]
    assert list(table["sz_decimals"]) == [5, 0]
    assert list(table["ticks_per_usd"]) == [10, 1_000_000]
    assert list(table["lots_per_coin"]) == [100_000, 1]
    assert list(table["start_mark_ticks"]) == [806_400, 12_345]
    assert (table["ticks_per_usd"] * table["lots_per_coin"] == 10**6).all()


@needs_captured
def test_captured_answers_of_the_venue_are_understood(monkeypatch):
    lines = [orjson.loads(line) for line in (CAPTURED / "rest_testnet_2026-07-28.jsonl").read_bytes().splitlines()]
    answers = {line["request"]["type"]: line["response"] for line in lines if "dex" not in line["request"]}
    answers["metaAndAssetCtxs"] = [answers["meta"], [{"markPx": "2.5"}] * len(answers["meta"]["universe"])]
    monkeypatch.setattr(instruments, "ask", lambda url, path, body, timeout_s=0.0: answers[body["type"]])
    listed = fetch_listed("http://venue", ["BTC", "SOL"])
    assert [(c.name, c.sz_decimals, c.max_leverage) for c in listed] == [("BTC", 5, 40), ("SOL", 2, 10)]
    assert [answers["meta"]["universe"][c.asset]["name"] for c in listed] == ["BTC", "SOL"]
    assert fetch_positions("http://venue", "0xabc", listed) == [0, 0]
    assert [order["oid"] for order in fetch_open_orders("http://venue", "0xabc")] == [57118842019]
