"""Conservation: whatever clients do, lots and dollars are neither made nor lost, and the truth log says so."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from support.venue import START_MS, StillSource, Venue, cancel_action, order, order_action, trigger

from mmfast.sim import truth
from mmfast.sim.listing import Listing
from mmfast.sim.orders import IN_BOOK
from mmfast.sim.state import load, save
from mmfast.units import ASK, BID

HOUR_MS = 3_600_000
USD = 1_000_000
WHO, COIN = st.integers(0, 2), st.integers(0, 1)
SIDES = st.sampled_from("BS")
PRICES = st.integers(-12, 12).map(lambda k: str(100_000 + k))
SELDOM = st.sampled_from([False, False, False, True])
SIZES = st.integers(1, 80).map(lambda n: f"0.{n:02d}")


class Trading(RuleBasedStateMachine):
    """
    Three masters and a sub-account do whatever clients can do, on two coins, while the mark moves under them.

    A request waits for the next block; after every block nothing may have been made or lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.log = self.folder / "truth.jsonl"
        self.venue = Venue(truth.Truth(self.log), coins=("BTC", "ETH"), start_ms=START_MS // HOUR_MS * HOUR_MS)
        self.clients = [self.venue.client(number, usd) for number, usd in ((1, 1e6), (2, 30_000.0), (3, 4_000.0))]
        sub = self.clients[0].do({"type": "createSubAccount", "name": "sub"})["response"]["data"]
        self.sub = sub
        for client, side, sz in zip(self.clients, "BSB", ("1.5", "5.5", "0.75")):
            client.do({"type": "updateLeverage", "asset": 0, "isCross": side == "S", "leverage": 25})
            client.place(order(side, "100012" if side == "B" else "99988", sz, "Ioc"))

    @initialize(mode=st.sampled_from(["", "noCross", "strictIsolated"]))
    def list_the_second_coin(self, mode):
        self.venue.exchange.instruments[1].listing = Listing(margin_mode=mode)

    def teardown(self):
        self.venue.exchange.truth.close()
        lines = truth.read(self.log)
        rmtree(self.folder)
        replayed(self.venue, lines)

    def send(self, who, action, **envelope):
        self.clients[who].submit(action, **envelope)

    @rule(who=WHO, coin=COIN, side=SIDES, px=PRICES, sz=SIZES, reduce_only=SELDOM, sub=SELDOM,
          tif=st.sampled_from(["Alo", "Alo", "Ioc", "Gtc", "FrontendMarket"]))
    def place(self, who, coin, side, px, sz, reduce_only, sub, tif):
        vault = self.sub if sub and who == 0 else None
        self.send(who, order_action(order(side, px, sz, tif, reduce_only, asset=coin)), vault=vault)

    @rule(who=WHO, coin=COIN, side=SIDES, sz=SIZES, away=st.integers(1, 400), entry=PRICES,
          grouping=st.sampled_from(["na", "normalTpsl", "positionTpsl"]), tif=st.sampled_from(["Alo", "Ioc"]),
          market=st.booleans())
    def protect(self, who, coin, side, sz, away, entry, grouping, tif, market):
        sign = 1 if side == "S" else -1  # the exit of a long sells: its take profit lies above
        tp, sl = (trigger(side, kind, str(100_000 + way * sign * away), sz, px=None if market else "100000", asset=coin)
                  for kind, way in (("tp", 1), ("sl", -1)))
        start = [order("B" if side == "S" else "S", entry, sz, tif, asset=coin)] if grouping == "normalTpsl" else []
        self.send(who, order_action(*start, tp, sl, grouping=grouping))

    def oid(self, who, which):
        oids = list(self.clients[who].account.orders.open) or [1]
        order_ = self.clients[who].account.orders.open.get(oids[which % len(oids)])
        return oids[which % len(oids)], order_.asset if order_ else 0

    @rule(who=WHO, which=st.integers(0, 9), fast=st.booleans())
    def cancel(self, who, which, fast):
        oid, asset = self.oid(who, which)
        self.send(who, {**cancel_action(oid, asset=asset), **({"f": True} if fast else {})})

    @rule(who=WHO, which=st.integers(0, 9), side=SIDES, px=PRICES, sz=SIZES, always=st.booleans())
    def modify(self, who, which, side, px, sz, always):
        oid, asset = self.oid(who, which)
        new = order(side, px, sz, "Gtc", asset=asset)
        self.send(who, {"type": "batchModify", "modifies": [{"oid": oid, "order": new}],
                        **({"a": True} if always else {})})

    @rule(who=WHO, coin=COIN, cross=st.booleans(), gear=st.sampled_from([1, 3, 10, 25]))
    def gear(self, who, coin, cross, gear):
        self.send(who, {"type": "updateLeverage", "asset": coin, "isCross": cross, "leverage": gear})

    @rule(who=WHO, coin=COIN, usd=st.integers(-500, 500))
    def isolated_margin(self, who, coin, usd):
        self.send(who, {"type": "updateIsolatedMargin", "asset": coin, "isBuy": True, "ntli": usd * USD})

    @rule(who=WHO, coin=COIN, gear=st.sampled_from(["0.5", "1", "2.5", "10"]))
    def top_up(self, who, coin, gear):
        self.send(who, {"type": "topUpIsolatedOnlyMargin", "asset": coin, "leverage": gear})

    @rule(really=SELDOM, truly=SELDOM)
    def delist(self, really, truly):
        if really and truly:
            self.venue.exchange.delistings = {"ETH": self.venue.now_ms}
            self.block(70)

    @rule(deposit=st.booleans(), usd=st.integers(1, 20_000))
    def fund_sub(self, deposit, usd):
        self.send(0, {"type": "subAccountTransfer", "subAccountUser": self.sub, "isDeposit": deposit, "usd": usd * USD})

    @rule(who=WHO, coin=COIN, buys=st.booleans(), sz=SIZES, reduce_only=SELDOM)
    def twap(self, who, coin, buys, sz, reduce_only):
        asked = {"a": coin, "b": buys, "s": sz, "r": reduce_only, "m": 5, "t": False}
        self.send(who, {"type": "twapOrder", "twap": asked})

    @rule(coin=COIN, side=st.sampled_from([BID, ASK]), lots=st.integers(1, 300_000))
    def strike(self, coin, side, lots):
        source = list(self.venue.sources.values())[coin]
        if isinstance(source, StillSource):
            source.strike(side, 1_000_120 if side == BID else 999_880, lots)

    @rule(coin=COIN, bps=st.integers(-400, 400))
    def move_the_mark(self, coin, bps):
        list(self.venue.sources.values())[coin].px = 100_000.0 * (1 + bps * 1e-4)

    @rule(coin=COIN, bps=st.integers(-400, 400))
    def crash(self, coin, bps):
        self.move_the_mark(coin, bps)
        self.block(70)

    @rule(after_ms=st.sampled_from([70, 70, 70, 40_000, HOUR_MS]))
    def block(self, after_ms):
        self.venue.block(after_ms)
        check(self.venue)

    @rule(really=SELDOM)
    def restart(self, really):
        if not really:
            return
        exchange, path = self.venue.exchange, self.log.with_name("state")
        self.venue.block()
        save(exchange, path)
        exchange.truth.close()
        self.venue.exchange = load(path, truth.Truth(self.log))
        self.venue.sources = {one.name: one.market.source for one in self.venue.exchange.instruments}
        check(self.venue)


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=25, stateful_step_count=30, deadline=None,
                                suppress_health_check=list(HealthCheck))


def check(venue):
    """All that must hold after each block."""
    exchange = venue.exchange
    accounts = [*exchange.accounts.holders(), exchange.accounts.crowd]
    for instrument in exchange.instruments:
        assert sum(account.lots(instrument.asset) for account in accounts) == 0
    deposited = sum(account.deposited_uusd for account in accounts)
    assert sum(account.raw_uusd + account.fees_uusd for account in accounts) == deposited
    for account in accounts:
        assert all(held.lots or not (held.cost_uusd or held.isolated_uusd) for held in account.positions.values())
        costs = sum(held.cost_uusd for held in account.positions.values())
        profits = sum(held.closed_pnl_uusd for held in account.positions.values())
        assert account.raw_uusd + costs == (account.deposited_uusd + profits - account.fees_uusd
                                            + account.funding_uusd)
    for account in exchange.accounts.masters.values():  # nobody owes the exchange
        assert account.lots(0) or account.lots(1) or account.raw_uusd >= 0
    check_books(exchange)


def check_books(exchange):
    """The book is not crossed and holds exactly the open orders that do not wait, with exactly their lots."""
    for instrument in exchange.instruments:
        bid, ask = instrument.market.touch()
        assert not (bid[1] and ask[1]) or bid[0] < ask[0]
    for account in exchange.accounts.masters.values():
        for one in account.orders.open.values():
            market = exchange.instruments[one.asset].market
            if one.waits != IN_BOOK:
                assert one.oid in exchange.ledger.waiting
                assert one.oid not in market.sides
                continue
            market.queue(one.oid)  # raises where it does not rest
            assert market.reduce(one.oid, 0) == one.lots > 0
            if one.reduce_only:
                assert one.lots <= -one.sign * account.lots(one.asset)
    ledger = exchange.ledger
    resting = sum(len(i.market.sides) for i in exchange.instruments)
    assert resting + len(ledger.waiting) == len(ledger.live) == sum(
        len(account.orders.open) for account in exchange.accounts.masters.values())


def replayed(venue, lines):
    """The log alone tells the accounts' positions, cash and open orders."""
    assert [line["n"] for line in lines] == list(range(1, venue.exchange.truth.count + 1))
    lots, cash, opened = replay(lines)
    for account in venue.exchange.accounts.masters.values():
        for asset in (0, 1):
            assert lots[account.address, asset] == account.lots(asset)
        assert cash[account.address] == account.raw_uusd
        assert opened[account.address] == set(account.orders.open)


def replay(lines):
    """Positions, cash and open orders as the log alone tells them."""
    lots, cash, opened = Counter(), Counter(), defaultdict(set)
    for line in lines:
        user = line.get("user")
        if line["k"] == "deposit":
            cash[user] += line["uusd"]
        elif line["k"] == "fill":
            signed = line["lots"] * (1 if line["side"] == BID else -1)
            lots[user, line["asset"]] += signed
            cash[user] -= signed * line["px_ticks"] + line["fee_uusd"]
        elif line["k"] == "transfer":
            cash[line["source"]] -= line["uusd"]
            cash[line["target"]] += line["uusd"]
        elif line["k"] == "funding":
            cash[user] += line["uusd"]
        elif line["k"] == "order":
            (opened[user].add if line["status"] in ("open", "triggered") else opened[user].discard)(line["oid"])
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
