"""
Lead-lag truth: a reference that is ahead of a generated market by a known time, and the lag that is estimated.

In      a coin, a seed, lags.
Out     the estimated lag of each [ms].
Source  the touches of a generated market are heard late by the lag; the reference tells the same prices on time, with
        noise and a clock of its own. The generator has no second venue.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.backtest.captures import wide
from mmfast.backtest.world import Room, synthetic
from mmfast.config import EngineConfig
from mmfast.records.market import BBO, KIND_BBO
from mmfast.sensor import leadlag
from mmfast.units import NS_PER_MS

Array = np.ndarray[Any, Any]
SECONDS, ROWS = 600.0, 40_000
LAGS_MS = (60.0, 150.0, 300.0)
JITTER_MS, NOISE_BPS = 5.0, 0.05


def touches(config: EngineConfig, coin: str, seed: int) -> tuple[Array, Array]:
    """Times [ns] and logarithms of the mid [bps] of a generated market."""
    world = synthetic(config, [coin], seed, SECONDS, room=Room(fills=0, samples=0, tape=ROWS))
    world.live(1 << 62)
    tape = world.log("tape")
    rows = tape.view(wide(BBO))[tape["kind"] == KIND_BBO]
    rows = rows[(rows["px_ticks"] > 0).all(axis=1)]
    return rows["ts_exch_ns"], 1e4 * np.log(rows["px_ticks"].mean(axis=1))


def estimated_ms(at_ns: Array, log_bps: Array, lag_ms: float, seed: int) -> float:
    """The lag that is found if we hear every touch ``lag_ms`` after the reference [ms]; NaN if none is."""
    random, state = np.random.default_rng(seed), np.zeros(1, leadlag.LEADLAG)[0]
    leadlag.begin(state, leadlag.MEMORY_S)
    late = at_ns + np.rint((lag_ms + random.uniform(0.0, JITTER_MS, len(at_ns))) * NS_PER_MS).astype(np.int64)
    noisy = log_bps + random.normal(scale=NOISE_BPS, size=len(log_bps))
    order = np.argsort(np.concatenate([at_ns, late]), kind="stable")
    for k in order:
        if k < len(at_ns):
            leadlag.on_reference(state, noisy[k], at_ns[k])
        else:
            leadlag.on_own(state, log_bps[k - len(at_ns)], late[k - len(at_ns)])
    return float(leadlag.estimate(state)[0])
