"""
Parameters of one coin as kernels take them: the configuration in the units of the instrument.

In      EngineConfig, a coin, what the venue says about it, its mark price.
Out     one PARAMETERS record.
Source  gamma0 = C0^2 * sum(eta kappa) / sigma_ref^2 with C0 = K_Q / Q (Guéant, Lehalle & Fernandez-Tapia 2013,
        solved for the risk aversion that gives the wanted skew at the limit).
"""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from mmfast.config.model import Coin
from mmfast.config.root import EngineConfig
from mmfast.records.feature import SOURCE_NAMES
from mmfast.records.parameters import KIND_PARAMETERS, PARAMETERS
from mmfast.units import NS_PER_MS, NS_PER_S, UUSD_PER_USD, lots_per_coin, ticks_per_usd

ITERATIONS = 50
PARAMETERS_FILE = "parameters.json"  # the configuration in force, in the state folder


def parameters(config: EngineConfig, coin: str, *, sz_decimals: int, mark_px: float, max_leverage: float,
               version: int = 1) -> Any:
    """
    The PARAMETERS record of ``coin`` at ``mark_px`` [USD]; sizes in dollars become lots at that price.

    Raises
    ------
    ValueError
        If the mark is no price, or if one clip is more than the position limit at that price.
    """
    if not (math.isfinite(mark_px) and mark_px > 0.0):
        raise ValueError(f"{coin}: mark price {mark_px} is not a positive number: the venue has no price for it yet")
    chosen = config.coins[coin]
    record = np.zeros(1, PARAMETERS)[0]
    record["kind"], record["seq"], record["src_seq"], record["version"] = KIND_PARAMETERS, -1, -1, version
    record["ticks_per_usd"], record["lots_per_coin"] = ticks_per_usd(sz_decimals), lots_per_coin(sz_decimals)
    record["min_order_uusd"] = round(chosen.min_order_usd * UUSD_PER_USD)
    usd_per_lot = mark_px / lots_per_coin(sz_decimals)
    clip = clip_lots(chosen.clip_usd, chosen.min_order_usd, usd_per_lot)
    limit = math.floor(config.max_position_usd(coin) / usd_per_lot)
    if clip > limit:
        raise ValueError(f"{coin}: one clip of {clip} lots is worth {clip * usd_per_lot:.2f} USD at {mark_px}, more "
                         f"than the limit of {config.max_position_usd(coin):g} USD: raise max_position_usd")
    record["clip_lots"], record["position_max_lots"] = clip, limit
    record["equity_usd"] = config.risk.equity_usd
    record["leverage_max"] = min(config.risk.max_leverage, max_leverage)
    record["replace_min_ns"] = round(config.gateway.replace_min_ms * NS_PER_MS)
    record["stale_ns"] = round(config.feed.stale_bbo_or_book_s * NS_PER_S)
    _fill(record, chosen)
    return record


def renewed(config: EngineConfig, coin: str, old: Any, version: int) -> Any:
    """The PARAMETERS of ``coin`` under a changed configuration; its sizes and limits stay those of ``old``."""
    record = np.array([old], PARAMETERS)[0]
    record["version"] = version
    _fill(record, config.coins[coin])
    return record


def _fill(record: Any, chosen: Coin) -> None:
    """Write what the model says into a record that has its sizes."""
    record["gamma0"] = gamma0(chosen, record["position_max_lots"] / record["clip_lots"])
    record["source_mask"] = sum(1 << k for k, name in enumerate(SOURCE_NAMES) if name not in chosen.sources_off)
    record["micro_table"] = mirrored(chosen.micro_table_steps)
    for field, key in FIELDS.items():
        record[field] = getattr(chosen, key)


def write_in_force(folder: Path, config: EngineConfig) -> None:
    """Write the configuration in force into the state folder: whole, or not at all."""
    scratch = folder / f".{PARAMETERS_FILE}.{os.getpid()}"
    try:
        scratch.write_text(json.dumps(config.model_dump(mode="json")), "utf-8")
        scratch.replace(folder / PARAMETERS_FILE)
    finally:
        scratch.unlink(missing_ok=True)


def in_force(folder: Path) -> dict[str, Any] | None:
    """The configuration in force as tables of plain values; None if it cannot be read."""
    with suppress(OSError, ValueError):
        tables = json.loads((folder / PARAMETERS_FILE).read_text("utf-8"))
        return tables if isinstance(tables, dict) and "coins" in tables else None
    return None


def mirrored(rows: tuple[tuple[float, ...], ...]) -> list[list[float]]:
    """Rows for a bid that is heavier, continued to one that is lighter: an even book has its value at the mid."""
    return [[-x for x in reversed(row)] + list(row) for row in rows]


def clip_lots(clip_usd: float, min_order_usd: float, usd_per_lot: float) -> int:
    """Lots of a clip: nearest to its dollars, at least one lot and the venue's minimum."""
    return max(1, round(clip_usd / usd_per_lot), math.ceil(min_order_usd / usd_per_lot))


def gamma0(coin: Coin, limit_clips: float) -> float:
    """Risk aversion [1/bp per clip] at which both quotes shift by ``skew_limit_bps`` at the position limit."""
    skew = coin.skew_limit_bps / limit_clips
    kappa = coin.kappa_per_bp
    cost_bps = coin.maker_fee_bps + coin.adverse_bps
    gamma = 0.0
    for _ in range(ITERATIONS):
        discount = math.exp(-(1.0 + kappa / gamma) * math.log1p(gamma / kappa)) if gamma > 0.0 else math.exp(-1.0)
        eta = coin.intensity_per_s * math.exp(-kappa * cost_bps) * discount
        gamma = skew * skew * 2.0 * eta * kappa / coin.sigma_ref_bps**2
    return gamma


# Fields of the record that are a key of the configuration, unchanged.
FIELDS = {
    "size_max_clips": "size_max_clips",
    "sigma_ref_bps": "sigma_ref_bps",
    "mode_sigma": "mode_sigma",
    "log_sigma_rate": "log_sigma_rate_per_s",
    "log_sigma_sd": "log_sigma_sd",
    "jump_sigma_bps": "jump_sigma_bps",
    "jump_rate": "jump_rate_per_s",
    "value_error_bps": "value_error_bps",
    "value_lag_s": "value_lag_s",
    "theta": "theta_per_s",
    "drift_sd": "drift_sd_bps_per_s",
    "drift_var_floor": "drift_var_floor_share",
    "kappa": "kappa_per_bp",
    "intensity": "intensity_per_s",
    "kappa_sigma_power": "kappa_sigma_power",
    "rates_prior_s": "rates_prior_s",
    "maker_fee_bps": "maker_fee_bps",
    "taker_fee_bps": "taker_fee_bps",
    "adverse_bps": "adverse_bps",
    "mode_adverse": "mode_adverse",
    "informed_prior": "informed_prior",
    "informed_horizon_s": "informed_horizon_s",
    "quote_latency_s": "quote_latency_s",
    "impact_bps": "impact_bps",
    "edge_min_bps": "edge_min_bps",
    "gamma_curve": "gamma_curve",
    "mode_gamma": "mode_gamma",
    "mode_kelly": "mode_kelly",
    "mode_limit": "mode_limit",
    "gamma_budget_share_h": "gamma_budget_share_per_h",
    "level_max": "level_max",
    "level_ratio": "level_ratio",
    "depth_max_bps": "depth_max_bps",
    "life_s": "life_s",
    "action_cost_usd": "action_cost_usd",
    "queue_bonus": "queue_bonus",
    "mode_dwell_s": "mode_dwell_s",
    "mode_split": "mode_split",
    "mode_prior": "mode_prior",
    "net_edge_bps": "net_edge_bps",
    "adapt_rate": "adapt_rate",
    "drift_ref_sd": "drift_ref_sd_bps_per_s",
    "rho": "source_rho",
    "tau_s": "source_tau_s",
    "hawkes_rate": "hawkes_rate_per_s",
    "hawkes_self": "hawkes_self_per_s",
    "hawkes_cross": "hawkes_cross_per_s",
    "hawkes_decay": "hawkes_decay_per_s",
}
