"""
Fees: the venue's tiers by volume, and a fee truncated toward zero at a micro-dollar.

In      a notional in micro-dollars, the account's fourteen-day volume, who was the maker.
Out     the fee in micro-dollars; negative is a rebate.
Source  the venue's fee page (14-day weighted volume); four of four real fills truncate at six decimals.
"""

from __future__ import annotations

from typing import NamedTuple

from mmfast.units import UUSD_PER_USD

PPM = 1_000_000  # rates are integers in parts per million: 1 bp is 100


class Tier(NamedTuple):
    """One row of the schedule: it holds above ``volume_usd`` of fourteen-day volume."""

    volume_usd: int
    taker_ppm: int
    maker_ppm: int


TIERS = (
    Tier(0, 450, 150),
    Tier(5_000_000, 400, 120),
    Tier(25_000_000, 350, 80),
    Tier(100_000_000, 300, 40),
    Tier(500_000_000, 280, 0),
    Tier(2_000_000_000, 260, 0),
    Tier(7_000_000_000, 240, 0),
)


def tier(volume_uusd: int) -> Tier:
    """The row of the schedule for a fourteen-day volume in micro-dollars."""
    return next(row for row in reversed(TIERS) if volume_uusd > row.volume_usd * UUSD_PER_USD or row is TIERS[0])


def fee_uusd(notional_uusd: int, rate_ppm: int) -> int:
    """``notional`` times ``rate``, truncated toward zero at one micro-dollar, as the venue does."""
    product = abs(notional_uusd) * abs(rate_ppm) // PPM
    return product if rate_ppm >= 0 else -product
