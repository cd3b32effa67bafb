"""Allocate: the worked example, the optimum of a general solver, and the promises no input may break."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from support.parameters import default_parameters
from support.stages import a_belief, decide, one

from mmfast.executor.allocate import allocate, budget_price, room_price, size_clips
from mmfast.records.belief import BELIEF_STALE
from mmfast.records.quote import (
    MANDATE,
    QUOTE,
    SIDE_NO_BELIEF,
    SIDE_NO_EDGE,
    SIDE_NO_ROOM,
    SIDE_QUOTES,
    SIDE_TOO_DEEP,
    SIDE_TOO_SMALL,
    SURFACE,
)
from mmfast.units import ASK, BID

SIGMA = 0.8900574
EXAMPLE = {"mode_limit": (1.0, 1.0, 1.0), "sigma_ref_bps": SIGMA}


def example_quote(**changes: Any) -> Any:
    belief = a_belief(fair_px=1e5 * (1 + 0.258e-4), sigma_bps=SIGMA, mu_bps_s=0.0110, imbalance=0.15,
                      tail=1.0 + 0.3 * math.log(2.0), funding_bps_s=1.25e-5 * 1e4 / 3600)
    return decide(belief, 15_000, default_parameters(**{**EXAMPLE, **changes}))


def test_quotes_of_the_worked_example() -> None:
    quote = example_quote()
    assert quote["px_ticks"][BID, :3].tolist() == [999_540, 999_440, 999_340]
    assert quote["px_ticks"][ASK, :3].tolist() == [1_000_410, 1_000_510, 1_000_610]
    assert quote["lots"][:, :3].tolist() == [[4000] * 3] * 2
    np.testing.assert_allclose(quote["fill_rate"][:, :3], [[0.0147, 0.0086, 0.0050], [0.0338, 0.0213, 0.0134]],
                               atol=6e-5)
    np.testing.assert_allclose(quote["edge_bps"][:, :3], [[1.76, 2.59, 3.42], [2.07, 2.90, 3.73]], atol=6e-3)
    np.testing.assert_allclose(quote["value_usd_h"][:, :3], [[37, 32, 25], [101, 89, 72]], atol=0.6)
    assert tuple(quote["side_reason"]) == (SIDE_QUOTES, SIDE_QUOTES)
    assert quote["pull"] == 0
    assert quote["position_lots"] == 15_000


def test_five_times_the_volatility_in_a_crisis_quotes_nothing() -> None:
    belief = a_belief(sigma_bps=5 * SIGMA, mode_p=(0.0, 0.0, 1.0), tail=1.0 + 0.3 * math.log(2.0))
    quote = decide(belief, 0, default_parameters(sigma_ref_bps=SIGMA))
    assert tuple(quote["level_count"]) == (0, 0)
    assert tuple(quote["side_reason"]) == (SIDE_TOO_DEEP, SIDE_TOO_DEEP)
    assert quote["pull"] == 0


def test_seventy_percent_long_bids_nothing_and_thirty_percent_bids() -> None:
    params = default_parameters(**EXAMPLE, gamma_budget_share_h=1.0)
    belief = a_belief(sigma_bps=SIGMA, mode_p=(1.0, 0.0, 0.0))
    heavy, light = decide(belief, 35_000, params), decide(belief, 15_000, params)
    assert heavy["level_count"][BID] == 0
    assert heavy["px_ticks"][ASK, 0] == 1_000_000
    assert heavy["level_count"][ASK] > 0
    assert light["level_count"].min() == 3


def test_symmetric_inputs_give_symmetric_quotes() -> None:
    quote = decide(a_belief(), 0, default_parameters())
    np.testing.assert_array_equal(quote["px_ticks"][BID, :3] + quote["px_ticks"][ASK, :3], 2_000_000)
    np.testing.assert_array_equal(quote["lots"][BID], quote["lots"][ASK])
    np.testing.assert_allclose(quote["edge_bps"][BID], quote["edge_bps"][ASK], rtol=1e-9)


def naked(rates: np.ndarray, edges: np.ndarray, budget: float, rooms: tuple[float, float]) -> tuple[Any, ...]:
    """Records for an allocation of given candidates: two levels a side, no grid."""
    params = default_parameters()
    surface = one(SURFACE, a_bps=0.1, adverse_bps=(0.7, 0.5), impact_bps=(0.05, 0.05))
    mandate = one(MANDATE, gamma_budget_usd_h=budget, room_lots=[round(r * 2000) for r in rooms])
    quote = one(QUOTE, fair_px=1e5, level_count=(2, 2))
    quote["fill_rate"][:, :2], quote["edge_bps"][:, :2] = rates, edges
    return mandate, surface, params, quote


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.005, 0.1), min_size=4, max_size=4), st.lists(st.floats(-0.5, 4.0), min_size=4, max_size=4),
       st.floats(5.0, 300.0), st.floats(0.1, 4.0), st.floats(0.1, 4.0))
def test_sizes_equal_those_of_a_general_solver(rates: list[float], edges: list[float], budget: float, buy: float,
                                               sell: float) -> None:
    rate, edge = np.array(rates).reshape(2, 2), np.array(edges).reshape(2, 2)
    buy, sell = round(buy * 2000) / 2000, round(sell * 2000) / 2000
    mandate, surface, params, quote = naked(rate, edge, budget, (buy, sell))
    nu = budget_price(mandate, surface, params, quote)
    ours = np.array([[size_clips(s, k, nu, room_price(s, nu, mandate, surface, params, quote), surface, params, quote)
                      for k in range(2)] for s in range(2)])
    load = rate * np.array([[0.7], [0.5]]) * 1e5 * 0.02 * 1e-4 * 3600

    def loss(x: np.ndarray) -> float:
        s = x.reshape(2, 2)
        return -float((rate * (edge * s - 0.15 * s * s)).sum())

    best = minimize(loss, np.full(4, 0.05), bounds=[(0.0, 2.0)] * 4, method="SLSQP", tol=1e-13, constraints=[
        {"type": "ineq", "fun": lambda x: budget - (load.ravel() * x).sum()},
        {"type": "ineq", "fun": lambda x: buy - x[:2].sum()}, {"type": "ineq", "fun": lambda x: sell - x[2:].sum()}])
    assert loss(ours) <= best.fun + 1e-7
    assert (load * ours).sum() <= budget * (1 + 1e-9)
    assert ours[BID].sum() <= buy + 1e-9
    assert ours[ASK].sum() <= sell + 1e-9


@settings(max_examples=150, deadline=None)
@given(st.lists(st.floats(1e-4, 0.5), min_size=16, max_size=16),
       st.lists(st.floats(-1.0, 8.0), min_size=16, max_size=16), st.floats(0.0, 400.0), st.floats(0.0, 20.0),
       st.floats(0.0, 20.0))
def test_prices_of_room_and_budget_are_those_of_karush_kuhn_and_tucker(
        rates: list[float], edges: list[float], budget: float, buy: float, sell: float) -> None:
    """With eight levels a side: what is scarce is used up to the last bit, what is not scarce is free."""
    mandate, surface, params, quote = naked(np.zeros((2, 2)), np.zeros((2, 2)), budget, (buy, sell))
    rate, edge = np.array(rates).reshape(2, 8), np.array(edges).reshape(2, 8)
    quote["fill_rate"], quote["edge_bps"], quote["level_count"] = rate, edge, (8, 8)
    adverse, cost = np.array([[0.7], [0.5]]), 2.0 * 0.15
    nu = budget_price(mandate, surface, params, quote)
    sides = np.array([room_price(side, nu, mandate, surface, params, quote) for side in (BID, ASK)])
    sizes = np.clip((edge - nu * adverse - sides[:, None] / rate) / cost, 0.0, 2.0)
    used, rooms = float((rate * adverse * sizes).sum()) * 1e5 * 0.02 * 1e-4 * 3600, mandate["room_lots"] / 2000
    assert nu >= 0.0
    assert (sides >= 0.0).all()
    assert used <= budget * (1 + 1e-9) + 1e-9
    assert (sizes.sum(axis=1) <= rooms + 1e-9).all()
    if nu > 0.0 and budget > 1e-6:
        assert used == pytest.approx(budget, rel=1e-6, abs=1e-7)
    for side in (BID, ASK):
        if sides[side] > 0.0:
            assert sizes[side].sum() == pytest.approx(rooms[side], abs=1e-7)


def test_a_tight_budget_sheds_the_touch_first() -> None:
    full, tight = example_quote(), example_quote(gamma_budget_share_h=5e-4)
    assert tight["lots"].sum() < full["lots"].sum()
    assert 1_000_410 not in tight["px_ticks"][ASK].tolist()
    assert 1_000_610 in tight["px_ticks"][ASK].tolist()


def test_the_way_back_to_zero_stays_open_without_any_budget() -> None:
    quote = example_quote(gamma_budget_share_h=0.0)
    assert quote["level_count"][BID] == 0
    assert quote["level_count"][ASK] == 1
    assert 10.5 <= quote["lots"][ASK, 0] * quote["px_ticks"][ASK, 0] / 1e6 < 12.0


def test_an_unusable_belief_pulls_everything() -> None:
    quote = decide(a_belief(status=BELIEF_STALE), 15_000, default_parameters())
    assert quote["pull"] == 1
    assert quote["level_count"].sum() == 0
    assert tuple(quote["side_reason"]) == (SIDE_NO_BELIEF, SIDE_NO_BELIEF)


@pytest.mark.parametrize(("changes", "position", "side", "reason"), [
    ({"depth_max_bps": 3.0}, 0, BID, SIDE_TOO_DEEP), ({"leverage_max": 0.0}, 0, ASK, SIDE_NO_ROOM),
    ({"min_order_uusd": 10**13}, 0, BID, SIDE_TOO_SMALL), ({"position_max_lots": 2}, 0, ASK, SIDE_TOO_SMALL)])
def test_an_empty_side_says_why(changes: dict[str, Any], position: int, side: int, reason: int) -> None:
    quote = decide(a_belief(), position, default_parameters(**changes))
    assert quote["side_reason"][side] == reason


def test_no_edge_is_a_reason() -> None:
    params = default_parameters(maker_fee_bps=1.5, depth_max_bps=50.0)
    belief, mandate, surface, quote = a_belief(), one(MANDATE), one(SURFACE), one(QUOTE)
    mandate["room_lots"], mandate["gamma_budget_usd_h"] = (1000, 1000), 100.0
    surface["depth_bps"], surface["cost_bps"], surface["a_bps"] = (3.0, 3.0), (9.0, 9.0), 0.1
    surface["kappa"], surface["intensity"], surface["adverse_bps"] = (0.5, 0.5), (0.2, 0.2), (1.0, 1.0)
    allocate(belief, mandate, surface, params, quote)
    assert tuple(quote["side_reason"]) == (SIDE_NO_EDGE, SIDE_NO_EDGE)


@settings(max_examples=200, deadline=None)
@given(st.integers(-80_000, 80_000), st.floats(0.05, 20.0), st.floats(-0.5, 0.5), st.floats(-1.0, 1.0),
       st.floats(-40.0, 40.0), st.integers(1, 2000), st.floats(0.0, 1.0), st.floats(1e-4, 2e-2))
def test_promises_hold_in_any_market(position: int, sigma: float, mu: float, imbalance: float, off_bps: float,
                                     width: int, crisis: float, budget: float) -> None:
    params = default_parameters(gamma_budget_share_h=budget)
    bid, ask = 1_000_000 - width, 1_000_000 + width
    belief = a_belief(sigma_bps=sigma, mu_bps_s=mu, imbalance=imbalance, fair_px=1e5 * (1 + off_bps * 1e-4),
                      touch_ticks=(bid, ask), mode_p=(1.0 - crisis, 0.0, crisis))
    mandate = one(MANDATE)
    quote = decide(belief, position, params, mandate)
    counts, px, lots = quote["level_count"], quote["px_ticks"], quote["lots"]
    bids, asks = px[BID, : counts[BID]].tolist(), px[ASK, : counts[ASK]].tolist()
    assert all(p < ask for p in bids)
    assert all(p > bid for p in asks)
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    if bids and asks:
        assert bids[0] < asks[0]
    cap = mandate["exposure_cap_usd"]  # a dollar is a lot at this price
    assert position + lots[BID].sum() <= max(cap, position, 0) + 1
    assert position - lots[ASK].sum() >= min(-cap, position, 0) - 1
    for side in (BID, ASK):
        for k in range(counts[side]):
            assert px[side, k] * lots[side, k] >= params["min_order_uusd"]
            assert quote["edge_bps"][side, k] > 0.0
            assert lots[side, k] <= 4000
        assert (quote["side_reason"][side] == SIDE_QUOTES) == (counts[side] > 0)
        assert (px[side, counts[side]:] == 0).all()
    reducing = ASK if position > 0 else BID
    if abs(position) >= 100:
        assert quote["side_reason"][reducing] in (SIDE_QUOTES, SIDE_TOO_DEEP, SIDE_NO_EDGE)


extreme = st.sampled_from([0.0, -1.0, 1e-300, 1e300, -1e300, math.nan, math.inf, -math.inf, 0.89])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["fair_px", "mid_px", "sigma_bps", "mu_bps_s", "imbalance", "activity", "tail", "funding_bps_s",
                        "mode_p", "informed_p"]), extreme, st.integers(-(2**62), 2**62))
def test_absurd_beliefs_give_finite_quotes_or_none(name: str, value: float, position: int) -> None:
    quote = decide(a_belief(**{name: value}), position, default_parameters())
    for field in ("edge_bps", "fill_rate", "value_usd_h"):
        assert np.isfinite(quote[field]).all()
    if quote["pull"] == 0:
        assert all(math.isfinite(quote[f]) for f in ("fair_px", "reservation_px", "gamma", "a_bps"))
    else:
        assert quote["level_count"].sum() == 0
