"""
Printed: what a print says.

In      a trade that is neither repeated nor ours.
Out     observations of the drift by flow, intensity, sweeps and sizes, and of the informed share of our sides.
Source  volumes count by print; orders, sweeps, sizes and classes by the taker order that prints are parts of.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import (
    OBS_INFORMED,
    SOURCE_BASIS,
    SOURCE_FLOW,
    SOURCE_HAWKES,
    SOURCE_INFORMED_ASK,
    SOURCE_INFORMED_BID,
    SOURCE_SIZE,
    SOURCE_SWEEP,
)
from mmfast.sensor import (
    classify,
    context,
    flow,
    forced,
    hawkes,
    horizons,
    imbalance,
    informed,
    intensity,
    markout,
    observe,
    ownprints,
    sizes,
    sweep,
    takers,
    vpin,
    zscore,
)
from mmfast.units import ASK, BID


@kernel
def take(sensor: np.void, features: np.void, params: np.void, trade: np.void, now_ns: int) -> None:
    """Take a print of somebody else, and say what it means."""
    side, lots, px = trade["side"], float(trade["lots"]), trade["px_ticks"]
    opened = takers.opens(sensor, trade["taker"], side)
    fade(sensor, params, now_ns)
    if opened:
        _complete(sensor, params)
        takers.open_order(sensor, trade["taker"], side, _touch_imbalance(sensor))
        intensity.arrive(sensor)
        markout.wait(sensor, ASK if side == BID else BID, now_ns)
    takers.extend(sensor, px, lots)
    flow.take(sensor, side, trade["lots"], now_ns)
    horizons.add(sensor, side, lots, 0.0)
    vpin.pour(sensor, side, lots, now_ns)
    weight, swept = _grow(sensor, side, opened)
    ownprints.remember(sensor, trade["tid"], side, lots, weight, swept, opened, now_ns)
    _say(sensor, features, params, opened, now_ns)


@kernel
def fade(sensor: np.void, params: np.void, now_ns: int) -> None:
    """Let everything about takers age to ``now_ns``."""
    flow.fade(sensor, now_ns)
    horizons.fade(sensor, now_ns)
    hawkes.fade(sensor, params["hawkes_decay"], now_ns)
    sweep.fade(sensor, now_ns)
    intensity.age(sensor, now_ns)


@kernel
def _grow(sensor: np.void, side: int, opened: bool) -> tuple[float, float]:
    """What the running order adds to excitation and sweep score by having grown; its new size is noted."""
    relative = sizes.relative(sensor, sensor["taker_lots"])
    weight = hawkes.weight(relative) - sensor["taker_weight"]
    swept = sweep.worth(sensor["taker_levels"], relative) - sensor["taker_sweep"]
    sensor["taker_weight"] += weight
    sensor["taker_sweep"] += swept
    hawkes.excite(sensor, side, weight)
    sweep.add(sensor, side, swept)
    sizes.note(sensor, side, math.log(max(sensor["taker_lots"], 1.0)), opened)
    return weight, swept


@kernel
def _touch_imbalance(sensor: np.void) -> float:
    """Imbalance of the touch, 0 without one."""
    if sensor["touch_ok"] == 0:
        return 0.0
    return imbalance.imbalance(float(sensor["touch_lots"][BID]), float(sensor["touch_lots"][ASK]))


@kernel
def _complete(sensor: np.void, params: np.void) -> None:
    """Learn from the order before, now that it has all its prints."""
    if sensor["taker_lots"] <= 0.0:
        return
    side, log_size = sensor["taker_side"], math.log(max(sensor["taker_lots"], 1.0))
    direction = takers.sign(side)
    basis_score = 0.0
    if math.isfinite(sensor["basis_bps"]):
        deviation = math.sqrt(max(sensor["score_var"][SOURCE_BASIS], 1e-6))
        basis_score = (sensor["basis_bps"] - sensor["score_mean"][SOURCE_BASIS]) / deviation
    classify.classify(sensor, params["informed_prior"], sizes.score(sensor, log_size), sensor["taker_levels"],
                      direction * sensor["taker_imbalance"], forced.ratio(sensor), -direction * basis_score)
    classify.learn(sensor, ASK if side == BID else BID)
    sizes.learn(sensor, log_size)


@kernel
def _say(sensor: np.void, features: np.void, params: np.void, opened: bool, now_ns: int) -> None:
    """Write the observations; sizes and informed shares speak once for an order."""
    x = zscore.score(sensor, SOURCE_FLOW, flow.flow_imbalance(sensor), now_ns)
    observe.say_drift(sensor, features, params, SOURCE_FLOW, x, now_ns)
    balance = hawkes.balance(hawkes.rate(sensor, params, BID), hawkes.rate(sensor, params, ASK))
    x = zscore.score(sensor, SOURCE_HAWKES, balance, now_ns)
    observe.say_drift(sensor, features, params, SOURCE_HAWKES, x, now_ns)
    x = zscore.score(sensor, SOURCE_SWEEP, sensor["sweep"][BID] - sensor["sweep"][ASK], now_ns)
    observe.say_drift(sensor, features, params, SOURCE_SWEEP, x, now_ns)
    if opened:
        context.write_shift(sensor, features)
        x = zscore.score(sensor, SOURCE_SIZE, features["size_shift"], now_ns)
        observe.say_drift(sensor, features, params, SOURCE_SIZE, x, now_ns)
        say_informed(sensor, features, params, now_ns)


@kernel
def say_informed(sensor: np.void, features: np.void, params: np.void, now_ns: int) -> None:
    """Write the informed share of takers at each side of ours."""
    sigma = math.sqrt(sensor["rv_300"]) if sensor["rv_300"] > 0.0 else params["sigma_ref_bps"]
    for side in range(2):
        share, variance = informed.informed_share(sensor, side, sigma)
        source = SOURCE_INFORMED_BID if side == BID else SOURCE_INFORMED_ASK
        features["informed_p"][side] = share if (params["source_mask"] >> source) & 1 == 1 else math.nan
        observe.say(sensor, features, params, source, OBS_INFORMED, share, variance, now_ns)
