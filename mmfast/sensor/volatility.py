"""
Volatility: bipower variation of one-second returns, the term structure and the tail.

In      the micro-price on a grid of one second (previous tick).
Out     an observation of ln sigma every ten seconds; realised variances over 30 and 300 seconds; a tail factor.
Source  Barndorff-Nielsen & Shephard (2004) for bipower variation, which jumps do not enter; Lee & Mykland (2008)
        for jumps; mean and variance of the log of a chi-square variable for the observation's bias and noise.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.sensor.state import RETURNS
from mmfast.units import NS_PER_S

WINDOW = 10  # returns in an observation
LOG_BIAS = 0.0517  # -E[ln(chi2_10 / 10)] / 2
LOG_VARIANCE = 0.0553 * 1.3  # Var[ln(chi2_10 / 10)] / 4, and bipower is less efficient than squares
SHORT = 30
TAIL_RETURNS_MIN = 60
TAIL_WEIGHT = 0.3
EXCESS_MAX = 20.0
JUMP_SIGMAS = 4.6
RV_MIN = 1e-10
RATIO_MEMORY = 180.0  # windows: half an hour
RATIO_PRIOR = 20.0  # windows of a random walk that are believed before any is seen
RATIO_MIN, RATIO_MAX = 0.5, 4.0


@kernel
def restart(sensor: np.void) -> None:
    """No return may span a gap: the grid starts again at the next price."""
    sensor["grid_ns"] = 0
    sensor["window_count"] = 0


@kernel
def advance(sensor: np.void, now_ns: int, stale_ns: int) -> bool:
    """
    Take the returns of all grid times up to ``now_ns`` at the last price; True if a window is complete.

    A silent feed is no quiet market: with no bbo or book for ``stale_ns`` the grid restarts.
    """
    if sensor["touch_ok"] == 0 or now_ns - sensor["heard_ns"] > stale_ns:
        restart(sensor)
        return False
    if sensor["grid_ns"] == 0 or now_ns - sensor["grid_ns"] > RETURNS * NS_PER_S:
        sensor["grid_ns"] = now_ns + NS_PER_S
        sensor["grid_log_px_bps"] = sensor["log_px_bps"]
        sensor["window_count"] = 0
        return False
    complete = False
    while sensor["grid_ns"] <= now_ns:
        step_bps = sensor["log_px_bps"] - sensor["grid_log_px_bps"]
        sensor["return_bps"][sensor["return_count"] % RETURNS] = step_bps
        sensor["jump_bps"] = step_bps if is_jump(step_bps, sensor["bipower_var"]) else 0.0
        sensor["grid_log_px_bps"] = sensor["log_px_bps"]
        sensor["return_count"] += 1
        sensor["grid_ns"] += NS_PER_S
        sensor["window_count"] += 1
        if sensor["window_count"] == WINDOW:
            sensor["window_count"] = 0
            _compare_spans(sensor)
            complete = True
    return complete


@kernel
def _compare_spans(sensor: np.void) -> None:
    """
    Take a window into the variance ratio of ten seconds over one (Lo & MacKinlay 1988).

    A book that follows its market late moves too little within a second, and goes on moving after it; one that
    bounces moves too much. What is quoted on is the risk of the seconds after a fill, not of the first.
    """
    whole, squares = 0.0, 0.0
    for k in range(WINDOW):
        r = sensor["return_bps"][(sensor["return_count"] - 1 - k) % RETURNS]
        whole += r
        squares += r * r
    limit = JUMP_SIGMAS * JUMP_SIGMAS * max(sensor["step_square"], RV_MIN) * WINDOW
    keep = 1.0 - 1.0 / RATIO_MEMORY
    if squares > limit and sensor["ratio_count"] > RATIO_PRIOR:  # a jump says nothing about how the book follows
        return
    sensor["ratio_count"] = keep * sensor["ratio_count"] + 1.0
    sensor["whole_square"] += (whole * whole / WINDOW - sensor["whole_square"]) / sensor["ratio_count"]
    sensor["step_square"] += (squares / WINDOW - sensor["step_square"]) / sensor["ratio_count"]


@kernel
def variance_ratio(sensor: np.void) -> float:
    """Variance rate of ten-second returns over that of one-second returns, shrunk to 1, in [0.5, 4]."""
    if not sensor["step_square"] > RV_MIN:
        return 1.0
    count = sensor["ratio_count"]
    ratio = (count * sensor["whole_square"] + RATIO_PRIOR * sensor["step_square"]) / (
        (count + RATIO_PRIOR) * sensor["step_square"])
    return min(max(ratio, RATIO_MIN), RATIO_MAX)


@kernel
def bipower(sensor: np.void) -> float:
    """
    Variance rate of the last ten returns without their jumps [bps^2/s]; NaN if nothing moved.

    Products vanish when prices seldom move; with fewer than half of the returns at work, squares are used.
    """
    products, squares, moves, before = 0.0, 0.0, 0, math.nan
    for k in range(WINDOW):
        r = abs(sensor["return_bps"][(sensor["return_count"] - WINDOW + k) % RETURNS])
        if k > 0:
            products += r * before
        squares += r * r
        moves += r > 0.0
        before = r
    if squares <= 0.0:
        return math.nan
    if 2 * moves < WINDOW or products <= 0.0:
        return squares / WINDOW
    return 0.5 * math.pi * (WINDOW / (WINDOW - 1.0)) * products / WINDOW


@kernel
def log_sigma_reading(variance_rate: float) -> tuple[float, float]:
    """(z, r) of ln sigma [ln(bps per root second)] from the variance rate of ten returns."""
    if not variance_rate > 0.0:
        return math.nan, math.nan
    return 0.5 * math.log(variance_rate) + LOG_BIAS, LOG_VARIANCE


@kernel
def remember(sensor: np.void) -> None:
    """Set the realised variances [bps^2/s] and the tail factor from the returns there are; NaN below 30."""
    count = min(sensor["return_count"], RETURNS)
    if count < SHORT:
        return
    second, fourth, short = 0.0, 0.0, 0.0
    for k in range(count):
        r = sensor["return_bps"][(sensor["return_count"] - 1 - k) % RETURNS]
        second += r * r
        fourth += r * r * r * r
        if k < SHORT:
            short += r * r
    ratio = variance_ratio(sensor)
    sensor["rv_30"] = ratio * short / SHORT
    sensor["rv_300"] = ratio * second / count
    if count >= TAIL_RETURNS_MIN and second > 0.0:
        sensor["kurtosis"] = count * fourth / (second * second) - 3.0
        sensor["tail"] = tail_factor(sensor["kurtosis"])


@kernel
def tail_factor(excess_kurtosis: float) -> float:
    """How much dearer adverse selection is in a market with fat tails: 1 + 0.3 ln(1 + excess), in [1, 1.92]."""
    return 1.0 + TAIL_WEIGHT * math.log1p(min(max(excess_kurtosis, 0.0), EXCESS_MAX))


@kernel
def is_jump(return_bps: float, variance_rate: float) -> bool:
    """True for a one-second return beyond 4.6 bipower deviations (Lee & Mykland 2008); False while none is known."""
    return bool(variance_rate > 0.0 and return_bps * return_bps > JUMP_SIGMAS * JUMP_SIGMAS * variance_rate)


@kernel
def term_ratio(rv_short: float, rv_long: float) -> float:
    """Short over long volatility; 1 while the long one is unknown or nothing moves."""
    if not rv_long > RV_MIN or not rv_short >= 0.0:
        return 1.0
    return math.sqrt(rv_short / rv_long)
