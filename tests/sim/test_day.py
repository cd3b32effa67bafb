"""Twenty-four hours that roll."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.venue import Venue, order

from mmfast.sim import wire
from mmfast.sim.day import MINUTE_MS, MINUTES, Day

DAY_MS = MINUTES * MINUTE_MS
BLOCKS = st.lists(st.tuples(st.integers(1, 4 * 3_600_000), st.integers(1, 10**6), st.integers(0, 10**6)), max_size=40)


@given(BLOCKS)
def test_sums_and_mark_are_those_of_the_blocks_within_a_day(blocks):
    day, now_ms, known = Day(), 0, []
    for after_ms, mark, lots in blocks:
        now_ms += after_ms
        known.append((now_ms // MINUTE_MS, mark, lots))
        day.at(now_ms, mark)
        day.trade(mark, lots)
        inside = [one for one in known if one[0] >= now_ms // MINUTE_MS - MINUTES]
        assert day.lots == sum(lots for _, _, lots in inside)
        assert day.uusd == sum(mark * lots for _, mark, lots in inside)
        assert day.earlier_mark_ticks == inside[0][1]


def test_context_tells_the_mark_and_the_volume_of_the_last_24_hours():
    venue = Venue()
    (instrument,) = venue.exchange.instruments
    venue.client().place(order("B", "100002", "1.5", "Ioc"))
    venue.block()
    told = wire.context(instrument)
    assert (told["prevDayPx"], told["dayNtlVlm"], told["dayBaseVlm"]) == ("100000.0", "150002.0", "1.5")
    venue.source.px = 90_000.0
    venue.block(DAY_MS - 10 * MINUTE_MS)
    assert wire.context(instrument)["dayBaseVlm"] == "1.5"
    venue.block(12 * MINUTE_MS)
    told = wire.context(instrument)
    assert (told["prevDayPx"], told["dayNtlVlm"], told["dayBaseVlm"]) == ("90000.0", "0.0", "0.0")
