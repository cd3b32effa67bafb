"""What is refused and cancelled while the venue guards a coin's open interest, and what is not."""

from __future__ import annotations

import asyncio

import pytest
from support.live_server import live, wall_ms
from support.venue import Venue, order, order_action, updates

from mmfast.sim.faults import Fault, Faults
from mmfast.sim.open_interest import GUARDS, grows
from mmfast.venues.hyperliquid.errors import is_final


def guard(venue, *guards):
    venue.exchange.instruments[0].guards = frozenset(guards)


@pytest.mark.parametrize(("guards", "side", "px", "sz", "status"), [
    ("cap", "B", "99990", "0.1", "positionIncreaseAtOpenInterestCapRejected"),
    ("cap", "B", "100001", "0.1", "tooAggressiveAtOpenInterestCapRejected"),
    ("cap", "S", "100010", "0.5", "positionFlipAtOpenInterestCapRejected"),
    ("cap", "S", "100010", "0.2", "open"),
    ("pace", "B", "99990", "0.1", "openInterestIncreaseRejected"),
    ("pace", "S", "100010", "0.5", "openInterestIncreaseRejected"),
    ("pace", "S", "100010", "0.2", "open"),
    ("oracle", "B", "99990", "0.1", "oracleRejected"),
    ("oracle", "S", "100010", "0.2", "oracleRejected"),
])
def test_under_a_guard_positions_only_shrink_and_too_far_is_too_far(venue, maker, guards, side, px, sz, status):
    maker.place(order("B", "100001", "0.2", "Ioc"))
    guard(venue, guards)
    answer = maker.place(order(side, px, sz))[0]
    assert [state for _, state in updates(venue, maker)] == [status]
    if status != "open":
        assert is_final(answer["error"])
        assert answer["error"].endswith(" asset=0")


def test_at_the_cap_what_rests_beyond_the_oracle_and_would_grow_a_position_is_cancelled(venue, maker):
    maker.place(order("S", "99999", "0.2", "Ioc"))
    venue.source.px = 99_980.0
    venue.block()
    beyond = maker.oid(order("B", "99990", "0.3"))
    below, closing, asked = (maker.oid(order(*one)) for one in (
        ("B", "99970", "0.3"), ("B", "99991", "0.2"), ("S", "100010", "0.1")))
    guard(venue, "cap")
    venue.block()
    assert updates(venue, maker) == [(beyond, "openInterestCapCanceled")]
    assert list(maker.account.orders.open) == [below, closing, asked]
    venue.source.px = 99_960.0
    venue.block()
    assert updates(venue, maker) == [(below, "openInterestCapCanceled")]
    venue.source.px = 100_100.0
    venue.block()
    assert updates(venue, maker) == [(asked, "openInterestCapCanceled")]


@pytest.mark.parametrize("kind", GUARDS)
def test_a_guard_holds_for_as_long_as_its_fault(kind):
    venue = Venue(start_ms=wall_ms())
    account = venue.client()
    action = order_action(order("B", "99990", "0.1"))

    async def scenario(server):
        async with server.socket():
            answer: dict = {}
            while "error" not in str(answer):
                answer = await server.post("/exchange", account.signed(action))
            capped = await server.post("/info", {"type": "perpsAtOpenInterestCap"})
            assert capped == (["BTC"] if kind == "cap" else [])
            while "error" in str(answer):
                answer = await server.post("/exchange", account.signed(action))

    live(scenario, venue, faults=Faults([Fault(kind, 0.1, 0.5)]))


def test_an_exchange_that_ended_amid_a_guard_and_is_resumed_has_none_without_its_fault():
    venue = Venue(start_ms=wall_ms())
    guard(venue, "cap")

    async def scenario(server):
        before_ms = venue.exchange.now_ms
        while venue.exchange.now_ms == before_ms:
            await asyncio.sleep(0.005)
        assert await server.post("/info", {"type": "perpsAtOpenInterestCap"}) == []

    live(scenario, venue)


def test_a_trade_grows_a_position_that_it_makes_larger_or_turns_over():
    assert [grows(held, signed) for held, signed in (
        (0, 1), (2, 1), (-2, -1), (2, -5), (2, -3), (2, -2), (-2, 1), (0, 0))] == [
        True, True, True, True, True, False, False, False]
