"""
Parameters of a coin like BTC for tests: one consistent set, the defaults of the model.

In      what a test wants different.
Out     a PARAMETERS record.
"""

from __future__ import annotations

import numpy as np

from mmfast.records.feature import OBSERVATIONS
from mmfast.records.parameters import KIND_PARAMETERS, PARAMETERS

DEFAULTS: dict[str, object] = {
    "version": 1, "ticks_per_usd": 10, "lots_per_coin": 100_000,
    "position_max_lots": 50_000, "min_order_uusd": 10_500_000, "equity_usd": 25_000.0, "leverage_max": 3.0,
    "size_max_clips": 2.0,
    "sigma_ref_bps": 0.89, "mode_sigma": (1.0, 1.5, 4.0), "log_sigma_rate": 1.0 / 300.0, "log_sigma_sd": 0.35,
    "jump_sigma_bps": 15.0, "jump_rate": (0.0, 1e-4, 5e-3),
    "value_error_bps": 1.0, "value_lag_s": 0.5,
    "theta": 0.02, "drift_sd": (0.02, 0.08, 0.30), "drift_var_floor": 0.08,
    "kappa": 0.5, "intensity": 0.2, "kappa_sigma_power": 0.4, "rates_prior_s": 1800.0,
    "maker_fee_bps": 1.5, "taker_fee_bps": 4.5, "adverse_bps": 0.5, "mode_adverse": (1.0, 1.5, 3.0),
    "informed_prior": 0.15, "informed_horizon_s": 10.0, "quote_latency_s": 0.6, "impact_bps": 0.05,
    "edge_min_bps": 0.05,
    "gamma0": 4.92e-4, "gamma_curve": 7.0, "mode_gamma": (1.0, 1.5, 4.0), "mode_kelly": (0.25, 0.15, 0.05),
    "mode_limit": (1.0, 0.5, 0.1), "gamma_budget_share_h": 5e-3,
    "level_max": 3, "level_ratio": 0.6, "depth_max_bps": 8.0,
    "life_s": 5.0, "action_cost_usd": 0.0005, "replace_min_ns": 150_000_000, "queue_bonus": 0.5,
    "stale_ns": 2_000_000_000,
    "mode_dwell_s": (1800.0, 300.0, 60.0), "mode_split": ((0.0, 0.9, 0.1), (0.8, 0.0, 0.2), (0.3, 0.7, 0.0)),
    "mode_prior": (0.85, 0.13, 0.02), "net_edge_bps": 1.0, "adapt_rate": 0.02,
    "source_mask": (1 << OBSERVATIONS) - 1, "drift_ref_sd": 0.05,
    "rho": (0, .20, .25, .20, .20, 0, .10, .05, .15, .15, .05, -.15, -.05, .05, 0, 0, .12, 0, 0),
    "tau_s": (0, 2, 2, 5, 2, 0, 1, 10, 3, 5, 10, 20, 3600, 60, 0, 0, 10, 0, 0),
    "micro_table": [[spread * (k - 4.5) / 10 for k in range(10)] for spread in (1, 2, 3)],
    "hawkes_rate": 0.5, "hawkes_self": 0.6, "hawkes_cross": 0.1, "hawkes_decay": 1.2,
}


def default_parameters(clip_lots: int = 2000, **changes: object) -> np.void:
    """
    A PARAMETERS record of a coin with five size decimals; ``changes`` replace fields by name.

    Raises
    ------
    KeyError
        If there is no field of that name.
    """
    record = np.zeros(1, PARAMETERS)[0]
    record["kind"], record["clip_lots"] = KIND_PARAMETERS, clip_lots
    for name, value in {**DEFAULTS, **changes}.items():
        if name not in PARAMETERS.names:  # type: ignore[operator]
            raise KeyError(f"no parameter {name}")
        record[name] = value
    return record
