"""Take profits, stops and groups at a running exchange; plain orders are in test_execution."""

from __future__ import annotations

import pytest
from support.venue import cancel_action, order, trigger, updates

from mmfast.sim import wire
from mmfast.units import BID


@pytest.fixture
def long(maker):
    """A client that is long 0.5."""
    maker.place(order("B", "100001", "0.5", "Ioc"))
    return maker


def move(venue, px):
    """Let the mark move, and make the block that sees it."""
    venue.source.px = px
    return venue.block()


def statuses(venue, client):
    return [status for _, status in updates(venue, client)]


def test_stop_waits_for_the_mark_and_then_sells_at_the_market(venue, long):
    oid = long.oid(trigger("S", "sl", "99990", "0.5"))
    assert venue.exchange.instruments[0].market.sides == {}
    move(venue, 99_991.0)
    assert long.account.lots(0) == 50_000
    move(venue, 99_990.0)
    assert updates(venue, long) == [(oid, "triggered"), (oid, "filled")]
    assert long.account.lots(0) == 0
    assert [fill["px"] for fill in venue.exchange.ledger.fills[long.account.owner]] == ["99999.0"]


def test_limit_take_profit_rests_at_its_price_once_triggered(venue, long):
    oid = long.oid(trigger("S", "tp", "100010", "0.5", px="100012"))
    move(venue, 100_010.0)
    assert statuses(venue, long) == ["triggered"]
    assert long.account.orders.open[oid].lots == 50_000
    assert venue.exchange.instruments[0].market.sides == {oid: 1}
    assert long.account.orders.status(oid).status == "triggered"


def test_trigger_that_the_mark_has_passed_or_off_the_grid_is_refused(venue, long):
    for at in ("100010", "99990.1"):
        refused = long.place(trigger("S", "sl", at, "0.5", px="99000"))
        assert refused == [{"error": "Invalid TP/SL price. asset=0"}]
        assert statuses(venue, long) == ["badTriggerPxRejected"]


def test_armed_orders_are_shown_as_the_venue_shows_them(venue, long):
    oid = long.oid(trigger("S", "sl", "99990", "0.5", cloid=5))
    shown = wire.order_full(venue.exchange.instruments[0], long.account.orders.open[oid], 50_000)
    assert {key: shown[key] for key in ("isTrigger", "triggerCondition", "triggerPx", "orderType", "tif")} == {
        "isTrigger": True, "triggerCondition": "Price below 99990", "triggerPx": "99990.0",
        "orderType": "Stop Market", "tif": None}


def test_armed_order_is_cancelled_like_any_other_but_not_fast(maker):
    oid = maker.oid(trigger("S", "sl", "99990", "0.5"))
    fast = maker.do({**cancel_action(oid), "f": True})["response"]["data"]["statuses"]
    assert "error" in fast[0]
    assert maker.do(cancel_action(oid))["response"]["data"]["statuses"] == ["success"]
    assert not maker.account.orders.open


def test_entry_that_fills_at_once_arms_its_children(venue, maker):
    entry = order("B", "100001", "0.5", "Ioc")
    tp, sl = trigger("S", "tp", "100020", "0.5"), trigger("S", "sl", "99980", "0.5")
    answered = maker.place(entry, tp, sl, grouping="normalTpsl")
    assert answered[0]["filled"]["totalSz"] == "0.5"
    assert answered[1:] == ["waitingForTrigger", "waitingForTrigger"]
    move(venue, 100_020.0)
    assert maker.account.lots(0) == 0
    assert statuses(venue, maker) == ["triggered", "filled", "siblingFilledCanceled"]
    assert not maker.account.orders.open


def test_children_of_a_resting_entry_wait_for_its_whole_fill(venue, maker):
    tp, sl = trigger("S", "tp", "100020", "0.5"), trigger("S", "sl", "99980", "0.5")
    answered = maker.place(order("B", "100000", "0.5"), tp, sl, grouping="normalTpsl")
    parent = answered[0]["resting"]["oid"]
    assert answered[1:] == ["waitingForFill", "waitingForFill"]
    shown = wire.order_full(venue.exchange.instruments[0], maker.account.orders.open[parent], 50_000)
    assert [child["orderType"] for child in shown["children"]] == ["Take Profit Market", "Stop Market"]
    move(venue, 99_980.0)
    assert maker.account.lots(0) == 0  # nothing is armed yet
    venue.source.px = 100_000.0
    venue.source.strike(1, 1_000_000, 20_000)
    venue.block()
    assert len(maker.account.orders.armed(0)) == 0
    venue.source.strike(1, 1_000_000, 30_000)
    venue.block()
    assert len(maker.account.orders.armed(0)) == 2
    move(venue, 99_979.0)
    assert maker.account.lots(0) == 0


def test_cancel_of_an_entry_takes_its_children_with_it(venue, maker):
    tp = trigger("S", "tp", "100020", "0.5")
    parent = maker.place(order("B", "99990", "0.5"), tp, grouping="normalTpsl")[0]["resting"]["oid"]
    maker.do(cancel_action(parent))
    assert statuses(venue, maker) == ["canceled", "canceled"]
    assert not venue.exchange.ledger.waiting


def test_refused_entry_answers_for_its_children(maker):
    answered = maker.place(order("B", "100001", "0.5"), trigger("S", "tp", "100020", "0.5"), grouping="normalTpsl")
    assert answered == [answered[0]] * 2
    assert "Post only" in answered[0]["error"]
    assert not maker.account.orders.open


def test_orders_of_a_position_without_a_size_close_all_of_it(venue, long):
    tp, sl = trigger("S", "tp", "100020", "0"), trigger("S", "sl", "99980", "0")
    assert long.place(tp, sl, grouping="positionTpsl") == ["waitingForTrigger"] * 2
    long.place(order("B", "100001", "0.25", "Ioc"))
    assert long.account.lots(0) == 75_000
    move(venue, 99_980.0)
    assert long.account.lots(0) == 0
    assert statuses(venue, long) == ["triggered", "filled", "siblingFilledCanceled"]


def test_orders_of_a_position_go_with_it(venue, long):
    long.place(trigger("S", "tp", "100020", "0"), grouping="positionTpsl")
    long.place(order("S", "99999", "0.5", "Ioc"))
    assert sorted(statuses(venue, long)) == ["filled", "open", "reduceOnlyCanceled"]
    refused = long.place(trigger("S", "tp", "100020", "0"), grouping="positionTpsl")
    assert refused == [{"error": "Reduce only order would increase position. asset=0"}]


@pytest.mark.parametrize(("grouping", "orders", "words"), [
    ("normalTpsl", [trigger("S", "tp", "100020", "1")], "Main order cannot be trigger order."),
    ("positionTpsl", [order("S", "100020", "1")], "TP/SL orders must be trigger orders of one asset."),
    ("positionTpsl", [trigger("S", "tp", "100020", "1", reduce_only=False)], "TP/SL orders must be reduce only."),
    ("positionTpsl", [trigger("S", "tp", "100020", "1")] * 2, "TP/SL orders must be one of each kind at most."),
])
def test_batch_that_is_no_group_gets_one_error(maker, grouping, orders, words):
    assert maker.place(*orders, grouping=grouping) == [{"error": words}]


def test_stop_that_finds_nobody_is_refused_when_it_fires(venue, long):
    oid = long.oid(trigger("S", "sl", "99990", "0.5"))
    for k in range(1, 21):
        venue.source.strike(1, 1_000_000 - 10 * k, 100_000)
    venue.block()
    move(venue, 99_990.0)
    assert updates(venue, long) == [(oid, "triggered"), (oid, "marketOrderNoLiquidityRejected")]


def test_stop_entry_opens_a_position_and_needs_its_margin(venue):
    poor = venue.client(2, usd=1000.0)
    buys = poor.oid(trigger("B", "sl", "100005", "0.1", reduce_only=False))
    poor.oid(trigger("B", "sl", "100006", "0.15", reduce_only=False))
    move(venue, 100_005.0)
    assert updates(venue, poor) == [(buys, "triggered"), (buys, "filled")]
    assert poor.account.lots(0) == 10_000
    move(venue, 100_006.0)
    assert statuses(venue, poor) == ["triggered", "perpMarginRejected"]
    assert venue.exchange.instruments[0].market.touch()[BID][0] == 999_990


def test_front_end_market_order_is_named_so_and_says_when_nobody_is_there(venue, maker):
    refused = maker.place(order("B", "99000", "0.1", "FrontendMarket"))
    assert refused == [{"error": "No liquidity available for market order. asset=0"}]
    filled = maker.place(order("B", "100001", "0.1", "FrontendMarket"))[0]["filled"]["oid"]
    shown = wire.order_full(venue.exchange.instruments[0], maker.account.orders.status(filled).order, 0)
    assert (shown["orderType"], shown["tif"]) == ("Market", "FrontendMarket")
