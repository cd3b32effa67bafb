"""
The generated market: value, makers and takers on one grid of time, with the truth on record.

In      a seed; the book with the users' orders in it; the time.
Out     background changes and trades in the book; context; the truth.
Source  the parts: value.py, makers.py, takers.py; parameters and their calibration: generator.py.

A block sees the makers of the first step that is due, then the users' orders, then takers of that step and
whatever other steps are due. Steps lie on a fixed grid, so without users the market is the same for blocks
of any length.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mmfast.kernel import kernel
from mmfast.sim.book import OUT, OUT_ROOM
from mmfast.sim.generator import (
    CONTEXT_STREAM,
    REGIME_NAMES,
    STEP_MS,
    STEP_S,
    TRUTH_ROWS,
    new_generator,
)
from mmfast.sim.makers import step_makers
from mmfast.sim.mrg32k3a import normal
from mmfast.sim.takers import step_takers
from mmfast.sim.value import ou_step, sigma_now, step_value, to_px

ORACLE_STEPS = 3000 // STEP_MS  # the venue's oracle moves every 3 s
PREMIUM_RATE = 1.0 / 1800.0  # 1/s
FUNDING_CLAMP = 5e-4


@kernel
def step_context(state: Any) -> None:
    """Oracle, premium and open interest: slow, and seen by everybody."""
    state["premium_bps"] = ou_step(state["premium_bps"], PREMIUM_RATE, state["premium_sd_bps"], STEP_S,
                                   normal(state, CONTEXT_STREAM))
    state["premium_mean_bps"] += (state["premium_bps"] - state["premium_mean_bps"]) * STEP_S / 3600.0
    state["interest_drift"] = ou_step(state["interest_drift"], PREMIUM_RATE, 0.01, STEP_S,
                                      normal(state, CONTEXT_STREAM))
    if state["step_index"] % ORACLE_STEPS == 0:
        state["oracle_bps"] = state["value_bps"] - state["premium_bps"]


@kernel
def context_numbers(state: Any, mid_px: float) -> tuple[float, float, float, float, float]:
    """
    Oracle and mark [USD], premium, hourly funding rate, open interest [coins].

    The oracle stands in for the mid of a book with an empty side. Funding is the venue's rule, an eighth of the
    8-hour rate: premium plus interest less premium, clamped to 5 bps.
    """
    oracle = to_px(state, state["oracle_bps"])
    mark = mid_px if math.isfinite(mid_px) else oracle
    mean = state["premium_mean_bps"] * 1e-4
    base = state["funding_base_h"]
    funding = (mean + min(max(8.0 * base - mean, -FUNDING_CLAMP), FUNDING_CLAMP)) / 8.0
    interest = state["open_interest_usd"] / state["start_px"] * (1.0 + state["interest_drift"])
    return oracle, mark, mark / oracle - 1.0, funding, interest


@kernel
def step_first_half(state: Any, book: Any) -> None:
    """Value and makers of the step that is due."""
    step_value(state, STEP_S)
    step_context(state)
    step_makers(state, book, STEP_S)
    state["makers_done"] = 1


@kernel
def open_market(states: Any, books: Any) -> None:
    """A full book around the start price; ``states`` and ``books`` have one row each."""
    step_makers(states[0], books[0], STEP_S)


@kernel
def advance_generator(states: Any, books: Any, now_ms: int, takers: int) -> int:
    """
    Run what is due at ``now_ms``: up to the makers of the first due step, or (``takers`` 1) all of it.

    Returns 1 if the BOOK's output must be drained before the rest can run, else 0.
    """
    state, book = states[0], books[0]
    while state["start_ms"] + (state["step_index"] + 1) * STEP_MS <= now_ms:
        if state["makers_done"] == 0:
            step_first_half(state, book)
        if takers == 0:
            return 0
        if max(book["print_count"], book["fill_count"]) + OUT_ROOM > OUT:
            return 1
        step_takers(state, book, now_ms, STEP_S)
        state["makers_done"] = 0
        state["step_index"] += 1
    return 0


class Truth(NamedTuple):
    """What is really so, and what no participant is told."""

    value_px: float  # USD
    value_bps: float  # 1e4 x logarithm of value over start
    drift_bps_s: float
    sigma_bps: float  # per root second, without jumps
    regime: int
    regime_name: str
    taker_count: int
    informed_count: int


class SyntheticSource:
    """
    Source of a generated coin.

    ``overrides`` are parameters of the generator (`generator.PARAMETERS`). Coins with one ``seed`` are
    independent if their names differ.
    """

    def __init__(self, coin: str, seed: int = 0, **overrides: Any) -> None:
        self.coin, self.seed, self.overrides = coin, seed, overrides
        self.ended = False
        self.states: Any = None
        self.state: Any = None
        self.truth_read = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The record is a view into its array, also after a restart."""
        self.__dict__.update(state)
        self.state = None if self.states is None else self.states[0]

    def start(self, books: Any, sz_decimals: int, start_ms: int) -> None:
        """Open the market at ``start_ms``: a full book around the start price."""
        mixed = (self.seed << 32) ^ int.from_bytes(self.coin.encode(), "little")
        self.states = new_generator(self.coin, sz_decimals, mixed, start_ms, **self.overrides)
        self.state = self.states[0]
        open_market(self.states, books)

    def advance(self, books: Any, now_ms: int, takers: int) -> int:
        """Run what is due; 1 if the book must be drained and the call repeated."""
        return advance_generator(self.states, books, now_ms, takers)

    def truth(self) -> Truth:
        """The truth at the last step that ran."""
        state = self.state
        regime = int(state["regime"])
        return Truth(float(to_px(state, state["value_bps"])), float(state["value_bps"]), float(state["drift_bps_s"]),
                     float(sigma_now(state)), regime, REGIME_NAMES[regime], int(state["taker_count"]),
                     int(state["informed_count"]))

    def take_taker_truth(self) -> np.ndarray[Any, Any]:
        """
        Background takers since the last call, oldest first: rows (taker, side, kind, lots, time_ms,
        value_uusd).

        ``kind`` is NOISE, INFORMED or SWEEP of `generator`; ``taker`` is that of the prints. At most the last
        TRUTH_ROWS are kept.
        """
        count = int(self.state["truth_count"])
        first = max(self.truth_read, count - TRUTH_ROWS)
        self.truth_read = count
        return np.array(self.state["truth"][np.arange(first, count) % TRUTH_ROWS])

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        """Oracle [USD] and open interest [coins]; mark, premium and funding come from the book: NaN."""
        oracle, _, _, _, interest = context_numbers(self.state, mid_px)
        return float(oracle), math.nan, math.nan, math.nan, float(interest)
