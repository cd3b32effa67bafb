"""Market liquidation, the liquidator, auto-deleveraging: who pays, who is told, and that money adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.venue import Venue, order, updates

from mmfast.sim import answers
from mmfast.sim.liquidation import worst_ticks
from mmfast.sim.orders import CANCELED

USD = 1_000_000


@pytest.fixture
def venue():
    return Venue(coins=("BTC", "ETH"))


def leveraged(venue, number, usd, lots, cross=True, gear=40):
    """A client that is long ``lots`` (negative: short) of BTC at the touch."""
    client = venue.client(number, usd=usd)
    client.do({"type": "updateLeverage", "asset": 0, "isCross": cross, "leverage": gear})
    side, px = ("B", "100005") if lots > 0 else ("S", "99995")
    assert "filled" in client.place(order(side, px, str(abs(lots) / 1e5), "Ioc"))[0]
    return client


def mark(venue, px):
    venue.source.px = px
    return venue.block()


def money(venue):
    """Cash and fees of everybody less what was deposited: always zero. Positions too."""
    accounts = venue.exchange.accounts
    everybody = [*accounts.holders(), accounts.crowd]
    assert sum(one.lots(0) for one in everybody) == 0
    return sum(one.raw_uusd + one.fees_uusd - one.deposited_uusd for one in everybody)


def fills(venue, client):
    return venue.exchange.ledger.fills[client.account.owner]


def test_account_below_maintenance_is_sold_in_the_market(venue):
    client = leveraged(venue, 1, 2_600.0, 90_000)  # 0.9 BTC on 2600 dollars; maintenance 1125
    resting = client.oid(order("B", "99000", "0.001"))
    mark(venue, 98_370.0)  # value 1092: below maintenance, above two thirds of it
    assert (resting, "liquidatedCanceled") in updates(venue, client)
    assert client.account.lots(0) == 0
    (fill,) = fills(venue, client)
    assert (fill["dir"], fill["crossed"]) == ("Close Long", True)
    assert fill["liquidation"] == {"liquidatedUser": client.address, "markPx": "98370.0", "method": "market"}
    assert client.account.raw_uusd > 0
    assert money(venue) == 0
    order_shown = client.account.orders.status(fill["oid"]).order
    assert order_shown.market == "LiquidationMarket"


def test_those_on_the_other_side_are_told_whose_liquidation_it_was(venue):
    client = leveraged(venue, 1, 2_600.0, 90_000)
    maker = venue.client(2)
    maker.oid(order("B", "100000", "2"))
    mark(venue, 98_370.0)
    (fill,) = fills(venue, maker)
    assert fill["crossed"] is False
    assert fill["liquidation"]["liquidatedUser"] == client.address
    assert fills(venue, client)[0]["tid"] == fill["tid"]


def test_large_position_goes_by_a_fifth_and_then_whole(venue):
    client = leveraged(venue, 1, 6_000.0, 200_000)  # 2 BTC; maintenance 2500 at 40x
    mark(venue, 98_230.0)
    assert client.account.lots(0) == 160_000
    mark(venue, 97_500.0)
    assert client.account.lots(0) == 0
    assert money(venue) == 0


def test_events_and_ledger_tell_of_a_liquidation(venue):
    client = leveraged(venue, 1, 2_600.0, 90_000)
    mark(venue, 98_370.0)
    (event,) = venue.exchange.ledger.events[client.account.owner]
    told = event["liquidation"]
    assert told["liquidated_user"] == client.address
    assert told["liquidated_ntl_pos"] == "88533.0"
    update = answers.answer(venue.exchange, {"type": "userNonFundingLedgerUpdates", "user": client.address,
                                             "startTime": 0})[-1]
    assert update["delta"]["type"] == "liquidation"
    assert update["delta"]["liquidatedPositions"] == [{"coin": "BTC", "szi": "0.9"}]


def test_liquidator_takes_positions_and_margin_below_two_thirds(venue):
    client = leveraged(venue, 1, 2_600.0, 90_000)
    mark(venue, 97_900.0)
    (fill,) = fills(venue, client)
    assert (fill["dir"], fill["px"], fill["fee"]) == ("Liquidated Cross Long", "97900.0", "0.0")
    assert fill["liquidation"]["method"] == "backstop"
    assert fill["hash"] == "0x" + "0" * 64
    vault = venue.exchange.accounts.liquidator
    assert (client.account.raw_uusd, client.account.lots(0), vault.lots(0)) == (0, 0, 90_000)
    assert vault.raw_uusd + 90_000 * 979_000 > 0  # it got the margin too
    assert money(venue) == 0


def test_isolated_position_falls_alone(venue):
    client = venue.client(1, usd=10_000.0)
    client.do({"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 40})
    client.place(order("B", "100005", "0.9", "Ioc"))
    before = client.account.raw_uusd - client.account.isolated_uusd
    mark(venue, 98_300.0)
    (fill,) = fills(venue, client)
    assert fill["dir"] == "Liquidated Isolated Long"
    assert client.account.raw_uusd == before
    assert client.account.lots(0) == 0
    assert money(venue) == 0


def test_profitable_other_side_is_closed_when_nothing_is_left(venue):
    loser = leveraged(venue, 1, 2_600.0, 90_000)
    meek, bold = leveraged(venue, 2, 100_000.0, -50_000, gear=2), leveraged(venue, 3, 100_000.0, -50_000)
    mark(venue, 96_000.0)  # from one block to the next: the value is negative
    assert loser.account.lots(0) == 0
    assert (bold.account.lots(0), meek.account.lots(0)) == (0, -10_000)  # the greater return on margin goes first
    (fill,) = fills(venue, bold)
    assert (fill["dir"], fill["px"], fill["side"]) == ("Auto-Deleveraging", "100000.0", "B")
    assert loser.account.raw_uusd >= 0
    assert money(venue) == 0


def test_nobody_on_the_other_side_leaves_it_to_the_crowd(venue):
    loser = leveraged(venue, 1, 2_600.0, 90_000)
    venue.block()
    venue.source.px = 90_000.0
    venue.exchange.instruments[0].refresh(venue.now_ms)  # the last oracle price is low as well
    venue.block()
    assert loser.account.lots(0) == 0
    assert loser.account.raw_uusd == 0
    assert venue.exchange.accounts.liquidator.raw_uusd < 0  # it made good what was missing
    assert money(venue) == 0


def test_isolated_loss_never_reaches_the_rest_of_the_account(venue):
    loser = leveraged(venue, 1, 10_000.0, 90_000, cross=False)
    rest = loser.account.raw_uusd - loser.account.isolated_uusd
    venue.source.px = 90_000.0
    venue.exchange.instruments[0].refresh(venue.now_ms)
    venue.block()
    assert loser.account.lots(0) == 0
    assert loser.account.raw_uusd == rest
    assert money(venue) == 0


def test_healthy_account_is_left_alone(venue):
    client = leveraged(venue, 1, 2_700.0, 90_000)
    oid = client.oid(order("B", "99000", "0.001"))
    mark(venue, 98_500.0)
    assert client.account.lots(0) == 90_000
    assert client.account.orders.status(oid).status != CANCELED
    assert venue.exchange.ledger.events == {}


@given(st.integers(100, 10**6), st.integers(-10**6, 10**6).filter(bool), st.integers(0, 10**9))
def test_sale_at_the_worst_price_leaves_nothing_below_zero(mark_ticks, lots, value):
    px = worst_ticks(value, lots, mark_ticks)
    fee = abs(lots) * px * 450 // 1_000_000
    assert px == 1 or value + lots * (px - mark_ticks) - fee >= 0


def test_market_liquidation_without_a_buyer_waits(venue):
    client = leveraged(venue, 1, 2_600.0, 90_000)
    for k in range(1, 21):
        venue.source.strike(1, 1_000_000 - 10 * k, 100_000)
    venue.block()
    mark(venue, 98_370.0)
    assert client.account.lots(0) == 90_000
    assert not fills(venue, client)
    assert money(venue) == 0
