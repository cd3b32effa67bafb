"""
Evidence: what the market's bustle says about its mode, besides prices.

In      activity, flow imbalance, liquidations, realised variance: the context of FEATURES.
Out     a log-likelihood for each mode; what is unknown says nothing.
Source  naive Bayes with likelihoods tempered by 0.3, since the signs of a mode come together (Hand & Yu 2001).

These are levels with a memory, not independent draws: a level that stays for its memory counts as one reading.
Centres and widths are starting values.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.modes import reweigh
from mmfast.filter.state import MODES
from mmfast.kernel import kernel

TEMPER = 0.3
# In the order quiet, trending, crisis: usual value, its width, and the memory of the reading [s].
LOG_ACTIVITY, LOG_ACTIVITY_SD, ACTIVITY_S = (0.0, 0.5, 1.1), 0.7, 10.0
IMBALANCE, IMBALANCE_SD, IMBALANCE_S = (0.4, 0.6, 0.6), 0.35, 10.0
LOG_LIQUIDATION, LOG_LIQUIDATION_SD, LIQUIDATION_S = (0.0, 0.2, 1.1), 0.6, 10.0
LOG_REALISED_SD, REALISED_S = 0.4, 30.0  # its usual value is the mode's volatility
USUAL_S = 1800.0  # what the signs always say about a market is no news about its mode
SCORE_MAX = 12.5  # of one reading: five sigmas away is far enough


@kernel
def squared(x: float, centre: float, sd: float) -> float:
    """Half the squared distance in deviations, at most 12.5."""
    d = (x - centre) / sd
    return min(0.5 * d * d, SCORE_MAX)


@kernel
def log_likelihood(mode: int, dt_s: float, activity: float, imbalance: float, liquidation: float, rv_30: float,
                   log_sigma_mean: float) -> float:
    """
    Tempered ln L of ``mode`` for readings that stood for ``dt_s``; NaN or a ratio that is not positive is no reading.

    Parameters
    ----------
    activity, liquidation : float
        Rates over their usual level.
    imbalance : float
        Of taker flow, in [-1, 1].
    rv_30 : float
        Realised variance rate [bps^2/s].
    log_sigma_mean : float
        ln of the volatility that is usual in this mode.
    """
    total = 0.0
    if 0.0 < activity < math.inf:
        total -= squared(math.log(activity), LOG_ACTIVITY[mode], LOG_ACTIVITY_SD) * min(dt_s / ACTIVITY_S, 1.0)
    if imbalance != 0.0 and abs(imbalance) <= 1.0:  # zero is "no flow", not "balanced flow"
        total -= squared(abs(imbalance), IMBALANCE[mode], IMBALANCE_SD) * min(dt_s / IMBALANCE_S, 1.0)
    if 0.0 < liquidation < math.inf:
        log_ratio = math.log(liquidation)
        total -= squared(log_ratio, LOG_LIQUIDATION[mode], LOG_LIQUIDATION_SD) * min(dt_s / LIQUIDATION_S, 1.0)
    if 1e-10 < rv_30 < math.inf:
        total -= squared(0.5 * math.log(rv_30), log_sigma_mean, LOG_REALISED_SD) * min(dt_s / REALISED_S, 1.0)
    return TEMPER * total


@kernel
def weigh(state: np.void, dt_s: float, activity: float, imbalance: float, liquidation: float, rv_30: float,
          params: np.void) -> None:
    """Multiply the probabilities of the modes by this evidence."""
    if not dt_s > 0.0:
        return
    base = math.log(max(params["sigma_ref_bps"], 1e-3))
    by_mode = params["mode_sigma"]
    log0 = log_likelihood(0, dt_s, activity, imbalance, liquidation, rv_30, base + math.log(max(by_mode[0], 1e-3)))
    log1 = log_likelihood(1, dt_s, activity, imbalance, liquidation, rv_30, base + math.log(max(by_mode[1], 1e-3)))
    log2 = log_likelihood(2, dt_s, activity, imbalance, liquidation, rv_30, base + math.log(max(by_mode[2], 1e-3)))
    usual = state["usual_evidence"]
    share = -math.expm1(-dt_s / USUAL_S)
    for r in range(MODES):
        log = log0 if r == 0 else (log1 if r == 1 else log2)
        usual[r] += share * (log / dt_s - usual[r])
    reweigh(state, log0 - usual[0] * dt_s, log1 - usual[1] * dt_s, log2 - usual[2] * dt_s)


