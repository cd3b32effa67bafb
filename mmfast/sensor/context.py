"""
Context: what the features carry beside observations.

In      SENSOR.
Out     the context fields of FEATURES as they are now; NaN is unknown.
Source  they are logged and offered to calibration; they reach prices only where a stage names them.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import BOOK_UNKNOWN, CLASSES, KIND_FEATURES, LAYERS, SOURCE_INFORMED_BID
from mmfast.sensor import flow, forced, hawkes, horizons, intensity, interest, lead, quality, sizes, volatility
from mmfast.sensor.decay import elapsed_s
from mmfast.sensor.state import HORIZONS
from mmfast.units import ASK, BID

BAND_AGE_S = 12.0  # two periods of the slow books: a band stays until then if the books between do not reach it
MIDDLE = 1  # the band that is in no gradient
REGIME_AGE_S = 16.0  # three: after that the book is what it was


@kernel
def write(sensor: np.void, cause: np.void, features: np.void, params: np.void) -> None:
    """Write the context, and the record it comes from."""
    if cause["inst"] >= 0:  # a timer is for everybody
        features["inst"] = cause["inst"]
    features["kind"], features["src_seq"] = KIND_FEATURES, cause["seq"]
    features["ts_exch_ns"], features["ts_recv_ns"] = cause["ts_exch_ns"], cause["ts_recv_ns"]
    features["touch_ok"] = 0 if quality.in_doubt(sensor) else sensor["touch_ok"]
    features["gap"], features["alive_ns"] = sensor["gap"], sensor["alive_ns"]
    for side in range(2):
        features["touch_ticks"][side] = sensor["touch_ticks"][side]
        features["touch_lots"][side] = sensor["touch_lots"][side]
    features["rv_30"], features["rv_300"], features["tail"] = sensor["rv_30"], sensor["rv_300"], sensor["tail"]
    features["kurtosis"], features["jump_bps"] = sensor["kurtosis"], sensor["jump_bps"]
    features["vol_term"] = volatility.term_ratio(sensor["rv_30"], sensor["rv_300"])
    features["odd_price_count"], features["odd_time_count"] = sensor["odd_price_count"], sensor["odd_time_count"]
    features["own_print_count"] = sensor["own_print_count"]
    features["layer"] = sensor["layer"]
    for layer in range(LAYERS):
        features["layer_bps"][layer] = sensor["layer_bps"][layer]
    write_takers(sensor, features, params)
    forget_old(sensor, features, cause["ts_recv_ns"])


@kernel
def forget_old(sensor: np.void, features: np.void, now_ns: int) -> None:
    """What has not been heard, or too long ago, is unknown: NaN, not the last value and not zero."""
    if sensor["touch_ok"] == 0:
        features["touch_imbalance"], features["ofi"], features["half_spread_bps"] = math.nan, math.nan, math.nan
    if _is_old(sensor["deep_ns"], now_ns, BAND_AGE_S):
        features["book_imbalance"], features["book_change"] = math.nan, math.nan
    for band in range(3):
        if _is_old(sensor["band_ns"][band], now_ns, BAND_AGE_S):
            features["band_imbalance"][band] = math.nan
            features["gradient"] = features["gradient"] if band == MIDDLE else math.nan
    if _is_old(sensor["book_ns"], now_ns, REGIME_AGE_S):
        features["book_regime"], features["density"], features["book_asymmetry"] = BOOK_UNKNOWN, math.nan, math.nan
        features["migration_bps_s"], features["flicker"] = math.nan, math.nan
        for side in range(2):
            features["wall_bps"][side], features["wall_lots"][side] = math.nan, math.nan
            features["wall_age_s"][side] = math.nan


@kernel
def _is_old(since_ns: int, now_ns: int, limit_s: float) -> bool:
    """True for a time that never was or is longer ago than the limit."""
    return bool(since_ns <= 0 or elapsed_s(since_ns, now_ns) > limit_s)


@kernel
def write_takers(sensor: np.void, features: np.void, params: np.void) -> None:
    """What is known of the takers."""
    features["flow_imbalance"] = flow.flow_imbalance(sensor)
    features["activity"] = intensity.activity(sensor)
    for h in range(HORIZONS):
        features["flow_horizon"][h] = horizons.imbalance_at(sensor, h)
    buyers, sellers = hawkes.rate(sensor, params, BID), hawkes.rate(sensor, params, ASK)
    features["hawkes"][BID], features["hawkes"][ASK] = buyers, sellers
    features["hawkes_activity"] = (buyers + sellers) / max(2.0 * params["hawkes_rate"], 1e-9)
    features["sweep"][BID], features["sweep"][ASK] = sensor["sweep"][BID], sensor["sweep"][ASK]
    features["vpin"], features["vpin_rank"] = sensor["vpin"], sensor["vpin_rank"]
    if not sizes.are_known(sensor):
        features["size_shift"] = math.nan
    for side in range(2):
        if (features["valid_mask"] >> (SOURCE_INFORMED_BID + side)) & 1 == 0:
            features["informed_p"][side] = math.nan
    for k in range(CLASSES):
        features["class_p"][k] = sensor["class_p"][k]


@kernel
def write_shift(sensor: np.void, features: np.void) -> None:
    """Whose orders have grown."""
    features["size_shift"] = sizes.shift(sensor)


@kernel
def write_book(sensor: np.void, features: np.void) -> None:
    """What the resting book is like."""
    for band in range(3):
        features["band_imbalance"][band] = sensor["band_imbalance"][band]
    features["book_regime"], features["density"] = sensor["book_regime"], sensor["density"]
    features["migration_bps_s"], features["flicker"] = sensor["migration_bps_s"], sensor["flicker"]
    features["book_asymmetry"] = sensor["book_asymmetry"]
    for side in range(2):
        features["wall_bps"][side], features["wall_lots"][side] = sensor["wall_bps"][side], sensor["wall_lots"][side]
        features["wall_age_s"][side] = sensor["wall_age_s"][side]


@kernel
def write_reference(sensor: np.void, features: np.void, now_ns: int) -> None:
    """The reference: oracle, funding, open interest, forced orders, another venue."""
    features["basis_bps"] = sensor["basis_bps"]
    features["funding_bps_s"] = sensor["funding_bps_s"]
    features["funding_forecast_bps_s"] = sensor["funding_forecast_bps_s"]
    heard = interest.is_heard(sensor, now_ns)
    features["open_interest_z"] = sensor["interest_z"] if heard else math.nan
    features["liquidation_ratio"] = forced.ratio(sensor) if heard else math.nan
    features["liquidation_side"] = sensor["forced_side"]
    features["cascade"] = sensor["cascade"]
    lead.write(sensor, features)
