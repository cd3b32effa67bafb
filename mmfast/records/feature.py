"""
Features: what the sensor says about one instrument, each as an observation (z, r) of the hidden state.

In      market records.
Out     one FEATURES for each instrument, overwritten in place; a source that has nothing to say is not in the mask.
Source  a row of ``obs_*`` belongs to one source: the row is the source's number.

An observation is used once: its serial changes when the source speaks again. ``obs_r`` is the variance of an
independent reading; a source that is read again within ``obs_tau_s`` has told only part of something new.
"""

from __future__ import annotations

from mmfast.records.header import record

KIND_FEATURES = 11
OBSERVATIONS = 16

# What an observation is about: log fair value [bps from base_px], drift [bps/s], ln sigma, informed share.
OBS_VALUE, OBS_DRIFT, OBS_LOG_SIGMA, OBS_INFORMED = 0, 1, 2, 3

SOURCE_MICROPRICE, SOURCE_TOUCH, SOURCE_OFI, SOURCE_FLOW, SOURCE_BOOK, SOURCE_BIPOWER = 0, 1, 2, 3, 4, 5
SOURCE_NAMES = ("microprice", "touch imbalance", "order-flow imbalance", "taker flow", "book imbalance",
                "bipower volatility")

FEATURES = record(
    ("valid_mask", "i8"),  # bit k: source k has an observation
    ("touch_ok", "i8"),  # 1 while both sides are there and the bid is below the ask
    ("gap", "i8"),  # reason of a gap since the last good touch, 0 if none
    ("alive_ns", "i8"),  # when a bbo or a book last came
    ("touch_ticks", "i8", (2,)),
    ("touch_lots", "i8", (2,)),
    ("mid_px", "f8"),
    ("base_px", "f8"),  # USD; observations of the value are bps from here
    ("half_spread_bps", "f8"),
    ("touch_imbalance", "f8"),  # bid-positive, as are all imbalances
    ("book_imbalance", "f8"),
    ("ofi", "f8"),  # in units of the usual touch depth
    ("flow_imbalance", "f8"),  # buy-positive, 0 without flow
    ("activity", "f8"),  # taker orders over their usual rate
    ("rv_30", "f8"),  # bps^2/s, NaN until measured
    ("rv_300", "f8"),
    ("tail", "f8"),  # >= 1
    ("funding_bps_s", "f8"),  # positive: longs pay
    ("obs_kind", "i4", (OBSERVATIONS,)),
    ("obs_z", "f8", (OBSERVATIONS,)),
    ("obs_r", "f8", (OBSERVATIONS,)),
    ("obs_tau_s", "f8", (OBSERVATIONS,)),
    ("obs_ns", "i8", (OBSERVATIONS,)),
    ("obs_serial", "i8", (OBSERVATIONS,)),
    size=960,
)
