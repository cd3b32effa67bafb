"""
Quality: which touches and prints are too odd to be believed, and which are old news.

In      a price, the times of its record.
Out     whether it is taken, and how late it is; what is refused is counted.
Source  within 5 % of the oracle, within ten standard deviations of the last good price; a second touch at the same
        odd price is a market that has moved. The venue's clock may be wrong, but not in one record only.

A record that comes more than a second later than the fastest ones do says what was, that long ago: its readings are
as old, and a feed that lags is no sign of life. A lag of minutes is taken for the distance of the clocks.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s
from mmfast.units import NS_PER_S

ORACLE_SHARE = 0.05
ORACLE_AGE_S = 60.0
SIGMAS = 10.0
STEP_S_MIN = 1.0
JUMP_BPS = 10.0  # that the market makes between two touches without being odd
FUTURE_NS = 2 * NS_PER_S
LATE_NS, LATE_MAX_NS = NS_PER_S, 60 * NS_PER_S
FORGET = 100  # of a second, 10 ms of the shortest delay are forgotten
FUTURE_STREAK = 3  # records in a row from the future: our clocks were wrong about each other


@kernel
def restart(sensor: np.void) -> None:
    """Believe the next price and the next time."""
    sensor["good_mid_ticks"], sensor["good_ns"], sensor["suspect_mid_ticks"] = 0.0, 0, 0.0
    sensor["ahead_ns"], sensor["ahead_known"], sensor["future_count"] = 0, 0, 0
    sensor["ahead_seen_ns"], sensor["late_ns"], sensor["touch_late_ns"] = 0, 0, 0


@kernel
def time_is_odd(sensor: np.void, exch_ns: int, now_ns: int) -> bool:
    """
    True for a record whose venue time is more than 2 s ahead of what the clocks' distance allows.

    ``late_ns`` of the sensor becomes its delay over the shortest one, if that is more than a second.
    """
    if exch_ns <= 0:
        return False
    ahead_ns = exch_ns - now_ns
    if sensor["ahead_known"] == 1:
        sensor["ahead_ns"] -= max(now_ns - sensor["ahead_seen_ns"], 0) // FORGET
        sensor["ahead_seen_ns"] = max(now_ns, sensor["ahead_seen_ns"])
    if sensor["ahead_known"] == 1 and ahead_ns > sensor["ahead_ns"] + FUTURE_NS:
        sensor["future_count"] += 1
        if sensor["future_count"] < FUTURE_STREAK:
            sensor["odd_time_count"] += 1
            return True
    sensor["ahead_ns"] = max(ahead_ns, sensor["ahead_ns"]) if sensor["ahead_known"] == 1 else ahead_ns
    if sensor["ahead_known"] == 0:
        sensor["ahead_seen_ns"] = now_ns
    sensor["ahead_known"], sensor["future_count"] = 1, 0
    late_ns = sensor["ahead_ns"] - ahead_ns
    sensor["late_ns"] = min(late_ns, LATE_MAX_NS) if late_ns > LATE_NS else 0
    return False


@kernel
def hear(sensor: np.void, now_ns: int) -> None:
    """A touch or a book has come, as of when it was sent."""
    sensor["heard_ns"] = now_ns
    sensor["alive_ns"] = max(now_ns - sensor["late_ns"], sensor["alive_ns"])


@kernel
def in_doubt(sensor: np.void) -> bool:
    """True while an odd touch is the newest one: the one before may no longer be there to be quoted on."""
    return bool(sensor["suspect_mid_ticks"] > 0.0)


@kernel
def off_oracle(sensor: np.void, px_usd: float, now_ns: int) -> bool:
    """True for a price more than 5 % from an oracle price that is not older than a minute."""
    oracle = sensor["oracle_px"]
    if not oracle > 0.0 or elapsed_s(sensor["oracle_ns"], now_ns) > ORACLE_AGE_S:
        return False
    return bool(abs(px_usd / oracle - 1.0) > ORACLE_SHARE)


@kernel
def touch_is_odd(sensor: np.void, params: np.void, mid_ticks: float, now_ns: int) -> bool:
    """True for a touch off the oracle, or far from the last good one for the time between; counts it."""
    if off_oracle(sensor, mid_ticks / max(params["ticks_per_usd"], 1), now_ns):
        sensor["suspect_mid_ticks"] = mid_ticks
        sensor["odd_price_count"] += 1
        return True
    if sensor["good_mid_ticks"] > 0.0:
        limit = reach_bps(sensor, params, elapsed_s(sensor["good_ns"], now_ns))
        suspect = sensor["suspect_mid_ticks"]
        confirmed = suspect > 0.0 and 1e4 * abs(math.log(mid_ticks / suspect)) <= limit
        if 1e4 * abs(math.log(mid_ticks / sensor["good_mid_ticks"])) > limit and not confirmed:
            sensor["suspect_mid_ticks"] = mid_ticks
            sensor["odd_price_count"] += 1
            return True
    sensor["good_mid_ticks"], sensor["good_ns"], sensor["suspect_mid_ticks"] = mid_ticks, now_ns, 0.0
    return False


@kernel
def reach_bps(sensor: np.void, params: np.void, span_s: float) -> float:
    """How far the price may go in a time [bps]: ten standard deviations of the larger known volatility, and a jump."""
    sigma = max(params["sigma_ref_bps"], 0.0)
    if sensor["rv_300"] > 0.0:
        sigma = max(sigma, math.sqrt(sensor["rv_300"]))
    return float(SIGMAS * sigma * math.sqrt(max(span_s, STEP_S_MIN)) + JUMP_BPS)


@kernel
def print_is_odd(sensor: np.void, params: np.void, px_ticks: int, now_ns: int) -> bool:
    """True for a print without a price, off the oracle, or 5 % off the last good touch; counts it."""
    odd = px_ticks <= 0 or off_oracle(sensor, px_ticks / max(params["ticks_per_usd"], 1), now_ns)
    if not odd and sensor["good_mid_ticks"] > 0.0:
        odd = abs(px_ticks / sensor["good_mid_ticks"] - 1.0) > ORACLE_SHARE
    if odd:
        sensor["odd_price_count"] += 1
    return odd
