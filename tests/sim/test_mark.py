"""The mark price of the own exchange, against the venue's formulas written out."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.venue import MID_TICKS, START_MS, Venue, order

from mmfast.sim.mark import EVERY_MS, Ema, Mark

PRICES = st.floats(-1e6, 1e6)


def touch(bid, ask):
    return (bid, int(bid > 0), 1), (ask, int(ask > 0), 1)


@given(PRICES, st.lists(st.tuples(st.integers(0, 30_000), PRICES), min_size=1, max_size=20))
def test_ema_weighs_each_sample_by_the_time_it_stands_for(first, samples):
    ema, now_ms = Ema(150.0), 1000
    assert ema.take(first, now_ms) == first
    for elapsed_ms, sample in samples:
        now_ms += elapsed_ms
        found = ema.take(sample, now_ms)
    ages = [sum(elapsed for elapsed, _ in samples[k + 1:]) / 1e3 for k in range(len(samples))]
    weights = [elapsed / 1e3 * math.exp(-age / 150.0) for (elapsed, _), age in zip(samples, ages)]
    if sum(weights) == 0.0:
        assert found == samples[-1][1]
    else:
        want = sum(weight * sample for weight, (_, sample) in zip(weights, samples)) / sum(weights)
        assert found == pytest.approx(want, rel=1e-9, abs=1e-6)


def test_a_long_pause_does_not_outweigh_what_follows():
    ema = Ema(30.0)
    ema.take(0.0, 0)
    ema.take(100.0, 86_400_000)
    for k in range(100):
        found = ema.take(50.0, 86_400_000 + 3000 * (k + 1))
    assert found == pytest.approx(50.0, abs=0.01)


def test_mark_is_the_median_of_oracle_with_offset_own_price_and_its_average():
    mark, offset, own = Mark(), Ema(150.0), Ema(30.0)
    path = [(1000, 990, 1010, 0), (1004, 1000, 1030, 1029), (1002, 1010, 1012, 1000), (950, 1010, 1012, 1012)]
    for k, (oracle, bid, ask, last) in enumerate(path):
        now_ms = 3000 * k
        shown = statistics.median([bid, ask, *([last] if last else [])])
        parts = [oracle + offset.take((bid + ask) / 2 - oracle, now_ms), shown, own.take(shown, now_ms)]
        assert mark.step(oracle, touch(bid, ask), last, now_ms) == pytest.approx(statistics.median(parts))


def test_what_is_unknown_is_left_out():
    assert math.isnan(Mark().step(math.nan, touch(0, 0), 0, 0))
    assert Mark().step(1000, touch(0, 0), 0, 0) == 1000
    assert Mark().step(math.nan, touch(990, 1010), 0, 0) == 1000
    assert Mark().step(1000, touch(0, 0), 950, 0) == 950  # (2) and its average outvote the oracle
    mark = Mark()
    mark.step(1000, touch(1005, 1015), 0, 0)
    assert mark.step(1000, touch(0, 1015), 0, 3000) == 1015  # the offset stays 10, the touch is an ask alone
    assert mark.offset_ticks == 10


@given(st.integers(900, 1100), st.integers(900, 1100), st.integers(1, 200), st.integers(0, 1200))
def test_mark_lies_between_what_it_is_made_of(oracle, bid, spread, last):
    found = Mark().step(oracle, touch(bid, bid + spread), last, 0)
    known = [bid, bid + spread, bid + spread / 2, *([last] if last else [])]
    assert min(known) <= found <= max(known)


def untold(**kept):
    """A still venue whose source tells the oracle only."""
    venue = Venue(**kept)
    venue.source.untold = True
    return venue


def test_the_exchanges_mark_follows_oracle_and_book_every_three_seconds():
    venue = untold()
    instrument = venue.exchange.instruments[0]
    venue.block(EVERY_MS)
    assert instrument.mark_ticks == MID_TICKS
    venue.client().place(order("B", "100005", "3", "Ioc"))  # the ask moves to 100 004 with a last trade at 100 003
    marks = {}
    for _ in range(200):
        venue.block()
        marks.setdefault(venue.now_ms // EVERY_MS, set()).add(instrument.mark_ticks)
    assert all(len(seen) == 1 for seen in marks.values())
    assert len(marks) >= 5
    assert MID_TICKS < instrument.mark_ticks <= MID_TICKS + 30


def test_a_told_mark_is_believed_in_each_block():
    venue = Venue()
    for px in (100_100.0, 100_300.0):
        venue.source.px = px
        venue.block()
        assert venue.exchange.instruments[0].mark_ticks == px * 10


def test_an_oracle_apart_from_the_book_does_not_move_the_mark_for_long():
    venue = untold()
    venue.source.px = 99_000.0
    for _ in range(20):
        venue.block(EVERY_MS)
    assert venue.exchange.instruments[0].mark_ticks == MID_TICKS
    assert venue.exchange.instruments[0].oracle_ticks == 990_000


def test_mark_of_an_exchange_that_went_on_is_the_mark_of_one_that_never_stopped():
    import pickle

    venue = untold(start_ms=START_MS)
    for _ in range(5):
        venue.block(EVERY_MS)
    again = pickle.loads(pickle.dumps(venue.exchange))
    for one in (venue.exchange, again):
        one.step(venue.now_ms + 3000, 10**18)
    assert again.instruments[0].mark == venue.exchange.instruments[0].mark
