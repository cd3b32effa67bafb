"""Claims about market data in virtual time: the venue's cadence, and records as the feed would make them."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from mmfast.backtest.world import Room, recorded
from mmfast.config import load
from mmfast.records.market import BBO, BOOK, CTX, KIND_BBO, KIND_BOOK, KIND_CTX, KIND_TIMER, KIND_TRADE, TRADE

END = 1 << 62
CONTEXT = ("oracle_px", "premium", "funding_rate_h", "open_interest")
RECORDING = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
needs_recording = pytest.mark.skipif(not RECORDING.is_dir(), reason="the recording is not beside this checkout")


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
    assert sum(1 - int(b["fast"]) - int(b["wide"]) for b in books) == pytest.approx(10, abs=2)
    assert sum(int(b["wide"]) for b in books) == pytest.approx(10, abs=2)
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


def test_a_generated_coin_has_a_whole_context(lived):
    for ctx in rows(lived, KIND_CTX, CTX):
        assert np.isfinite([ctx[name] for name in CONTEXT]).all()
        assert ctx["mark_px"] / ctx["oracle_px"] - 1.0 == pytest.approx(ctx["premium"], abs=1e-12)


@needs_recording
def test_a_recording_has_no_context_rather_than_zeros():
    world = recorded(load(coins=["BTC"], environ={}), RECORDING, ["BTC"], seconds=30.0, room=Room(tape=10_000))
    world.live(END)
    told = rows(world, KIND_CTX, CTX)
    assert len(told) > 20
    assert np.isnan([[ctx[name] for name in CONTEXT] for ctx in told]).all()
