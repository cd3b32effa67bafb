"""
State of the sensor: what must be remembered of the market of one instrument between two records.

In      nothing; the host owns one SENSOR for each instrument.
Out     the dtype and the lengths of its memories.
"""

from __future__ import annotations

from mmfast.records.header import bare

RETURNS = 300  # one-second returns that are remembered
SCORES = 8  # features that are standardised, by source

SENSOR = bare(
    # the touch: last good bid and ask
    ("touch_ok", "i8"),
    ("touch_exch_ns", "i8"),
    ("touch_ticks", "i8", (2,)),
    ("touch_lots", "i8", (2,)),
    ("log_px_bps", "f8"),  # 1e4 ln of the micro-price in USD
    ("alive_ns", "i8"),  # when a bbo or a book last came
    ("gap", "i8"),
    ("serial", "i8"),  # of the newest observation
    # order-flow imbalance at the touch
    ("ofi_lots", "f8"),
    ("ofi_ns", "i8"),
    ("depth_lots", "f8"),
    ("depth_ns", "i8"),
    # taker flow
    ("flow_lots", "f8", (2,)),
    ("flow_usual_lots", "f8"),
    ("flow_ns", "i8"),
    # taker orders counted over a short and a long memory
    ("order_count", "f8", (2,)),
    ("order_weight_s", "f8", (2,)),
    ("order_ns", "i8"),
    ("taker", "i8"),
    # standard scores of features
    ("score_weight_s", "f8", (SCORES,)),
    ("score_mean", "f8", (SCORES,)),
    ("score_var", "f8", (SCORES,)),
    ("score_ns", "i8", (SCORES,)),
    # volatility on a grid of one second
    ("grid_ns", "i8"),
    ("grid_log_px_bps", "f8"),
    ("return_count", "i8"),
    ("window_count", "i8"),
    ("return_bps", "f8", (RETURNS,)),
    ("rv_30", "f8"),
    ("rv_300", "f8"),
    ("tail", "f8"),
    # context
    ("funding_bps_s", "f8"),
    size=2944,
)
