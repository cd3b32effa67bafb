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
OBSERVATIONS = 19

# What an observation is about: log fair value [bps from base_px], drift [bps/s], ln sigma, informed share of a side,
# what a reference announces on top of the micro-price [bps]: those two are one observation of the value.
OBS_VALUE, OBS_DRIFT, OBS_LOG_SIGMA, OBS_INFORMED, OBS_LEAD = 0, 1, 2, 3, 5

SOURCE_MICROPRICE, SOURCE_TOUCH, SOURCE_OFI, SOURCE_FLOW, SOURCE_BOOK, SOURCE_BIPOWER = 0, 1, 2, 3, 4, 5
SOURCE_BOOK_CHANGE, SOURCE_GRADIENT, SOURCE_SWEEP, SOURCE_HAWKES, SOURCE_SIZE, SOURCE_BASIS = 6, 7, 8, 9, 10, 11
SOURCE_FUNDING, SOURCE_OPEN_INTEREST, SOURCE_INFORMED_BID, SOURCE_INFORMED_ASK = 12, 13, 14, 15
SOURCE_DEEP_BOOK, SOURCE_ORACLE, SOURCE_LEAD = 16, 17, 18
SOURCE_NAMES = ("microprice", "touch imbalance", "order-flow imbalance", "taker flow", "book imbalance",
                "bipower volatility", "book imbalance change", "book gradient", "sweeps", "hawkes intensity",
                "order sizes", "basis", "funding", "open interest", "informed at our bid", "informed at our ask",
                "deep book imbalance", "oracle", "lead-lag")

LAYER_MID, LAYER_WEIGHTED, LAYER_STOIKOV, LAYER_DEPTH = 0, 1, 2, 3
LAYERS = 4
BAND_BPS = (10.0, 25.0, 50.0)
HORIZON_S = (1.0, 5.0, 30.0, 120.0)
CLASS_NOISE, CLASS_INFORMED, CLASS_LIQUIDATION, CLASS_ARBITRAGE = 0, 1, 2, 3
CLASSES = 4
# What the book is like: nothing known, as usual, much more or much less than usual, on the move, falling apart.
BOOK_UNKNOWN, BOOK_USUAL, BOOK_THICK, BOOK_THIN, BOOK_MIGRATING, BOOK_COLLAPSING = 0, 1, 2, 3, 4, 5

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
    # the value: which layer speaks, and where each layer is [bps from the mid], NaN where it has nothing to say
    ("layer", "i8"),
    ("layer_bps", "f8", (LAYERS,)),
    # the book
    ("band_imbalance", "f8", (3,)),  # within 10, 25, 50 bps, NaN where the book does not reach
    ("book_change", "f8"),  # 1/s
    ("gradient", "f8"),  # near minus far imbalance
    # the takers
    ("flow_horizon", "f8", (4,)),  # imbalance over 1, 5, 30, 120 s
    ("sweep", "f8", (2,)),  # by taker side
    ("hawkes", "f8", (2,)),  # orders/s, by taker side
    ("hawkes_activity", "f8"),
    ("size_shift", "f8"),  # buyers' recent log size minus sellers', in usual deviations
    ("vpin", "f8"),  # [0, 1], NaN until measured
    ("vpin_rank", "f8"),  # share of the past below it
    ("informed_p", "f8", (2,)),  # share of informed takers at our bid and at our ask
    ("class_p", "f8", (CLASSES,)),  # of the last taker order
    # the reference
    ("basis_bps", "f8"),  # mid over the oracle
    ("funding_forecast_bps_s", "f8"),  # of the running hour, from the premiums seen so far
    ("open_interest_z", "f8"),
    ("liquidation_ratio", "f8"),  # intensity of forced orders over its base, 1 when quiet
    ("liquidation_side", "f8"),  # -1: longs are forced out, 1: shorts are
    ("cascade", "f8"),  # 1 from a ratio of 3 until it is back at 1.5
    # another venue
    ("reference_px", "f8"),  # USD, its micro-price, NaN before the first
    ("reference_ns", "i8"),  # when that came
    ("reference_flow", "f8"),  # imbalance of its takers over five seconds, NaN without any
    ("lead_lag_ms", "f8"),  # by how much it is ahead, NaN while no lag is significant
    ("lead_response", "f8"),  # of our price to a move of it
    ("lead_fit", "f8"),  # share of our moves that it explains
    # volatility
    ("vol_term", "f8"),  # sqrt(rv_30 / rv_300), 1 until known
    ("kurtosis", "f8"),  # excess, NaN until measured
    ("jump_bps", "f8"),  # the last jump, 0 if the last second had none
    # the liquidity
    ("book_regime", "i8"),
    ("density", "f8"),  # share of levels larger than the mean of their book
    ("migration_bps_s", "f8"),  # of the centre of liquidity, relative to the mid
    ("flicker", "f8"),  # levels that came or went in a second
    ("book_asymmetry", "f8"),
    ("wall_bps", "f8", (2,)),  # distance from the mid, NaN without a wall
    ("wall_lots", "f8", (2,)),
    ("wall_age_s", "f8", (2,)),
    # what the sensor refused
    ("odd_price_count", "i8"),
    ("odd_time_count", "i8"),
    ("own_print_count", "i8"),
    # prints: the furthest of the last whole second on each side of the book, 0 without one; when that second began
    ("reach_ticks", "i8", (2,)),
    ("reach_ns", "i8"),
    ("obs_kind", "i4", (OBSERVATIONS,)),
    ("_pad", "i4"),
    ("obs_z", "f8", (OBSERVATIONS,)),
    ("obs_r", "f8", (OBSERVATIONS,)),
    ("obs_tau_s", "f8", (OBSERVATIONS,)),
    ("obs_ns", "i8", (OBSERVATIONS,)),
    ("obs_serial", "i8", (OBSERVATIONS,)),
    size=1536,
)
