"""
Model: the numbers of the pricing model, and what one coin has of its own.

In      the table [model] and one file for each coin.
Out     Model; Coin, which is a whole Model with its clip and its position limit.
Source  Guéant, Lehalle & Fernandez-Tapia (2013) with costs; symbols stand in config/default.toml.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmfast.config.section import (
    Bps,
    Dollars,
    ModeNonNegative,
    ModePositive,
    ModeShare,
    NonNegative,
    Positive,
    Seconds,
    Section,
    Share,
)

MAX_LEVELS = 8  # levels of a side in a QUOTE record
SOURCES = 19  # of the sensor
Correlation = Annotated[float, Field(gt=-1, lt=1)]
Source = Literal["microprice", "touch imbalance", "order-flow imbalance", "taker flow", "book imbalance",
                 "bipower volatility", "book imbalance change", "book gradient", "sweeps", "hawkes intensity",
                 "order sizes", "basis", "funding", "open interest", "informed at our bid", "informed at our ask",
                 "deep book imbalance", "oracle", "lead-lag"]
ModeSplit = tuple[ModeShare, ModeShare, ModeShare]
PerSourceRho = Annotated[tuple[Correlation, ...], Field(min_length=SOURCES, max_length=SOURCES)]
PerSourceSeconds = Annotated[tuple[NonNegative, ...], Field(min_length=SOURCES, max_length=SOURCES)]
MicroRow = Annotated[tuple[float, ...], Field(min_length=5, max_length=5)]


# What does not change while the engine runs, and why; every other parameter is live.
FIXED = {
    "clip_usd": "inventory is counted in clips",
    "max_position_usd": "gateway and watchdog hold this limit from the start",
    "min_order_usd": "the gateway holds this limit from the start",
    "theta_per_s": "the filter has learned from it",
    "mode_prior": "it is what the filter began with",
}


class Model(Section):
    """[model]: one consistent set; three numbers are for the modes quiet, trending, crisis."""

    # volatility
    sigma_ref_bps: Bps
    mode_sigma: ModePositive
    log_sigma_rate_per_s: Positive
    log_sigma_sd: Positive
    jump_sigma_bps: Bps
    jump_rate_per_s: ModeNonNegative
    # the book's own error about the value
    value_error_bps: NonNegative
    value_lag_s: NonNegative
    # drift
    theta_per_s: Positive
    drift_sd_bps_per_s: ModePositive
    drift_var_floor_share: Share
    # intensity
    kappa_per_bp: Annotated[float, Field(ge=0.01, le=50)]
    intensity_per_s: Positive
    kappa_sigma_power: Annotated[float, Field(ge=0, le=1)]
    rates_prior_s: Annotated[float, Field(ge=60)]
    # costs
    maker_fee_bps: Annotated[float, Field(ge=-10, le=100)]
    taker_fee_bps: Annotated[float, Field(ge=0, le=100)]
    adverse_bps: Bps
    mode_adverse: ModePositive
    informed_prior: Annotated[float, Field(ge=0, lt=1)]
    informed_horizon_s: Seconds
    quote_latency_s: Seconds
    impact_bps: NonNegative
    edge_min_bps: NonNegative
    # risk
    skew_limit_bps: Bps
    gamma_curve: NonNegative
    mode_gamma: ModePositive
    mode_kelly: ModeShare
    mode_limit: ModeShare
    gamma_budget_share_per_h: Share
    # ladder
    level_max: Annotated[int, Field(ge=1, le=MAX_LEVELS)]
    level_ratio: Annotated[float, Field(gt=0, lt=1)]
    depth_max_bps: Bps
    size_max_clips: Annotated[float, Field(ge=1, le=1_000)]
    min_order_usd: Annotated[float, Field(ge=10, le=1e6)]  # the venue refuses less than $10
    # latch
    life_s: Seconds
    action_cost_usd: NonNegative
    queue_bonus: Share
    # modes
    mode_dwell_s: ModePositive
    mode_split: ModeSplit
    mode_prior: ModeShare
    # learning
    net_edge_bps: float
    adapt_rate: Share
    # sources of the sensor
    sources_off: tuple[Source, ...]
    drift_ref_sd_bps_per_s: Positive
    source_rho: PerSourceRho
    source_tau_s: PerSourceSeconds
    micro_table_steps: tuple[MicroRow, MicroRow, MicroRow]
    hawkes_rate_per_s: Positive
    hawkes_self_per_s: NonNegative
    hawkes_cross_per_s: NonNegative
    hawkes_decay_per_s: Positive


class Coin(Model):
    """[coins.NAME]: what [model] says, where the coin's file says nothing else, and the coin's own size."""

    clip_usd: Dollars
    max_position_usd: Dollars
