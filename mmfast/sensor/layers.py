"""
Layers: which form of the micro-price has lately been nearest to the mid of two seconds later.

In      mid, weighted mid, Stoikov's micro-price and the depth-weighted price, each over the mid [bps].
Out     the layer that speaks for the value.
Source  mean squared error by layer, half-life five minutes; the weighted mid until a hundred readings are in.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import LAYER_WEIGHTED, LAYERS
from mmfast.sensor.state import PENDING
from mmfast.units import NS_PER_MS, NS_PER_S

AHEAD_NS = 2 * NS_PER_S
LATE_NS = 2 * NS_PER_S
EVERY_NS = 250 * NS_PER_MS
KNOWN = 100.0
MEMORY = 300.0 / math.log(2.0) * 4.0  # readings
BETTER = 0.98  # of the error: a layer must be worth the change


@kernel
def restart(sensor: np.void) -> None:
    """The weighted mid speaks, nothing is known of the others."""
    forget_waiting(sensor)
    sensor["layer"], sensor["deep_bps"], sensor["deep_ns"] = LAYER_WEIGHTED, math.nan, 0
    for k in range(LAYERS):
        sensor["layer_bps"][k] = math.nan
        sensor["layer_count"][k], sensor["layer_var"][k] = 0.0, 0.0


@kernel
def forget_waiting(sensor: np.void) -> None:
    """Drop the readings that wait for their answer."""
    sensor["layer_first"], sensor["layer_next"] = 0, 0


@kernel
def compare(sensor: np.void, log_mid_bps: float, now_ns: int) -> None:
    """Judge the readings of two seconds ago by the mid of now, and put down those of now, four times a second."""
    _judge(sensor, log_mid_bps, now_ns)
    newest = sensor["layer_ns"][(sensor["layer_next"] - 1) % PENDING]
    if sensor["layer_next"] > sensor["layer_first"] and now_ns - newest < EVERY_NS:
        return
    if sensor["layer_next"] - sensor["layer_first"] >= PENDING:
        return
    slot = sensor["layer_next"] % PENDING
    sensor["layer_ns"][slot] = now_ns
    for k in range(LAYERS):
        sensor["layer_log_px_bps"][slot, k] = log_mid_bps + sensor["layer_bps"][k]
    sensor["layer_next"] += 1


@kernel
def _judge(sensor: np.void, log_mid_bps: float, now_ns: int) -> None:
    """Take in the errors of readings whose time has come; a mid that comes too late says nothing."""
    judged = False
    while sensor["layer_first"] < sensor["layer_next"]:
        slot = sensor["layer_first"] % PENDING
        late_ns = now_ns - sensor["layer_ns"][slot] - AHEAD_NS
        if late_ns < 0:
            break
        sensor["layer_first"] += 1
        if late_ns <= LATE_NS:
            judged = True
            for k in range(LAYERS):
                _learn(sensor, k, log_mid_bps - sensor["layer_log_px_bps"][slot, k])
    if judged:
        sensor["layer"] = _best(sensor)


@kernel
def _learn(sensor: np.void, layer: int, error_bps: float) -> None:
    """Take one error of a layer into its mean square; a layer that had nothing to say is left alone."""
    if math.isfinite(error_bps):
        sensor["layer_count"][layer] = min(sensor["layer_count"][layer] + 1.0, MEMORY)
        step = error_bps * error_bps - sensor["layer_var"][layer]
        sensor["layer_var"][layer] += step / sensor["layer_count"][layer]


@kernel
def _best(sensor: np.void) -> int:
    """The known layer with the least error, if it is clearly less than that of the one that speaks."""
    best = sensor["layer"]
    if sensor["layer_count"][best] < KNOWN:
        return int(best)
    least = BETTER * sensor["layer_var"][best]
    for k in range(LAYERS):
        if sensor["layer_count"][k] >= KNOWN and sensor["layer_var"][k] < least:
            best, least = k, sensor["layer_var"][k]
    return int(best)


@kernel
def spoken_bps(sensor: np.void) -> float:
    """What the chosen layer says over the mid; the weighted mid where that one is silent."""
    above = sensor["layer_bps"][sensor["layer"]]
    return float(above if math.isfinite(above) else sensor["layer_bps"][LAYER_WEIGHTED])
