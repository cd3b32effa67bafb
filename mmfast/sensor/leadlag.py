"""
Lead and lag: by how much another venue's price is ahead of ours.

In      prices of a reference and of our venue, by our receive time.
Out     the lag [ms], the response to a move of the reference, how sure that is; what is still to come.
Source  Hayashi & Yoshida (2005), Hoffmann, Rosenbaum & Yoshida (2013): products of returns whose intervals overlap
        after a shift, which needs no common sampling times; over one interval of ours the overlapping returns of
        the reference add up to one difference of its price. Time is in bins of 20 ms.

A book whose makers follow one after another has no one lag: the contrast is as wide as their delays and as our own
intervals, and its largest bin wanders on a plateau. The lag is the centre of what rises above half of the largest.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.units import NS_PER_MS

BIN_NS = 20 * NS_PER_MS
BIN_MS = 20.0
LAG_FIRST, LAGS = -5, 31  # bins: from -100 ms to 500 ms
RING = 1024  # bins of the reference
WAIT = 60  # bins after which an interval of ours is settled: the reference has ticked, or stood still
INTERVALS = 64
SIGNIFICANT = 3.0
MEMORY_S = 300.0 / math.log(2.0)

LEADLAG = bare(
    ("memory_s", "f8"),
    ("bin", "i8"),  # the running one; 0 before the first price
    ("ref_ticked", "i8"),
    ("ref_log_bps", "f8"),
    ("log_bps", "f8", (RING,)),  # of the reference after its last tick in a bin
    ("tick", "i8", (RING,)),  # whether it ticked in the bin
    ("own_bin", "i8"),
    ("own_log_bps", "f8"),
    ("first", "i8"),
    ("next", "i8"),
    ("from_bin", "i8", (INTERVALS,)),
    ("to_bin", "i8", (INTERVALS,)),
    ("return_bps", "f8", (INTERVALS,)),
    ("dropped_count", "i8"),
    ("decay_bin", "i8"),
    ("contrast", "f8", (LAGS,)),
    ("noise", "f8", (LAGS,)),  # sum of squared terms: the contrast's variance under random signs
    ("ref_var", "f8"),
    ("own_var", "f8"),
    size=18880,
)


@kernel
def begin(state: np.void, memory_s: float) -> None:
    """Know nothing; what is learned halves in ``memory_s`` ln 2."""
    state["memory_s"], state["bin"], state["ref_ticked"], state["ref_log_bps"] = memory_s, 0, 0, 0.0
    state["own_bin"], state["own_log_bps"], state["first"], state["next"] = 0, 0.0, 0, 0
    state["dropped_count"], state["decay_bin"], state["ref_var"], state["own_var"] = 0, 0, 0.0, 0.0
    for k in range(LAGS):
        state["contrast"][k], state["noise"][k] = 0.0, 0.0


@kernel
def interrupt(state: np.void) -> None:
    """No interval spans what comes next, and the reference's next price is no move; what was learned stays."""
    state["first"], state["next"], state["own_bin"], state["ref_ticked"] = 0, 0, 0, 0


@kernel
def advance(state: np.void, now_ns: int) -> None:
    """Bring the bins up to now, and settle the intervals of ours that are old enough."""
    now = now_ns // BIN_NS
    if state["bin"] == 0 or now - state["bin"] >= RING:
        memory_s = state["memory_s"]
        if state["bin"] > 0:  # after such a silence no interval may span it
            interrupt(state)
        else:
            begin(state, memory_s)
        state["bin"] = now
        _clear(state, now)
    while state["bin"] < now:
        state["bin"] += 1
        _clear(state, state["bin"])
    while state["first"] < state["next"] and state["to_bin"][state["first"] % INTERVALS] + WAIT <= state["bin"]:
        _settle(state, state["first"] % INTERVALS)
        state["first"] += 1


@kernel
def _clear(state: np.void, at: int) -> None:
    """Begin a bin at the reference's last price."""
    state["log_bps"][at % RING], state["tick"][at % RING] = state["ref_log_bps"], 0


@kernel
def on_reference(state: np.void, log_bps: float, now_ns: int) -> None:
    """A price of the reference, 1e4 ln."""
    if not math.isfinite(log_bps):
        return
    advance(state, now_ns)
    at = state["bin"]
    if state["ref_ticked"] == 0:
        for k in range(RING):
            state["log_bps"][k] = log_bps  # before its first tick it stood still
            state["tick"][k] = 0
    elif state["tick"][at % RING] == 0 or log_bps != state["ref_log_bps"]:
        step = log_bps - state["log_bps"][at % RING]
        state["ref_var"] += step * step
    state["ref_log_bps"], state["ref_ticked"] = log_bps, 1
    state["log_bps"][at % RING], state["tick"][at % RING] = log_bps, 1


@kernel
def on_own(state: np.void, log_bps: float, now_ns: int) -> None:
    """A price of ours, 1e4 ln; the interval since the one before waits until it can be settled."""
    if not math.isfinite(log_bps):
        return
    advance(state, now_ns)
    at = state["bin"]
    if state["own_bin"] > 0 and at > state["own_bin"] and state["ref_ticked"] == 1:
        if state["next"] - state["first"] < INTERVALS and at - state["own_bin"] < RING // 4:
            slot = state["next"] % INTERVALS
            state["from_bin"][slot], state["to_bin"][slot] = state["own_bin"], at
            state["return_bps"][slot] = log_bps - state["own_log_bps"]
            state["next"] += 1
        else:
            state["dropped_count"] += 1
    if state["own_bin"] == 0 or at > state["own_bin"]:
        state["own_bin"], state["own_log_bps"] = at, log_bps


@kernel
def _settle(state: np.void, slot: int) -> None:
    """Add one interval of ours to the contrast of every lag."""
    _forget(state, state["to_bin"][slot])
    step = state["return_bps"][slot]
    state["own_var"] += step * step
    for k in range(LAGS):
        shift = LAG_FIRST + k
        term = step * overlap(state, state["from_bin"][slot] - shift, state["to_bin"][slot] - shift)
        state["contrast"][k] += term
        state["noise"][k] += term * term


@kernel
def overlap(state: np.void, start: int, end: int) -> float:
    """Sum of the reference's returns over intervals that overlap (start, end] in bins."""
    after = end
    while after < state["bin"] and state["tick"][after % RING] == 0:
        after += 1
    if state["tick"][after % RING] == 0:  # it has not ticked since: its open interval has no return yet
        after = end
    return float(state["log_bps"][after % RING] - state["log_bps"][start % RING])


@kernel
def _forget(state: np.void, at: int) -> None:
    """Let the sums fade to bin ``at``."""
    span_s = max(at - state["decay_bin"], 0) * (BIN_MS * 1e-3) if state["decay_bin"] > 0 else 0.0
    state["decay_bin"] = max(at, state["decay_bin"])
    keep = math.exp(-min(span_s / state["memory_s"], 700.0))
    state["ref_var"] *= keep
    state["own_var"] *= keep
    for k in range(LAGS):
        state["contrast"][k] *= keep
        state["noise"][k] *= keep * keep


@kernel
def _best(state: np.void) -> int:
    """The lag of the largest contrast."""
    best = 0
    for k in range(LAGS):
        if abs(state["contrast"][k]) > abs(state["contrast"][best]):
            best = k
    return best


@kernel
def surety(state: np.void) -> float:
    """The largest contrast in standard deviations of its noise; NaN where nothing is known."""
    best = _best(state)
    if not state["noise"][best] > 0.0:
        return math.nan
    return float(abs(state["contrast"][best]) / math.sqrt(state["noise"][best]))


@kernel
def estimate(state: np.void) -> tuple[float, float, float]:
    """
    (lag [ms], response, R^2); NaN throughout unless the contrast is three times its noise.

    Positive: the reference leads.
    """
    best = _best(state)
    top = state["contrast"][best]
    if not (state["noise"][best] > 0.0 and state["ref_var"] > 0.0 and state["own_var"] > 0.0):
        return math.nan, math.nan, math.nan
    if abs(top) <= SIGNIFICANT * math.sqrt(state["noise"][best]):
        return math.nan, math.nan, math.nan
    fit = min(top * top / (state["ref_var"] * state["own_var"]), 1.0)
    return (LAG_FIRST + _centre(state, top)) * BIN_MS, top / state["ref_var"], fit


@kernel
def _centre(state: np.void, top: float) -> float:
    """Mean bin of the contrast, weighed by how far it rises above half of ``top``, its largest, to the same side."""
    sign, total, moment = (1.0 if top > 0.0 else -1.0), 0.0, 0.0
    for k in range(LAGS):
        above = max(sign * state["contrast"][k] - 0.5 * abs(top), 0.0)
        total += above
        moment += above * k
    return moment / total


@kernel
def to_come_bps(state: np.void, lag_ms: float, response: float) -> float:
    """Move of ours that the reference's moves of the last ``lag_ms`` still announce; 0 if it does not lead."""
    bins = lag_ms / BIN_MS
    if not (bins > 0.0 and math.isfinite(response)) or state["ref_ticked"] == 0:
        return 0.0
    total, at, back = 0.0, state["bin"], 0
    while back < bins and back < RING - 1:
        step = state["log_bps"][(at - back) % RING] - state["log_bps"][(at - back - 1) % RING]
        total += step * (1.0 - back / bins)
        back += 1
    return response * total
