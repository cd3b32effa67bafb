"""Portfolio: one coin as before, hedges have room, coins that fall together share one limit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from support.parameters import default_parameters
from support.stages import a_belief, one

from mmfast.governor.exposure import stress_move, stress_usd
from mmfast.governor.govern import govern
from mmfast.governor.portfolio import PORTFOLIO, RHO_PRIOR, SCALE_S, begin, caps_usd, confine, see, together
from mmfast.records.quote import MANDATE
from mmfast.units import ASK, BID

SECOND = 10**9
EQUITY = 25_000.0


def a_book(count: int) -> Any:
    book = one(PORTFOLIO)
    begin(book, count)
    return book


def walk(book: Any, correlation: float, steps: int, seed: int = 1) -> None:
    """Two coins whose returns have this correlation, a step each second."""
    walk_on(book, correlation, steps, seed)


def walk_on(book: Any, correlation: float, steps: int, seed: int = 2, heard: int = 2) -> None:
    """The same from where the book is; only the first ``heard`` coins are heard, the other stays at its last price."""
    random, start = np.random.default_rng(seed), int(book["grid_ns"]) // SECOND
    log_px = np.log(np.where(book["px"][:2] > 0.0, book["px"][:2], 100.0) / 100.0)
    for k in range(start + 1, start + steps + 1):
        common, own = random.normal(size=2)
        log_px += 1e-4 * np.array([common, correlation * common + math.sqrt(1.0 - correlation**2) * own])
        for inst in range(2):
            px = 100.0 * math.exp(log_px[inst])
            see(book, inst, px, inst < heard, 1.0, float(book["held_usd"][inst]), k * SECOND + inst)


def stressed(book: Any, inst: int, x_usd: float) -> float:
    """Dollars that a stress costs with ``inst`` at ``x_usd``, by the matrix."""
    n = int(book["count"])
    held = book["held_usd"][:n].copy()
    held[inst] = x_usd
    w = held * book["stress"][:n]
    return float(math.sqrt(w @ book["rho"][:n, :n] @ w))


def test_one_coin_has_the_room_of_the_stress_rule() -> None:
    book = a_book(2)
    see(book, 0, 1e5, True, 0.89, 1_000.0, SECOND)
    assert caps_usd(book, 0, EQUITY, 1e9) == pytest.approx((stress_usd(EQUITY, 0.89),) * 2)
    assert caps_usd(book, 0, EQUITY, 3.0) == (75_000.0, 75_000.0)


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.8, 0.99])
def test_correlations_are_learned(correlation: float) -> None:
    book = a_book(2)
    walk(book, correlation, 4000)
    assert book["rho"][0, 1] == book["rho"][1, 0] == pytest.approx(correlation, abs=0.12)


def test_averages_of_products_are_exponential_ones_that_begin_as_means() -> None:
    """RiskMetrics' recursion by scipy's filter, from the mean of as many returns as the scale is long."""
    random, steps = np.random.default_rng(3), 1500
    moves = random.normal(size=(steps, 2)) @ np.array([[1.0, 0.7], [0.0, 0.6]])
    log_px = np.cumsum(np.vstack([(0.0, 0.0), moves]), axis=0) * 1e-4
    book = a_book(2)
    for k, row in enumerate(log_px, start=1):
        for inst in range(2):
            see(book, inst, 100.0 * math.exp(row[inst]), True, 1.0, 0.0, k * SECOND + inst)
    seen = moves[:-1]  # the grid takes prices from before the second
    assert book["returns"][1, 0] == len(seen)
    for scale, memory_s in enumerate(SCALE_S):
        weight, whole = 1.0 - math.exp(-1.0 / memory_s), len(seen)
        full = min(int(1.0 / weight), whole)
        for i, j in ((0, 0), (1, 0), (1, 1)):
            products = seen[:, i] * seen[:, j]
            mean = products[:full].mean()
            later, _ = lfilter([weight], [1.0, weight - 1.0], products[full:], zi=[(1.0 - weight) * mean])
            want = later[-1] if len(later) else mean
            assert book["product"][scale, i, j] == pytest.approx(want, rel=1e-6), (memory_s, i, j)


def test_until_they_are_coins_are_taken_to_fall_together() -> None:
    book = a_book(3)
    walk(book, -1.0, 2)
    assert 0.4 < book["rho"][0, 1] <= RHO_PRIOR
    assert book["rho"][0, 2] == book["rho"][1, 2] == RHO_PRIOR


def test_a_coin_that_comes_late_is_taken_to_fall_with_the_others_until_it_is_measured() -> None:
    book = a_book(2)
    walk_on(book, 0.9, 1000, heard=1)
    assert book["rho"][0, 1] == RHO_PRIOR
    walk_on(book, 0.9, 5)
    assert book["rho"][0, 1] > 0.5 * RHO_PRIOR  # four returns say next to nothing
    walk_on(book, 0.9, 300)
    assert book["rho"][0, 1] == pytest.approx(0.9, abs=0.1)


def test_a_silent_coin_has_no_returns_rather_than_returns_of_zero() -> None:
    book = a_book(2)
    walk(book, 0.9, 3000)
    before, last_px = book["rho"].copy(), 100.0
    for _ in range(3):  # silences of ten minutes, and a price far away after each
        walk_on(book, 0.0, 600, heard=1)
        last_px *= 1.05
        held, now_ns = float(book["held_usd"][1]), int(book["grid_ns"])
        see(book, 1, last_px, True, 1.0, held, now_ns + SECOND)
        assert book["rho"][0, 1] == pytest.approx(before[0, 1], abs=0.01)
    walk_on(book, 0.9, 10)
    assert book["rho"][0, 1] == pytest.approx(before[0, 1], abs=0.1)
    assert book["product"][0, 1, 1] == pytest.approx(1.0, rel=0.6)  # the jump over a silence is no second's move


def test_the_position_of_a_silent_coin_still_counts() -> None:
    book = a_book(2)
    see(book, 0, 100.0, False, 0.89, 100_000.0, SECOND)
    see(book, 1, 100.0, True, 0.89, 0.0, SECOND)
    assert caps_usd(book, 1, EQUITY, 1e9)[0] < 0.8 * stress_usd(EQUITY, 0.89)


def test_coins_that_went_their_own_ways_are_one_coin_once_they_move_together() -> None:
    book = a_book(2)
    walk(book, 0.0, 3000)
    assert book["together"] == 0.0
    before = float(book["rho"][0, 1])
    walk_on(book, 1.0, 300)
    assert book["together"] == 1.0
    slow = float(book["product"][2, 1, 0] * book["inverse_sd"][2, 0] * book["inverse_sd"][2, 1])
    assert abs(before) < 0.2
    assert slow < 0.3  # an hour's memory has hardly noticed
    assert book["rho"][0, 1] > 0.9


def test_coins_that_move_against_each_other_are_a_whole_hedge_in_a_stress() -> None:
    book = a_book(2)
    walk(book, -1.0, 3000)
    assert book["rho"][0, 1] < -0.95


def test_a_usual_correlation_is_no_stress() -> None:
    book = a_book(2)
    walk(book, 0.6, 3000)
    scales = [book["product"][k, 1, 0] * book["inverse_sd"][k, 0] * book["inverse_sd"][k, 1] for k in range(3)]
    known = book["returns"][1, 0] / (book["returns"][1, 0] + 60.0)
    assert book["together"] == 0.0
    assert book["rho"][0, 1] == pytest.approx(known * np.mean(scales) + (1.0 - known) * RHO_PRIOR)


def test_one_coin_alone_is_in_no_stress() -> None:
    assert together(a_book(1)) == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-200_000.0, 200_000.0), min_size=4, max_size=4),
       st.lists(st.floats(0.1, 20.0), min_size=4, max_size=4), st.floats(-0.3, 1.0))
def test_caps_are_where_the_whole_portfolio_meets_its_stress(held: list[float], sigma: list[float],
                                                             rho: float) -> None:
    book = a_book(4)
    for i in range(4):
        for j in range(4):
            book["rho"][i, j] = 1.0 if i == j else rho
    book["grid_ns"] = SECOND
    for inst in range(4):
        see(book, inst, 100.0, True, sigma[inst], held[inst], SECOND)
        assert book["stress"][inst] == stress_move(sigma[inst])
    long_usd, short_usd = caps_usd(book, 1, EQUITY, 1e9)
    limit = 0.5 * EQUITY
    assert long_usd >= 0.0
    assert short_usd >= 0.0
    for cap in (long_usd, -short_usd):
        if cap != 0.0 and long_usd > 0.0 and short_usd > 0.0:
            assert stressed(book, 1, cap) == pytest.approx(limit, rel=1e-4)
    if long_usd == short_usd == 0.0:
        assert stressed(book, 1, 0.0) > limit * (1.0 - 1e-6)


def test_a_second_coin_that_falls_with_the_first_has_less_room_and_a_hedge_more() -> None:
    book = a_book(2)
    walk(book, 0.9, 4000)
    see(book, 0, 100.0, True, 0.89, 150_000.0, 5000 * SECOND)
    see(book, 1, 100.0, True, 0.89, 0.0, 5000 * SECOND)
    long_usd, short_usd = caps_usd(book, 1, EQUITY, 1e9)
    assert long_usd < 0.6 * stress_usd(EQUITY, 0.89) < 1.2 * stress_usd(EQUITY, 0.89) < short_usd


def test_positions_together_stay_within_the_leverage() -> None:
    book = a_book(2)
    see(book, 0, 100.0, True, 0.89, -60_000.0, SECOND)
    see(book, 1, 100.0, True, 0.89, 0.0, SECOND)
    assert caps_usd(book, 1, EQUITY, 3.0)[1] == pytest.approx(15_000.0)


@pytest.mark.parametrize("position", [-30_000, 0, 30_000])
def test_a_portfolio_that_is_full_leaves_the_way_to_zero_open(position: int) -> None:
    mandate, params = one(MANDATE), default_parameters()
    govern(a_belief(), position, params, mandate)
    confine(mandate, position, 0.0, 0.0, 1e5, params)
    assert mandate["room_lots"][BID] == max(-position, 0)
    assert mandate["room_lots"][ASK] == max(position, 0)
    assert mandate["exposure_cap_usd"] == 0.0


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.floats(), st.booleans(), st.floats(), st.floats(),
                          st.integers(0, 10**13)),
                max_size=20))
def test_caps_are_finite_whatever_is_seen(steps: list[tuple[int, float, bool, float, float, int]]) -> None:
    book = a_book(3)
    for inst, px, is_heard, sigma, held, now_ns in steps:
        see(book, inst, px, is_heard, sigma, max(min(held, 1e12), -1e12), now_ns)
        assert all(0.0 <= cap <= 75_000.0 for cap in caps_usd(book, inst, EQUITY, 3.0))
    assert np.isfinite(book["rho"][:3, :3]).all()
