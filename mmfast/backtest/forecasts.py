"""
Forecasts: what the core foretold each second of a recording, against what came and against simple forecasts.

In      a capture and what was believed each second of it.
Out     the gain of each forecast, with its interval.
Source  scores.py. Baselines: EWMA of squares with a half-life of a minute, a drift of zero, the share of fills so far.
        A baseline knows at a second what had happened by then; ours is what the core had written by then.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mmfast.backtest import scores
from mmfast.backtest.captures import Capture, wide
from mmfast.records.belief import BELIEF_OK
from mmfast.records.market import BBO, BOOK, KIND_BBO, KIND_BOOK, KIND_TRADE, TRADE
from mmfast.units import ASK, BID, BPS, NS_PER_S, ticks_per_usd

Array = np.ndarray[Any, Any]
VOLATILITY_S, HALF_LIFE_S = 10, 60.0
SIGN_S = (1, 5, 10, 30)
FILL_S, FILL_BPS = 5, (1.0, 2.0, 4.0)
AGE_S = 5  # of the last touch
SCORED_MIN = 120  # seconds of usable belief; less is only heard


class Score(NamedTuple):
    """One forecast on one capture."""

    name: str
    what: str
    gain: scores.Gain


def mids(capture: Capture, at_ns: Array) -> Array:
    """The mid as recorded [USD] at those times, by touches if the capture has them; NaN if the last is AGE_S old."""
    touches, books = capture.rows["kind"] == KIND_BBO, capture.rows["kind"] == KIND_BOOK
    if touches.any():
        ns, px = capture.rows["ts_recv_ns"][touches], capture.rows.view(wide(BBO))["px_ticks"][touches]
    else:
        ns, px = capture.rows["ts_recv_ns"][books], capture.rows.view(wide(BOOK))["px_ticks"][books][:, :, 0]
    if not len(ns):
        return np.full(len(at_ns), math.nan)
    last = np.searchsorted(ns, at_ns, side="right") - 1
    fresh = (last >= 0) & (at_ns - ns[last] <= AGE_S * NS_PER_S) & (px[last] > 0).all(axis=1)
    return np.where(fresh, px[last].mean(axis=1) / ticks_per_usd(capture.sz_decimals), math.nan)


def moves(seen: Array, horizon_s: int) -> Array:
    """
    Move of the mid over the next ``horizon_s`` [bps]; NaN across holes and where the belief is not usable.

    It need not be usable at the end: a belief that is not, because the market jumped, has to be judged.
    """
    out = np.full(len(seen), math.nan)
    later = np.arange(horizon_s, len(seen))
    now = later - horizon_s
    whole = (seen["ts_ns"][later] - seen["ts_ns"][now] == horizon_s * NS_PER_S) & (seen["status"][now] == BELIEF_OK)
    out[now[whole]] = np.log(seen["mid_px"][later[whole]] / seen["mid_px"][now[whole]]) / BPS
    return out


def volatility(at_s: Array, seen: Array) -> list[tuple[str, scores.Gain]]:
    """QLIKE of the next ten seconds against an EWMA of past ones, by moves of ten seconds and of one."""
    square = moves(seen, VOLATILITY_S) ** 2
    ours = scores.qlike(seen["sigma_bps"] ** 2 * VOLATILITY_S, square)
    slow = scores.ewma(square, HALF_LIFE_S, VOLATILITY_S)
    quick = scores.ewma(moves(seen, 1) ** 2, HALF_LIFE_S, 1) * VOLATILITY_S
    return [("volatility, QLIKE over EWMA of 10 s moves", scores.gain(at_s, ours, scores.qlike(slow, square))),
            ("volatility, QLIKE over EWMA of 1 s moves", scores.gain(at_s, ours, scores.qlike(quick, square)))]


def told(seen: Array, horizon_s: float) -> tuple[Array, Array]:
    """Move of the mid that is expected [bps]: from it to the fair value, and by the drift while it fades."""
    theta = np.maximum(seen["theta"], 1e-6)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.log(seen["fair_px"] / seen["mid_px"]) / BPS
    return gap, seen["mu_bps_s"] * -np.expm1(-theta * horizon_s) / theta


def direction(at_s: Array, seen: Array) -> list[tuple[str, scores.Gain]]:
    """Sign of the next moves against a coin, and their size against zero drift [share of the square]."""
    out = []
    for horizon_s in SIGN_S:
        move, (gap, drift) = moves(seen, horizon_s), told(seen, horizon_s)
        scale = float(np.nanmean(move**2)) if np.isfinite(move).any() else 1.0
        coin = np.full(len(at_s), 0.5)
        zero = move**2 / (scale or 1.0)
        rows = ((f"sign of the move in {horizon_s} s, errors over a coin's", _wrong(move, gap + drift), coin),
                (f"the same by the drift alone, {horizon_s} s", _wrong(move, drift), coin),
                (f"move in {horizon_s} s, square over zero drift", (move - gap - drift) ** 2 / (scale or 1.0), zero),
                (f"the same by the drift alone, square, {horizon_s} s", (move - drift) ** 2 / (scale or 1.0), zero))
        out += [(what, scores.gain(at_s, ours, usual, horizon_s)) for what, ours, usual in rows]
    return out


def _wrong(move: Array, forecast: Array) -> Array:
    """1 where the sign was wrong, 0 where it was right, NaN where nothing moved or nothing was told."""
    unknown = ~np.isfinite(move) | ~np.isfinite(forecast) | (move == 0.0) | (forecast == 0.0)
    return np.where(unknown, math.nan, np.sign(move) != np.sign(forecast))


def filled(capture: Capture, seen: Array, side: int, depth_bps: float) -> Array:
    """1 where a print reached an order ``depth_bps`` from the fair value within FILL_S; NaN across holes."""
    prints = capture.rows.view(wide(TRADE))[capture.rows["kind"] == KIND_TRADE]
    prints = prints[prints["side"] == 1 - side]
    px, ns = prints["px_ticks"] / ticks_per_usd(capture.sz_decimals), prints["ts_recv_ns"]
    first = np.searchsorted(ns, seen["ts_ns"], side="right")
    last = np.searchsorted(ns, seen["ts_ns"] + FILL_S * NS_PER_S, side="right")
    at = seen["fair_px"] * np.exp((-1.0 if side == BID else 1.0) * depth_bps * BPS)
    reached = [((px[a:b] <= limit) if side == BID else (px[a:b] >= limit)).any()
               for a, b, limit in zip(first, last, at, strict=True)]
    return np.where(np.isfinite(moves(seen, FILL_S)), np.array(reached, float), math.nan)


def fills(at_s: Array, seen: Array, capture: Capture) -> list[tuple[str, scores.Gain]]:
    """Probability of a fill within five seconds against the share of fills so far."""
    out = []
    for depth_bps in FILL_BPS:
        losses: dict[str, list[Array]] = {"Brier": [], "log score": []}
        base: dict[str, list[Array]] = {"Brier": [], "log score": []}
        for side in (BID, ASK):
            happened = filled(capture, seen, side, depth_bps)
            rate = seen["intensity"][:, side] * np.exp(-np.minimum(seen["kappa"][:, side] * depth_bps, 50.0))
            usual = scores.base_rate(happened, FILL_S)
            for name, loss in (("Brier", scores.brier), ("log score", scores.log_loss)):
                losses[name].append(np.where(np.isnan(happened), np.nan, loss(-np.expm1(-rate * FILL_S), happened)))
                base[name].append(np.where(np.isnan(happened), np.nan, loss(usual, happened)))
        out += [(f"fill {depth_bps:g} bps away in {FILL_S} s, {name} over base rate",
                 scores.gain(np.tile(at_s, 2), np.concatenate(losses[name]), np.concatenate(base[name]), FILL_S))
                for name in losses]
    return out


def scored(capture: Capture, seen: Array) -> list[Score]:
    """All forecasts on one capture; none where the belief was hardly ever usable."""
    if (seen["status"] == BELIEF_OK).sum() < SCORED_MIN:
        return []
    at_s = (seen["ts_ns"] // NS_PER_S).astype(float)
    rows = volatility(at_s, seen) + direction(at_s, seen)
    if (capture.rows["kind"] == KIND_TRADE).any():
        rows += fills(at_s, seen, capture)
    return [Score(f"{capture.name}: {capture.coin}", what, gain) for what, gain in rows]
