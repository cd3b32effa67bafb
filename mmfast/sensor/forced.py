"""
Forced orders: liquidations, inferred, since the venue has no stream of them.

In      a minute's change of open interest and of the price; sweeps.
Out     the intensity of forced orders over its base, their side, and whether they cascade.
Source  open interest that falls beyond its own first percentile while takers sweep and the price moves by three
        standard deviations; a self-exciting intensity by recursion. A cascade starts at three times the base and
        ends at one and a half.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s
from mmfast.units import NS_PER_S

BASE = 1.0 / 600.0  # 1/s
JUMP = 1.0 / 240.0  # 1/s for an event of usual size
DECAY = 1.0 / 120.0
SIGMAS = 3.0
SPAN_S = 60.0
APART_NS = 60 * NS_PER_S  # one event for each minute that is looked at
SIZE_MAX = 5.0
USUAL_GAIN = 0.1
START, END = 3.0, 1.5


@kernel
def restart(sensor: np.void) -> None:
    """No forced orders."""
    sensor["forced_excess"], sensor["forced_ns"], sensor["forced_last_ns"] = 0.0, 0, 0
    sensor["forced_usual"], sensor["forced_side"], sensor["cascade"] = 0.0, 0.0, 0.0


@kernel
def fade(sensor: np.void, now_ns: int) -> None:
    """Let the intensity age to ``now_ns``, and end a cascade that is over."""
    sensor["forced_excess"] *= math.exp(-min(DECAY * elapsed_s(sensor["forced_ns"], now_ns), 700.0))
    sensor["forced_ns"] = max(now_ns, sensor["forced_ns"])
    if ratio(sensor) < END:
        sensor["cascade"], sensor["forced_side"] = 0.0, 0.0


@kernel
def is_forced(change_is_low: bool, swept: float, move_bps: float, sigma_bps: float) -> bool:
    """True if all three signs are there; ``swept`` is the sweep score of buyers minus that of sellers."""
    far = abs(move_bps) > SIGMAS * sigma_bps * math.sqrt(SPAN_S)
    return bool(change_is_low and far and swept * move_bps > 0.0)


@kernel
def strike(sensor: np.void, fall_bps: float, move_bps: float, now_ns: int) -> None:
    """Take in an event of ``fall_bps`` of open interest at a price that moved; at most one for each minute."""
    fade(sensor, now_ns)
    if sensor["forced_last_ns"] > 0 and now_ns - sensor["forced_last_ns"] < APART_NS:
        return
    sensor["forced_last_ns"] = now_ns
    size = max(fall_bps, 0.0)
    if sensor["forced_usual"] <= 0.0:
        sensor["forced_usual"] = max(size, 1e-6)
    relative = min(size / sensor["forced_usual"], SIZE_MAX)
    sensor["forced_usual"] *= math.exp(USUAL_GAIN if relative > 1.0 else -USUAL_GAIN if relative < 1.0 else 0.0)
    sensor["forced_excess"] += JUMP * relative
    sensor["forced_side"] = 1.0 if move_bps > 0.0 else -1.0
    if ratio(sensor) >= START:
        sensor["cascade"] = 1.0


@kernel
def ratio(sensor: np.void) -> float:
    """Intensity over its base."""
    return float((BASE + sensor["forced_excess"]) / BASE)
