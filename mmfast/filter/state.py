"""
State of the filter: the belief in the filter's own terms, and what it has used already.

In      nothing; the host owns one FILTER for each instrument.
Out     the dtype.

The hidden state is (v, mu, l): log value from the anchor [bps], its drift [bps/s], ln of the volatility. The
cross-covariance of l with the other two stays zero.
"""

from __future__ import annotations

from mmfast.records.feature import OBSERVATIONS
from mmfast.records.header import bare

FILTER = bare(
    ("placed", "i8"),  # 1 once an anchor is known
    ("status", "i8"),
    ("ts_ns", "i8"),  # time of the state
    ("value_count", "i8"),  # observations of the value since it was placed
    ("reject_count", "i8"),  # observations refused because they were not finite
    ("anchor_px", "f8"),
    ("v_bps", "f8"),
    ("mu_bps_s", "f8"),
    ("v_var", "f8"),
    ("vmu_cov", "f8"),
    ("mu_var", "f8"),
    ("log_sigma", "f8"),
    ("log_sigma_var", "f8"),
    ("sigma_bps", "f8"),  # volatility to quote on
    ("cusum", "f8"),
    ("misfit", "f8"),  # squared distance of the last observed value from the belief after it, in variances
    ("used_serial", "i8", (OBSERVATIONS,)),
    ("used_ns", "i8", (OBSERVATIONS,)),
    # the taker order that last filled us, and the state before it: v, mu, v_var, vmu_cov, mu_var
    ("fill_open", "i8"),
    ("fill_exch_ns", "i8"),
    ("fill_side", "i8"),
    ("fill_lots", "f8"),
    ("fill_log_px_lots", "f8"),
    ("before_fill", "f8", (5,)),
    size=512,
)
