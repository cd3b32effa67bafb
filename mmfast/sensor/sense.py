"""
Sense: from a market record to features; one function for each kind of record.

In      one market record of the instrument, or a fill of ours; its SENSOR.
Out     FEATURES: the observations that this record gives rise to, and the context as it is now.
Source  model time is the record's ``ts_recv_ns``; no clock is read.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import OBS_LOG_SIGMA, SOURCE_BIPOWER
from mmfast.records.market import GAP_LAPPED, GAP_REFERENCE_LOST, GAP_STALE
from mmfast.sensor import begin as beginning
from mmfast.sensor import (
    context,
    depth,
    forced,
    lead,
    observe,
    ownprints,
    printed,
    quality,
    reach,
    reference,
    touch,
    volatility,
)
from mmfast.units import ASK, BID

begin = beginning.begin


@kernel
def on_bbo(sensor: np.void, bbo: np.void, features: np.void, params: np.void) -> None:
    """A new touch: the value, the touch imbalance and the order-flow imbalance speak."""
    now_ns = bbo["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    if not quality.time_is_odd(sensor, bbo["ts_exch_ns"], now_ns):
        touch.see(sensor, features, params, bbo["px_ticks"][BID], bbo["px_ticks"][ASK], bbo["lots"][BID],
                  bbo["lots"][ASK], now_ns)
        sensor["touch_exch_ns"] = bbo["ts_exch_ns"]
    context.write(sensor, bbo, features, params)


@kernel
def on_trade(sensor: np.void, trade: np.void, features: np.void, params: np.void) -> None:
    """A print: the takers speak. Prints that the venue repeats and prints of our fills change nothing."""
    now_ns = trade["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    side, lots = trade["side"], trade["lots"]
    if trade["replayed"] == 0 and 0 < lots <= touch.LOTS_MAX and side in (BID, ASK):
        odd = (quality.time_is_odd(sensor, trade["ts_exch_ns"], now_ns)
               or quality.print_is_odd(sensor, params, trade["px_ticks"], now_ns))
        if not odd:
            reach.take(sensor, side, trade["px_ticks"])
            if not ownprints.is_ours(sensor, trade["tid"]):
                printed.take(sensor, features, params, trade, now_ns)
    context.write(sensor, trade, features, params)


@kernel
def on_book(sensor: np.void, book: np.void, features: np.void, params: np.void) -> None:
    """A book: its depth speaks, and its touch where that is newer than the one we have."""
    now_ns = book["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    in_time = not quality.time_is_odd(sensor, book["ts_exch_ns"], now_ns)
    if in_time and book["wide"] == 1:
        depth.take_wide(sensor, features, params, book, now_ns)
    elif in_time and _see_book(sensor, features, params, book, now_ns):
        quality.hear(sensor, now_ns)
        depth.take(sensor, features, params, book, now_ns)
    context.write(sensor, book, features, params)


@kernel
def _see_book(sensor: np.void, features: np.void, params: np.void, book: np.void, now_ns: int) -> bool:
    """Take the touch of a book if it is newer than ours; False if it is too odd to be believed."""
    ahead_ns = book["ts_exch_ns"] - sensor["touch_exch_ns"]
    if ahead_ns < 0 or (ahead_ns == 0 and sensor["touch_ok"] == 1):
        return True
    bid_lots = book["lots"][BID, 0] if book["level_count"][BID] > 0 else 0
    ask_lots = book["lots"][ASK, 0] if book["level_count"][ASK] > 0 else 0
    sensor["touch_exch_ns"] = book["ts_exch_ns"]
    return touch.see(sensor, features, params, book["px_ticks"][BID, 0], book["px_ticks"][ASK, 0], bid_lots, ask_lots,
                     now_ns)


@kernel
def on_ctx(sensor: np.void, ctx: np.void, features: np.void, params: np.void) -> None:
    """The venue's context: funding, the oracle, open interest."""
    now_ns = ctx["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    reference.take(sensor, features, params, ctx, now_ns)
    context.write_reference(sensor, features, now_ns)
    context.write(sensor, ctx, features, params)


@kernel
def on_timer(sensor: np.void, timer: np.void, features: np.void, params: np.void) -> None:
    """Time passes: flow fades, the volatility grid moves on."""
    now_ns = timer["ts_recv_ns"]
    _grid(sensor, features, params, now_ns)
    printed.fade(sensor, params, now_ns)
    forced.fade(sensor, now_ns)
    lead.say_again(sensor, features, params, now_ns)
    context.write_reference(sensor, features, now_ns)
    context.write(sensor, timer, features, params)


@kernel
def on_reference_bbo(sensor: np.void, bbo: np.void, features: np.void, params: np.void) -> None:
    """A touch of the reference."""
    lead.see_touch(sensor, params, bbo, bbo["px_ticks"][BID], bbo["px_ticks"][ASK], bbo["lots"][BID],
                   bbo["lots"][ASK], bbo["ts_recv_ns"])
    _hear_reference(sensor, bbo, features, params)


@kernel
def on_reference_book(sensor: np.void, book: np.void, features: np.void, params: np.void) -> None:
    """Depth of the reference: its touch, where that is newer than the one we have."""
    if book["level_count"][BID] > 0 and book["level_count"][ASK] > 0:
        lead.see_touch(sensor, params, book, book["px_ticks"][BID, 0], book["px_ticks"][ASK, 0],
                       book["lots"][BID, 0], book["lots"][ASK, 0], book["ts_recv_ns"])
    _hear_reference(sensor, book, features, params)


@kernel
def on_reference_trade(sensor: np.void, trade: np.void, features: np.void, params: np.void) -> None:
    """A print of the reference."""
    lead.see_print(sensor, trade["side"], trade["lots"], trade["ts_recv_ns"])
    _hear_reference(sensor, trade, features, params)


@kernel
def _hear_reference(sensor: np.void, cause: np.void, features: np.void, params: np.void) -> None:
    """What the reference has just said may change the value; the record is not the venue's that is traded."""
    lead.say_again(sensor, features, params, cause["ts_recv_ns"])
    lead.write(sensor, features)
    features["src_seq"], features["ts_recv_ns"] = cause["seq"], cause["ts_recv_ns"]


@kernel
def on_gap(sensor: np.void, gap: np.void, features: np.void, params: np.void) -> None:
    """Records were lost: what spans the gap is forgotten, and nothing is known until the next good touch of ours."""
    if gap["reason"] in (GAP_REFERENCE_LOST, GAP_LAPPED):
        lead.lose(sensor)
    if gap["reason"] == GAP_REFERENCE_LOST:
        _hear_reference(sensor, gap, features, params)
        return
    sensor["gap"] = gap["reason"] if gap["reason"] > 0 else GAP_STALE
    beginning.after_gap(sensor)
    features["valid_mask"] = 0
    context.write(sensor, gap, features, params)


@kernel
def on_fill(sensor: np.void, fill: np.void, features: np.void, params: np.void) -> None:
    """A fill of ours: its print is taken out of what is known of the takers, or awaited if it is not here yet."""
    if ownprints.take_back(sensor, fill["tid"], params["hawkes_decay"]):
        context.write_takers(sensor, features, params)
    features["own_print_count"] = sensor["own_print_count"]


@kernel
def _grid(sensor: np.void, features: np.void, params: np.void, now_ns: int) -> None:
    """Bring the grids of seconds up to now: volatility at the price that held until now, the reach of prints."""
    sensor["late_ns"] = 0
    reach.advance(sensor, features, now_ns)
    if volatility.advance(sensor, now_ns, params["stale_ns"]):
        sensor["bipower_var"] = volatility.bipower(sensor)
        z, r = volatility.log_sigma_reading(sensor["bipower_var"] * volatility.variance_ratio(sensor))
        observe.say(sensor, features, params, SOURCE_BIPOWER, OBS_LOG_SIGMA, z, r, now_ns)
        volatility.remember(sensor)
