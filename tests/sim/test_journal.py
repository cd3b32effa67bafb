"""An exchange whose process is killed is found again as it was: after any block, whatever went into it."""

from __future__ import annotations

import shutil
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.venue import START_MS, Venue, order, order_action

from mmfast.sim.accounts import Accounts
from mmfast.sim.command import Options, open_exchange
from mmfast.sim.exchange import Exchange
from mmfast.sim.journal import Journal, beside
from mmfast.sim.market import Market
from mmfast.sim.mirror import MirrorSource
from mmfast.sim.state import Keeper, load
from mmfast.sim.synthetic import SyntheticSource
from mmfast.sim.truth import Truth, read

PRICES = st.integers(-60, 60)
ACTION = st.one_of(
    st.none(),
    st.tuples(st.sampled_from("BS"), PRICES, st.sampled_from(("0.001", "0.4", "30")),
              st.sampled_from(("Alo", "Gtc", "Ioc")), st.booleans()),
    st.just("cancel"), st.just("post only"), st.just("cap"), st.just("keep"))


class Running:
    """A generated market with one client, kept in a file."""

    def __init__(self, folder, truth=None):
        self.path = folder / "state"
        markets = {"BTC": Market("BTC", 5, SyntheticSource("BTC", 11), START_MS)}
        self.exchange = Exchange(markets, Accounts(round(1e12)), truth=truth, start_ms=START_MS)
        self.client = Venue().client(2)
        self.keeper = Keeper(self.exchange, self.path)
        self.now_ms = START_MS

    def do(self, what):
        """Something happens, and then a block."""
        exchange, account = self.exchange, self.exchange.accounts.masters.get(self.client.address)
        mid = exchange.instruments[0].mark_ticks // 10
        if isinstance(what, tuple):
            side, away, size, tif, reduce_only = what
            made = order(side, str(mid + away), size, tif, reduce_only=reduce_only)
            exchange.submit(self.client.signed(order_action(made)), 0, lambda answer: None)
        elif what == "cancel" and account is not None and account.orders.open:
            oid = next(iter(account.orders.open))
            made = {"type": "cancel", "cancels": [{"a": 0, "o": oid}]}
            exchange.submit(self.client.signed(made), 0, lambda answer: None)
        elif what == "post only":
            exchange.post_only(200, self.now_ms)
        elif what == "cap":
            exchange.instruments[0].guards ^= {"cap"}
        elif what == "keep":
            self.keeper.keep()
        self.now_ms += 70
        exchange.step(self.now_ms, 1)


def parts(value):
    """What an object is made of, by name."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, (list, tuple, deque)):
        return dict(enumerate(value))
    slots = (name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ()))
    return {**{name: getattr(value, name) for name in slots}, **getattr(value, "__dict__", {})}


def same(one, other, where="exchange", seen=None):
    """AssertionError where two objects differ, whatever they are made of; files and the journal itself left out."""
    seen = set() if seen is None else seen
    assert type(one) is type(other), where
    if isinstance(one, (int, float, str, bytes, type(None), set, frozenset)):
        assert one == other or one != one, where
    elif isinstance(one, (np.ndarray, np.void)):
        assert one.tobytes() == other.tobytes(), where
    elif id(one) not in seen and not callable(one) and not isinstance(one, (Truth, Journal)):
        seen.add(id(one))
        mine, theirs = parts(one), parts(other)
        assert set(mine) == set(theirs), where
        if isinstance(one, dict):
            assert list(mine) == list(theirs), where
        for name in mine:
            same(mine[name], theirs[name], f"{where}.{name}", seen)


@settings(max_examples=15, deadline=None)
@given(happens=st.lists(ACTION, min_size=1, max_size=25))
def test_what_went_into_the_blocks_since_ends_in_the_same_exchange(tmp_path_factory, happens):
    running = Running(tmp_path_factory.mktemp("journal"))
    for what in happens:
        running.do(what)
    found = load(running.path, Truth())
    running.exchange.log = None
    same(running.exchange, found)


def test_two_exchanges_that_differ_in_one_lot_are_not_the_same(tmp_path):
    running = Running(tmp_path)
    running.do(("B", 40, "0.4", "Ioc", False))
    found = load(running.path, Truth())
    running.exchange.log = None
    same(running.exchange, found)
    found.accounts.masters[running.client.address].positions[0].lots += 1
    with pytest.raises(AssertionError, match=r"positions\.0\.lots"):
        same(running.exchange, found)


def test_truth_of_blocks_that_are_executed_again_is_written_once(tmp_path):
    log = tmp_path / "truth"
    running = Running(tmp_path, Truth(log))
    running.do(("B", 40, "0.4", "Ioc", False))
    running.exchange.truth._file.flush()
    flushed = log.read_bytes()
    running.do(("S", -40, "0.1", "Ioc", True))
    running.exchange.truth.close()
    whole = [(line["k"], line["n"]) for line in read(log)]
    log.write_bytes(flushed + b'{"k":"fi')  # what the kill left of it
    found = load(running.path, Truth(log))
    found.truth.close()
    lines = [(line["k"], line["n"]) for line in read(log)]
    assert lines == [*whole, ("start", len(whole) + 1)]
    assert sum(kind == "fill" for kind, _ in lines) >= 2


def test_line_cut_short_by_the_kill_is_a_block_that_never_was(tmp_path):
    running = Running(tmp_path)
    running.do(None)
    before = running.exchange.now_ms
    running.do(("B", 40, "0.4", "Ioc", False))
    journal = beside(running.path)
    journal.write_bytes(journal.read_bytes()[:-5])
    found = load(running.path, Truth())
    assert found.now_ms == before
    assert not found.accounts.masters


def test_journal_of_an_older_state_is_left_alone_and_that_of_a_newer_one_refused(tmp_path):
    running = Running(tmp_path)
    running.do(("B", 40, "0.4", "Ioc", False))
    older, state = beside(running.path).read_bytes(), running.path.read_bytes()
    running.keeper.keep()  # killed between state and journal
    beside(running.path).write_bytes(older)
    assert load(running.path, Truth()).accounts.masters[running.client.address].lots(0) == 40_000
    running.keeper.keep()
    running.path.write_bytes(state)
    with pytest.raises(ValueError, match="newer state"):
        load(running.path, Truth())


def book(px, time_ms):
    levels = [[{"px": f"{px - 1}.0", "sz": "3.0", "n": 1}], [{"px": f"{px + 1}.0", "sz": "2.0", "n": 1}]]
    return {"coin": "BTC", "time": time_ms, "levels": levels}


def test_what_a_mirror_was_told_is_told_again(tmp_path):
    source = MirrorSource("BTC", 5)
    source.begin(book(100_000, START_MS))
    exchange = Exchange({"BTC": Market("BTC", 5, source, START_MS)}, start_ms=START_MS)
    keeper = Keeper(exchange, tmp_path / "state")
    exchange.step(START_MS + 70, 0)
    keeper.heard("BTC", "l2Book", book(100_500, START_MS + 80))
    source.take("l2Book", book(100_500, START_MS + 80))
    exchange.step(START_MS + 140, 0)
    shutil.copytree(tmp_path, tmp_path / "copy")
    touch = load(tmp_path / "copy" / "state", Truth()).instruments[0].market.touch()
    assert touch == exchange.instruments[0].market.touch()
    assert touch[0][0] == 1_004_990


def test_mirror_that_comes_back_shows_what_it_is_told_now_and_keeps_the_orders(tmp_path):
    options = Options(market="mirror", upstream="http://127.0.0.1:1", coins=("BTC",), state=tmp_path / "state",
                      fund_anyone_usd=1e6)
    found = {"BTC": MirrorSource("BTC", 5)}
    found["BTC"].begin(book(100_000, START_MS))
    exchange = open_exchange(options, START_MS, found)
    keeper, client = Keeper(exchange, options.state), Venue().client(2)
    exchange.submit(client.signed(order_action(order("B", "99000", "0.1"))), 0, lambda answer: None)
    exchange.step(START_MS + 70, 1)
    keeper.close()
    later = {"BTC": MirrorSource("BTC", 5)}
    later["BTC"].begin(book(99_500, START_MS + 10_000))
    again = open_exchange(options, START_MS + 10_000, later)
    again.step(START_MS + 10_070, 1)
    assert again.instruments[0].market.touch()[0][0] == 994_990
    assert [one.px_ticks for one in again.accounts.masters[client.address].orders.open.values()] == [990_000]
