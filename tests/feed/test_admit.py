"""Claims about which market records are let through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.feed.admit import ADMIT, CROSSED, FEED_STATE, REGRESSED, admit_bbo, admit_book, mark_replayed
from mmfast.records.market import BBO, BOOK, TRADE
from mmfast.units import ASK, BID


def one(dtype, **values):
    record = np.zeros(1, dtype)[0]
    for name, value in values.items():
        record[name] = value
    return record


def touch(time_ns, bid, ask, bid_lots=1, ask_lots=1):
    return one(BBO, ts_exch_ns=time_ns, px_ticks=(bid, ask), lots=(bid_lots, ask_lots))


def a_book(time_ns, bids, asks):
    book = one(BOOK, ts_exch_ns=time_ns, level_count=(len(bids), len(asks)))
    for side, prices in enumerate((bids, asks)):
        book["px_ticks"][side, : len(prices)] = prices
        book["lots"][side, : len(prices)] = 1
    return book


# What comes after the first: (time, bid, ask, bid lots, ask lots).
EVENTS = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 4), st.integers(0, 1),
                            st.integers(0, 1)), max_size=30)


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_touches_that_get_through_never_go_back_in_time_and_are_never_crossed(events):
    state, newest = one(FEED_STATE), 0
    for time_ns, bid, ask, bid_lots, ask_lots in events:
        crossed = bid_lots > 0 and ask_lots > 0 and bid >= ask
        want = REGRESSED if time_ns < newest else CROSSED if crossed else ADMIT
        assert admit_bbo(state, touch(time_ns, bid, ask, bid_lots, ask_lots)) == want
        newest = time_ns if want == ADMIT else newest
        assert state["last_bbo_ns"] == newest
    assert state["last_book_ns"] == 0


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_books_that_get_through_never_go_back_in_time_and_are_never_crossed(events):
    state, newest = one(FEED_STATE), 0
    for time_ns, bid, ask, bids, asks in events:
        crossed = bids > 0 and asks > 0 and bid >= ask
        want = REGRESSED if time_ns < newest else CROSSED if crossed else ADMIT
        assert admit_book(state, a_book(time_ns, [bid] * bids, [ask] * asks)) == want
        newest = time_ns if want == ADMIT else newest
        assert state["last_book_ns"] == newest
    assert state["last_bbo_ns"] == 0


@given(st.lists(st.integers(1, 9), max_size=5), st.lists(st.integers(11, 19), max_size=5))
@settings(max_examples=60, deadline=None)
def test_books_that_get_through_have_their_levels_in_order(bids, asks):
    in_order = bids == sorted(set(bids), reverse=True) and asks == sorted(set(asks))
    assert admit_book(one(FEED_STATE), a_book(5, bids, asks)) == (ADMIT if in_order else CROSSED)


def test_a_quarantined_record_does_not_move_the_clock_of_its_channel():
    state = one(FEED_STATE)
    assert admit_bbo(state, touch(100, 5, 5)) == CROSSED
    assert admit_bbo(state, touch(50, 4, 5)) == ADMIT


@pytest.mark.parametrize(("replaying", "last_ns", "time_ns", "old"), [
    (0, 0, 5, 0), (0, 10, 5, 0),  # live prints are never old, whatever their time
    (1, 0, 5, 1),  # the first subscription: everything is
    (1, 10, 9, 1), (1, 10, 10, 1), (1, 10, 11, 0)])
def test_a_print_is_a_repetition_when_it_follows_a_subscription_and_was_seen(replaying, last_ns, time_ns, old):
    state = one(FEED_STATE, replaying=replaying, last_trade_ns=last_ns)
    trade = one(TRADE, ts_exch_ns=time_ns, replayed=7)
    assert mark_replayed(state, trade) == old
    assert trade["replayed"] == old


def test_the_sides_are_those_of_the_house():
    assert admit_bbo(one(FEED_STATE), touch(1, 10, 9)) == CROSSED
    assert (BID, ASK) == (0, 1)
