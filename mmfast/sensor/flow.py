"""
Order flow: what was added and taken at the touch, and who the takers were.

In      successive touches; prints.
Out     OFI in units of the usual depth; the imbalance of taker volume, buy-positive.
Source  Cont, Kukanov & Stoikov (2014), "The price impact of order book events", for OFI.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.units import ASK, BID

OFI_MEMORY_S = 2.0
DEPTH_MEMORY_S = 60.0
FLOW_MEMORY_S = 5.0
USUAL_MEMORY_S = 600.0


@kernel
def touch_event(old_px: int, old_lots: int, new_px: int, new_lots: int, sign: int) -> float:
    """
    Lots that came to one side of the touch (negative: left). ``sign`` is 1 for the bid, -1 for the ask.

    A better price brings its whole size, a worse one has lost the whole old size.
    """
    better = sign * (new_px - old_px)
    if better > 0:
        return float(new_lots)
    if better < 0:
        return -float(old_lots)
    return float(new_lots - old_lots)


@kernel
def order_flow(sensor: np.void, bid_px: int, ask_px: int, bid_lots: int, ask_lots: int, now_ns: int) -> float:
    """Take the step from the sensor's touch to a new one; returns OFI over the usual depth of the touch."""
    depth = 0.5 * (float(bid_lots) + float(ask_lots))
    if sensor["depth_lots"] <= 0.0:
        sensor["depth_lots"] = depth
    keep = kept(elapsed_s(sensor["depth_ns"], now_ns), DEPTH_MEMORY_S)
    sensor["depth_lots"] = depth + (sensor["depth_lots"] - depth) * keep
    sensor["depth_ns"] = now_ns
    ofi = sensor["ofi_lots"] * kept(elapsed_s(sensor["ofi_ns"], now_ns), OFI_MEMORY_S)
    if sensor["touch_ok"] == 1:
        px, lots = sensor["touch_ticks"], sensor["touch_lots"]
        ofi += touch_event(px[BID], lots[BID], bid_px, bid_lots, 1)
        ofi -= touch_event(px[ASK], lots[ASK], ask_px, ask_lots, -1)
    sensor["ofi_lots"] = ofi
    sensor["ofi_ns"] = now_ns
    return ofi / max(sensor["depth_lots"], 1.0)


@kernel
def fade(sensor: np.void, now_ns: int) -> None:
    """Let the taker flow age to ``now_ns``; the usual flow is the slow mean of the recent one."""
    span_s = elapsed_s(sensor["flow_ns"], now_ns)
    recent = sensor["flow_lots"][BID] + sensor["flow_lots"][ASK]
    slow = kept(span_s, USUAL_MEMORY_S)
    # The mean of the decaying recent flow over the span, so that the length of a quiet spell does not matter.
    mean = recent * FLOW_MEMORY_S * (1.0 - kept(span_s, FLOW_MEMORY_S)) / span_s if span_s > 0.0 else recent
    sensor["flow_usual_lots"] = mean + (sensor["flow_usual_lots"] - mean) * slow
    keep = kept(span_s, FLOW_MEMORY_S)
    sensor["flow_lots"][BID] *= keep
    sensor["flow_lots"][ASK] *= keep
    sensor["flow_ns"] = max(now_ns, sensor["flow_ns"])


@kernel
def take(sensor: np.void, side: int, lots: int, now_ns: int) -> None:
    """Add a print; ``side`` is BID for a taker who bought."""
    fade(sensor, now_ns)
    sensor["flow_lots"][side] += float(lots)


@kernel
def flow_imbalance(sensor: np.void) -> float:
    """
    (bought - sold) / (bought + sold) over five seconds, in [-1, 1].

    Less than the usual flow counts as the usual flow: one small print in a quiet minute is no imbalance.
    """
    bought, sold = sensor["flow_lots"][BID], sensor["flow_lots"][ASK]
    total = max(bought + sold, sensor["flow_usual_lots"])
    if not total > 0.0:
        return 0.0
    return (bought - sold) / total
