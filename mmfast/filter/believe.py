"""
Believe: from features and own fills to the belief that is quoted on.

In      FEATURES, a fill of ours, the time.
Out     the payload of BELIEF; the FILTER's state.
Source  a closed-form Kalman filter over (v, mu) and one over ln sigma; one mode, with the moments of the mixture
        of quiet, trending and crisis in their usual shares.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter import changepoint, fusion, glosten_milgrom, kalman, ou, volatility
from mmfast.kernel import kernel
from mmfast.records.belief import BELIEF_GAP, BELIEF_NO_BOOK, BELIEF_OK, BELIEF_STALE, BELIEF_WARMING
from mmfast.records.feature import OBS_LOG_SIGMA, OBS_VALUE, OBSERVATIONS, SOURCE_BIPOWER, SOURCE_MICROPRICE
from mmfast.units import ASK, BID, BPS, NS_PER_S

MODE_PRIOR = (0.85, 0.13, 0.02)  # usual shares of quiet, trending, crisis
V_SD_MIN = 0.02  # bps
V_SD_START = 5.0
ANCHOR_MOVE_BPS = 50.0
LOST_BPS = 1000.0  # an observed value this far away is a new market, not an innovation
VALUES_MIN = 2  # observations of the value before it is quoted on
MISFIT_MAX = 25.0


@kernel
def begin(state: np.void, params: np.void) -> None:
    """Know nothing: no anchor, the reference volatility, a drift of zero with its usual spread."""
    state["placed"], state["status"], state["ts_ns"], state["anchor_px"] = 0, BELIEF_NO_BOOK, 0, 0.0
    state["reject_count"], state["fill_open"], state["fill_side"], state["fill_exch_ns"] = 0, 0, 0, 0
    state["fill_lots"], state["fill_log_px_lots"] = 0.0, 0.0
    for k in range(5):
        state["before_fill"][k] = 0.0
    for source in range(OBSERVATIONS):
        state["used_serial"][source], state["used_ns"][source] = 0, 0
    state["log_sigma"] = math.log(max(params["sigma_ref_bps"], 1e-3))
    state["log_sigma_var"] = params["log_sigma_sd"] * params["log_sigma_sd"]
    state["sigma_bps"] = math.exp(state["log_sigma"])
    _place(state, 0.0, params)


@kernel
def believe(state: np.void, features: np.void, belief: np.void, params: np.void, now_ns: int) -> None:
    """Carry the belief to ``now_ns``, take in what is new in the features, and write the belief."""
    _predict(state, params, now_ns)
    _take_volatility(state, features)
    _take_drift(state, features, now_ns)
    _take_value(state, features, params)
    _floor(state, params)
    _move_anchor(state)
    _recover(state, params)
    state["sigma_bps"] = volatility.quoting_sigma(state["log_sigma"], features["rv_30"], features["rv_300"])
    state["status"] = _status(state, features, params, now_ns)
    _write_context(features, belief, params)
    _write(state, belief)


@kernel
def on_fill(state: np.void, fill: np.void, belief: np.void, params: np.void) -> None:
    """
    Take in a fill of ours. Partial fills by one taker order (same venue time, same side) are one piece of news.

    A fill in which we were the taker tells us nothing that we did not know.
    """
    passive = fill["crossed"] == 0 and fill["lots"] > 0 and fill["px_ticks"] > 0
    if state["placed"] == 1 and passive and fill["side"] in (BID, ASK):
        _predict_to_fill(state, fill, params)
        side = fill["side"]
        px = fill["px_ticks"] / max(params["ticks_per_usd"], 1)
        state["fill_lots"] += fill["lots"]
        state["fill_log_px_lots"] += fill["lots"] * 1e4 * math.log(px / state["anchor_px"])
        sign = 1 if side == ASK else -1
        delta_bps = sign * (state["fill_log_px_lots"] / state["fill_lots"] - state["v_bps"])
        informed = glosten_milgrom.informed_share(params["informed_prior"],
                                                  state["fill_lots"] / max(params["clip_lots"], 1))
        informed_var = state["sigma_bps"] * state["sigma_bps"] * max(params["informed_horizon_s"], 1e-3)
        glosten_milgrom.absorb(state, sign, delta_bps, informed, informed_var, params["theta"],
                               V_SD_MIN * V_SD_MIN, _drift_var_min(params))
        _recover(state, params)
    _write(state, belief)


@kernel
def _predict_to_fill(state: np.void, fill: np.void, params: np.void) -> None:
    """Bring the state to just before the taker order that this fill belongs to."""
    same = (state["fill_open"] == 1 and fill["ts_exch_ns"] == state["fill_exch_ns"]
            and fill["side"] == state["fill_side"])
    before = state["before_fill"]
    if same:
        state["v_bps"], state["mu_bps_s"] = before[0], before[1]
        state["v_var"], state["vmu_cov"], state["mu_var"] = before[2], before[3], before[4]
        return
    _predict(state, params, fill["ts_recv_ns"])
    state["fill_open"], state["fill_exch_ns"], state["fill_side"] = 1, fill["ts_exch_ns"], fill["side"]
    state["fill_lots"], state["fill_log_px_lots"] = 0.0, 0.0
    before[0], before[1] = state["v_bps"], state["mu_bps_s"]
    before[2], before[3], before[4] = state["v_var"], state["vmu_cov"], state["mu_var"]


@kernel
def _predict(state: np.void, params: np.void, now_ns: int) -> None:
    """Carry everything to ``now_ns``; a time that is not later changes nothing."""
    state["fill_open"] = 0
    if state["ts_ns"] <= 0 or now_ns <= state["ts_ns"]:
        state["ts_ns"] = max(now_ns, state["ts_ns"])
        return
    dt_s = (now_ns - state["ts_ns"]) / NS_PER_S
    state["ts_ns"] = now_ns
    rate = volatility.variance_rate(state, _mixture(params["jump_rate"]), params["jump_sigma_bps"])
    ou.predict(state, dt_s, rate, params["theta"], _drift_sd(params))
    volatility.predict(state, dt_s, _log_sigma_mean(params), params["log_sigma_rate"], params["log_sigma_sd"])


@kernel
def _take_volatility(state: np.void, features: np.void) -> None:
    """Take in a new reading of ln sigma."""
    if fusion.is_news(state, features, SOURCE_BIPOWER, OBS_LOG_SIGMA):
        fusion.tick_off(state, features, SOURCE_BIPOWER)
        z, r = features["obs_z"][SOURCE_BIPOWER], features["obs_r"][SOURCE_BIPOWER]
        if math.isfinite(z) and math.isfinite(r) and r > 0.0:
            volatility.update(state, z, r)
        else:
            state["reject_count"] += 1


@kernel
def _take_drift(state: np.void, features: np.void, now_ns: int) -> None:
    """Take in what the drift features say together."""
    z, r = fusion.fuse_drift(state, features, now_ns)
    if math.isfinite(r):
        kalman.update_drift(state, z, r)


@kernel
def _take_value(state: np.void, features: np.void, params: np.void) -> None:
    """Take in a new micro-price; the first one, or one in another market, places the anchor."""
    if not fusion.is_news(state, features, SOURCE_MICROPRICE, OBS_VALUE):
        return
    fusion.tick_off(state, features, SOURCE_MICROPRICE)
    z, r, base_px = features["obs_z"][SOURCE_MICROPRICE], features["obs_r"][SOURCE_MICROPRICE], features["base_px"]
    if not (math.isfinite(z) and math.isfinite(r) and r > 0.0 and math.isfinite(base_px) and base_px > 0.0):
        state["reject_count"] += 1
        return
    if state["placed"] == 0:
        _place(state, base_px, params)
    z += math.log(base_px / state["anchor_px"]) / BPS
    if abs(z - state["v_bps"]) > LOST_BPS:
        _place(state, base_px, params)
        z = features["obs_z"][SOURCE_MICROPRICE]
    surprise = kalman.update_value(state, z, r)
    state["value_count"] += 1
    gap_bps = z - state["v_bps"]
    state["misfit"] = gap_bps * gap_bps / (state["v_var"] + r)
    changepoint.watch(state, surprise, params["log_sigma_sd"] * params["log_sigma_sd"])


@kernel
def _status(state: np.void, features: np.void, params: np.void, now_ns: int) -> int:
    """Why the belief may not be quoted on; BELIEF_OK if it may."""
    if features["gap"] != 0:
        return BELIEF_GAP
    if state["placed"] == 0 or features["touch_ok"] == 0:
        return BELIEF_NO_BOOK
    if now_ns - features["alive_ns"] > params["stale_ns"]:
        return BELIEF_STALE
    # A fair value five sigmas from what the book says is still catching up with it.
    if state["value_count"] < VALUES_MIN or state["misfit"] > MISFIT_MAX:
        return BELIEF_WARMING
    return BELIEF_OK


@kernel
def _place(state: np.void, px: float, params: np.void) -> None:
    """Put the anchor at ``px`` [USD], with a value that is hardly known; 0 leaves it unplaced."""
    state["placed"] = 1 if px > 0.0 else 0
    state["anchor_px"] = px
    state["v_bps"], state["mu_bps_s"], state["vmu_cov"] = 0.0, 0.0, 0.0
    state["v_var"] = V_SD_START * V_SD_START
    state["mu_var"] = _drift_sd(params) ** 2
    state["value_count"], state["cusum"], state["misfit"] = 0, 0.0, 0.0


@kernel
def _move_anchor(state: np.void) -> None:
    """Put the anchor at the fair value when that has gone far; the fair value does not change."""
    if abs(state["v_bps"]) > ANCHOR_MOVE_BPS:
        state["anchor_px"] *= math.exp(min(max(state["v_bps"], -2.0 * LOST_BPS), 2.0 * LOST_BPS) * BPS)
        state["v_bps"] = 0.0


@kernel
def _floor(state: np.void, params: np.void) -> None:
    """Keep the covariance from claiming more than can be known."""
    kalman.keep_positive(state, V_SD_MIN * V_SD_MIN, _drift_var_min(params))


@kernel
def _recover(state: np.void, params: np.void) -> None:
    """Start anew if the state is not finite: a filter that is lost must not stay lost."""
    total = (state["anchor_px"] + state["v_bps"] + state["mu_bps_s"] + state["v_var"] + state["vmu_cov"]
             + state["mu_var"] + state["log_sigma"] + state["log_sigma_var"])
    if not math.isfinite(total):
        rejected, now_ns = state["reject_count"] + 1, state["ts_ns"]
        begin(state, params)
        state["reject_count"], state["ts_ns"] = rejected, now_ns


@kernel
def _mixture(by_mode: np.ndarray) -> float:
    """Mean over the modes in their usual shares."""
    return float(MODE_PRIOR[0] * by_mode[0] + MODE_PRIOR[1] * by_mode[1] + MODE_PRIOR[2] * by_mode[2])


@kernel
def _drift_sd(params: np.void) -> float:
    """Standard deviation of the drift over all modes [bps/s]."""
    sd = params["drift_sd"]
    return math.sqrt(MODE_PRIOR[0] * sd[0] ** 2 + MODE_PRIOR[1] * sd[1] ** 2 + MODE_PRIOR[2] * sd[2] ** 2)


@kernel
def _drift_var_min(params: np.void) -> float:
    """Least variance of the drift [(bps/s)^2]: a share of its usual one."""
    return float(max(params["drift_var_floor"], 0.0) * _drift_sd(params) ** 2 + 1e-12)


@kernel
def _log_sigma_mean(params: np.void) -> float:
    """Long-run mean of ln sigma over all modes."""
    mean = math.log(max(params["sigma_ref_bps"], 1e-3))
    for mode in range(3):
        mean += MODE_PRIOR[mode] * math.log(max(params["mode_sigma"][mode], 1e-3))
    return mean


@kernel
def _write_context(features: np.void, belief: np.void, params: np.void) -> None:
    """Write what the belief takes from the features as it is."""
    belief["half_spread_bps"], belief["imbalance"] = features["half_spread_bps"], features["flow_imbalance"]
    belief["activity"], belief["tail"] = features["activity"], features["tail"]
    belief["funding_bps_s"], belief["mid_px"] = features["funding_bps_s"], features["mid_px"]
    for side in range(2):
        belief["informed_p"][side] = params["informed_prior"]
        belief["touch_ticks"][side] = features["touch_ticks"][side]
        belief["touch_lots"][side] = features["touch_lots"][side]
    for mode in range(3):
        belief["mode_p"][mode] = MODE_PRIOR[mode]


@kernel
def _write(state: np.void, belief: np.void) -> None:
    """Write the state of the filter."""
    belief["status"], belief["anchor_px"] = state["status"], state["anchor_px"]
    belief["fair_px"] = state["anchor_px"] * math.exp(state["v_bps"] * BPS)
    belief["v_bps"], belief["v_var"] = state["v_bps"], state["v_var"]
    belief["mu_bps_s"], belief["mu_var"], belief["vmu_cov"] = state["mu_bps_s"], state["mu_var"], state["vmu_cov"]
    belief["sigma_bps"], belief["log_sigma_var"] = state["sigma_bps"], state["log_sigma_var"]
