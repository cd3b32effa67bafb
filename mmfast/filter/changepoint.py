"""
Changepoint: the belief is wrong more often than it says; then it must become less sure.

In      squared innovations in units of their variance (mean 1 when all is well).
Out     a covariance four times as large when their excess adds up.
Source  Page (1954), the cumulative sum test.
"""

from __future__ import annotations

import numpy as np

from mmfast.filter.kalman import GATE
from mmfast.filter.state import MODES
from mmfast.kernel import kernel

ALLOWANCE = 3.0
THRESHOLD = 20.0
GROWTH = 4.0


@kernel
def watch(state: np.void, squared_innovation: float, log_sigma_var_max: float) -> bool:
    """Add one squared innovation; at the threshold the covariance is multiplied by four: True if it was."""
    excess = min(squared_innovation, GATE) - ALLOWANCE
    state["cusum"] = max(state["cusum"] + excess, 0.0)
    if state["cusum"] < THRESHOLD:
        return False
    state["cusum"] = 0.0
    for r in range(MODES):
        mode = state["modes"][r]
        mode["v_var"] *= GROWTH
        mode["vmu_cov"] *= GROWTH
        mode["mu_var"] *= GROWTH
        mode["log_sigma_var"] = min(mode["log_sigma_var"] * GROWTH, max(log_sigma_var_max, mode["log_sigma_var"]))
    return True
