"""The other makers' ladder."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from mmfast.sim.book import new_book
from mmfast.sim.generator import STEP_S, new_generator
from mmfast.sim.makers import NEAR_ROWS, ROWS, row_px, row_steps, row_unit, step_makers
from mmfast.sim.matching import best_px
from mmfast.sim.queueing import join
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.rounding import is_legal


def opened(coin: str, sz_decimals: int) -> tuple[Any, Any]:
    state, book = new_generator(coin, sz_decimals, 1, 0)[0], new_book(coin)[0]
    step_makers(state, book, STEP_S)
    state["step_index"] = 1
    return state, book


def test_rows_go_out_evenly_then_ever_coarser() -> None:
    steps = [row_steps(k) for k in range(ROWS)]
    assert steps[:NEAR_ROWS] == list(range(NEAR_ROWS))
    assert [row_unit(k) for k in (0, 23, 24, 33, 34, 63)] == [1, 1, 4, 4, 16, 256]
    assert all(b > a for a, b in pairwise(steps))
    for side, sign in ((BID, -1), (ASK, 1)):
        assert all(sign * (row_px(side, 1_000_000, 10, k) - 1_000_000) >= 10 * steps[k] for k in range(ROWS))


@pytest.mark.parametrize(("coin", "sz_decimals"), [("BTC", 5), ("ETH", 4), ("SOL", 2), ("OTHER", 0)])
def test_the_first_book_is_full_legal_and_one_step_wide(coin: str, sz_decimals: int) -> None:
    state, book = opened(coin, sz_decimals)
    for side in (BID, ASK):
        count = book["level_count"][side]
        assert count >= 30
        assert all(is_legal(px, state["ticks_per_usd"]) for px in book["px_ticks"][side, :count].tolist())
        assert (book["lots"][side, :count] > 0).all()
    assert 0 < best_px(book, ASK) - best_px(book, BID) <= best_px(book, BID) * 1e-3


def test_makers_never_quote_onto_a_user_and_step_back_from_one() -> None:
    state, book = opened("BTC", 5)
    bid = best_px(book, BID)
    join(book, BID, 1, 7, bid, 5)
    for _ in range(200):
        state["value_bps"] -= 0.1
        step_makers(state, book, STEP_S)
        assert best_px(book, ASK) > bid == best_px(book, BID)
    assert book["px_ticks"][ASK, 0] == bid + 10


def test_quotes_follow_the_value_late() -> None:
    state, book = opened("BTC", 5)
    state["value_bps"] = 20.0
    step_makers(state, book, STEP_S)
    assert best_px(book, BID) < 1_101_000
    for _ in range(200):
        step_makers(state, book, STEP_S)
    assert best_px(book, BID) == pytest.approx(1_102_200, abs=100)
