"""
Day: what a coin has traded in the last 24 hours, and its mark before them.

In      the mark at each block, public trades.
Out     lots, micro-dollars, the earlier mark in ticks.
Source  the venue's asset contexts: prevDayPx rolls over 24 hours, as measured; the volumes beside it do so too.

It rolls by the minute. Until a day has passed the earlier mark is the first one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

MINUTE_MS, MINUTES = 60_000, 1440


@dataclass(slots=True)
class Minute:
    """One minute of it, and the mark as it began."""

    number: int
    mark_ticks: int
    lots: int = 0
    uusd: int = 0


@dataclass(slots=True)
class Day:
    """The sums of the minutes that count."""

    lots: int = 0
    uusd: int = 0
    minutes: deque[Minute] = field(default_factory=deque)

    def at(self, now_ms: int, mark_ticks: int) -> None:
        """A block begins: minutes of a day ago are forgotten."""
        number = now_ms // MINUTE_MS
        if not self.minutes or self.minutes[-1].number != number:
            self.minutes.append(Minute(number, mark_ticks))
        while self.minutes[0].number < number - MINUTES:
            old = self.minutes.popleft()
            self.lots -= old.lots
            self.uusd -= old.uusd

    def trade(self, px_ticks: int, lots: int) -> None:
        """A public trade of this block."""
        self.minutes[-1].lots += lots
        self.minutes[-1].uusd += px_ticks * lots
        self.lots += lots
        self.uusd += px_ticks * lots

    @property
    def earlier_mark_ticks(self) -> int:
        """The mark a day ago, or the first one; 0 where there was none."""
        return self.minutes[0].mark_ticks if self.minutes else 0
