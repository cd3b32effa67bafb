"""Candles against a naive twin that looks at all trades each time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.sim.candles import INTERVALS, MINUTES, Candle, Candles, end_of, start_of

START_MS = 1_795_000_000_000
trades = st.lists(st.tuples(st.integers(0, 3 * 86_400_000), st.integers(1, 100), st.integers(1, 9)), max_size=40)


def naive(made, interval):
    """Candles out of a whole list of trades."""
    found = {}
    for time_ms, px, lots in made:
        found.setdefault(start_of(interval, time_ms), []).append((px, lots))
    return [Candle(start, rows[0][0], rows[-1][0], max(px for px, _ in rows), min(px for px, _ in rows),
                   sum(lots for _, lots in rows), len(rows)) for start, rows in found.items()]


@settings(max_examples=60)
@given(trades, st.sampled_from(INTERVALS))
def test_candles_are_those_of_all_trades_together(gaps, interval):
    now, made, candles = START_MS, [], Candles()
    for gap, px, lots in gaps:
        now += gap
        made.append((now, px, lots))
        candles.trade(now, px, lots)
    wanted = naive(made, interval)
    assert candles.span(interval, 0, 2**62) == wanted
    assert candles.latest(interval) == (wanted[-1] if wanted else None)


@given(st.sampled_from(INTERVALS), st.integers(0, 2**41))
def test_candles_follow_one_another_without_a_hole(interval, time_ms):
    start = start_of(interval, time_ms)
    assert start <= time_ms <= end_of(interval, start)
    assert start_of(interval, end_of(interval, start) + 1) == end_of(interval, start) + 1
    assert start_of(interval, start - 1) < start or start == 0


def test_a_span_has_the_candles_that_reach_into_it():
    candles = Candles()
    for minute in range(5):
        candles.trade(START_MS // 60_000 * 60_000 + minute * 60_000, 10 + minute, 1)
    first = START_MS // 60_000 * 60_000
    inside = candles.span("1m", first + 90_000, first + 180_000)
    assert [one.open for one in inside] == [11, 12, 13]
    assert [one.lots for one in candles.span("1d", 0, 2**62)] == [5]


def test_the_venues_fourteen_intervals_are_there():
    assert INTERVALS == ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M")
    assert MINUTES["3d"] == 3 * 1440
