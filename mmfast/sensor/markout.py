"""
Markout: where the price was ten seconds after takers came.

In      taker orders; micro-prices.
Out     mean impact of the takers that hit each side of ours [bps], positive is a cost to us.
Source  Glosten & Milgrom (1985): the loss to takers is what they knew.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.state import MARKS
from mmfast.units import ASK, NS_PER_S

HORIZON_NS = 10 * NS_PER_S
LATE_NS = 2 * NS_PER_S  # a price that comes later says nothing about the horizon
MEMORY = 200.0  # orders
IMPACT_MAX = 200.0


@kernel
def restart(sensor: np.void) -> None:
    """No order waits and no impact is known."""
    forget_waiting(sensor)
    for side in range(2):
        sensor["impact_count"][side], sensor["impact_bps"][side] = 0.0, 0.0


@kernel
def forget_waiting(sensor: np.void) -> None:
    """Drop the orders that wait for their price."""
    sensor["mark_first"], sensor["mark_next"] = 0, 0


@kernel
def wait(sensor: np.void, side: int, now_ns: int) -> None:
    """Put a taker order that hit our ``side`` on the list, at the price before it; a full list drops it."""
    if sensor["touch_ok"] == 0 or sensor["mark_next"] - sensor["mark_first"] >= MARKS:
        return
    slot = sensor["mark_next"] % MARKS
    sensor["mark_ns"][slot], sensor["mark_side"][slot] = now_ns, side
    sensor["mark_log_px_bps"][slot] = sensor["log_px_bps"]
    sensor["mark_next"] += 1


@kernel
def cancel(sensor: np.void, side: int, at_ns: int) -> None:
    """Take an order of that time and side off the list."""
    for number in range(sensor["mark_first"], sensor["mark_next"]):
        slot = number % MARKS
        if sensor["mark_ns"][slot] == at_ns and sensor["mark_side"][slot] == side:
            sensor["mark_side"][slot] = -1
            return


@kernel
def mature(sensor: np.void, log_px_bps: float, now_ns: int) -> None:
    """Measure the orders whose time has come at the price of now."""
    while sensor["mark_first"] < sensor["mark_next"]:
        slot = sensor["mark_first"] % MARKS
        late_ns = now_ns - sensor["mark_ns"][slot] - HORIZON_NS
        if late_ns < 0:
            return
        sensor["mark_first"] += 1
        side = sensor["mark_side"][slot]
        if late_ns > LATE_NS or side < 0:
            continue
        move = log_px_bps - sensor["mark_log_px_bps"][slot]
        _learn(sensor, side, move if side == ASK else -move)


@kernel
def _learn(sensor: np.void, side: int, impact_bps: float) -> None:
    """Take one impact into the mean of its side."""
    sensor["impact_count"][side] = min(sensor["impact_count"][side] + 1.0, MEMORY)
    impact = min(max(impact_bps, -IMPACT_MAX), IMPACT_MAX)
    sensor["impact_bps"][side] += (impact - sensor["impact_bps"][side]) / sensor["impact_count"][side]
