"""
Fees: the venue's tiers by volume, what stake and referral take off, and a fee truncated toward zero at a micro-dollar.

In      a notional in micro-dollars, the volume of the last fourteen whole days, who was the maker, stake and referral.
Out     the fee in micro-dollars; negative is a rebate.
Source  the venue's fee page (14-day volume, maker rebates by share); four of four real fills truncate at six
        decimals, two of them with a referral's 4 % off. That stake and referral multiply is the page's own formula.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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


STAKE_DECIMALS = 8
UNITS_PER_HYPE = 10**STAKE_DECIMALS  # of a stake's smallest unit
STAKING = ((500_000, 40), (100_000, 30), (10_000, 20), (1000, 15), (100, 10), (10, 5))  # above so many HYPE, percent
REFERRAL_PCT, REFERRED_UUSD = 4, 25_000_000 * UUSD_PER_USD  # of an account's first volume
ALL_BPS = 10_000
REBATES = ((0.03, -30), (0.015, -20), (0.005, -10))  # share of all maker volume, maker rate in ppm
DAYS, DAY_MS = 14, 86_400_000


@dataclass(slots=True)
class DailyVolume:
    """Volume in micro-dollars taken and made, by day of the epoch; a day too old for the window is forgotten."""

    days: dict[int, list[int]] = field(default_factory=dict)

    def add(self, now_ms: int, notional_uusd: int, maker: bool) -> None:
        """Count one fill."""
        today = now_ms // DAY_MS
        if today not in self.days:
            self.days = {day: sums for day, sums in self.days.items() if day >= today - DAYS}
            self.days[today] = [0, 0]
        self.days[today][maker] += notional_uusd

    def spread(self, now_ms: int, notional_uusd: int) -> None:
        """Count a volume as taken in equal parts on each of the whole days before today that count."""
        for ago in range(DAYS, 0, -1):
            part = notional_uusd * ago // DAYS - notional_uusd * (ago - 1) // DAYS
            self.add(now_ms - ago * DAY_MS, part, False)

    def window(self, now_ms: int) -> tuple[int, int]:
        """Volume taken and made on the fourteen days before today."""
        today = now_ms // DAY_MS
        sums = [sums for day, sums in self.days.items() if today - DAYS <= day < today]
        return sum(taken for taken, _ in sums), sum(made for _, made in sums)


def rates(volumes: Iterable[DailyVolume], whole: DailyVolume, now_ms: int) -> tuple[int, int]:
    """
    Taker and maker rate in ppm of the accounts of one master, by their volumes; ``whole`` is all that was traded.
    """
    windows = [volume.window(now_ms) for volume in volumes]
    taken, made = sum(one for one, _ in windows), sum(one for _, one in windows)
    row, everything = tier(taken + made), sum(whole.window(now_ms))
    share = made / everything if everything else 0.0
    rebate = next((ppm for least, ppm in REBATES if share > least), None)
    return row.taker_ppm, row.maker_ppm if rebate is None else rebate


def tier(volume_uusd: int) -> Tier:
    """The row of the schedule for a fourteen-day volume in micro-dollars."""
    return next(row for row in reversed(TIERS) if volume_uusd > row.volume_usd * UUSD_PER_USD or row is TIERS[0])


def staking_pct(stake_units: int) -> int:
    """What a stake takes off a fee."""
    return next((pct for hype, pct in STAKING if stake_units > hype * UNITS_PER_HYPE), 0)


def referral_pct(referred: bool, volume_uusd: int) -> int:
    """What a referral takes off a fee, as long as the volume is small."""
    return REFERRAL_PCT if referred and volume_uusd < REFERRED_UUSD else 0


def fee_uusd(notional_uusd: int, rate_ppm: int, kept_bps: int = ALL_BPS) -> int:
    """
    ``notional`` times ``rate``, truncated toward zero at one micro-dollar, as the venue does; ``kept_bps`` of it where
    there are discounts, which rebates do not know.
    """
    product = abs(notional_uusd) * abs(rate_ppm)
    return product * kept_bps // (PPM * ALL_BPS) if rate_ppm >= 0 else -(product // PPM)
