"""
Parameters: the numbers of the model for one instrument, and what the venue says the instrument is.

In      the configuration and the venue's ``meta``.
Out     one PARAMETERS and one INSTRUMENT for each coin.
Source  defaults and symbols of the model's parameter table; per-clip quantities follow from clip_lots.
"""

from __future__ import annotations

from mmfast.records.feature import OBSERVATIONS
from mmfast.records.header import bare, record

KIND_PARAMETERS = 61

# name is ASCII, padded with zeros; asset is the venue's index of the coin.
INSTRUMENT = bare(("name", "u1", (24,)), ("asset", "i8"), ("sz_decimals", "i8"), ("ticks_per_usd", "i8"),
                  ("lots_per_coin", "i8"), ("max_leverage", "i8"), ("start_mark_ticks", "i8"), size=128)

PARAMETERS = record(
    ("version", "i8"),
    # the instrument's scale
    ("ticks_per_usd", "i8"),
    ("lots_per_coin", "i8"),
    # size and limits
    ("clip_lots", "i8"),
    ("position_max_lots", "i8"),
    ("min_order_uusd", "i8"),
    ("equity_usd", "f8"),
    ("leverage_max", "f8"),
    ("size_max_clips", "f8"),
    # volatility
    ("sigma_ref_bps", "f8"),
    ("mode_sigma", "f8", (3,)),
    ("log_sigma_rate", "f8"),  # kappa_l, 1/s
    ("log_sigma_sd", "f8"),  # s_l
    ("jump_sigma_bps", "f8"),
    ("jump_rate", "f8", (3,)),
    # the book's own error about the value
    ("value_error_bps", "f8"),
    ("value_lag_s", "f8"),
    # drift
    ("theta", "f8"),  # 1/s
    ("drift_sd", "f8", (3,)),  # s_mu, bps/s
    ("drift_var_floor", "f8"),
    # intensity
    ("kappa", "f8"),
    ("intensity", "f8"),  # A
    ("kappa_sigma_power", "f8"),
    ("rates_prior_s", "f8"),
    # costs
    ("maker_fee_bps", "f8"),
    ("taker_fee_bps", "f8"),
    ("adverse_bps", "f8"),  # a0
    ("mode_adverse", "f8", (3,)),
    ("informed_prior", "f8"),  # pi0
    ("informed_horizon_s", "f8"),  # tau_I
    ("quote_latency_s", "f8"),  # tau_q
    ("impact_bps", "f8"),  # k_I
    ("edge_min_bps", "f8"),
    # risk
    ("gamma0", "f8"),
    ("gamma_curve", "f8"),  # beta
    ("mode_gamma", "f8", (3,)),
    ("mode_kelly", "f8", (3,)),
    ("mode_limit", "f8", (3,)),
    ("gamma_budget_share_h", "f8"),
    # ladder
    ("level_max", "i8"),
    ("level_ratio", "f8"),
    ("depth_max_bps", "f8"),
    # latch
    ("life_s", "f8"),  # T_life
    ("action_cost_usd", "f8"),  # nu_req
    ("replace_min_ns", "i8"),
    ("queue_bonus", "f8"),  # g
    ("stale_ns", "i8"),  # age at which a belief is no longer quoted on
    # modes
    ("mode_dwell_s", "f8", (3,)),  # mean stay in a mode
    ("mode_split", "f8", (3, 3)),  # where a leaver goes; rows add up to 1, the diagonal is 0
    ("mode_prior", "f8", (3,)),
    # learning
    ("net_edge_bps", "f8"),  # of a fill after costs, until measured
    ("adapt_rate", "f8"),  # step of the drift's variance for each unit of misfit
    # sources of the sensor
    ("source_mask", "i8"),  # bit k: source k may speak
    ("drift_ref_sd", "f8"),  # s_ref, bps/s
    ("rho", "f8", (OBSERVATIONS,)),  # correlation of a source with the drift
    ("tau_s", "f8", (OBSERVATIONS,)),  # after which its reading is independent
    ("micro_table", "f8", (3, 10)),  # micro-price from the mid [price steps], by spread and imbalance
    ("hawkes_rate", "f8"),  # mu_0, 1/s
    ("hawkes_self", "f8"),  # alpha, 1/s
    ("hawkes_cross", "f8"),  # 1/s
    ("hawkes_decay", "f8"),  # beta, 1/s
    size=1280,
)
