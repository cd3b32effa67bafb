"""Leverage and isolated margin: what is let through, what is refused in which words."""

from __future__ import annotations

import pytest
from support.venue import Venue, order

from mmfast.sim import answers
from mmfast.sim.gearing import CROSS_SHORT, ISOLATED_SHORT

USD = 1_000_000


@pytest.fixture
def venue():
    return Venue()


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


def test_only_strictly_isolated_assets_are_topped_up(client):
    answer = client.do({"type": "topUpIsolatedOnlyMargin", "asset": 0, "leverage": "5.0"})
    assert answer == {"status": "err", "response": "Asset not strict isolated"}


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
