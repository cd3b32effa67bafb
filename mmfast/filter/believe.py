"""
Believe: from features and own fills to the belief that is quoted on.

In      FEATURES, a fill of ours, the time.
Out     the payload of BELIEF; the FILTER's state.
Source  three filters in interaction (Blom & Bar-Shalom 1988), each a closed-form Kalman filter over (v, mu) and one
        over ln sigma; sigma points for what is not linear; Glosten & Milgrom (1985) for fills.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter import (
    adapt,
    bookerror,
    changepoint,
    evidence,
    fusion,
    glosten_milgrom,
    kalman,
    modes,
    ou,
    rates,
    ukf,
    volatility,
)
from mmfast.filter.state import MODES
from mmfast.kernel import kernel
from mmfast.records.belief import BELIEF_GAP, BELIEF_NO_BOOK, BELIEF_OK, BELIEF_STALE, BELIEF_WARMING
from mmfast.records.feature import (
    OBS_INFORMED,
    OBS_LEAD,
    OBS_LOG_SIGMA,
    OBS_VALUE,
    OBSERVATIONS,
    SOURCE_INFORMED_ASK,
    SOURCE_INFORMED_BID,
    SOURCE_LEAD,
    SOURCE_MICROPRICE,
)
from mmfast.units import ASK, BID, BPS, NS_PER_S

V_SD_MIN = 0.02  # bps
V_SD_START = 5.0
V_SD_MAX = 5.0  # a value that is known no better is not quoted on
DRIFT_DOUBT = 1.2  # of the variance that is told: a trending market is often taken for a quiet one (bin/truth)
ANCHOR_MOVE_BPS = 50.0
LOST_BPS = 1000.0  # an observed value this far away is a new market, not an innovation
VALUE_TRUST = 0.05  # books move in steps: most innovations are smaller than normal, which speaks for calm modes
DRIFT_TRUST = 0.0  # features are standardised, so their readings are as wide in every mode
VALUES_MIN = 2  # observations of the value before it is quoted on
MISFIT_MAX = 25.0
LATE_S_MAX = 60.0


@kernel
def begin(state: np.void, params: np.void) -> None:
    """Know nothing: no anchor, the volatility each mode usually has, a drift of zero with its usual spread."""
    state["placed"], state["status"], state["ts_ns"], state["anchor_px"] = 0, BELIEF_NO_BOOK, 0, 0.0
    state["reject_count"], state["fill_open"], state["fill_side"], state["fill_exch_ns"] = 0, 0, 0, 0
    state["fill_lots"], state["fill_log_px_lots"] = 0.0, 0.0
    for source in range(OBSERVATIONS):
        state["used_serial"][source], state["used_ns"][source] = 0, 0
        state["source_weight"][source] = 0.0
    for side in range(2):
        state["informed_p"][side] = params["informed_prior"]
    for i in range(MODES):
        for j in range(MODES):
            state["transition"][i, j], state["product"][i, j] = 0.0, 0.0
    adapt.begin(state, params)
    rates.begin(state)
    for r in range(MODES):
        state["usual_evidence"][r] = 0.0
    _believe_prior(state, params)
    for r in range(MODES):
        mode = state["modes"][r]
        mode["log_sigma"] = _log_sigma_mean(params, r)
        mode["log_sigma_var"] = params["log_sigma_sd"] * params["log_sigma_sd"]
    _place(state, 0.0, params)
    for r in range(MODES):
        modes.copy(state["modes"][r], state["before"][r])
        modes.copy(state["modes"][r], state["mixed"][r])
    state["sigma_bps"] = math.exp(state["log_sigma"])


@kernel
def believe(state: np.void, features: np.void, belief: np.void, params: np.void, now_ns: int) -> None:
    """Carry the belief to ``now_ns``, take in what is new in the features, and write the belief."""
    _keep_before(belief)
    for source in range(OBSERVATIONS):
        state["source_weight"][source] = 0.0
    dt_s = _predict(state, params, now_ns)
    evidence.weigh(state, dt_s, features["activity"], features["flow_imbalance"], features["liquidation_ratio"],
                   features["rv_30"], params)
    rates.learn(state, features, params, now_ns)
    _take_informed(state, features, params)
    for source in range(OBSERVATIONS):
        if (features["valid_mask"] >> source) & 1 == 1:
            _take_volatility(state, features, source, params)
    _take_drift(state, features, params, now_ns)
    for source in range(OBSERVATIONS):
        if (features["valid_mask"] >> source) & 1 == 1:
            _take_value(state, features, params, source, now_ns)
    _floor(state, params)
    _move_anchor(state)
    _recover(state, params)
    adapt.learn_theta(state, now_ns, params)
    state["sigma_bps"] = volatility.quoting_sigma(state["log_sigma"], features["rv_30"], features["rv_300"])
    state["status"] = _status(state, features, params, now_ns)
    _write_context(features, belief)
    _write(state, belief, params)


@kernel
def on_fill(state: np.void, fill: np.void, belief: np.void, params: np.void) -> None:
    """
    Take in a fill of ours. Partial fills by one taker order (same venue time, same side) are one piece of news.

    A fill in which we were the taker tells us nothing that we did not know.
    """
    _keep_before(belief)
    for source in range(OBSERVATIONS):
        state["source_weight"][source] = 0.0
    passive = fill["crossed"] == 0 and fill["lots"] > 0 and fill["px_ticks"] > 0
    if state["placed"] == 1 and passive and fill["side"] in (BID, ASK):
        _predict_to_fill(state, fill, params)
        side = fill["side"]
        px = fill["px_ticks"] / max(params["ticks_per_usd"], 1)
        state["fill_lots"] += fill["lots"]
        state["fill_log_px_lots"] += fill["lots"] * 1e4 * math.log(px / state["anchor_px"])
        sign = 1 if side == ASK else -1
        at_bps = state["fill_log_px_lots"] / state["fill_lots"]
        informed = glosten_milgrom.informed_share(state["informed_p"][side],
                                                  state["fill_lots"] / max(params["clip_lots"], 1))
        horizon_s = max(params["informed_horizon_s"], 1e-3) + _late_s(state, fill["ts_recv_ns"])
        for r in range(MODES):
            mode = state["modes"][r]
            informed_var = math.exp(2.0 * mode["log_sigma"]) * horizon_s
            glosten_milgrom.absorb(mode, sign, sign * (at_bps - mode["v_bps"]), informed, informed_var,
                                   state["theta"], V_SD_MIN * V_SD_MIN, _drift_var_min(state, params, r))
        modes.combine(state)
        _recover(state, params)
    _write(state, belief, params)


@kernel
def _predict_to_fill(state: np.void, fill: np.void, params: np.void) -> None:
    """Bring the state to just before the taker order that this fill belongs to."""
    same = (state["fill_open"] == 1 and fill["ts_exch_ns"] == state["fill_exch_ns"]
            and fill["side"] == state["fill_side"])
    if same:
        for r in range(MODES):
            modes.copy(state["before"][r], state["modes"][r])
        return
    _predict(state, params, fill["ts_recv_ns"])
    state["fill_open"], state["fill_exch_ns"], state["fill_side"] = 1, fill["ts_exch_ns"], fill["side"]
    state["fill_lots"], state["fill_log_px_lots"] = 0.0, 0.0
    for r in range(MODES):
        modes.copy(state["modes"][r], state["before"][r])


@kernel
def _late_s(state: np.void, at_ns: int) -> float:
    """By how much news from ``at_ns`` is older than the state [s]: the state is never carried back."""
    return min(max((state["ts_ns"] - at_ns) / NS_PER_S, 0.0), LATE_S_MAX) if at_ns > 0 else 0.0


@kernel
def _predict(state: np.void, params: np.void, now_ns: int) -> float:
    """Carry everything to ``now_ns``; returns by how much [s]. A time that is not later changes nothing."""
    state["fill_open"] = 0
    if state["ts_ns"] <= 0 or now_ns <= state["ts_ns"]:
        state["ts_ns"] = max(now_ns, state["ts_ns"])
        return 0.0
    dt_s = (now_ns - state["ts_ns"]) / NS_PER_S
    state["ts_ns"] = now_ns
    modes.transition(state, dt_s, params["mode_dwell_s"], params["mode_split"])
    modes.mix(state, _log_sigma_mean(params, 0), _log_sigma_mean(params, 1), _log_sigma_mean(params, 2))
    for r in range(MODES):
        mode = state["modes"][r]
        rate = state["value_scale"] * volatility.variance_rate(mode, params["jump_rate"][r], params["jump_sigma_bps"])
        ou.predict(mode, dt_s, rate, state["theta"], _drift_sd(state, params, r))
        volatility.predict(mode, dt_s, _log_sigma_mean(params, r), params["log_sigma_rate"], params["log_sigma_sd"])
    modes.combine(state)
    return dt_s


@kernel
def _take_informed(state: np.void, features: np.void, params: np.void) -> None:
    """The share of informed takers on each side, the prior where the sensor does not speak about it."""
    for side in range(2):
        source = SOURCE_INFORMED_BID if side == BID else SOURCE_INFORMED_ASK
        share = features["obs_z"][source] if fusion.speaks(features, source, OBS_INFORMED) else math.nan
        state["informed_p"][side] = share if 0.0 < share < 1.0 else params["informed_prior"]


@kernel
def _take_volatility(state: np.void, features: np.void, source: int, params: np.void) -> None:
    """Take in a new reading of ln sigma, or of the variance rate itself."""
    is_log = fusion.is_news(state, features, source, OBS_LOG_SIGMA)
    if not (is_log or fusion.is_news(state, features, source, ukf.OBS_VARIANCE)):
        return
    fusion.tick_off(state, features, source)
    z, r = features["obs_z"][source], features["obs_r"][source]
    if not (math.isfinite(z) and math.isfinite(r) and r > 0.0):
        state["reject_count"] += 1
    elif is_log:
        _take_log_sigma(state, z, r, params["adapt_rate"])
    else:
        log0 = ukf.update(state["modes"][0], ukf.SEES_VARIANCE, z, r)
        log1 = ukf.update(state["modes"][1], ukf.SEES_VARIANCE, z, r)
        log2 = ukf.update(state["modes"][2], ukf.SEES_VARIANCE, z, r)
        modes.reweigh(state, log0, log1, log2)
        modes.combine(state)


@kernel
def _take_log_sigma(state: np.void, z: float, r: float, rate: float) -> None:
    """
    Take in a reading of ln sigma with the noise that such readings have shown.

    A variance that is right on average has a logarithm that is too low: by twice the variance r of its half, if that
    is normal. The sensor has made up for the noise it told, so a noise that is larger needs the difference.
    """
    noise = state["reading_scale"] * r
    share = noise / (state["log_sigma_var"] + noise)
    surprise = modes.observe_log_sigma(state, z + noise - r, noise)
    adapt.learn_reading_noise(state, surprise, share, rate)


@kernel
def _take_drift(state: np.void, features: np.void, params: np.void, now_ns: int) -> None:
    """Take in what the drift features say together."""
    z, r, misfit, score = fusion.fuse_drift(state, features, now_ns)
    if math.isfinite(r):
        modes.observe(state, 0.0, 1.0, z, r, DRIFT_TRUST)
        adapt.learn_drift_size(state, misfit, score, params["adapt_rate"])


@kernel
def _take_value(state: np.void, features: np.void, params: np.void, source: int, now_ns: int) -> None:
    """Take in a new value; the first micro-price, or one in another market, places the anchor."""
    if not fusion.is_news(state, features, source, OBS_VALUE):
        return
    trust = fusion.independence(state, features, source)
    fusion.tick_off(state, features, source)
    z, r, base_px = features["obs_z"][source], features["obs_r"][source], features["base_px"]
    if not (math.isfinite(z) and math.isfinite(r) and r > 0.0 and math.isfinite(base_px) and base_px > 0.0):
        state["reject_count"] += 1
        return
    if source != SOURCE_MICROPRICE and state["placed"] == 0:
        return
    if state["placed"] == 0:
        _place(state, base_px, params)
    z += math.log(base_px / state["anchor_px"]) / BPS
    if source == SOURCE_MICROPRICE and abs(z - state["v_bps"]) > LOST_BPS:
        _place(state, base_px, params)
        z = features["obs_z"][source]
    # The value has moved on since a reading that comes late.
    r += math.exp(2.0 * state["log_sigma"]) * _late_s(state, features["obs_ns"][source])
    if source == SOURCE_MICROPRICE and fusion.speaks(features, SOURCE_LEAD, OBS_LEAD):
        z += features["obs_z"][SOURCE_LEAD]
        r += features["obs_r"][SOURCE_LEAD]
        state["source_weight"][SOURCE_LEAD] = 1.0
    surprise = modes.observe(state, 1.0, 0.0, z, state["value_scale"] * r, VALUE_TRUST * trust)
    if source != SOURCE_MICROPRICE:
        return
    state["value_count"] += 1
    adapt.judge_value(state, surprise, params["adapt_rate"])
    gap_bps = z - state["v_bps"]
    state["misfit"] = gap_bps * gap_bps / (state["v_var"] + r)
    if changepoint.watch(state, surprise, params["log_sigma_sd"] * params["log_sigma_sd"]):
        modes.combine(state)


@kernel
def _status(state: np.void, features: np.void, params: np.void, now_ns: int) -> int:
    """Why the belief may not be quoted on; BELIEF_OK if it may."""
    if features["gap"] != 0:
        return BELIEF_GAP
    if state["placed"] == 0 or features["touch_ok"] == 0:
        return BELIEF_NO_BOOK
    if now_ns - features["alive_ns"] > params["stale_ns"]:
        return BELIEF_STALE
    # A fair value five sigmas from what the book says is still catching up with it; after a hole sigma is large, too.
    if state["value_count"] < VALUES_MIN or state["misfit"] > MISFIT_MAX or state["v_var"] > V_SD_MAX * V_SD_MAX:
        return BELIEF_WARMING
    return BELIEF_OK


@kernel
def _place(state: np.void, px: float, params: np.void) -> None:
    """Put the anchor at ``px`` [USD], with a value that is hardly known; 0 leaves it unplaced."""
    state["placed"] = 1 if px > 0.0 else 0
    state["anchor_px"] = px
    for r in range(MODES):
        mode = state["modes"][r]
        mode["v_bps"], mode["mu_bps_s"], mode["vmu_cov"] = 0.0, 0.0, 0.0
        mode["v_var"] = V_SD_START * V_SD_START
        mode["mu_var"] = _drift_sd(state, params, r) ** 2
    modes.combine(state)
    state["value_count"], state["cusum"], state["misfit"] = 0, 0.0, 0.0


@kernel
def _believe_prior(state: np.void, params: np.void) -> None:
    """The usual shares of the modes; only the first, if there are none."""
    prior = params["mode_prior"]
    total = prior[0] + prior[1] + prior[2]
    for r in range(MODES):
        usual = prior[r] / total if total > 0.0 else (1.0 if r == 0 else 0.0)
        state["mode_p"][r] = usual


@kernel
def _move_anchor(state: np.void) -> None:
    """Put the anchor at the fair value when that has gone far; the fair value does not change."""
    if abs(state["v_bps"]) > ANCHOR_MOVE_BPS:
        moved = min(max(state["v_bps"], -2.0 * LOST_BPS), 2.0 * LOST_BPS)
        state["anchor_px"] *= math.exp(moved * BPS)
        for r in range(MODES):
            state["modes"][r]["v_bps"] -= moved
        state["v_bps"] -= moved


@kernel
def _floor(state: np.void, params: np.void) -> None:
    """Keep the covariances from claiming more than can be known."""
    for r in range(MODES):
        kalman.keep_positive(state["modes"][r], V_SD_MIN * V_SD_MIN, _drift_var_min(state, params, r))
    modes.combine(state)


@kernel
def _recover(state: np.void, params: np.void) -> None:
    """Start anew if the state is not finite: a filter that is lost must not stay lost."""
    total = state["anchor_px"] + state["theta"] + state["drift_scale"]
    for r in range(MODES):
        mode = state["modes"][r]
        total += (mode["v_bps"] + mode["mu_bps_s"] + mode["v_var"] + mode["vmu_cov"] + mode["mu_var"]
                  + mode["log_sigma"] + mode["log_sigma_var"] + state["mode_p"][r])
    if not math.isfinite(total):
        rejected, now_ns = state["reject_count"] + 1, state["ts_ns"]
        begin(state, params)
        state["reject_count"], state["ts_ns"] = rejected, now_ns


@kernel
def _drift_sd(state: np.void, params: np.void, mode: int) -> float:
    """Standard deviation of the drift in a mode [bps/s]."""
    return float(params["drift_sd"][mode] * math.sqrt(state["drift_scale"]))


@kernel
def _drift_var_min(state: np.void, params: np.void, mode: int) -> float:
    """Least variance of the drift in a mode [(bps/s)^2]: a share of its usual one."""
    return float(max(params["drift_var_floor"], 0.0) * _drift_sd(state, params, mode) ** 2 + 1e-12)


@kernel
def _log_sigma_mean(params: np.void, mode: int) -> float:
    """Long-run mean of ln sigma in a mode."""
    return math.log(max(params["sigma_ref_bps"], 1e-3)) + math.log(max(params["mode_sigma"][mode], 1e-3))


@kernel
def _write_context(features: np.void, belief: np.void) -> None:
    """Write what the belief takes from the features as it is."""
    belief["half_spread_bps"], belief["imbalance"] = features["half_spread_bps"], features["flow_imbalance"]
    belief["activity"] = _or(features["activity"], 1.0)
    belief["tail"], belief["mid_px"] = features["tail"], features["mid_px"]
    belief["funding_bps_s"] = _or(features["funding_bps_s"], 0.0)
    belief["gradient"] = features["gradient"]
    for side in range(2):
        belief["touch_ticks"][side] = features["touch_ticks"][side]
        belief["touch_lots"][side] = features["touch_lots"][side]


@kernel
def _or(x: float, usual: float) -> float:
    """``x``, or what changes no price where it is not known."""
    return x if math.isfinite(x) else usual


@kernel
def _write(state: np.void, belief: np.void, params: np.void) -> None:
    """Write the state of the filter."""
    belief["status"], belief["anchor_px"] = state["status"], state["anchor_px"]
    belief["fair_px"] = state["anchor_px"] * math.exp(state["v_bps"] * BPS)
    belief["v_bps"], belief["v_var"] = state["v_bps"], state["v_var"] + bookerror.variance(state["log_sigma"], params)
    belief["mu_bps_s"], belief["vmu_cov"] = state["mu_bps_s"], state["vmu_cov"]
    belief["mu_var"] = DRIFT_DOUBT * state["mu_var"]
    belief["sigma_bps"], belief["log_sigma_var"] = state["sigma_bps"], state["log_sigma_var"]
    belief["theta"] = state["theta"]
    belief["kappa_scale"] = state["kappa_gain"] * rates.calm(state["sigma_bps"], params)
    belief["intensity_scale"] = state["intensity_gain"]
    for r in range(MODES):
        belief["mode_p"][r] = state["mode_p"][r]
    for side in range(2):
        belief["informed_p"][side] = state["informed_p"][side]
    for source in range(OBSERVATIONS):
        belief["source_weight"][source] = state["source_weight"][source]


@kernel
def _keep_before(belief: np.void) -> None:
    """Remember what the belief said until now."""
    belief["fair_px_before"], belief["v_var_before"] = belief["fair_px"], belief["v_var"]
    belief["mu_bps_s_before"], belief["mu_var_before"] = belief["mu_bps_s"], belief["mu_var"]
    belief["sigma_bps_before"] = belief["sigma_bps"]
    for r in range(MODES):
        belief["mode_p_before"][r] = belief["mode_p"][r]
