"""
Open interest: contracts that were opened or closed over a minute.

In      the venue's open interest, about once a second, and the price with it.
Out     the change over a minute and the price move over the same minute.
Source  money that comes in with a move supports it; the score is taken with the move's sign.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.state import SAMPLES
from mmfast.units import NS_PER_S

SPAN_NS = 60 * NS_PER_S
TOO_OLD_NS = 75 * NS_PER_S
EVERY_NS = NS_PER_S // 2
LOW = 0.01  # the quantile that forced orders lie beyond
GAIN_MIN = 0.01


@kernel
def restart(sensor: np.void) -> None:
    """Nothing is known of open interest."""
    sensor["interest_next"], sensor["interest_seen"] = 0, 0
    sensor["interest_z"], sensor["interest_low"] = math.nan, 0.0


@kernel
def change(sensor: np.void, interest: float, log_px_bps: float, now_ns: int) -> tuple[float, float]:
    """
    Take a reading in; (change of the log over a minute [bps], price move over it [bps]).

    (NaN, NaN) until a reading is a minute old, for one that is no positive number and for one within half a second.
    """
    if not (math.isfinite(interest) and interest > 0.0):
        return math.nan, math.nan
    count = sensor["interest_next"]
    if count > 0 and now_ns - sensor["interest_ns"][(count - 1) % SAMPLES] < EVERY_NS:
        return math.nan, math.nan
    slot = count % SAMPLES
    sensor["interest_ns"][slot], sensor["interest"][slot] = now_ns, interest
    sensor["interest_log_px_bps"][slot] = log_px_bps
    sensor["interest_next"] = count + 1
    for back in range(1, min(count, SAMPLES - 1) + 1):
        old = (count - back) % SAMPLES
        age_ns = now_ns - sensor["interest_ns"][old]
        if age_ns > TOO_OLD_NS:
            break
        if age_ns >= SPAN_NS:
            return (1e4 * math.log(interest / sensor["interest"][old]),
                    log_px_bps - sensor["interest_log_px_bps"][old])
    return math.nan, math.nan


@kernel
def is_heard(sensor: np.void, now_ns: int) -> bool:
    """True while the last reading is young enough to compare with."""
    count = sensor["interest_next"]
    return bool(count > 0 and now_ns - sensor["interest_ns"][(count - 1) % SAMPLES] <= TOO_OLD_NS)


@kernel
def learn_low(sensor: np.void, change_bps: float, deviation_bps: float) -> bool:
    """Take a change into the running first percentile; True if it lay below what the percentile was."""
    sensor["interest_seen"] += 1
    if sensor["interest_seen"] == 1:
        sensor["interest_low"] = min(change_bps, 0.0) - 2.33 * deviation_bps
        return False
    below = change_bps < sensor["interest_low"]
    gain = max(1.0 / sensor["interest_seen"], GAIN_MIN) * max(deviation_bps, 1e-6)
    sensor["interest_low"] += gain * (LOW - (1.0 if below else 0.0))
    return bool(below)
