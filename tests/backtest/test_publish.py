"""Claims about market data in virtual time: the venue's cadence, and records as the feed would make them."""

import itertools

import numpy as np
import pytest

from mmfast.backtest.publish import numbers
from mmfast.records.market import BBO, BOOK, CTX, KIND_BBO, KIND_BOOK, KIND_CTX, KIND_TIMER, KIND_TRADE, TRADE
from mmfast.sim.edge import mid_ticks
from mmfast.sim.synthetic import SyntheticSource

END = 1 << 62


def rows(world, kind, dtype):
    tape = world.log("tape")
    return [np.frombuffer(tape[k : k + 1].view(np.uint8)[: dtype.itemsize].tobytes(), dtype)[0]
            for k in np.flatnonzero(tape["kind"] == kind)]


@pytest.fixture
def lived(make):
    world = make(54.0)
    world.live(END)
    return world


def test_each_channel_has_the_cadence_of_the_venue(lived):
    books = rows(lived, KIND_BOOK, BOOK)
    assert sum(int(b["fast"]) for b in books) == pytest.approx(100, abs=2)
    assert sum(1 - int(b["fast"]) for b in books) == pytest.approx(10, abs=2)
    assert len(rows(lived, KIND_CTX, CTX)) == pytest.approx(54, abs=2)
    assert (lived.log("tape")["kind"] == KIND_TIMER).sum() == pytest.approx(1080, abs=3)
    assert 0 < len(rows(lived, KIND_BBO, BBO)) <= len(lived.block_ns)


def test_a_touch_is_told_when_it_changes_and_only_then(lived):
    told = [b["px_ticks"].tolist() + b["lots"].tolist() + b["count"].tolist() for b in rows(lived, KIND_BBO, BBO)]
    assert all(a != b for a, b in itertools.pairwise(told))
    assert all(b[0] < b[1] for b in told if b[2] and b[3])


def test_prints_of_a_block_are_one_frame(lived):
    prints = rows(lived, KIND_TRADE, TRADE)
    assert len(prints) > 10
    ends = [p for p in prints if p["batch_index"] + 1 == p["batch_count"]]
    assert sum(int(p["batch_count"]) for p in ends) == len(prints)
    assert len({int(p["tid"]) for p in prints}) == len(prints)


def test_books_are_shown_no_deeper_than_their_channel(lived):
    for book in rows(lived, KIND_BOOK, BOOK):
        deepest = 5 if book["fast"] else 20
        for side in range(2):
            shown = int(book["level_count"][side])
            assert 0 < shown <= deepest
            assert (book["lots"][side, :shown] > 0).all()
            assert (book["lots"][side, shown:] == 0).all()


def test_context_numbers_are_those_of_the_local_exchange(lived):
    source = SyntheticSource("BTC")
    source.states, source.state = lived["states"], lived["states"][0]
    mid = mid_ticks(lived["books"]) / 10
    ctx = np.zeros(1, CTX)[0]
    numbers(lived["states"][0], mid, ctx)
    oracle, mark, premium, funding, interest = source.numbers(mid)
    assert [ctx[name] for name in ("oracle_px", "mark_px", "premium", "funding_rate_h", "open_interest")] == (
        pytest.approx([oracle, mark, premium, funding, interest], rel=1e-12))
