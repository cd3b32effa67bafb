"""
Own prints: our fills are printed like everybody's, and are not news about the others.

In      trade ids of prints and of our fills, whichever comes first.
Out     whether a print is ours; what an earlier print had added, taken back.
Source  what a fill of ours says about the value enters once, as the filter's update for fills.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor import flow, hawkes, horizons, intensity, markout, sweep, vpin
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.sensor.state import OWN, PRINTS
from mmfast.units import ASK, BID


@kernel
def restart(sensor: np.void) -> None:
    """Remember no print and no fill."""
    sensor["print_next"], sensor["own_next"], sensor["own_print_count"] = 0, 0, 0
    for k in range(PRINTS):
        sensor["print_tid"][k] = 0
    for k in range(OWN):
        sensor["own_tid"][k] = 0


@kernel
def is_ours(sensor: np.void, tid: int) -> bool:
    """True for the print of a fill that is known already; it is struck off."""
    if tid == 0 or sensor["own_next"] == 0:
        return False
    for k in range(OWN):
        if sensor["own_tid"][k] == tid:
            sensor["own_tid"][k] = 0
            sensor["own_print_count"] += 1
            return True
    return False


@kernel
def remember(sensor: np.void, tid: int, side: int, lots: float, weight: float, swept: float, opened: bool,
             now_ns: int) -> None:
    """Write down what a print has added, in case that it turns out to be ours."""
    slot = sensor["print_next"] % PRINTS
    sensor["print_tid"][slot], sensor["print_ns"][slot], sensor["print_side"][slot] = tid, now_ns, side
    sensor["print_lots"][slot], sensor["print_weight"][slot] = lots, weight
    sensor["print_sweep"][slot], sensor["print_opened"][slot] = swept, 1 if opened else 0
    sensor["print_next"] += 1


@kernel
def take_back(sensor: np.void, tid: int, decay: float) -> bool:
    """Undo the print of a fill of ours; one that is not here yet is awaited. True if something was undone."""
    if tid == 0:
        return False
    for k in range(PRINTS):
        if sensor["print_tid"][k] == tid:
            sensor["print_tid"][k] = 0
            sensor["own_print_count"] += 1
            _undo(sensor, k, decay)
            return True
    for k in range(OWN):
        if sensor["own_tid"][k] == tid:
            return False
    sensor["own_tid"][sensor["own_next"] % OWN] = tid
    sensor["own_next"] += 1
    return False


@kernel
def _undo(sensor: np.void, slot: int, decay: float) -> None:
    """Take back what is left of a print, as aged as what it was added to."""
    side, lots, at_ns = sensor["print_side"][slot], sensor["print_lots"][slot], sensor["print_ns"][slot]
    left = lots * kept(elapsed_s(at_ns, sensor["flow_ns"]), flow.FLOW_MEMORY_S)
    sensor["flow_lots"][side] = max(sensor["flow_lots"][side] - left, 0.0)
    horizons.add(sensor, side, -lots, elapsed_s(at_ns, sensor["horizon_ns"]))
    keep = math.exp(-min(max(decay, 0.0) * elapsed_s(at_ns, sensor["excitation_ns"]), hawkes.SPAN_MAX))
    hawkes.excite(sensor, side, -sensor["print_weight"][slot] * keep)
    keep = kept(elapsed_s(at_ns, sensor["sweep_ns"]), sweep.MEMORY_S)
    sweep.add(sensor, side, -sensor["print_sweep"][slot] * keep)
    vpin.take_back(sensor, side, lots)
    if sensor["print_opened"][slot] == 1:
        intensity.take_back(sensor, at_ns)
        markout.cancel(sensor, ASK if side == BID else BID, at_ns)
