"""Who finds room in full blocks, and what waits."""

from __future__ import annotations

import asyncio
import pickle

import pytest
from support.live_server import live, wall_ms
from support.venue import Venue, cancel_action, order, order_action

from mmfast.sim.faults import Fault, Faults


@pytest.fixture
def venue():
    made = Venue()
    made.exchange.congested = True
    return made


def bid(px="99990"):
    return order_action(order("B", px, "0.1"))


def test_an_address_has_room_for_one_request_a_block_and_the_others_wait_in_their_order(venue):
    one, other = venue.client(1), venue.client(2)
    answers = [one.submit(bid(str(99_990 - k)), arrival_ns=10 - k) for k in range(3)]
    theirs = other.submit(bid())
    counts = []
    for _ in range(3):
        venue.block()
        counts.append([len(heard) for heard in (*answers, theirs)])
    assert counts == [[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 1]]
    assert venue.exchange.step(venue.now_ms + 70, 10**18).replies == []


def test_what_came_first_goes_first_though_a_block_executes_post_only_orders_before_cancels(venue):
    client = venue.client()
    oid = client.oid(order("B", "99980", "0.1"))
    cancel, place = client.submit(cancel_action(oid), arrival_ns=1), client.submit(bid(), arrival_ns=2)
    venue.block()
    assert (len(cancel), len(place)) == (1, 0)


def test_agents_share_the_room_of_their_master_and_sub_accounts_have_their_own(venue):
    master, agent = venue.client(1), venue.client(3)
    venue.exchange.accounts.masters.pop(agent.address)
    venue.exchange.approve(master.address, agent.address)
    sub = master.do({"type": "createSubAccount", "name": "one"})["response"]["data"]
    mine, agents, subs = master.submit(bid()), agent.submit(bid()), master.submit(bid(), vault=sub)
    venue.block()
    assert (len(mine), len(agents), len(subs)) == (1, 0, 1)
    venue.block()
    assert agents[0]["status"] == "ok"


def test_what_waits_too_long_has_expired(venue):
    client = venue.client()
    heard = [client.submit(bid(), expires=venue.now_ms + 100) for _ in range(2)]
    venue.block()
    venue.block()
    assert [answers[0]["status"] for answers in heard] == ["ok", "err"]


def test_all_wait_no_longer_once_it_is_over(venue):
    client = venue.client()
    heard = [client.submit(bid(str(99_990 - k))) for k in range(4)]
    venue.block()
    venue.exchange.congested = False
    venue.block()
    assert [len(answers) for answers in heard] == [1] * 4


def test_an_exchange_that_is_put_away_is_not_congested_when_it_is_taken_out(venue):
    assert not pickle.loads(pickle.dumps(venue.exchange)).congested


def test_it_lasts_as_long_as_its_fault():
    venue = Venue(start_ms=wall_ms())
    seen = []

    async def scenario(server):
        async with server.socket():
            while seen != [False, True, False]:
                await asyncio.sleep(0.005)
                if seen[-1:] != [venue.exchange.congested]:
                    seen.append(venue.exchange.congested)

    live(scenario, venue, faults=Faults([Fault("congestion", 0.2, 0.3)]))
