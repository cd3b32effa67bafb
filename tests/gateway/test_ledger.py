"""The account is exact to the micro-dollar, whatever order fills come in."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.gateway import ledger as books
from mmfast.records.account import FILL, LEDGER
from mmfast.units import ASK, BID

FILLS = st.lists(st.tuples(st.integers(1, 2_000_000), st.integers(1, 100_000), st.sampled_from([BID, ASK]),
                           st.integers(-50_000, 50_000)), max_size=25)


def fill_of(px, lots, side, tid, start=0, fee=0):
    f = np.zeros(1, FILL)[0]
    f["px_ticks"], f["lots"], f["side"], f["tid"], f["start_lots"], f["fee_uusd"] = px, lots, side, tid, start, fee
    return f


def account(position=0, mark=0):
    ledger, tids = np.zeros(1, LEDGER)[0], books.new_tids()[0]
    books.start(ledger, position, mark)
    return ledger, tids


@given(FILLS, st.randoms(use_true_random=False), st.integers(-10_000, 10_000), st.integers(1, 2_000_000))
@settings(max_examples=80, deadline=None)
def test_shuffled_and_doubled_fills_give_the_sum_of_fractions(fills, random, start, mark):
    ledger, tids = account(start, 1_000)
    dollars, coins, fees = Fraction(0), Fraction(start, 100_000), Fraction(0)
    told = []
    for tid, (px, lots, side, fee) in enumerate(fills):
        sign = 1 if side == BID else -1
        dollars -= sign * Fraction(px, 10) * Fraction(lots, 100_000)
        coins += sign * Fraction(lots, 100_000)
        fees += Fraction(fee, 10**6)
        told += [fill_of(px, lots, side, tid, 0, fee)] * random.choice([1, 1, 2, 3])
    random.shuffle(told)
    new = sum(books.book_fill(ledger, tids, f.copy()) in (books.BOOKED, books.CHAIN_BREAK) for f in told)
    assert new == len(fills) == ledger["fill_count"]
    assert Fraction(int(ledger["position_lots"]), 100_000) == coins
    assert Fraction(int(ledger["cash_uusd"]), 10**6) == dollars
    equity = dollars + coins * Fraction(mark, 10) - fees
    assert Fraction(books.equity_uusd(ledger, mark), 10**6) == equity
    assert Fraction(books.pnl_uusd(ledger, mark), 10**6) == equity - Fraction(start, 100_000) * Fraction(1_000, 10)
    assert ledger["bought_lots"] - ledger["sold_lots"] == ledger["position_lots"] - start
    assert ledger["volume_uusd"] == sum(px * lots for px, lots, _, _ in fills)


def test_chain_says_when_a_fill_is_missing_and_when_it_was_only_late():
    ledger, tids = account()
    assert books.book_fill(ledger, tids, fill_of(10, 5, BID, 1, start=0)) == books.BOOKED
    late = fill_of(10, 2, BID, 2, start=5)
    assert books.book_fill(ledger, tids, fill_of(10, 1, ASK, 3, start=7)) == books.CHAIN_BREAK
    assert books.book_fill(ledger, tids, late) == books.CHAIN_BREAK
    assert late["position_lots"] == 6
    assert books.book_fill(ledger, tids, fill_of(10, 1, ASK, 4, start=6)) == books.BOOKED


def test_duplicate_changes_nothing():
    ledger, tids = account()
    books.book_fill(ledger, tids, fill_of(10, 5, BID, 1))
    before = ledger.copy()
    assert books.book_fill(ledger, tids, fill_of(99, 7, ASK, 1)) == books.DUPLICATE
    assert ledger == before


@pytest.mark.parametrize("bad", [(0, 1, BID, 1), (-1, 1, BID, 1), (1, 0, BID, 1), (1, -1, BID, 1), (1, 1, 2, 1),
                                 (1, 1, -1, 1), (1, 1, BID, -1), (2**62, 2, BID, 1), (2**40, 2**40, BID, 1)])
def test_impossible_fill_is_refused_and_not_remembered(bad):
    ledger, tids = account()
    before = ledger.copy()
    assert books.book_fill(ledger, tids, fill_of(*bad)) == books.BAD_FILL
    assert ledger == before
    assert tids["count"] == 0


def test_largest_notional_is_exact():
    ledger, tids = account()
    assert books.book_fill(ledger, tids, fill_of(2**31, 2**31, BID, 5)) == books.BOOKED
    assert ledger["cash_uusd"] == -(2**62)


def test_funding_and_reconcile():
    ledger, _ = account(3, 100)
    books.book_funding(ledger, -7)
    assert books.pnl_uusd(ledger, 110) == 3 * 10 + 0 - 7 + 300 - 300
    assert books.reconcile_position(ledger, 3, 50) == 0
    assert books.reconcile_position(ledger, 1, 60) == -2
    assert (ledger["mismatch_count"], ledger["reconciled_ns"], ledger["position_lots"]) == (1, 60, 3)


@pytest.mark.parametrize("spread", [1, 1 << 18, 1 << 31])
def test_newest_65536_trade_ids_are_known_exactly(spread):
    """Twice around the ring, with ids that crowd in the table, against a queue and a set."""
    tids, random = books.new_tids()[0], np.random.default_rng(spread)
    queue: deque[int] = deque(maxlen=books.TID_COUNT)
    known: set[int] = set()
    for draw in random.integers(0, 4 * books.TID_COUNT, 3 * books.TID_COUNT).tolist():
        tid = draw * spread
        assert books.remember(tids, tid) == (tid not in known)
        if tid not in known:
            if len(queue) == books.TID_COUNT:
                known.remove(queue[0])
            queue.append(tid)
            known.add(tid)
    assert len(queue) == books.TID_COUNT
    table = tids["table"]
    assert set((table[table != 0] - 1).tolist()) == known
    assert all(books.is_known(tids, tid) for tid in list(known)[:5_000])


def test_zero_and_the_largest_id_are_ids():
    tids = books.new_tids()[0]
    for tid in (0, 2**50 - 1, 2**62):
        assert books.remember(tids, tid)
        assert books.is_known(tids, tid)
        assert not books.remember(tids, tid)
