"""Conservation: whatever clients do, lots and dollars are neither made nor lost, and the truth log says so."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.venue import START_MS, Venue, cancel_action, order, order_action

from mmfast.sim import truth
from mmfast.units import ASK, BID

HOUR_MS = 3_600_000
PRICES = st.integers(-6, 6).map(lambda k: str(100_000 + k))
ORDER = st.tuples(st.just("order"), st.sampled_from("BS"), PRICES, st.integers(1, 30).map(lambda n: f"0.0{n:02d}"),
                  st.sampled_from(["Alo", "Ioc", "Gtc"]), st.booleans())
CANCEL = st.tuples(st.just("cancel"), st.integers(0, 5))
MODIFY = st.tuples(st.just("modify"), st.integers(0, 5), st.sampled_from("BS"), PRICES)
STRIKE = st.tuples(st.just("strike"), st.sampled_from([BID, ASK]), st.integers(1, 300_000))
STEP = st.tuples(st.integers(0, 2), st.one_of(ORDER, ORDER, CANCEL, MODIFY, STRIKE))


def play(venue, clients, steps):
    """Submit a history, a few requests to each block."""
    for index, (who, (kind, *rest)) in enumerate(steps):
        client = clients[who]
        oids = list(client.account.orders.open) or [1]
        if kind == "order":
            side, px, sz, tif, reduce_only = rest
            client.submit(order_action(order(side, px, sz, tif, reduce_only)))
        elif kind == "cancel":
            client.submit(cancel_action(oids[rest[0] % len(oids)]))
        elif kind == "modify":
            new = order(rest[1], rest[2], "0.01")
            client.submit({"type": "batchModify", "modifies": [{"oid": oids[rest[0] % len(oids)], "order": new}]})
        else:
            side, lots = rest
            venue.source.strike(side, 1_000_060 if side == BID else 999_940, lots)
        if index % 3 == 2:
            venue.block()
            check(venue)
    venue.block(HOUR_MS)
    venue.block()
    check(venue)


def check(venue):
    """All that must hold after each block."""
    exchange = venue.exchange
    accounts = [*exchange.accounts.holders(), exchange.accounts.crowd]
    for instrument in exchange.instruments:
        assert sum(account.lots(instrument.asset) for account in accounts) == 0
    deposited = sum(account.deposited_uusd for account in accounts)
    assert sum(account.raw_uusd + account.fees_uusd for account in accounts) == deposited
    for account in accounts:
        costs = sum(held.cost_uusd for held in account.positions.values())
        profits = sum(held.closed_pnl_uusd for held in account.positions.values())
        assert account.raw_uusd + costs == (account.deposited_uusd + profits - account.fees_uusd
                                            + account.funding_uusd)
    check_books(exchange)


def check_books(exchange):
    """The book holds exactly the open orders, with exactly their lots, and reduce-only ones only reduce."""
    for account in exchange.accounts.masters.values():
        for open_order in account.orders.open.values():
            market = exchange.instruments[open_order.asset].market
            market.queue(open_order.oid)  # raises where it does not rest
            assert market.reduce(open_order.oid, 0) == open_order.lots > 0
            if open_order.reduce_only:
                assert open_order.lots <= -open_order.sign * account.lots(open_order.asset)
    resting = sum(len(i.market.sides) for i in exchange.instruments)
    assert resting == len(exchange.ledger.live) == sum(
        len(account.orders.open) for account in exchange.accounts.masters.values())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, min_size=3, max_size=40))
def test_random_histories_conserve_lots_and_dollars(steps):
    venue = Venue(start_ms=START_MS // HOUR_MS * HOUR_MS)
    play(venue, [venue.client(number) for number in (1, 2, 3)], steps)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=10, max_size=40))
def test_truth_log_adds_up_to_the_accounts(tmp_path: Path, steps):
    path = tmp_path / "truth.jsonl"
    path.unlink(missing_ok=True)
    venue = Venue(truth.Truth(path), start_ms=START_MS // HOUR_MS * HOUR_MS)
    clients = [venue.client(number) for number in (1, 2, 3)]
    play(venue, clients, steps)
    venue.exchange.truth.close()
    lines = truth.read(path)
    assert [line["n"] for line in lines] == list(range(1, venue.exchange.truth.count + 1))
    lots, cash, opened = replay(lines)
    for client in clients:
        assert lots[client.address] == client.account.lots(0)
        assert cash[client.address] == client.account.raw_uusd
        assert opened[client.address] == set(client.account.orders.open)


def replay(lines):
    """Positions, cash and open orders as the log alone tells them."""
    lots, cash, opened = Counter(), Counter(), {}
    for line in lines:
        user = line.get("user")
        if line["k"] == "deposit":
            cash[user] += line["uusd"]
            opened[user] = set()
        elif line["k"] == "fill":
            signed = line["lots"] * (1 if line["side"] == BID else -1)
            lots[user] += signed
            cash[user] -= signed * line["px_ticks"] + line["fee_uusd"]
        elif line["k"] == "transfer":
            cash[line["source"]] -= line["uusd"]
            cash[line["target"]] += line["uusd"]
        elif line["k"] == "funding":
            cash[user] += line["uusd"]
        elif line["k"] == "order":
            (opened[user].add if line["status"] == "open" else opened[user].discard)(line["oid"])
    return lots, cash, opened


def test_block_time_increases_even_when_the_wall_clock_does_not():
    venue = Venue()
    first = venue.exchange.step(START_MS - 10, 0)
    second = venue.exchange.step(START_MS - 10, 0)
    assert START_MS < first.time_ms < second.time_ms


def test_request_waits_for_the_first_block_after_its_arrival():
    venue = Venue()
    client = venue.client()
    answers = []
    venue.exchange.submit(client.signed({"type": "noop"}), 1000, answers.append)
    assert venue.exchange.step(START_MS + 1, 999).replies == []
    assert len(venue.exchange.step(START_MS + 2, 1000).replies) == 1


def test_touch_is_told_only_when_it_changes():
    venue = Venue()
    client = venue.client()
    assert [i.name for i in venue.block().touched] == ["BTC"]
    assert venue.block().touched == []
    client.submit(order_action(order("B", "99980", "0.1")))
    assert venue.block().touched == []
    client.submit(order_action(order("B", "100000", "0.1")))
    assert [i.name for i in venue.block().touched] == ["BTC"]


def test_public_trade_names_the_users_behind_it_and_shares_its_hash_with_their_fills():
    venue = Venue()
    client = venue.client()
    client.place(order("B", "100000", "0.1"))
    venue.source.strike(ASK, 999_990, 20_000)
    made = venue.block()
    shown = venue.exchange.recent_trades(venue.exchange.instruments[0])
    (fill,) = venue.exchange.ledger.fills[client.account.owner]
    (own,) = [trade for trade in shown if trade["tid"] == fill["tid"]]
    assert own["users"][0] == client.address
    assert own["users"][1] != client.address
    assert (own["hash"], own["side"], fill["side"], fill["crossed"]) == (fill["hash"], "A", "B", False)
    assert {one.print.time_ms for one in made.trades[0]} == {made.time_ms}
    assert len({trade["hash"] for trade in shown}) == 1  # one taker


def test_funding_is_paid_on_the_hour_by_the_long_to_the_crowd():
    venue = Venue(start_ms=START_MS // HOUR_MS * HOUR_MS)
    client = venue.client()
    client.place(order("B", "100001", "1", "Ioc"))
    before = client.account.raw_uusd
    venue.block(HOUR_MS)
    paid = before - client.account.raw_uusd
    assert paid == 1_250_000  # 1 coin x 100 000 dollars x 0.0000125
    assert venue.exchange.accounts.crowd.funding_uusd == paid
    (shown,) = venue.exchange.ledger.fundings[client.account.owner]
    assert shown == {"time": venue.exchange.now_ms, "coin": "BTC", "usdc": "-1.25", "szi": "1.0",
                     "fundingRate": "0.0000125", "nSamples": None}
    venue.block()
    assert before - client.account.raw_uusd == paid
