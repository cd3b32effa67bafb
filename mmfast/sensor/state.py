"""
State of the sensor: what must be remembered of the market of one instrument between two records.

In      nothing; the host owns one SENSOR for each instrument.
Out     the dtype and the lengths of its memories.
"""

from __future__ import annotations

from mmfast.records.feature import CLASSES, LAYERS, OBSERVATIONS
from mmfast.records.header import bare
from mmfast.records.market import BOOK_LEVELS
from mmfast.sensor.leadlag import LEADLAG

RETURNS = 300  # one-second returns that are remembered
SCORES = OBSERVATIONS  # features that are standardised, by source
PENDING = 16  # readings of the layers that wait for their answer
MARKS = 128  # taker orders that wait for their markout
RECENT = 20  # orders of a side whose median size is compared with the usual one
BUCKETS = 50  # of equal volume
RANKS = 20  # classes of the histogram of VPIN
PRINTS = 64  # recent prints that may turn out to be ours
OWN = 32  # fills of ours that may still be printed
SAMPLES = 128  # of open interest
HORIZONS = 4

SENSOR = bare(
    # the touch: last good bid and ask
    ("touch_ok", "i8"),
    ("touch_exch_ns", "i8"),
    ("touch_ticks", "i8", (2,)),
    ("touch_lots", "i8", (2,)),
    ("log_px_bps", "f8"),  # 1e4 ln of the micro-price in USD
    ("log_mid_bps", "f8"),
    ("heard_ns", "i8"),  # when a bbo or a book last came
    ("alive_ns", "i8"),  # as of when the newest one was
    ("gap", "i8"),
    ("serial", "i8"),  # of the newest observation
    # what is refused
    ("good_mid_ticks", "f8"),
    ("good_ns", "i8"),
    ("suspect_mid_ticks", "f8"),  # of a touch that was too far to be believed at once
    ("ahead_ns", "i8"),  # the venue's clock over ours, at the shortest delay
    ("ahead_seen_ns", "i8"),
    ("ahead_known", "i8"),
    ("late_ns", "i8"),  # of the record that speaks, and of the touch: over the shortest delay; 0 if usual
    ("touch_late_ns", "i8"),
    ("future_count", "i8"),  # records in a row that came from the future
    ("odd_price_count", "i8"),
    ("odd_time_count", "i8"),
    # order-flow imbalance at the touch
    ("ofi_lots", "f8"),
    ("ofi_ns", "i8"),
    ("depth_lots", "f8"),
    ("depth_ns", "i8"),
    # taker flow
    ("flow_lots", "f8", (2,)),
    ("flow_usual_lots", "f8"),
    ("flow_ns", "i8"),
    ("horizon_lots", "f8", (HORIZONS, 2)),
    ("horizon_ns", "i8"),
    # taker orders counted over a short and a long memory
    ("order_count", "f8", (2,)),
    ("order_weight_s", "f8", (2,)),
    ("order_ns", "i8"),
    # the taker order that prints belong to
    ("taker", "i8"),
    ("taker_side", "i8"),
    ("taker_lots", "f8"),  # 0: none yet
    ("taker_ticks", "i8"),
    ("taker_levels", "i8"),
    ("taker_imbalance", "f8"),  # of the touch when it came
    ("taker_weight", "f8"),  # what it has added to the excitation
    ("taker_sweep", "f8"),  # what it has added to the sweep score
    # excitation and sweeps, by taker side
    ("excitation", "f8", (2,)),
    ("excitation_ns", "i8"),
    ("sweep", "f8", (2,)),
    ("sweep_ns", "i8"),
    ("swept_ns", "i8"),
    # sizes of taker orders: log median and deviation of all, the recent ones of each side
    ("size_count", "i8"),
    ("size_median", "f8"),
    ("size_deviation", "f8"),
    ("recent_count", "i8", (2,)),
    ("recent_size", "f8", (2, RECENT)),
    ("sorted_size", "f8", (RECENT,)),
    # toxicity
    ("volume_lots", "f8"),
    ("volume_weight_s", "f8"),
    ("volume_ns", "i8"),
    ("bucket_goal", "f8"),
    ("bucket_lots", "f8", (2,)),
    ("bucket_count", "i8"),
    ("bucket_gap", "f8", (BUCKETS,)),
    ("bucket_volume", "f8", (BUCKETS,)),
    ("vpin", "f8"),
    ("vpin_rank", "f8"),
    ("rank_weight", "f8", (RANKS,)),
    # markouts of taker orders, by the side of ours that they hit
    ("mark_first", "i8"),
    ("mark_next", "i8"),
    ("mark_ns", "i8", (MARKS,)),
    ("mark_side", "i8", (MARKS,)),
    ("mark_log_px_bps", "f8", (MARKS,)),
    ("impact_count", "f8", (2,)),
    ("impact_bps", "f8", (2,)),
    ("class_p", "f8", (CLASSES,)),
    ("class_count", "f8", (2,)),
    ("class_informed", "f8", (2,)),
    # how far prints go
    ("reach_second", "i8"),  # the running one; furthest print in it by side of the book, 0 without one
    ("reach_ticks", "i8", (2,)),
    # prints and fills that may be the same
    ("print_next", "i8"),
    ("print_tid", "i8", (PRINTS,)),
    ("print_ns", "i8", (PRINTS,)),
    ("print_side", "i8", (PRINTS,)),
    ("print_lots", "f8", (PRINTS,)),
    ("print_weight", "f8", (PRINTS,)),
    ("print_sweep", "f8", (PRINTS,)),
    ("print_opened", "i8", (PRINTS,)),
    ("own_next", "i8"),
    ("own_tid", "i8", (OWN,)),
    ("own_print_count", "i8"),
    # layers of the micro-price
    ("layer", "i8"),
    ("layer_bps", "f8", (LAYERS,)),
    ("layer_first", "i8"),
    ("layer_next", "i8"),
    ("layer_ns", "i8", (PENDING,)),
    ("layer_log_px_bps", "f8", (PENDING, LAYERS)),
    ("layer_count", "f8", (LAYERS,)),
    ("layer_var", "f8", (LAYERS,)),
    ("deep_bps", "f8"),  # depth-weighted price over the mid, and when it was seen
    ("deep_ns", "i8"),
    # the book
    ("band_imbalance", "f8", (3,)),
    ("band_ns", "i8", (3,)),
    ("change_fast", "f8"),
    ("change_slow", "f8"),
    ("change_ns", "i8"),
    ("book_regime", "i8"),
    ("book_ns", "i8"),
    ("book_lots", "f8"),
    ("book_usual_lots", "f8"),
    ("book_centre_bps", "f8"),
    ("book_count", "i8", (2,)),
    ("book_ticks", "i8", (2, BOOK_LEVELS)),
    ("density", "f8"),
    ("migration_bps_s", "f8"),
    ("flicker", "f8"),
    ("book_asymmetry", "f8"),
    ("wall_ticks", "i8", (2,)),
    ("wall_since_ns", "i8", (2,)),
    ("wall_bps", "f8", (2,)),
    ("wall_lots", "f8", (2,)),
    ("wall_age_s", "f8", (2,)),
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
    ("kurtosis", "f8"),
    ("jump_bps", "f8"),
    ("bipower_var", "f8"),  # of the last complete window
    ("whole_square", "f8"),  # mean squares of ten-second and one-second returns [bps^2/s], and the windows in them
    ("step_square", "f8"),
    ("ratio_count", "f8"),
    # the reference: oracle, funding, open interest, forced orders
    ("oracle_px", "f8"),
    ("oracle_ns", "i8"),
    ("basis_bps", "f8"),
    ("funding_bps_s", "f8"),
    ("funding_forecast_bps_s", "f8"),
    ("premium_hour", "i8"),
    ("premium_slot", "i8"),
    ("premium_count", "i8"),
    ("premium_sum", "f8"),
    ("hour_count", "i8"),
    ("hour_mean", "f8"),
    ("hour_var", "f8"),
    ("interest_next", "i8"),
    ("interest_ns", "i8", (SAMPLES,)),
    ("interest", "f8", (SAMPLES,)),
    ("interest_log_px_bps", "f8", (SAMPLES,)),
    ("interest_z", "f8"),
    ("interest_low", "f8"),  # its own hundredth
    ("interest_seen", "i8"),
    ("forced_excess", "f8"),
    ("forced_ns", "i8"),
    ("forced_last_ns", "i8"),
    ("forced_usual", "f8"),
    ("forced_side", "f8"),
    ("cascade", "f8"),
    # another venue: its touch, its takers, by how much it leads
    ("reference_log_bps", "f8"),
    ("reference_ns", "i8"),
    ("reference_exch_ns", "i8"),
    ("reference_lots", "f8", (2,)),
    ("reference_flow_ns", "i8"),
    ("lead_lag_ms", "f8"),
    ("lead_response", "f8"),
    ("lead_fit", "f8"),
    ("lead_surety", "f8"),
    ("lead_learned_ns", "i8"),
    ("lead_said_bps", "f8"),
    ("lead", LEADLAG),  # type: ignore[arg-type]
    size=35776,
)
