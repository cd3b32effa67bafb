"""The takers."""

from __future__ import annotations

from typing import Any

import pytest

from mmfast.kernel import kernel
from mmfast.sim.book import new_book
from mmfast.sim.generator import INFORMED, STEP_S, SWEEP, T_KIND, T_SIDE, new_generator
from mmfast.sim.makers import step_makers
from mmfast.sim.matching import best_px
from mmfast.sim.queueing import join
from mmfast.sim.takers import edge_bps, step_arrivals, step_takers, take_informed, take_sweep
from mmfast.units import ASK, BID


def opened(**overrides: Any) -> tuple[Any, Any]:
    states, books = new_generator("BTC", 5, 1, 0, **overrides), new_book("BTC")
    step_makers(states[0], books[0], STEP_S)
    return states, books


@kernel
def mean_intensity(states: Any, books: Any, steps: int) -> float:
    total = 0.0
    for _ in range(steps):
        step_arrivals(states[0], books[0], 0, STEP_S)
        books[0]["print_count"] = 0
        total += states[0]["intensity"][0] + states[0]["intensity"][1]
    return total / steps


def test_the_hawkes_process_has_its_stationary_rate() -> None:
    states, books = opened(size_log_usd=0.0, size_sd=0.0, informed_share=0.0)
    books[0]["lots"] = 1 << 50
    before = int(states[0]["taker_count"])
    rate = mean_intensity(states, books, 400_000)
    expected = 2 * 0.35 / (1.0 - (0.5 + 0.15) / 2.0)
    assert rate == pytest.approx(expected, rel=0.03)
    assert (int(states[0]["taker_count"]) - before) / (400_000 * STEP_S) == pytest.approx(expected, rel=0.03)


def test_the_informed_trade_only_below_the_value_less_their_edge() -> None:
    states, books = opened()
    state, book = states[0], books[0]
    assert edge_bps(state, book, BID) < 0.0
    state["value_bps"] = 4.0
    assert edge_bps(state, book, BID) > 0.0 > edge_bps(state, book, ASK)
    book["lots"] = 10
    take_informed(state, book, BID, 0)
    assert book["print_count"] > 0
    limit = 1_100_000 * (1 + (4.0 - state["informed_edge_bps"]) * 1e-4)
    assert book["print"][: book["print_count"], 0].max() <= limit < best_px(book, ASK)
    assert state["truth"][0, [T_KIND, T_SIDE]].tolist() == [INFORMED, BID]


def test_a_sweep_fills_a_user_behind_the_touch_and_makers_flee_it() -> None:
    states, books = opened(sweep_bps=1e4)
    state, book = states[0], books[0]
    depth = int(book["lots"][ASK].sum())
    join(book, ASK, 1, 7, book["px_ticks"][ASK, 20], 3)
    take_sweep(state, book, BID, 0)
    assert book["fill"][0, :2].tolist() == [1, 3]
    assert book["print"][: book["print_count"], 1].sum() < 0.1 * depth
    assert state["truth"][0, T_KIND] == SWEEP
    assert state["impact_now_bps"] > 0.0


def test_stale_quotes_are_sniped() -> None:
    states, books = opened(sniper_rate=1e6, sweep_rate_h=0.0, taker_rate=1e-9)
    state, book = states[0], books[0]
    state["value_bps"] = -5.0
    step_takers(state, book, 0, STEP_S)
    assert state["informed_count"] == 1
    assert book["print"][0, 2] == ASK


def test_an_empty_book_harms_nobody() -> None:
    states, books = new_generator("BTC", 5, 1, 0), new_book("BTC")
    for _ in range(2000):
        step_takers(states[0], books[0], 0, STEP_S)
    assert books[0]["print_count"] == 0
