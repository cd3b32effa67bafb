"""
The generated market as one record: its parameters, its truth and its random numbers.

In      a coin's name and a seed.
Out     GENERATOR, changed in place by the kernels of value, makers, takers and synthetic.
Source  levels and rates of BTC, ETH and SOL follow half an hour of recorded Hyperliquid trading (2025-09-04,
        20 UTC): takers 1.1, 1.4, 0.9 a second; logarithm of their dollars normal with mean 6.2, 6.4, 5.1 and
        deviation 2.9; 10 s volatility 0.60, 1.12, 1.34 bps per root second, 1 s 0.41, 0.93, 1.00; spread
        0.11, 0.28, 0.57 bps (one tick); median touch 1.1 M, 370 k, 110 k dollars, next level 72 k, 66 k, 28
        k. Regimes and drift have the shape of the engine's own model, so that truth and belief can be
        compared.

The value is exogenous: nobody's order moves it. Other makers follow it late and are pushed about by flow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.records.header import bare
from mmfast.sim.mrg32k3a import seed_streams
from mmfast.units import lots_per_coin, ticks_per_usd

STEP_MS = 50  # the generator's own grid of time; blocks of any length see the same market
STEP_S = STEP_MS / 1000.0
QUIET, TRENDING, CRISIS = 0, 1, 2
REGIME_NAMES = ("quiet", "trending", "crisis")
LEAVES_TO = ((0.0, 0.9, 0.1), (0.8, 0.0, 0.2), (0.3, 0.7, 0.0))  # where to, when a regime ends
VALUE_STREAM, MAKER_STREAM, TAKER_STREAM, CONTEXT_STREAM = range(4)
TRUTH_ROWS = 4096  # takers remembered between two reads

# columns of "truth": one row for each background taker
T_TAKER, T_SIDE, T_KIND, T_LOTS, T_TIME, T_VALUE_UUSD = range(6)
NOISE, INFORMED, SWEEP = 0, 1, 2

PARAMETERS = (
    ("start_px", 100.0),  # USD
    ("sigma_bps", 1.0),  # bps per root second of the value in the quiet regime
    ("mode_sigma", (1.0, 1.5, 4.0)),
    ("dwell_s", (1800.0, 300.0, 60.0)),
    ("log_sigma_rate", 1.0 / 300.0),
    ("log_sigma_sd", 0.35),
    ("drift_rate", 0.02),
    ("drift_sd", (0.02, 0.08, 0.30)),  # bps/s
    ("jump_rate", (1e-4, 5e-4, 5e-3)),  # 1/s
    ("jump_bps", 15.0),
    ("maker_lag_s", 0.5),
    ("maker_noise_bps", 0.15),
    ("maker_stick_bps", 0.4),  # quotes move when the estimate is this far from their centre
    ("half_spread_bps", 0.02),
    ("touch_usd", 100e3),
    ("touch_sd", 1.5),
    ("level_usd", 30e3),
    ("level_growth", 0.5),  # of level_usd for each step away from the touch, up to 12 steps
    ("level_sd", 0.7),
    ("churn", 1.5),  # levels of a side redrawn in a step
    ("liquidity_sd", 0.4),
    ("taker_rate", 0.35),  # 1/s of each side, without excitement
    ("taker_self", 0.5),  # jump of the own side's intensity after a taker, 1/s
    ("taker_cross", 0.15),
    ("taker_decay", 2.0),  # 1/s
    ("size_log_usd", 6.0),
    ("size_sd", 2.9),
    ("size_max_usd", 3e6),
    ("informed_share", 0.1),
    ("informed_edge_bps", 1.0),  # informed takers leave this much
    ("informed_usd", 25e3),
    ("sniper_rate", 0.5),  # informed takers a second for each bp of stale quotes beyond informed_edge_bps
    ("sweep_rate_h", 150.0),  # of each side
    ("sweep_bps", 1.5),  # mean reach
    ("sweep_thin", 0.05),  # share of depth that does not flee a sweep
    ("sweep_usd", 100e3),
    ("impact_bps", 0.5),  # makers' reaction to 100 k dollars; it grows with the root
    ("impact_reach", 0.4),  # and to a sweep, share of its reach
    ("impact_decay", 0.05),  # 1/s
    ("funding_base_h", 1.25e-5),
    ("premium_sd_bps", 2.0),
    ("open_interest_usd", 500e6),
)

COINS: dict[str, dict[str, Any]] = {
    "BTC": {"start_px": 110_000.0, "sigma_bps": 0.45, "maker_lag_s": 0.8, "maker_stick_bps": 0.5,
            "informed_edge_bps": 0.8, "half_spread_bps": 0.0, "touch_usd": 500e3, "touch_sd": 1.6,
            "level_usd": 65e3, "level_growth": 0.08, "size_log_usd": 6.2, "sweep_bps": 1.3, "open_interest_usd": 3e9},
    "ETH": {"start_px": 4_300.0, "sigma_bps": 1.0, "maker_lag_s": 0.4, "maker_stick_bps": 0.8,
            "touch_usd": 250e3, "touch_sd": 1.6, "level_usd": 60e3, "level_growth": 0.6, "taker_rate": 0.42,
            "size_log_usd": 6.4, "sweep_rate_h": 200.0, "sweep_bps": 2.0, "open_interest_usd": 2.5e9},
    "SOL": {"start_px": 200.0, "sigma_bps": 1.2, "maker_lag_s": 0.6, "maker_stick_bps": 0.9, "touch_usd": 80e3,
            "level_usd": 28e3, "level_growth": 1.2, "taker_rate": 0.28, "size_log_usd": 5.2,
            "sweep_rate_h": 170.0, "sweep_bps": 1.7, "open_interest_usd": 8e8},
}
SZ_DECIMALS = {"BTC": 5, "ETH": 4, "SOL": 2}


def _field(name: str, default: Any) -> Any:
    return (name, "f8", (len(default),)) if isinstance(default, tuple) else (name, "f8")


STATE: tuple[Any, ...] = (
    ("rng", "i8", (4, 6)), ("ticks_per_usd", "i8"), ("lots_per_coin", "i8"), ("start_ms", "i8"), ("step_index", "i8"),
    ("makers_done", "i8"), ("regime", "i8"), ("taker_next", "i8"), ("truth_count", "i8"),
    ("informed_count", "i8"), ("taker_count", "i8"),
    ("value_bps", "f8"), ("drift_bps_s", "f8"), ("log_sigma", "f8"),  # the truth; value is relative to start_px
    ("maker_bps", "f8"), ("noise_bps", "f8"), ("center_bps", "f8"), ("impact_now_bps", "f8"), ("liquidity", "f8"),
    ("intensity", "f8", (2,)), ("oracle_bps", "f8"), ("premium_bps", "f8"), ("premium_mean_bps", "f8"),
    ("interest_drift", "f8"), ("truth", "i8", (TRUTH_ROWS, 6)),
)


def _size(fields: list[Any]) -> int:
    return -(-np.dtype(fields).itemsize // 64) * 64


_FIELDS = [*STATE, *(_field(name, default) for name, default in PARAMETERS)]
GENERATOR = bare(*_FIELDS, size=_size(_FIELDS))


def default_sz_decimals(coin: str) -> int:
    """Size decimals of a coin that nobody specified: the venue's for BTC, ETH and SOL, else 2."""
    return SZ_DECIMALS.get(coin, 2)


def last_px(coin: str) -> float:
    """The price [USD] that a coin's market would start from."""
    return float(COINS.get(coin, {}).get("start_px", dict(PARAMETERS)["start_px"]))


def new_generator(coin: str, sz_decimals: int, seed: int, start_ms: int, **overrides: Any) -> Any:
    """
    An array of one GENERATOR of ``coin`` at its start, deterministic in ``seed``.

    Raises
    ------
    ValueError
        If an override is no parameter of the generator; the message lists those that are.
    """
    known = dict(PARAMETERS)
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ValueError(f"unknown parameter {', '.join(unknown)} of the synthetic market; known: "
                         f"{', '.join(sorted(known))}")
    state = np.zeros(1, GENERATOR)
    for name, value in {**known, **COINS.get(coin, {}), **overrides}.items():
        state[name] = value
    seed_streams(state["rng"][0], seed)
    state["ticks_per_usd"], state["lots_per_coin"] = ticks_per_usd(sz_decimals), lots_per_coin(sz_decimals)
    state["start_ms"], state["taker_next"] = start_ms, -1
    state["intensity"] = state["taker_rate"][0]
    return state
