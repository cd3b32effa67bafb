"""
Liquidity: what the resting book is like, how it moves, where it has walls.

In      books of the same kind, one after the other.
Out     density, migration, flicker, asymmetry, walls, and the regime of the book: context, not observations.
Source  the centre of liquidity is taken relative to the mid, since it would follow the price otherwise; levels
        count as gone only where both books reach.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import BOOK_COLLAPSING, BOOK_MIGRATING, BOOK_THICK, BOOK_THIN, BOOK_UNKNOWN, BOOK_USUAL
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.sensor.imbalance import imbalance
from mmfast.units import ASK, BID

LEVELS_MIN = 5
USUAL_MEMORY_S = 600.0
SPAN_S_MIN, SPAN_S_MAX = 0.05, 30.0
WALL = 5.0  # times the mean of the side's other levels
THICK, THIN, COLLAPSE = 1.5, 0.6, 0.5
MIGRATION_BPS_S = 1.0


@kernel
def restart(sensor: np.void) -> None:
    """No book is known."""
    sensor["book_regime"], sensor["book_ns"], sensor["book_lots"], sensor["book_usual_lots"] = BOOK_UNKNOWN, 0, 0.0, 0.0
    sensor["book_centre_bps"], sensor["density"], sensor["book_asymmetry"] = 0.0, math.nan, math.nan
    sensor["migration_bps_s"], sensor["flicker"] = math.nan, math.nan
    for side in range(2):
        sensor["book_count"][side], sensor["wall_ticks"][side], sensor["wall_since_ns"][side] = 0, 0, 0
        sensor["wall_bps"][side], sensor["wall_lots"][side], sensor["wall_age_s"][side] = math.nan, math.nan, math.nan


@kernel
def look(sensor: np.void, book: np.void, mid_ticks: float, now_ns: int) -> None:
    """Take a book in; one with fewer than five levels of a side says nothing."""
    if book["level_count"][BID] < LEVELS_MIN or book["level_count"][ASK] < LEVELS_MIN or not mid_ticks > 0.0:
        return
    bid_lots, ask_lots, centre_lots_bps = 0.0, 0.0, 0.0
    for side in range(2):
        for level in range(book["level_count"][side]):
            lots = max(book["lots"][side, level], 0)
            bid_lots += lots if side == BID else 0
            ask_lots += lots if side == ASK else 0
            centre_lots_bps += lots * 1e4 * (book["px_ticks"][side, level] / mid_ticks - 1.0)
    total = bid_lots + ask_lots
    if not total > 0.0:
        return
    span_s = elapsed_s(sensor["book_ns"], now_ns)
    _move(sensor, book, centre_lots_bps / total, span_s)
    _weigh(sensor, total, span_s)
    sensor["book_asymmetry"] = imbalance(bid_lots, ask_lots)
    sensor["density"] = _density(book, total)
    _wall(sensor, book, BID, bid_lots, mid_ticks, now_ns)
    _wall(sensor, book, ASK, ask_lots, mid_ticks, now_ns)
    _keep(sensor, book)
    sensor["book_ns"] = max(now_ns, sensor["book_ns"])


@kernel
def _move(sensor: np.void, book: np.void, centre_bps: float, span_s: float) -> None:
    """How the centre moved and how many levels came and went since the last book."""
    if SPAN_S_MIN <= span_s <= SPAN_S_MAX:
        sensor["migration_bps_s"] = (centre_bps - sensor["book_centre_bps"]) / span_s
        sensor["flicker"] = (_changed(sensor, book, BID) + _changed(sensor, book, ASK)) / span_s
    elif span_s > SPAN_S_MAX:
        sensor["migration_bps_s"], sensor["flicker"] = math.nan, math.nan
    sensor["book_centre_bps"] = centre_bps


@kernel
def _changed(sensor: np.void, book: np.void, side: int) -> int:
    """Prices of a side that are in one of two books only, as far as both reach."""
    old_count, new_count = sensor["book_count"][side], book["level_count"][side]
    sign = 1 if side == ASK else -1
    i, j, changed = 0, 0, 0
    while i < old_count and j < new_count:
        ahead = sign * (sensor["book_ticks"][side, i] - book["px_ticks"][side, j])
        changed += ahead != 0
        i += ahead <= 0
        j += ahead >= 0
    return changed


@kernel
def _weigh(sensor: np.void, total: float, span_s: float) -> None:
    """The regime by size against the usual size and the last one, and by migration."""
    before = sensor["book_lots"]
    if sensor["book_usual_lots"] <= 0.0:
        sensor["book_usual_lots"] = total
    usual = sensor["book_usual_lots"]
    sensor["book_usual_lots"] = total + (usual - total) * kept(span_s, USUAL_MEMORY_S)
    sensor["book_lots"] = total
    if before > 0.0 and total < COLLAPSE * before and span_s <= SPAN_S_MAX:
        sensor["book_regime"] = BOOK_COLLAPSING
    elif abs(sensor["migration_bps_s"]) > MIGRATION_BPS_S:
        sensor["book_regime"] = BOOK_MIGRATING
    elif total > THICK * usual:
        sensor["book_regime"] = BOOK_THICK
    else:
        sensor["book_regime"] = BOOK_THIN if total < THIN * usual else BOOK_USUAL


@kernel
def _density(book: np.void, total: float) -> float:
    """Share of levels that are larger than the mean level."""
    count = book["level_count"][BID] + book["level_count"][ASK]
    mean, larger = total / count, 0
    for side in range(2):
        for level in range(book["level_count"][side]):
            larger += book["lots"][side, level] > mean
    return larger / count


@kernel
def _wall(sensor: np.void, book: np.void, side: int, side_lots: float, mid_ticks: float, now_ns: int) -> None:
    """The largest level of a side, if it is five times the mean of the others; how long it has stood."""
    count, best = book["level_count"][side], 0
    for level in range(count):
        if book["lots"][side, level] > book["lots"][side, best]:
            best = level
    lots, px = float(book["lots"][side, best]), book["px_ticks"][side, best]
    if not lots > WALL * (side_lots - lots) / (count - 1):
        sensor["wall_ticks"][side] = 0
        sensor["wall_bps"][side], sensor["wall_lots"][side], sensor["wall_age_s"][side] = math.nan, math.nan, math.nan
        return
    if px != sensor["wall_ticks"][side]:
        sensor["wall_ticks"][side], sensor["wall_since_ns"][side] = px, now_ns
    sensor["wall_bps"][side] = 1e4 * abs(px / mid_ticks - 1.0)
    sensor["wall_lots"][side] = lots
    sensor["wall_age_s"][side] = elapsed_s(sensor["wall_since_ns"][side], now_ns)


@kernel
def _keep(sensor: np.void, book: np.void) -> None:
    """Keep the prices for the next comparison."""
    for side in range(2):
        sensor["book_count"][side] = book["level_count"][side]
        for level in range(book["level_count"][side]):
            sensor["book_ticks"][side, level] = book["px_ticks"][side, level]
