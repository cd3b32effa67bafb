"""Impact prices and premium."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.venue import MID_TICKS, Venue

from mmfast.sim import wire
from mmfast.sim.impact import average_ticks, impact_ticks, premium

LEVELS = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), max_size=8)


@given(LEVELS, st.integers(1, 10**12))
def test_average_price_is_that_of_a_walk_lot_by_lot_of_notional(levels, notional):
    spent, lots = 0.0, 0.0
    for px, size in levels:
        part = min(notional - spent, px * size)
        spent, lots = spent + part, lots + part / px
    found = average_ticks(levels, notional)
    if sum(px * size for px, size in levels) < notional:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(notional / lots, rel=1e-9)


def test_premium_of_a_recorded_context():
    assert premium(841_430, 841_440, 841_980) == pytest.approx(-0.0006413454, abs=1e-10)
    assert premium(99.0, 101.0, 100) == 0.0
    assert premium(101.0, 102.0, 100) == pytest.approx(0.01)
    assert math.isnan(premium(math.nan, 102.0, 100))
    assert math.isnan(premium(101.0, 102.0, 0))


def test_thin_touch_is_walked_through():
    venue = Venue()
    maker = venue.client()
    instrument = venue.exchange.instruments[0]
    assert impact_ticks(instrument) == (MID_TICKS - 10, MID_TICKS + 10)  # a coin is worth more than is asked for
    maker.place({"a": 0, "b": True, "p": "100000", "s": "0.1", "r": False, "t": {"limit": {"tif": "Alo"}}})
    bid, _ = impact_ticks(instrument)
    assert MID_TICKS - 10 < bid < MID_TICKS
    context = wire.context(instrument)
    assert context["impactPxs"] == [f"{bid / 10:.1f}", "100001.0"]
    assert context["premium"] == "0.0"
