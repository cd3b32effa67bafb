"""
Depth: what a book says beyond its touch.

In      a book of five or twenty levels.
Out     observations of the drift by imbalance, its change, and its gradient; the depth-weighted price; liquidity.
Source  imbalances in bands of 10, 25 and 50 bps are there only where the book reaches them.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import BAND_BPS, SOURCE_BOOK, SOURCE_BOOK_CHANGE, SOURCE_DEEP_BOOK, SOURCE_GRADIENT
from mmfast.sensor import bookchange, context, imbalance, liquidity, microprice, observe, zscore
from mmfast.sensor.context import BAND_AGE_S
from mmfast.sensor.decay import elapsed_s
from mmfast.units import ASK, BID

NEAR, FAR = 0, 2
SPACINGS_MIN = 1.8  # levels of a side that a band must hold, at least


@kernel
def take(sensor: np.void, features: np.void, params: np.void, book: np.void, now_ns: int) -> None:
    """Take a book whose touch has been seen."""
    mid_ticks = _mid_ticks(book)
    features["book_imbalance"] = imbalance.book_imbalance(book)
    x = zscore.score(sensor, SOURCE_BOOK, features["book_imbalance"], now_ns)
    observe.say_drift(sensor, features, params, SOURCE_BOOK, x, now_ns)
    features["book_change"] = bookchange.change(sensor, features["book_imbalance"], now_ns)
    x = zscore.score(sensor, SOURCE_BOOK_CHANGE, features["book_change"], now_ns)
    observe.say_drift(sensor, features, params, SOURCE_BOOK_CHANGE, x, now_ns)
    sensor["deep_bps"], sensor["deep_ns"] = microprice.depth_weighted_bps(book, mid_ticks), now_ns
    _bands(sensor, features, params, book, mid_ticks, now_ns)
    if book["fast"] == 0:  # books of one kind compare with each other
        liquidity.look(sensor, book, mid_ticks, now_ns)
    context.write_book(sensor, features)


@kernel
def take_wide(sensor: np.void, features: np.void, params: np.void, book: np.void, now_ns: int) -> None:
    """Take a book of merged prices: it reaches far and its touch is rounded outwards, so the known mid counts."""
    if sensor["touch_ok"] == 1:
        mid_ticks = 0.5 * (float(sensor["touch_ticks"][BID]) + float(sensor["touch_ticks"][ASK]))
        _bands(sensor, features, params, book, mid_ticks, now_ns)
        context.write_book(sensor, features)


@kernel
def _mid_ticks(book: np.void) -> float:
    """Mid of the book; NaN unless it has two sides in order."""
    if book["level_count"][BID] < 1 or book["level_count"][ASK] < 1:
        return math.nan
    bid, ask = book["px_ticks"][BID, 0], book["px_ticks"][ASK, 0]
    if not 0 < bid < ask:
        return math.nan
    return float(0.5 * (float(bid) + float(ask)))


@kernel
def _bands(sensor: np.void, features: np.void, params: np.void, book: np.void, mid_ticks: float, now_ns: int) -> None:
    """Imbalances of the bands that the book reaches and resolves; one that it does not stays as it was, for a while."""
    spacing_bps = _spacing_bps(book, mid_ticks)
    for band in range(3):
        found = imbalance.band_imbalance(book, mid_ticks, BAND_BPS[band])
        if math.isfinite(found) and SPACINGS_MIN * spacing_bps <= BAND_BPS[band]:
            sensor["band_imbalance"][band], sensor["band_ns"][band] = found, now_ns
        elif elapsed_s(sensor["band_ns"][band], now_ns) > BAND_AGE_S:
            sensor["band_imbalance"][band] = math.nan
    near, far = sensor["band_imbalance"][NEAR], sensor["band_imbalance"][FAR]
    if sensor["band_ns"][NEAR] == now_ns or not math.isfinite(near):
        x = zscore.score(sensor, SOURCE_DEEP_BOOK, near, now_ns)
        observe.say_drift(sensor, features, params, SOURCE_DEEP_BOOK, x, now_ns)
    features["gradient"] = near - far
    if max(sensor["band_ns"][NEAR], sensor["band_ns"][FAR]) == now_ns or not math.isfinite(near - far):
        x = zscore.score(sensor, SOURCE_GRADIENT, near - far, now_ns)
        observe.say_drift(sensor, features, params, SOURCE_GRADIENT, x, now_ns)


@kernel
def _spacing_bps(book: np.void, mid_ticks: float) -> float:
    """Least distance of neighbouring levels: the step of prices that are merged [bps]; infinite without two levels."""
    least = math.inf
    for side in range(2):
        for level in range(1, book["level_count"][side]):
            least = min(least, abs(float(book["px_ticks"][side, level] - book["px_ticks"][side, level - 1])))
    return 1e4 * least / mid_ticks if mid_ticks > 0.0 else math.inf
