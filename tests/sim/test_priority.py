"""Priority paid from stake: who goes first, what it costs, and who may not have it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.venue import Venue, order, order_action

from mmfast.sim.book import USERS, new_book
from mmfast.sim.priority import BUCKET_NS, HYPE_UUSD, STEEP, burned_units, effective_ns, turn
from mmfast.sim.queueing import LOCKED_AFTER_MS, join, set_level
from mmfast.units import ASK, BID

MS = 1_000_000
HYPE = 10**8  # units of a stake


def staker(venue: Venue, number: int = 1, hype: float = 1000.0) -> Any:
    made = venue.client(number)
    venue.exchange.stake(made.address, round(hype * HYPE))
    return made


def ioc(rate: int, sz: str = "0.1", px: str = "100001") -> dict[str, Any]:
    return order_action(order("B", px, sz, "Ioc"), grouping={"p": rate})


def alo(rate: int, sz: str = "0.1", px: str = "99990") -> dict[str, Any]:
    return order_action(order("B", px, sz), grouping={"p": rate})


def words(client: Any, action: dict[str, Any]) -> str:
    answer = client.do(action)
    assert answer["status"] == "err", answer
    return answer["response"]


@given(st.integers(0, 10**8), st.integers(0, 10**12), st.integers(0, 10**9))
def test_each_basis_point_gains_45_ms_and_no_more_than_eight_count(rate, arrival_ns, held_ns):
    gain = arrival_ns + held_ns - effective_ns(arrival_ns, ioc(rate), held_ns)
    assert gain == min(rate, 80_000) * 45 * MS // 10_000
    for free in (alo(rate), {"type": "cancel", "cancels": [], "f": True}, {"type": "noop"}):
        assert effective_ns(arrival_ns, free, held_ns) == arrival_ns


def test_later_taker_overtakes_by_blocks_while_the_mempool_holds_the_first_back(venue):
    venue.exchange.takers_held_ns = 360 * MS
    slow, quick = staker(venue, 1), staker(venue, 2)
    first = slow.submit(ioc(0), 0)
    then = quick.submit(ioc(STEEP), 300 * MS)
    venue.exchange.step(venue.now_ms + 70, 299 * MS)
    (replied,) = venue.exchange.step(venue.now_ms + 140, 300 * MS).replies
    assert replied[0] == then.append
    assert venue.exchange.step(venue.now_ms + 210, 359 * MS).replies == []
    assert [reply for reply, _ in venue.exchange.step(venue.now_ms + 280, 360 * MS).replies] == [first.append]


def test_makers_and_fast_cancels_are_never_held_back(venue, maker):
    oids = [maker.oid(order("B", px, "0.1")) for px in ("99990", "99980")]
    venue.exchange.takers_held_ns = 360 * MS
    maker.submit(order_action(order("B", "99970", "0.1")), 0)
    maker.submit({"type": "cancel", "cancels": [{"a": 0, "o": oids[0]}], "f": True}, 0)
    slow = maker.submit({"type": "cancel", "cancels": [{"a": 0, "o": oids[1]}]}, 0)
    assert len(venue.exchange.step(venue.now_ms + 70, 359 * MS).replies) == 2
    assert [reply for reply, _ in venue.exchange.step(venue.now_ms + 140, 360 * MS).replies] == [slow.append]


def test_of_two_takers_in_a_block_the_one_that_paid_gets_the_best_price(venue):
    first, payer = staker(venue, 1), staker(venue, 2)
    first.submit(ioc(0, "1"), 0)
    payer.submit(ioc(10_000, "1"), 44 * MS)
    venue.block()
    assert (first.account.lots(0), payer.account.lots(0)) == (0, 100_000)


def test_beyond_eight_points_the_rate_decides_within_70_ms():
    early, steep, steeper = (turn(arrival * MS, ioc(rate), 0)
                             for arrival, rate in ((361, STEEP), (20, 2 * STEEP), (60, 3 * STEEP)))
    assert sorted([early, steep, steeper])[-1] == early  # 361 - 360 ms would be first, was it not in the steep's 70 ms
    assert steeper < steep
    assert turn(BUCKET_NS + 360 * MS, ioc(3 * STEEP), 0) > steep


def test_ioc_burns_what_it_filled(venue):
    taker = staker(venue)
    taker.do(ioc(10_000, "3", "100002"))  # 2 coins are there
    filled_uusd = 200_003 * 10**6
    assert taker.account.stake_units == 1000 * HYPE - burned_units(venue.exchange.ledger, filled_uusd, 10_000)
    assert 1000 * HYPE - taker.account.stake_units == -(-filled_uusd * HYPE // (10_000 * HYPE_UUSD))


def test_alo_burns_what_rests_and_a_refused_one_nothing(venue):
    maker = staker(venue)
    batch = order_action(order("B", "99990", "0.1"), order("B", "100001", "0.1"), grouping={"p": 500})
    statuses = maker.do(batch)["response"]["data"]["statuses"]
    assert ["resting" in one for one in statuses] == [True, False]
    burned = burned_units(venue.exchange.ledger, 9_999 * 10**6, 500)
    assert maker.account.stake_units == 1000 * HYPE - burned
    fees = maker.account.fees_uusd
    assert fees == 0


def test_cost_follows_the_price_of_hype_where_it_is_listed():
    venue = Venue(coins=("BTC", "HYPE"))
    (hype,) = [one for one in venue.exchange.instruments if one.name == "HYPE"]
    assert hype.oracle_ticks * 10**hype.sz_decimals == 100_000 * 10**6
    assert burned_units(venue.exchange.ledger, 100_000 * 10**6, 10**8) == HYPE


LEDGER = Venue().exchange.ledger


@given(st.integers(0, 10**15), st.integers(1, 10**8))
def test_burn_is_rounded_up_to_the_smallest_unit(notional_uusd, rate):
    units = burned_units(LEDGER, notional_uusd, rate)
    exact = notional_uusd * rate
    assert (units - 1) * HYPE_UUSD < exact <= units * HYPE_UUSD or exact == units == 0


@pytest.mark.parametrize(("batch", "refused"), [
    (order_action(order("B", "99990", "0.1"), order("B", "100001", "0.1", "Ioc"), grouping={"p": 1}), "all to be"),
    (order_action(order("B", "99990", "0.1", "Gtc"), grouping={"p": 1}), "all to be"),
    (order_action(order("S", "100010", "0.1", reduce_only=True), grouping={"p": 1}), "all to be"),
    (ioc(10**8 + 1), "rate too high"),
])
def test_priority_is_for_pure_batches_and_rates_up_to_the_whole(venue, batch, refused):
    client = staker(venue)
    client.do(order_action(order("B", "100001", "0.1", "Ioc")))
    assert refused in words(client, batch)
    assert client.account.stake_units == 1000 * HYPE


def test_batch_that_the_stake_does_not_cover_is_refused_whole(venue):
    client = staker(venue, hype=1.0)  # 92 dollars: a rate of 92 bp on 10,000 dollars is just covered
    assert words(client, alo(920_100, "0.1", "99990")) == "Insufficient staking balance for priority fee."
    assert not client.account.orders.open
    assert client.do(alo(920_000, "0.1", "99990"))["status"] == "ok"


def test_priority_is_refused_to_those_who_stake_nothing(venue):
    client = venue.client()
    assert words(client, alo(100)) == "Insufficient staking balance for priority fee."
    assert client.do(alo(0))["status"] == "ok"


def test_sub_account_pays_from_the_stake_of_its_master(venue):
    master = staker(venue)
    sub = master.do({"type": "createSubAccount", "name": "s"})["response"]["data"]
    master.do({"type": "subAccountTransfer", "subAccountUser": sub, "isDeposit": True, "usd": 100_000 * 10**6})
    assert master.do(alo(500), vault=sub)["status"] == "ok"
    assert master.account.stake_units < 1000 * HYPE


def test_reduce_only_ioc_may_pay(venue):
    client = staker(venue)
    client.do(ioc(0))
    sell = order_action(order("S", "99999", "0.1", "Ioc", reduce_only=True), grouping={"p": 100})
    assert "filled" in client.do(sell)["response"]["data"]["statuses"][0]


def test_payer_passes_the_young_of_its_level_and_is_filled_first(venue):
    old, young, payer = venue.client(2), venue.client(3), staker(venue, 1)
    old.place(order("B", "100000", "0.1"))
    venue.block(LOCKED_AFTER_MS)
    young.place(order("B", "100000", "0.1"))
    payer.do(alo(1, "0.1", "100000"))
    venue.source.strike(ASK, 1_000_000, 20_000)
    venue.block()
    assert [one.account.lots(0) for one in (old, payer, young)] == [10_000, 10_000, 0]


def test_modify_gives_up_the_priority(venue):
    payer, other = staker(venue, 1), venue.client(2)
    oid = payer.do(alo(5000, "0.1", "100000"))["response"]["data"]["statuses"][0]["resting"]["oid"]
    payer.do({"type": "batchModify", "modifies": [{"oid": oid, "order": order("B", "100000", "0.2")}]})
    other.place(order("B", "100000", "0.1"))
    (rests,) = payer.account.orders.open.values()
    assert rests.rate == 0


ARRIVALS = st.lists(st.tuples(st.integers(0, 300), st.sampled_from([0, 0, 1, 5, 9])), min_size=1, max_size=12)


@settings(deadline=None)
@given(ARRIVALS, st.integers(0, 50))
def test_queue_of_a_level_is_that_of_a_list_in_which_nobody_passes_a_locked_or_a_better_payer(arrivals, background):
    book, now_ms, twin = new_book("T")[0], 0, []
    for number, (after_ms, rate) in enumerate(arrivals):
        now_ms += after_ms
        set_level(book, BID, 100, background * (number + 1), number + 1)
        join(book, BID, number, number, 100, 5, rate, now_ms)
        at = len(twin)
        while at and twin[at - 1][2] < rate and now_ms - twin[at - 1][1] <= LOCKED_AFTER_MS:
            at -= 1
        twin.insert(at, (number, now_ms, rate))
    count = len(arrivals)
    assert book["user_id"][BID, :count].tolist() == [one[0] for one in twin]
    ahead = book["user_ahead"][BID, :count].tolist()
    assert all(first <= then for first, then in pairwise(ahead))
    assert count <= USERS


def test_payer_stands_before_the_background_that_came_after_those_it_passes():
    book = new_book("T")[0]
    set_level(book, BID, 100, 30, 1)
    join(book, BID, 1, 7, 100, 5, 0, 0)
    set_level(book, BID, 100, 50, 2)
    join(book, BID, 2, 8, 100, 5, 3, 100)
    assert book["user_id"][BID, :2].tolist() == [2, 1]
    assert book["user_ahead"][BID, :2].tolist() == [30, 30]
