"""
Funding: what holding a long position costs for each second.

In      the venue's running hourly estimate; its premiums over the oracle.
Out     bps/s, positive when longs pay; the forecast for the running hour; its score among past hours.
Source  the venue's funding page: the premium is sampled every five seconds and averaged over the hour, an eighth
        of premium and clamped interest is paid hourly, at most 4 % an hour.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import NS_PER_S

RATE_MAX = 0.04
BPS_S = 1e4 / 3600.0
INTEREST, CLAMP = 1e-4, 5e-4  # for eight hours
SHARE_OF_DAY_PART = 1.0 / 8.0
PREMIUM_MAX = 1.0
SLOT_NS, HOUR_NS = 5 * NS_PER_S, 3600 * NS_PER_S
HOURS_MIN, HOURS_MEMORY = 3, 72.0
SD_MIN = 1e-8


@kernel
def carry_bps_s(rate_h: float, before_bps_s: float) -> float:
    """Funding of an hourly rate (fraction); an unknown rate leaves the one before."""
    if not math.isfinite(rate_h):
        return before_bps_s
    return min(max(rate_h, -RATE_MAX), RATE_MAX) * BPS_S


@kernel
def hourly_rate(mean_premium: float) -> float:
    """Funding of an hour (fraction) whose premiums have this mean."""
    rate = mean_premium + min(max(INTEREST - mean_premium, -CLAMP), CLAMP)
    return min(max(rate * SHARE_OF_DAY_PART, -RATE_MAX), RATE_MAX)


@kernel
def restart(sensor: np.void) -> None:
    """No premium of this hour and no past hour are known."""
    sensor["premium_hour"], sensor["premium_slot"] = 0, 0
    sensor["premium_count"], sensor["premium_sum"] = 0, 0.0
    sensor["hour_count"], sensor["hour_mean"], sensor["hour_var"] = 0, 0.0, 0.0
    sensor["funding_forecast_bps_s"] = math.nan


@kernel
def sample(sensor: np.void, premium: float, exch_ns: int) -> None:
    """
    Take a premium at a time of the venue; a second one within the same five seconds changes nothing.

    The forecast becomes NaN at the turn of the hour, and is one again with the hour's first premium.
    """
    if exch_ns <= 0 or not abs(premium) <= PREMIUM_MAX:
        return
    hour, slot = exch_ns // HOUR_NS, exch_ns // SLOT_NS
    if hour > sensor["premium_hour"]:
        if sensor["premium_count"] > 0:
            _close_hour(sensor, hourly_rate(sensor["premium_sum"] / sensor["premium_count"]))
        sensor["premium_hour"], sensor["premium_count"], sensor["premium_sum"] = hour, 0, 0.0
    if slot > sensor["premium_slot"] and hour == sensor["premium_hour"]:
        sensor["premium_slot"] = slot
        sensor["premium_count"] += 1
        sensor["premium_sum"] += premium
        rate = hourly_rate(sensor["premium_sum"] / sensor["premium_count"])
        sensor["funding_forecast_bps_s"] = rate * BPS_S


@kernel
def _close_hour(sensor: np.void, rate_h: float) -> None:
    """Take the rate of a complete hour into the moments of hourly rates."""
    sensor["hour_count"] += 1
    share = 1.0 / min(sensor["hour_count"], HOURS_MEMORY)
    surprise = rate_h - sensor["hour_mean"]
    sensor["hour_mean"] += share * surprise
    sensor["hour_var"] = (1.0 - share) * (sensor["hour_var"] + share * surprise * surprise)


@kernel
def score(sensor: np.void) -> float:
    """Forecast among past hours in standard deviations, within [-5, 5]; NaN before three hours are known."""
    if sensor["hour_count"] < HOURS_MIN or not math.isfinite(sensor["funding_forecast_bps_s"]):
        return math.nan
    surprise = sensor["funding_forecast_bps_s"] / BPS_S - sensor["hour_mean"]
    return float(min(max(surprise / max(math.sqrt(sensor["hour_var"]), SD_MIN), -5.0), 5.0))
