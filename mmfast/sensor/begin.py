"""
Begin: the state of the sensor before the first record of an instrument, and after a gap.

In      PARAMETERS.
Out     SENSOR.
Source  what spans a gap is no evidence: returns, waiting markouts, the running taker order.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor import (
    classify,
    forced,
    funding,
    interest,
    layers,
    lead,
    liquidity,
    markout,
    ownprints,
    quality,
    reach,
    sizes,
    takers,
    volatility,
    vpin,
    zscore,
)
from mmfast.sensor.state import HORIZONS


@kernel
def begin(sensor: np.void, params: np.void) -> None:
    """Forget everything: the state before the first record of an instrument."""
    zscore.forget(sensor)
    _touch(sensor)
    _takers(sensor, params)
    _book(sensor)
    volatility.restart(sensor)
    sensor["return_count"], sensor["rv_30"], sensor["rv_300"], sensor["tail"] = 0, math.nan, math.nan, 1.0
    sensor["kurtosis"], sensor["jump_bps"], sensor["bipower_var"] = math.nan, 0.0, math.nan
    sensor["whole_square"], sensor["step_square"], sensor["ratio_count"] = 0.0, 0.0, 0.0
    sensor["oracle_px"], sensor["oracle_ns"], sensor["basis_bps"] = math.nan, 0, math.nan
    sensor["funding_bps_s"] = math.nan
    funding.restart(sensor)
    interest.restart(sensor)
    forced.restart(sensor)
    lead.restart(sensor)


@kernel
def after_gap(sensor: np.void) -> None:
    """Forget what would span the gap."""
    sensor["touch_ok"], sensor["ofi_lots"], sensor["change_ns"] = 0, 0.0, 0
    sensor["book_ns"] = 0
    volatility.restart(sensor)
    reach.restart(sensor)
    takers.restart(sensor)
    markout.forget_waiting(sensor)
    layers.forget_waiting(sensor)
    quality.restart(sensor)
    lead.forget_own(sensor)


@kernel
def _touch(sensor: np.void) -> None:
    """No touch."""
    sensor["touch_ok"], sensor["touch_exch_ns"], sensor["log_px_bps"], sensor["log_mid_bps"] = 0, 0, 0.0, 0.0
    sensor["heard_ns"], sensor["alive_ns"], sensor["gap"], sensor["serial"] = 0, 0, 0, 0
    sensor["ofi_lots"], sensor["ofi_ns"], sensor["depth_lots"], sensor["depth_ns"] = 0.0, 0, 0.0, 0
    for side in range(2):
        sensor["touch_ticks"][side], sensor["touch_lots"][side] = 0, 0
    quality.restart(sensor)
    sensor["odd_price_count"], sensor["odd_time_count"] = 0, 0
    layers.restart(sensor)


@kernel
def _takers(sensor: np.void, params: np.void) -> None:
    """No prints."""
    sensor["flow_usual_lots"], sensor["flow_ns"], sensor["order_ns"], sensor["horizon_ns"] = 0.0, 0, 0, 0
    sensor["excitation_ns"], sensor["sweep_ns"], sensor["swept_ns"] = 0, 0, 0
    for k in range(2):
        sensor["flow_lots"][k], sensor["order_count"][k], sensor["order_weight_s"][k] = 0.0, 0.0, 0.0
        sensor["excitation"][k], sensor["sweep"][k] = 0.0, 0.0
        for h in range(HORIZONS):
            sensor["horizon_lots"][h, k] = 0.0
    takers.restart(sensor)
    sizes.restart(sensor)
    vpin.restart(sensor)
    markout.restart(sensor)
    classify.restart(sensor, params["informed_prior"])
    ownprints.restart(sensor)
    reach.restart(sensor)


@kernel
def _book(sensor: np.void) -> None:
    """No book."""
    liquidity.restart(sensor)
    sensor["change_fast"], sensor["change_slow"], sensor["change_ns"] = 0.0, 0.0, 0
    for band in range(3):
        sensor["band_imbalance"][band], sensor["band_ns"][band] = math.nan, 0
