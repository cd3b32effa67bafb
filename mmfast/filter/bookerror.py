"""
Book error: how far the fair value may be from what the whole book agrees on.

In      the volatility of a mode, the parameters.
Out     a variance [bps^2] to add to that of the filter.
Source  the filter sees the book, and its covariance is how well it knows where the book is. What the book itself does
        not know cannot be averaged away by looking again: the push of takers that fades within minutes (Bouchaud,
        Farmer & Lillo 2009), and the moves of the last moments that makers have not followed yet. A considered
        parameter in the sense of Schmidt (1966): it widens the belief and is not estimated.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.volatility import LOG_SIGMA_MAX, LOG_SIGMA_MIN
from mmfast.kernel import kernel


@kernel
def variance(log_sigma: float, params: np.void) -> float:
    """error^2 + sigma^2 lag [bps^2] at a volatility given as its logarithm."""
    sigma2 = math.exp(2.0 * min(max(log_sigma, LOG_SIGMA_MIN), LOG_SIGMA_MAX))
    error_bps, lag_s = params["value_error_bps"], params["value_lag_s"]
    return float(error_bps * error_bps + sigma2 * max(lag_s, 0.0))
