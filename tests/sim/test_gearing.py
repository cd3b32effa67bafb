"""Leverage and isolated margin: what is let through, what is refused in which words."""

from __future__ import annotations

import pytest
from support.venue import Venue, order

from mmfast.sim import answers
from mmfast.sim.gearing import CROSS_SHORT, ISOLATED_SHORT
from mmfast.sim.listing import Listing

USD = 1_000_000


@pytest.fixture
def client(venue):
    return venue.client(usd=10_000.0)


def leverage(client, value, cross=True):
    return client.do({"type": "updateLeverage", "asset": 0, "isCross": cross, "leverage": value})


def isolated_margin(client, uusd):
    return client.do({"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": uusd})


def position(venue, client):
    state = answers.answer(venue.exchange, {"type": "clearinghouseState", "user": client.address})
    return state["assetPositions"][0]["position"]


def test_type_of_leverage_is_not_switched_under_a_position(client):
    assert leverage(client, 10, cross=False)["status"] == "ok"
    client.place(order("B", "100001", "0.1", "Ioc"))
    assert leverage(client, 10)["response"] == "Cannot switch leverage type with open position."
    client.place(order("S", "99999", "0.1", "Ioc", reduce_only=True))
    assert leverage(client, 10)["status"] == "ok"


def test_leverage_is_not_lowered_beyond_what_margin_covers(client):
    client.place(order("B", "100001", "0.5", "Ioc"))
    assert leverage(client, 5)["response"] == CROSS_SHORT
    assert leverage(client, 6)["status"] == "ok"


def test_isolated_position_shows_its_own_cash_and_margin(venue, client):
    leverage(client, 10, cross=False)
    client.place(order("B", "100001", "0.1", "Ioc"))
    shown = position(venue, client)
    assert shown["leverage"] == {"type": "isolated", "value": 10, "rawUsd": "-9000.09"}
    assert shown["marginUsed"] == "999.91"
    state = answers.answer(venue.exchange, {"type": "clearinghouseState", "user": client.address})
    assert state["crossMarginSummary"]["totalNtlPos"] == "0.0"
    assert state["marginSummary"]["totalMarginUsed"] == "999.91"
    both = [float(state[key]["accountValue"]) for key in ("marginSummary", "crossMarginSummary")]
    assert both[0] - both[1] == pytest.approx(999.91)


def test_isolated_margin_moves_within_its_bounds(venue, client):
    assert isolated_margin(client, 5)["response"] == "Cannot update margin for empty position."
    leverage(client, 10, cross=False)
    client.place(order("B", "100001", "0.1", "Ioc"))
    assert isolated_margin(client, 0)["response"] == "Update to isolated margin cannot be zero."
    assert isolated_margin(client, 10_000 * USD)["response"] == (
        "Account does not have sufficient margin available for increase.")
    assert isolated_margin(client, -USD)["response"] == "Position does not have sufficient margin for reduction."
    assert isolated_margin(client, 500 * USD)["status"] == "ok"
    assert position(venue, client)["marginUsed"] == "1499.91"
    assert isolated_margin(client, -499 * USD)["status"] == "ok"
    assert leverage(client, 9)["response"].startswith("Cannot switch")
    assert leverage(client, 9, cross=False)["response"] == ISOLATED_SHORT


def test_cross_position_has_no_isolated_margin(client):
    client.place(order("B", "100001", "0.1", "Ioc"))
    assert isolated_margin(client, USD)["response"] == "Position does not use isolated margin."


def top_up(client, leverage):
    return client.do({"type": "topUpIsolatedOnlyMargin", "asset": 0, "leverage": leverage})


def test_only_strictly_isolated_assets_are_topped_up(client):
    assert top_up(client, "5.0") == {"status": "err", "response": "Asset not strict isolated"}
    assert top_up(only_isolated("noCross").client(), "5")["response"] == "Asset not strict isolated"


def only_isolated(mode):
    return Venue(listings={"BTC": Listing(margin_mode=mode)})


@pytest.mark.parametrize("mode", ["strictIsolated", "noCross"])
def test_assets_without_cross_margin_are_traded_isolated_from_the_first_fill(mode):
    venue = only_isolated(mode)
    client = venue.client(usd=10_000.0)
    assert leverage(client, 5)["response"] == "Cross margin is not allowed for this asset."
    client.place(order("B", "100001", "0.1", "Ioc"))
    shown = position(venue, client)
    assert shown["leverage"]["type"] == "isolated"
    assert shown["leverage"]["value"] == 20
    state = answers.answer(venue.exchange, {"type": "clearinghouseState", "user": client.address})
    assert state["crossMarginSummary"]["totalNtlPos"] == "0.0"
    free = client.account.raw_uusd - client.account.isolated_uusd
    venue.source.px = 90_000.0
    venue.exchange.instruments[0].refresh(venue.now_ms)  # the last oracle price is low as well
    venue.block()
    assert client.account.lots(0) == 0
    assert client.account.raw_uusd == free  # what was not its margin is still there


def test_margin_is_taken_out_unless_the_asset_is_strictly_isolated():
    for mode, answer in (("noCross", {"type": "default"}),
                         ("strictIsolated", "Cannot remove isolated margin for this asset. "
                                            "To remove margin, reduce the position.")):
        client = only_isolated(mode).client(usd=10_000.0)
        client.place(order("B", "100001", "0.1", "Ioc"))
        assert isolated_margin(client, 2000 * USD)["status"] == "ok"
        assert isolated_margin(client, -USD)["response"] == answer


def test_a_top_up_brings_the_position_to_the_leverage_that_is_asked_for():
    venue = only_isolated("strictIsolated")
    client = venue.client(usd=10_000.0)
    assert top_up(client, "5")["response"] == "Cannot update margin for empty position."
    client.place(order("S", "99999", "0.1", "Ioc"))
    assert top_up(client, "2.5")["status"] == "ok"
    assert position(venue, client)["marginUsed"] == "4000.0"  # of 10 000 dollars
    assert top_up(client, "2.5")["response"] == "Update to isolated margin cannot be zero."
    assert top_up(client, "3")["response"] == "Update to isolated margin cannot be zero."
    assert top_up(client, "0")["response"] == "Invalid leverage value"
    assert top_up(client, "0.5")["response"] == "Account does not have sufficient margin available for increase."


def test_isolated_orders_are_let_in_by_what_cross_has_left(client):
    leverage(client, 10, cross=False)
    client.place(order("B", "100001", "0.9", "Ioc"))
    refused = client.place(order("B", "100001", "0.2", "Ioc"))
    assert refused == [{"error": "Insufficient margin to place order. asset=0"}]


def test_position_beyond_a_tier_needs_less_leverage(venue):
    whale = venue.client(7, usd=1e9)
    leverage(whale, 40)
    refused = whale.place(order("B", "99000", "1600"))
    assert refused == [{"error": "Order would cause position to exceed margin tier limit at current leverage asset=0"}]
    leverage(whale, 20)
    assert "resting" in whale.place(order("B", "99000", "1600"))[0]
