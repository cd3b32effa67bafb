"""Rounded books."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.venue import LEVEL_LOTS, START_MS, Venue

from mmfast.sim import depth
from mmfast.sim.answers import BOOK_EVERY_MS, answer
from mmfast.units import ASK, BID

SIDES = st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 10**6), st.integers(1, 9)), min_size=1, max_size=60,
                 unique_by=lambda level: level[0])


@given(SIDES, st.sampled_from([BID, ASK]), st.sampled_from([(2, None), (4, None), (5, None), (5, 2), (5, 5)]))
def test_merged_levels_keep_all_lots_and_round_away_from_the_touch(levels, side, precision):
    figures, mantissa = precision
    levels = sorted(levels, reverse=side == BID)
    merged = depth.merge(levels, side, figures, mantissa, limit=10**6)
    assert sum(lots for _, lots, _ in merged) == sum(lots for _, lots, _ in levels)
    assert sum(count for *_, count in merged) == sum(count for *_, count in levels)
    prices = [px for px, *_ in merged]
    assert prices == sorted(set(prices), reverse=side == BID)
    best = levels[0][0]
    assert prices[0] <= best if side == BID else prices[0] >= best


def test_book_is_cut_to_twenty_or_five_levels():
    instrument = Venue().exchange.instruments[0]
    assert [len(side) for side in depth.book(instrument, 1)["levels"]] == [20, 20]
    fast = depth.book(instrument, 1, fast=True)
    assert [len(side) for side in fast["levels"]] == [5, 5]
    assert fast["levels"][0][0] == {"px": "99999.0", "sz": "1.0", "n": 1}
    assert fast["levels"][1][0]["px"] == "100001.0"


def test_four_figures_of_a_still_book():
    book = depth.book(Venue().exchange.instruments[0], 1, figures=4)
    bids, asks = book["levels"]
    assert (bids[0]["px"], asks[0]["px"], book["spread"]) == ("99990.0", "100100.0", "110.0")
    assert float(asks[0]["sz"]) == 20 * LEVEL_LOTS / 1e5


def test_only_documented_precisions_are_served():
    served = {(f, m) for f in (None, 1, 2, 3, 4, 5, 6, 7) for m in (None, 1, 2, 3, 5) if depth.is_precision(f, m)}
    assert served == {(None, None), (2, None), (3, None), (4, None), (5, None), (5, 2), (5, 5)}


def test_book_by_request_is_renewed_every_half_second():
    venue = Venue(start_ms=START_MS // BOOK_EVERY_MS * BOOK_EVERY_MS)
    seen = []
    for _ in range(43):  # 3 s
        venue.block()
        seen.append(answer(venue.exchange, {"type": "l2Book", "coin": "BTC"})["time"])
        assert 0 <= venue.now_ms - seen[-1] < BOOK_EVERY_MS
    assert len(set(seen)) == 7
    other = answer(venue.exchange, {"type": "l2Book", "coin": "BTC", "nSigFigs": 5})
    assert other["time"] == venue.now_ms  # each precision has its own
