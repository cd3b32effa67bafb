"""
Witness: what was so in a generated market and what was believed of it, every half a second.

In      a configuration, a coin, a seed.
Out     rows of truth, belief, and what exact inference on the value itself would have known.
Source  the records of generator and filter as virtual time leaves them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.backtest import exact_inference
from mmfast.backtest.calibration import Array
from mmfast.backtest.world import Room, World, synthetic
from mmfast.config import EngineConfig
from mmfast.filter import bookerror
from mmfast.filter.believe import DRIFT_DOUBT
from mmfast.records.belief import BELIEF_OK
from mmfast.units import NS_PER_S

STEP_S, WARM_S = 0.5, 120.0
EXACT_STEPS = 2  # of the value for exact inference: a second, which is how late the generated book follows it
MARKETS = ("matched", "shipped")

ROW = np.dtype([
    ("at_s", "f8"), ("seed", "i8"), ("believed", "?"), ("regime", "i8"), ("value", "f8"), ("drift", "f8"),
    ("v", "f8", 3), ("v_var", "f8", 3), ("mu", "f8", 3), ("mu_var", "f8", 3), ("mode_p", "f8", 3),
    ("nis_sum", "f8"), ("nis_count", "f8"), ("nis_inside", "f8"), ("informed_p", "f8", 2), ("takers", "f8"),
    ("informed", "f8"), ("exact_p", "f8", 3), ("exact_squared", "f8")])


def matched(config: EngineConfig, coin: str) -> dict[str, Any]:
    """Parameters of a generator whose value is what the engine's parameters describe."""
    model = config.coins[coin]
    return {"sigma_bps": model.sigma_ref_bps * float(np.exp(model.log_sigma_sd**2)), "mode_sigma": model.mode_sigma,
            "dwell_s": model.mode_dwell_s, "log_sigma_rate": model.log_sigma_rate_per_s,
            "log_sigma_sd": model.log_sigma_sd, "drift_rate": model.theta_per_s, "drift_sd": model.drift_sd_bps_per_s,
            "jump_rate": model.jump_rate_per_s, "jump_bps": model.jump_sigma_bps}


def observe(config: EngineConfig, coin: str, seed: int, seconds: float, market: str) -> Array:
    """What was so and what was believed every STEP_S of one seed, after WARM_S: rows of ROW."""
    world = synthetic(config, [coin], seed, seconds, room=Room(fills=0, samples=0),
                      **(matched(config, coin) if market == "matched" else {}))
    rows = np.zeros(int(seconds / STEP_S) - 1, ROW)
    for k, row in enumerate(rows):
        world.live(world.start_ns + round((k + 1) * STEP_S * NS_PER_S))
        row["at_s"], row["seed"], row["believed"] = (k + 1) * STEP_S, seed, world["beliefs"][0]["status"] == BELIEF_OK
        _note(world, row)
    _infer(world["states"][0], rows)
    return rows[(rows["at_s"] > WARM_S) & rows["believed"]]


def _infer(law: Any, rows: Array) -> None:
    """What exact inference says every EXACT_STEPS rows; NaN in those between."""
    rows["exact_p"] = rows["exact_squared"] = np.nan
    told = rows[::EXACT_STEPS]
    told["exact_p"][1:], told["exact_squared"][1:] = exact_inference.infer(law, told["value"], EXACT_STEPS * STEP_S)


def _note(world: World, row: Any) -> None:
    """Write truth and belief of now to ``row``; values are bps from the start price."""
    truth, state = world["states"][0], world["filters"][0]
    anchor_bps = 1e4 * np.log(state["anchor_px"] / truth["start_px"]) if row["believed"] else np.nan
    modes = state["modes"]
    row["regime"], row["value"], row["drift"] = truth["regime"], truth["value_bps"], truth["drift_bps_s"]
    row["v"] = modes["v_bps"] + anchor_bps
    row["v_var"] = [mode["v_var"] + bookerror.variance(mode["log_sigma"], world["parameters"][0]) for mode in modes]
    row["mu"], row["mu_var"], row["mode_p"] = modes["mu_bps_s"], DRIFT_DOUBT * modes["mu_var"], state["mode_p"]
    row["nis_sum"], row["nis_count"], row["nis_inside"] = (
        state["nis_sum"], state["nis_count"], state["nis_inside_count"])
    row["informed_p"] = state["informed_p"]
    row["takers"], row["informed"] = truth["taker_count"], truth["informed_count"]
