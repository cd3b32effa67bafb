"""
Funding: what holding a long position costs for each second.

In      the venue's running hourly estimate.
Out     bps/s, positive when longs pay.
Source  the venue's funding page: paid hourly, at most 4 % an hour.
"""

from __future__ import annotations

import math

from mmfast.kernel import kernel

RATE_MAX = 0.04
BPS_S = 1e4 / 3600.0


@kernel
def carry_bps_s(rate_h: float, before_bps_s: float) -> float:
    """Funding of an hourly rate (fraction); an unknown rate leaves the one before."""
    if not math.isfinite(rate_h):
        return before_bps_s
    return min(max(rate_h, -RATE_MAX), RATE_MAX) * BPS_S
