"""
Reasons: what stands behind the numbers of a decision, told from its records.

In      records of one chain: frame, features, belief, mandate, surface, quote; PARAMETERS.
Out     plain rows with units in their names: the frame, each source, the belief before and after, caps, costs, levels.
Source  every stage is a pure function of these records: its steps are taken again by the same kernels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmfast.actuary import costs
from mmfast.executor.absent import LEVEL, LEVEL_REASONS, tell_levels
from mmfast.governor import exposure
from mmfast.governor.aversion import fragility, mixture
from mmfast.records.account import KIND_FILL
from mmfast.records.feature import OBS_DRIFT, OBS_INFORMED, OBS_LEAD, OBS_LOG_SIGMA, OBS_VALUE, SOURCE_NAMES
from mmfast.records.market import (
    BBO,
    BOOK,
    CTX,
    GAP,
    KIND_BBO,
    KIND_BOOK,
    KIND_CTX,
    KIND_GAP,
    KIND_NAMES,
    KIND_REFERENCE_BBO,
    KIND_REFERENCE_BOOK,
    KIND_REFERENCE_TRADE,
    KIND_TIMER,
    KIND_TRADE,
    TIMER,
    TRADE,
)
from mmfast.records.quote import QUOTE, QUOTE_LEVELS
from mmfast.runtime.holdings import Row, finite
from mmfast.sensor.status import source_status
from mmfast.units import ASK, BID, SIDE_NAMES

CHANNELS = {OBS_VALUE: "value, bps", OBS_DRIFT: "drift, bps/s", OBS_LOG_SIGMA: "ln sigma", OBS_INFORMED: "share",
            OBS_LEAD: "value, bps"}
FRAMES = {KIND_BBO: BBO, KIND_TRADE: TRADE, KIND_BOOK: BOOK, KIND_CTX: CTX, KIND_TIMER: TIMER, KIND_GAP: GAP,
          KIND_REFERENCE_BBO: BBO, KIND_REFERENCE_TRADE: TRADE, KIND_REFERENCE_BOOK: BOOK}


def frame_row(record: Any) -> Row:
    """What came in: its kind and what it said. ``record`` is of its own kind's dtype; see `as_frame`."""
    kind = int(record["kind"])
    row: Row = {"kind": KIND_NAMES.get(kind, "unknown"), "number": int(record["seq"]),
                "ts_exch_ns": int(record["ts_exch_ns"]), "ts_recv_ns": int(record["ts_recv_ns"])}
    if kind in (KIND_BBO, KIND_REFERENCE_BBO):
        row |= {"bid_ticks": int(record["px_ticks"][BID]), "bid_lots": int(record["lots"][BID]),
                "ask_ticks": int(record["px_ticks"][ASK]), "ask_lots": int(record["lots"][ASK])}
    elif kind in (KIND_TRADE, KIND_REFERENCE_TRADE):
        row |= {"taker": "bought" if record["side"] == BID else "sold", "px_ticks": int(record["px_ticks"]),
                "lots": int(record["lots"]),
                "print": f"{int(record['batch_index']) + 1} of {int(record['batch_count'])}"}
    elif kind in (KIND_BOOK, KIND_REFERENCE_BOOK):
        row |= {"levels": [int(n) for n in record["level_count"]],
                "bid_ticks": int(record["px_ticks"][BID, 0]), "ask_ticks": int(record["px_ticks"][ASK, 0])}
    elif kind == KIND_GAP:
        row["reason"] = int(record["reason"])
    return row


def as_frame(buffer: np.ndarray[Any, Any]) -> Any:
    """The MARKET slot in ``buffer``, shape (1,), as a record of its own kind; None if it is of no kind."""
    dtype = FRAMES.get(int(buffer["kind"][0]))
    return None if dtype is None else buffer.view(np.uint8)[: dtype.itemsize].view(dtype)[0]


def cause(belief: Any) -> str:
    """Kind of what the belief came from."""
    kind = int(belief["cause_kind"])
    return "a fill of ours" if kind == KIND_FILL else KIND_NAMES.get(kind, "unknown")


def sources(features: Any, belief: Any | None, params: Any) -> list[Row]:
    """Each source: its reading z with its variance R, its weight in this belief, its settings, or why it is silent."""
    status = source_status(features, params)
    rows: list[Row] = []
    for k, name in enumerate(SOURCE_NAMES):
        speaks = bool(int(features["valid_mask"]) >> k & 1)
        row: Row = {"source": name, "status": status[name], "channel": "", "z": None, "r": None, "weight": None,
                    "age_ms": None, "rho": finite(params["rho"][k]), "tau_s": finite(params["tau_s"][k])}
        if speaks:
            row |= {"channel": CHANNELS[int(features["obs_kind"][k])], "z": finite(features["obs_z"][k]),
                    "r": finite(features["obs_r"][k]),
                    "age_ms": (int(features["ts_recv_ns"]) - int(features["obs_ns"][k])) / 1e6,
                    "weight": None if belief is None else finite(belief["source_weight"][k])}
            if features["obs_kind"][k] == OBS_INFORMED:  # these are taken over as they are
                row["weight"] = None
        rows.append(row)
    return rows


def last_weight(source: str, beliefs: list[Any]) -> float | None:
    """Weight of a source in the newest of ``beliefs`` that heard it; None if none of them did."""
    at = SOURCE_NAMES.index(source)
    return next((finite(b["source_weight"][at]) for b in beliefs if b["source_weight"][at] > 0.0), None)


def before_after(belief: Any) -> list[Row]:
    """What was believed before the cause and after it."""
    def row(name: str, unit: str, before: float, after: float) -> Row:
        return {"what": name, "unit": unit, "before": finite(before), "after": finite(after)}

    modes = [row(f"p({mode})", "", belief["mode_p_before"][k], belief["mode_p"][k])
             for k, mode in enumerate(("quiet", "trending", "crisis"))]
    return [row("fair value", "USD", belief["fair_px_before"], belief["fair_px"]),
            row("its deviation", "bps", _sd(belief["v_var_before"]), _sd(belief["v_var"])),
            row("drift", "bps/s", belief["mu_bps_s_before"], belief["mu_bps_s"]),
            row("its deviation", "bps/s", _sd(belief["mu_var_before"]), _sd(belief["mu_var"])),
            row("volatility", "bps/sqrt(s)", belief["sigma_bps_before"], belief["sigma_bps"]), *modes]


def _sd(variance: Any) -> float:
    return math.sqrt(variance) if variance >= 0.0 else math.nan


def aversion(belief: Any, mandate: Any, params: Any) -> Row:
    """What gamma is made of."""
    u = float(mandate["utilisation"])
    fragile = fragility(float(belief["gradient"]), round(float(mandate["inventory_clips"] * params["clip_lots"])))
    return {"gamma0": finite(mandate["gamma0"]), "times_inventory": finite(1.0 + params["gamma_curve"] * u * u),
            "times_mode": finite(mixture(belief["mode_p"], params["mode_gamma"])),
            "times_fragile_book": finite(1.0 + 0.5 * u * fragile), "gamma": finite(mandate["gamma"])}


def caps(belief: Any, mandate: Any, params: Any) -> list[Row]:
    """Every cap on the position [USD], and which one binds."""
    sigma, equity = max(float(belief["sigma_bps"]), 1e-4), float(params["equity_usd"])
    share = mixture(belief["mode_p"], params["mode_limit"])
    hard = params["position_max_lots"] / max(params["lots_per_coin"], 1) * belief["mid_px"] * share
    found = {"Kelly": exposure.kelly_usd(float(mandate["kelly_f"]), equity, float(params["net_edge_bps"]), sigma),
             "stress": exposure.stress_usd(equity, sigma),
             "distance to liquidation": exposure.liquidation_usd(equity, sigma, float(params["leverage_max"])),
             "leverage": float(params["leverage_max"]) * equity,
             f"position limit, {100 * share:.0f} % of it in this mode": float(hard)}
    in_force = float(mandate["exposure_cap_usd"])
    least = min(found, key=lambda name: found[name])
    if in_force < found[least] * (1.0 - 1e-9):
        found["what other coins leave"] = in_force
        least = "what other coins leave"
    return [{"cap": name, "usd": finite(usd), "binds": name == least} for name, usd in found.items()]


def cost_rows(belief: Any, params: Any) -> list[Row]:
    """The three estimates of adverse selection, of which the largest counts, and the fee; for each side."""
    sigma, rows = max(float(belief["sigma_bps"]), 0.0), []
    ratio, mode = sigma / max(float(params["sigma_ref_bps"]), 1e-9), mixture(belief["mode_p"], params["mode_adverse"])
    for side in (BID, ASK):
        three = {"markout_bps": costs.markout_cost(float(params["adverse_bps"]), ratio, mode, float(belief["tail"])),
                 "option_bps": costs.option_cost(sigma, float(params["quote_latency_s"])),
                 "informed_bps": costs.informed_cost(float(belief["informed_p"][side]), sigma,
                                                     float(params["informed_horizon_s"]))}
        total = float(params["maker_fee_bps"]) + max(three.values())
        rows.append({"side": SIDE_NAMES[side], "fee_bps": finite(params["maker_fee_bps"]),
                     **{name: finite(value) for name, value in three.items()}, "total_bps": finite(total)})
    return rows


def level_rows(belief: Any, mandate: Any, surface: Any, params: Any) -> list[Row]:
    """Every level that could have been quoted: its price, its worth, its size, or why it is not there."""
    levels = np.zeros(2 * QUOTE_LEVELS, LEVEL)
    scratch = np.zeros(2, QUOTE)
    count = tell_levels(belief, mandate, surface, params, scratch[0], scratch[1], levels)
    rows = []
    for side in (BID, ASK):
        for index, level in enumerate(levels[side * QUOTE_LEVELS:][:count]):
            rows.append({"side": SIDE_NAMES[side], "level": index, "what": LEVEL_REASONS[int(level["reason"])],
                         "px_usd": int(level["px_ticks"]) / int(params["ticks_per_usd"]) or None,
                         **{name: finite(level[name]) for name in ("depth_bps", "fill_rate", "edge_bps", "clips",
                                                                   "sized_bps", "value_usd_h")},
                         "lots": int(level["lots"])})
    return rows
