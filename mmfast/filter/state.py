"""
State of the filter: the belief in the filter's own terms, and what it has used already.

In      nothing; the host owns one FILTER for each instrument.
Out     the dtypes.

The hidden state is (v, mu, l): log value from the anchor [bps], its drift [bps/s], ln of the volatility. There is
one of it for each mode of the market, and one for their mixture. The cross-covariance of l with the other two
stays zero.
"""

from __future__ import annotations

from mmfast.records.feature import OBSERVATIONS
from mmfast.records.header import bare

DEPTHS = 8  # at which the reach of prints is counted
MODES = 3  # quiet, trending, crisis
QUIET, TRENDING, CRISIS = range(MODES)

# The belief if the market is in one mode; FILTER has the same names for the mixture.
MODE = bare(
    ("v_bps", "f8"),
    ("mu_bps_s", "f8"),
    ("v_var", "f8"),
    ("vmu_cov", "f8"),
    ("mu_var", "f8"),
    ("log_sigma", "f8"),
    ("log_sigma_var", "f8"),
    size=64,
)

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
    ("informed_p", "f8", (2,)),  # share of informed takers that would hit our bid, lift our ask
    ("mode_p", "f8", (MODES,)),
    ("usual_evidence", "f8", (MODES,)),  # of the mode [nats/s]
    ("modes", MODE, (MODES,)),  # type: ignore[arg-type]
    ("mixed", MODE, (MODES,)),  # type: ignore[arg-type]
    ("transition", "f8", (MODES, MODES)),
    ("product", "f8", (MODES, MODES)),
    # what is learned: squared innovations in their variances, the factors on noise and s_mu^2, theta, and its moments
    ("nis_value", "f8"),
    ("nis_sum", "f8"),  # of the value since the start, each as the gate lets it through
    ("nis_count", "i8"),
    ("nis_inside_count", "i8"),  # within the 95 % band of a chi-square
    ("nis_drift", "f8"),
    ("value_scale", "f8"),  # on the noise of the value, its own and that of its readings
    ("drift_scale", "f8"),
    ("reading_scale", "f8"),  # on the noise of readings of ln sigma
    ("theta", "f8"),
    ("theta_ns", "i8"),
    ("lag_ns", "i8"),
    ("lag_mu", "f8"),
    ("lag_square", "f8"),
    ("lag_product", "f8"),
    ("used_serial", "i8", (OBSERVATIONS,)),
    ("used_ns", "i8", (OBSERVATIONS,)),
    ("source_weight", "f8", (OBSERVATIONS,)),  # share of a source in what its channel heard last, 0 without news
    # the reach of prints: ahead of the running second and of the next one, and what was counted
    ("reach_ns", "i8", (2,)),
    ("reach_px", "f8", (2,)),
    ("reach_calm", "f8", (2,)),
    ("reach_activity", "f8", (2,)),
    ("reach_count", "f8", (DEPTHS,)),
    ("reach_s", "f8"),
    ("reach_weight_s", "f8"),  # by activity
    ("kappa_gain", "f8"),
    ("intensity_gain", "f8"),
    # the taker order that last filled us, and the modes before it
    ("fill_open", "i8"),
    ("fill_exch_ns", "i8"),
    ("fill_side", "i8"),
    ("fill_lots", "f8"),
    ("fill_log_px_lots", "f8"),
    ("before", MODE, (MODES,)),  # type: ignore[arg-type]
    size=1728,
)
