"""
Touch: what a new best bid and ask say.

In      prices and sizes of the touch.
Out     observations of the value, and of the drift by imbalance and order flow.
Source  the layers of the micro-price; Cont, Kukanov & Stoikov (2014) for order flow.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import (
    LAYER_DEPTH,
    LAYER_MID,
    LAYER_STOIKOV,
    LAYER_WEIGHTED,
    OBS_VALUE,
    SOURCE_BASIS,
    SOURCE_MICROPRICE,
    SOURCE_OFI,
    SOURCE_TOUCH,
)
from mmfast.sensor import (
    basis,
    flow,
    imbalance,
    layers,
    lead,
    markout,
    microprice,
    observe,
    quality,
    stoikov,
    volatility,
    zscore,
)
from mmfast.sensor.decay import elapsed_s
from mmfast.units import ASK, BID

PX_TICKS_MAX = 10**15
LOTS_MAX = 10**15
DEEP_AGE_S = 1.2  # two periods of the fast book


@kernel
def see(sensor: np.void, features: np.void, params: np.void, bid: int, ask: int, bid_lots: int, ask_lots: int,
        now_ns: int) -> bool:
    """
    Take a touch. One that is crossed, locked, one-sided or absurd leaves us without a touch.

    A touch too far from the last one is left aside and the last one stays, until another confirms it: False.
    """
    good = 0 < bid < ask <= PX_TICKS_MAX and 0 < bid_lots <= LOTS_MAX and 0 < ask_lots <= LOTS_MAX
    if not good:
        sensor["touch_ok"], sensor["ofi_lots"] = 0, 0.0
        volatility.restart(sensor)
        features["valid_mask"] &= ~((1 << SOURCE_MICROPRICE) | (1 << SOURCE_TOUCH) | (1 << SOURCE_OFI))
        return True
    if quality.touch_is_odd(sensor, params, 0.5 * (bid + ask), now_ns):
        return False
    sensor["touch_late_ns"] = sensor["late_ns"]
    quality.hear(sensor, now_ns)
    features["ofi"] = flow.order_flow(sensor, bid, ask, bid_lots, ask_lots, now_ns)
    features["touch_imbalance"] = imbalance.imbalance(float(bid_lots), float(ask_lots))
    sensor["touch_ok"], sensor["gap"] = 1, 0
    sensor["touch_ticks"][BID], sensor["touch_ticks"][ASK] = bid, ask
    sensor["touch_lots"][BID], sensor["touch_lots"][ASK] = bid_lots, ask_lots
    _value(sensor, features, params, bid, ask, bid_lots, ask_lots, now_ns)
    x = zscore.score(sensor, SOURCE_TOUCH, features["touch_imbalance"], now_ns)
    observe.say_drift(sensor, features, params, SOURCE_TOUCH, x, now_ns)
    x = zscore.score(sensor, SOURCE_OFI, features["ofi"], now_ns)
    observe.say_drift(sensor, features, params, SOURCE_OFI, x, now_ns)
    return True


@kernel
def _value(sensor: np.void, features: np.void, params: np.void, bid: int, ask: int, bid_lots: int, ask_lots: int,
           now_ns: int) -> None:
    """What the touch says about the value."""
    scale = 1.0 / max(params["ticks_per_usd"], 1)
    mid = 0.5 * (bid + ask) * scale
    micro = microprice.weighted_mid(bid * scale, ask * scale, float(bid_lots), float(ask_lots))
    half_spread_bps = 0.5e4 * (ask - bid) * scale / mid
    sensor["log_mid_bps"] = 1e4 * math.log(mid)
    weighted_bps = 1e4 * math.log(micro / mid)
    sensor["log_px_bps"] = sensor["log_mid_bps"] + weighted_bps
    features["mid_px"] = features["base_px"] = mid
    features["half_spread_bps"] = half_spread_bps
    offsets = sensor["layer_bps"]
    offsets[LAYER_MID], offsets[LAYER_WEIGHTED] = 0.0, weighted_bps
    offsets[LAYER_STOIKOV] = stoikov.above_mid_bps(params, bid, ask, bid_lots, ask_lots)
    fresh = sensor["deep_ns"] > 0 and elapsed_s(sensor["deep_ns"], now_ns) <= DEEP_AGE_S
    offsets[LAYER_DEPTH] = sensor["deep_bps"] if fresh else math.nan
    layers.compare(sensor, sensor["log_mid_bps"], now_ns)
    lead.see_own(sensor, sensor["log_mid_bps"], now_ns)
    lead.speak(sensor, features, params, now_ns)
    markout.mature(sensor, sensor["log_px_bps"], now_ns)
    observe.say(sensor, features, params, SOURCE_MICROPRICE, OBS_VALUE, layers.spoken_bps(sensor),
                microprice.error_variance(half_spread_bps), now_ns)
    sensor["basis_bps"] = basis.basis_bps(sensor, now_ns)
    features["basis_bps"] = sensor["basis_bps"]
    if math.isfinite(sensor["basis_bps"]):
        x = zscore.score(sensor, SOURCE_BASIS, sensor["basis_bps"], now_ns)
        observe.say_drift(sensor, features, params, SOURCE_BASIS, x, now_ns)
    else:
        features["valid_mask"] &= ~(1 << SOURCE_BASIS)
