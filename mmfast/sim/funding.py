"""
Funding: the premium sampled through an hour, and the hourly rate that its average makes.

In      premiums as fractions of the oracle, every five seconds.
Out     the average premium of the hour so far; the hourly rate.
Source  the venue's funding page, borne out by recorded hours: 8-hour rate = premium + clamp(0.01 % - premium, -0.05 %,
        0.05 %), an eighth of it is paid each hour, at most 4 %; the premium is the hour's average of samples taken
        every five seconds, and fundingHistory tells that average.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

EVERY_MS = 5000
INTEREST_8H, CLAMP_8H, HOURS, CAP_H = 1e-4, 5e-4, 8, 0.04


def hourly_rate(premium: float) -> float:
    """The rate of an hour whose average premium was ``premium``; without one, interest alone."""
    if not math.isfinite(premium):
        return INTEREST_8H / HOURS
    eight_hours = min(max(INTEREST_8H, premium - CLAMP_8H), premium + CLAMP_8H)  # the same, and rounded once
    return min(max(eight_hours / HOURS, -CAP_H), CAP_H)


@dataclass(slots=True)
class Premiums:
    """The samples of the running hour."""

    total: float = 0.0
    count: int = 0
    slot: int = -1

    def due(self, now_ms: int) -> bool:
        """Whether a sample is to be taken now."""
        return now_ms // EVERY_MS != self.slot

    def take(self, premium: float, now_ms: int) -> None:
        """Take a sample; one that is unknown, as of a thin book, is left out."""
        self.slot = now_ms // EVERY_MS
        if math.isfinite(premium):
            self.total += premium
            self.count += 1

    @property
    def mean(self) -> float:
        """The hour's average so far; NaN before the first sample."""
        return self.total / self.count if self.count else math.nan

    def begin(self) -> None:
        """A new hour."""
        self.total, self.count = 0.0, 0
