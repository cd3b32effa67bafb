"""
Beliefs: what the estimator holds to be true of one instrument (MarketBelief).

In      features of the market.
Out     one BELIEF for each instrument, newest only.

V = anchor_px * exp(v_bps * 1e-4) is the fair value; ticks of the touch ride along for post-only rounding.
"""

from __future__ import annotations

from mmfast.records.feature import OBSERVATIONS
from mmfast.records.header import STAMPS, record

KIND_BELIEF = 31

# Why there is no usable belief; 0 is "usable".
BELIEF_OK, BELIEF_NO_BOOK, BELIEF_STALE, BELIEF_GAP, BELIEF_WARMING = 0, 1, 2, 3, 4
BELIEF_NAMES = {BELIEF_OK: "ok", BELIEF_NO_BOOK: "no book yet", BELIEF_STALE: "stale", BELIEF_GAP: "gap in the feed",
                BELIEF_WARMING: "warming up"}

# Rates of fills go with the activity of the market between these: learned and used alike.
ACTIVITY_MIN, ACTIVITY_MAX = 0.3, 3.0

BELIEF = record(
    *STAMPS,
    ("status", "i8"),
    ("anchor_px", "f8"),  # USD
    ("fair_px", "f8"),  # USD
    ("v_bps", "f8"),
    ("v_var", "f8"),  # bps^2
    ("mu_bps_s", "f8"),
    ("mu_var", "f8"),  # (bps/s)^2
    ("vmu_cov", "f8"),
    ("sigma_bps", "f8"),  # bps per root second
    ("log_sigma_var", "f8"),
    ("mode_p", "f8", (3,)),  # quiet, trending, crisis
    ("informed_p", "f8", (2,)),  # informed share of takers that would hit our bid, lift our ask
    ("half_spread_bps", "f8"),
    ("imbalance", "f8"),  # flow imbalance, buy-positive
    ("activity", "f8"),  # arrival rate over its usual level
    ("tail", "f8"),  # >= 1, fat-tail factor of adverse selection
    ("funding_bps_s", "f8"),
    ("mid_px", "f8"),
    ("touch_ticks", "i8", (2,)),
    ("touch_lots", "i8", (2,)),
    ("theta", "f8"),  # how fast the drift fades, 1/s; 0 if it is not learned
    ("kappa_scale", "f8"),  # kappa and A of now over the configured ones, before flow and activity; 0 if not known
    ("intensity_scale", "f8"),
    ("gradient", "f8"),  # imbalance near the touch minus far from it, NaN until known
    # what was believed before this cause, 0 if nothing was; and what came in
    ("fair_px_before", "f8"),
    ("v_var_before", "f8"),
    ("mu_bps_s_before", "f8"),
    ("mu_var_before", "f8"),
    ("sigma_bps_before", "f8"),
    ("mode_p_before", "f8", (3,)),
    ("cause_kind", "i8"),  # kind of the market record or fill that this belief came from
    ("source_weight", "f8", (OBSERVATIONS,)),  # share of a source in what its channel heard now, 0 without news
    size=576,
)
