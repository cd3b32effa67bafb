"""Booking of sweeps."""

from __future__ import annotations

from support.venue import Venue, order, updates

from mmfast.units import ASK, BID


def test_partial_fill_of_a_resting_order_is_not_a_status():
    venue = Venue()
    client = venue.client()
    oid = client.oid(order("B", "100000", "0.5"))
    venue.source.strike(ASK, 1_000_000, 20_000)
    venue.block()
    assert updates(venue, client) == []
    (fill,) = venue.exchange.ledger.fills[client.account.owner]
    assert (fill["sz"], fill["fee"], fill["oid"], fill["dir"]) == ("0.2", "3.0", oid, "Open Long")
    assert client.account.orders.open[oid].lots == 30_000


def test_one_sweep_through_several_orders_chains_their_start_positions():
    venue = Venue()
    client = venue.client()
    for px in ("100000", "99999", "99998"):
        client.oid(order("B", px, "0.1"))
    venue.source.strike(ASK, 999_980, 500_000)
    venue.block()
    fills = venue.exchange.ledger.fills[client.account.owner]
    assert [fill["startPosition"] for fill in fills] == ["0.0", "0.1", "0.2"]
    assert len({fill["tid"] for fill in fills}) == 3
    assert len({fill["hash"] for fill in fills}) == 1


def test_both_sides_of_a_trade_between_users_have_one_tid_and_their_own_fees():
    venue = Venue()
    maker, taker = venue.client(1), venue.client(2)
    maker.oid(order("S", "100000", "0.1"))
    taker.place(order("B", "100000", "0.1", "Ioc"))
    (sold,) = venue.exchange.ledger.fills[maker.account.owner]
    (bought,) = venue.exchange.ledger.fills[taker.account.owner]
    assert (sold["tid"], sold["hash"]) == (bought["tid"], bought["hash"])
    assert (sold["fee"], bought["fee"]) == ("1.5", "4.5")
    (trade,) = venue.exchange.recent_trades(venue.exchange.instruments[0])
    assert trade["users"] == [taker.address, maker.address]


def test_reduce_only_order_is_cancelled_with_the_fill_that_closes_the_position():
    venue = Venue()
    client = venue.client()
    client.place(order("B", "100001", "0.1", "Ioc"))
    follower = client.oid(order("S", "100010", "0.1", reduce_only=True))
    closer = client.oid(order("S", "100000", "0.1"))
    venue.source.strike(BID, 1_000_000, 10_000)
    venue.block()
    assert updates(venue, client) == [(closer, "filled"), (follower, "reduceOnlyCanceled")]
    assert not venue.exchange.ledger.live


def test_order_ids_count_upward_over_accounts_and_coins():
    venue = Venue(coins=("BTC", "ETH"))
    first, second = venue.client(1), venue.client(2)
    oids = [first.oid(order("B", "99990", "0.1")), second.oid(order("B", "99990", "0.1", asset=1)),
            first.oid(order("B", "99990", "0.1", asset=1))]
    assert oids == sorted(set(oids))
