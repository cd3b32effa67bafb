"""
Sense: from a market record to features; one function for each kind of record.

In      one market record of the instrument, its SENSOR.
Out     FEATURES: the observations that this record gives rise to, and the context as it is now.
Source  model time is the record's ``ts_recv_ns``; no clock is read.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import (
    KIND_FEATURES,
    OBS_LOG_SIGMA,
    OBS_VALUE,
    SOURCE_BIPOWER,
    SOURCE_BOOK,
    SOURCE_FLOW,
    SOURCE_MICROPRICE,
    SOURCE_OFI,
    SOURCE_TOUCH,
)
from mmfast.records.market import GAP_STALE
from mmfast.sensor import flow, funding, imbalance, intensity, microprice, observe, volatility, zscore
from mmfast.units import ASK, BID

PX_TICKS_MAX = 10**15
LOTS_MAX = 10**15


@kernel
def begin(sensor: np.void, params: np.void) -> None:
    """Forget everything: the state before the first record of an instrument."""
    zscore.forget(sensor)
    volatility.restart(sensor)
    sensor["touch_ok"], sensor["touch_exch_ns"], sensor["log_px_bps"] = 0, 0, 0.0
    sensor["alive_ns"], sensor["gap"], sensor["serial"] = 0, 0, 0
    sensor["ofi_lots"], sensor["ofi_ns"], sensor["depth_lots"], sensor["depth_ns"] = 0.0, 0, 0.0, 0
    sensor["flow_usual_lots"], sensor["flow_ns"], sensor["order_ns"], sensor["taker"] = 0.0, 0, 0, 0
    for k in range(2):
        sensor["touch_ticks"][k], sensor["touch_lots"][k], sensor["flow_lots"][k] = 0, 0, 0.0
        sensor["order_count"][k], sensor["order_weight_s"][k] = 0.0, 0.0
    sensor["return_count"], sensor["rv_30"], sensor["rv_300"], sensor["tail"] = 0, math.nan, math.nan, 1.0
    sensor["funding_bps_s"] = 0.0


@kernel
def on_bbo(sensor: np.void, bbo: np.void, features: np.void, params: np.void) -> None:
    """A new touch: the value, the touch imbalance and the order-flow imbalance speak."""
    now_ns = bbo["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    sensor["alive_ns"] = now_ns
    _see(sensor, features, params, bbo["px_ticks"][BID], bbo["px_ticks"][ASK], bbo["lots"][BID], bbo["lots"][ASK],
         now_ns)
    sensor["touch_exch_ns"] = bbo["ts_exch_ns"]
    _context(sensor, bbo, features)


@kernel
def on_trade(sensor: np.void, trade: np.void, features: np.void, params: np.void) -> None:
    """A print: the taker flow speaks. Prints that the venue repeats are old news and change nothing."""
    now_ns = trade["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    side, lots = trade["side"], trade["lots"]
    if trade["replayed"] == 0 and 0 < lots <= LOTS_MAX and side in (BID, ASK):
        flow.take(sensor, side, lots, now_ns)
        intensity.age(sensor, now_ns)
        intensity.arrive(sensor, trade["taker"])
        x = zscore.score(sensor, SOURCE_FLOW, flow.flow_imbalance(sensor), now_ns)
        observe.say_drift(sensor, features, SOURCE_FLOW, x, now_ns)
    _context(sensor, trade, features)


@kernel
def on_book(sensor: np.void, book: np.void, features: np.void, params: np.void) -> None:
    """A book: its depth speaks, and its touch where that is newer than the one we have."""
    now_ns = book["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    sensor["alive_ns"] = now_ns
    ahead_ns = book["ts_exch_ns"] - sensor["touch_exch_ns"]
    if ahead_ns > 0 or (ahead_ns == 0 and sensor["touch_ok"] == 0):
        bid_lots = book["lots"][BID, 0] if book["level_count"][BID] > 0 else 0
        ask_lots = book["lots"][ASK, 0] if book["level_count"][ASK] > 0 else 0
        _see(sensor, features, params, book["px_ticks"][BID, 0], book["px_ticks"][ASK, 0], bid_lots, ask_lots, now_ns)
        sensor["touch_exch_ns"] = book["ts_exch_ns"]
    features["book_imbalance"] = imbalance.book_imbalance(book)
    x = zscore.score(sensor, SOURCE_BOOK, features["book_imbalance"], now_ns)
    observe.say_drift(sensor, features, SOURCE_BOOK, x, now_ns)
    _context(sensor, book, features)


@kernel
def on_ctx(sensor: np.void, ctx: np.void, features: np.void, params: np.void) -> None:
    """Funding: the cost of carry."""
    sensor["funding_bps_s"] = funding.carry_bps_s(ctx["funding_rate_h"], sensor["funding_bps_s"])
    _grid(sensor, features, params, ctx["ts_recv_ns"])
    _context(sensor, ctx, features)


@kernel
def on_timer(sensor: np.void, timer: np.void, features: np.void, params: np.void) -> None:
    """Time passes: flow fades, the volatility grid moves on."""
    now_ns = timer["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    flow.fade(sensor, now_ns)
    intensity.age(sensor, now_ns)
    _context(sensor, timer, features)


@kernel
def on_gap(sensor: np.void, gap: np.void, features: np.void, params: np.void) -> None:
    """Records were lost: what spans the gap is forgotten, and nothing is known until the next good touch."""
    sensor["gap"] = gap["reason"] if gap["reason"] > 0 else GAP_STALE
    sensor["touch_ok"], sensor["ofi_lots"] = 0, 0.0
    volatility.restart(sensor)
    features["valid_mask"] = 0
    _context(sensor, gap, features)


@kernel
def _see(sensor: np.void, features: np.void, params: np.void, bid: int, ask: int, bid_lots: int, ask_lots: int,
         now_ns: int) -> None:
    """Take a touch. One that is crossed, locked, one-sided or absurd leaves us without a touch."""
    good = 0 < bid < ask <= PX_TICKS_MAX and 0 < bid_lots <= LOTS_MAX and 0 < ask_lots <= LOTS_MAX
    if not good:
        sensor["touch_ok"], sensor["ofi_lots"] = 0, 0.0
        volatility.restart(sensor)
        features["valid_mask"] &= ~((1 << SOURCE_MICROPRICE) | (1 << SOURCE_TOUCH) | (1 << SOURCE_OFI))
        return
    features["ofi"] = flow.order_flow(sensor, bid, ask, bid_lots, ask_lots, now_ns)
    features["touch_imbalance"] = imbalance.imbalance(float(bid_lots), float(ask_lots))
    _value(sensor, features, params, bid, ask, bid_lots, ask_lots, now_ns)
    x = zscore.score(sensor, SOURCE_TOUCH, features["touch_imbalance"], now_ns)
    observe.say_drift(sensor, features, SOURCE_TOUCH, x, now_ns)
    x = zscore.score(sensor, SOURCE_OFI, features["ofi"], now_ns)
    observe.say_drift(sensor, features, SOURCE_OFI, x, now_ns)
    sensor["touch_ok"], sensor["gap"] = 1, 0
    sensor["touch_ticks"][BID], sensor["touch_ticks"][ASK] = bid, ask
    sensor["touch_lots"][BID], sensor["touch_lots"][ASK] = bid_lots, ask_lots


@kernel
def _value(sensor: np.void, features: np.void, params: np.void, bid: int, ask: int, bid_lots: int, ask_lots: int,
           now_ns: int) -> None:
    """What the touch says about the value."""
    scale = 1.0 / max(params["ticks_per_usd"], 1)
    mid = 0.5 * (bid + ask) * scale
    micro = microprice.weighted_mid(bid * scale, ask * scale, float(bid_lots), float(ask_lots))
    half_spread_bps = 0.5e4 * (ask - bid) * scale / mid
    sensor["log_px_bps"] = 1e4 * math.log(micro)
    features["mid_px"] = features["base_px"] = mid
    features["half_spread_bps"] = half_spread_bps
    observe.say(sensor, features, SOURCE_MICROPRICE, OBS_VALUE, 1e4 * math.log(micro / mid),
                microprice.error_variance(half_spread_bps), 0.0, now_ns)


@kernel
def _grid(sensor: np.void, features: np.void, params: np.void, now_ns: int) -> None:
    """Bring the volatility grid up to now, at the price that held until now."""
    if volatility.advance(sensor, now_ns, params["stale_ns"]):
        z, r = volatility.log_sigma_reading(volatility.bipower(sensor))
        observe.say(sensor, features, SOURCE_BIPOWER, OBS_LOG_SIGMA, z, r, 0.0, now_ns)
        volatility.remember(sensor)


@kernel
def _context(sensor: np.void, cause: np.void, features: np.void) -> None:
    """Write what is not an observation, and where the features come from."""
    if cause["inst"] >= 0:  # a timer is for everybody
        features["inst"] = cause["inst"]
    features["kind"], features["src_seq"] = KIND_FEATURES, cause["seq"]
    features["ts_exch_ns"], features["ts_recv_ns"] = cause["ts_exch_ns"], cause["ts_recv_ns"]
    features["touch_ok"], features["gap"], features["alive_ns"] = sensor["touch_ok"], sensor["gap"], sensor["alive_ns"]
    for side in range(2):
        features["touch_ticks"][side] = sensor["touch_ticks"][side]
        features["touch_lots"][side] = sensor["touch_lots"][side]
    features["flow_imbalance"] = flow.flow_imbalance(sensor)
    features["activity"] = intensity.activity(sensor)
    features["rv_30"], features["rv_300"], features["tail"] = sensor["rv_30"], sensor["rv_300"], sensor["tail"]
    features["funding_bps_s"] = sensor["funding_bps_s"]
