"""
Candles of one coin, built from its trades.

In      trades in order of time.
Out     candles of all the venue's intervals, the one that is being made included.
Source  captured candle frames: T is the last millisecond, n counts trades; a span without a trade has none. Weeks
        begin on Monday; on which day the venue begins them is not published.

Only minutes are kept up with each trade. A minute that is over is folded into the longer candles.
"""

from __future__ import annotations

import datetime
from collections import deque
from typing import NamedTuple

MINUTE_MS = 60_000
DAY_MS = 86_400_000
FIRST_MONDAY_MS = 4 * DAY_MS
KEPT = 5000  # candles of an interval that the venue remembers
MINUTES = {
    "1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "8h": 480, "12h": 720,
    "1d": 1440, "3d": 4320, "1w": 10_080,
}
INTERVALS = (*MINUTES, "1M")


class Candle(NamedTuple):
    """Prices in ticks, volume in lots, number of trades since ``start_ms``."""

    start_ms: int
    open: int
    close: int
    high: int
    low: int
    lots: int
    trades: int


def merge(first: Candle, then: Candle) -> Candle:
    """Two candles of one span, the earlier one first."""
    return Candle(first.start_ms, first.open, then.close, max(first.high, then.high), min(first.low, then.low),
                  first.lots + then.lots, first.trades + then.trades)


def start_of(interval: str, time_ms: int) -> int:
    """First millisecond of the candle that ``time_ms`` belongs to."""
    if interval == "1M":
        moment = datetime.datetime.fromtimestamp(time_ms / 1000, datetime.UTC)
        return int(datetime.datetime(moment.year, moment.month, 1, tzinfo=datetime.UTC).timestamp()) * 1000
    length, origin = MINUTES[interval] * MINUTE_MS, FIRST_MONDAY_MS if interval == "1w" else 0
    return (time_ms - origin) // length * length + origin


def end_of(interval: str, start_ms: int) -> int:
    """Last millisecond of the candle that begins at ``start_ms``."""
    if interval == "1M":
        return start_of(interval, start_ms + 31 * DAY_MS) - 1
    return start_ms + MINUTES[interval] * MINUTE_MS - 1


class Candles:
    """All candles of one coin."""

    def __init__(self) -> None:
        self._minute: Candle | None = None
        self._closed: dict[str, deque[Candle]] = {interval: deque(maxlen=KEPT) for interval in INTERVALS}

    def trade(self, time_ms: int, px_ticks: int, lots: int) -> None:
        """Take in one trade."""
        made = Candle(start_of("1m", time_ms), px_ticks, px_ticks, px_ticks, px_ticks, lots, 1)
        if self._minute is not None and self._minute.start_ms == made.start_ms:
            self._minute = merge(self._minute, made)
            return
        if self._minute is not None:
            for interval in INTERVALS:
                self._fold(interval, self._minute)
        self._minute = made

    def latest(self, interval: str) -> Candle | None:
        """The candle with the last trade in it, None before the first trade."""
        if self._minute is None:
            return None
        current = self._minute._replace(start_ms=start_of(interval, self._minute.start_ms))
        closed = self._closed[interval]
        return merge(closed[-1], current) if closed and closed[-1].start_ms == current.start_ms else current

    def span(self, interval: str, start_ms: int, end_ms: int) -> list[Candle]:
        """Candles that have a millisecond in the span, oldest first."""
        latest = self.latest(interval)
        if latest is None:
            return []
        known = [one for one in self._closed[interval] if one.start_ms < latest.start_ms] + [latest]
        return [one for one in known if one.start_ms <= end_ms and end_of(interval, one.start_ms) >= start_ms]

    def _fold(self, interval: str, minute: Candle) -> None:
        """Add a minute that is over to the candle it belongs to."""
        made, closed = minute._replace(start_ms=start_of(interval, minute.start_ms)), self._closed[interval]
        if closed and closed[-1].start_ms == made.start_ms:
            closed[-1] = merge(closed[-1], made)
        else:
            closed.append(made)
