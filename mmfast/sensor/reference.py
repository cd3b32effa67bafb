"""
Reference: what the venue's context of the instrument says.

In      oracle, premium, funding, open interest.
Out     observations by oracle, funding and open interest; forced orders.
Source  the venue sends no time with it: its clock is ours plus the distance of the clocks.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import OBS_VALUE, SOURCE_BASIS, SOURCE_FUNDING, SOURCE_OPEN_INTEREST, SOURCE_ORACLE
from mmfast.sensor import basis, forced, funding, interest, observe, zscore
from mmfast.units import ASK, BID


@kernel
def take(sensor: np.void, features: np.void, params: np.void, ctx: np.void, now_ns: int) -> None:
    """Take a context of the instrument."""
    sensor["funding_bps_s"] = funding.carry_bps_s(ctx["funding_rate_h"], sensor["funding_bps_s"])
    if math.isfinite(ctx["oracle_px"]) and ctx["oracle_px"] > 0.0:
        sensor["oracle_px"], sensor["oracle_ns"] = ctx["oracle_px"], now_ns
    exch_ns = ctx["ts_exch_ns"]
    if exch_ns <= 0 and sensor["ahead_known"] == 1:
        exch_ns = now_ns + sensor["ahead_ns"]
    funding.sample(sensor, ctx["premium"], exch_ns)
    observe.say_drift(sensor, features, params, SOURCE_FUNDING, funding.score(sensor), now_ns)
    _say_oracle(sensor, features, params, now_ns)
    _open_interest(sensor, features, params, ctx["open_interest"], now_ns)


@kernel
def _say_oracle(sensor: np.void, features: np.void, params: np.void, now_ns: int) -> None:
    """The oracle's word on the value, less the usual basis; a touch is what it is compared with."""
    sensor["basis_bps"] = basis.basis_bps(sensor, now_ns)
    z = math.nan
    if math.isfinite(sensor["basis_bps"]) and sensor["score_weight_s"][SOURCE_BASIS] > basis.KNOWN_S:
        z = sensor["score_mean"][SOURCE_BASIS] - sensor["basis_bps"]
    observe.say(sensor, features, params, SOURCE_ORACLE, OBS_VALUE, z, basis.ORACLE_VARIANCE, now_ns)


@kernel
def _open_interest(sensor: np.void, features: np.void, params: np.void, open_interest: float, now_ns: int) -> None:
    """The minute's change of open interest, and the forced orders that it may show."""
    forced.fade(sensor, now_ns)
    if sensor["touch_ok"] == 0:
        return
    change_bps, move_bps = interest.change(sensor, open_interest, sensor["log_mid_bps"], now_ns)
    if not math.isfinite(change_bps):
        return
    deviation = math.sqrt(max(sensor["score_var"][SOURCE_OPEN_INTEREST], 0.0))
    low = interest.learn_low(sensor, change_bps, deviation)
    score = zscore.score(sensor, SOURCE_OPEN_INTEREST, change_bps, now_ns)
    sensor["interest_z"] = score
    direction = 1.0 if move_bps > 0.0 else (-1.0 if move_bps < 0.0 else 0.0)
    observe.say_drift(sensor, features, params, SOURCE_OPEN_INTEREST, score * direction, now_ns)
    sigma = math.sqrt(sensor["rv_300"]) if sensor["rv_300"] > 0.0 else params["sigma_ref_bps"]
    swept = sensor["sweep"][BID] - sensor["sweep"][ASK]
    if forced.is_forced(low, swept, move_bps, sigma):
        forced.strike(sensor, -change_bps, move_bps, now_ns)
