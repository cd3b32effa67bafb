"""
The invariants of the model, one property each, in one place; closer claims about each part are in its own tests.

What the evaluator owes (reliability and resolution between 0 and 1) is not here: there is no evaluator yet. That live
loops and virtual time make the same of one stream is in tests/backtest/test_tape.py.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import eigh_tridiagonal
from scipy.stats import norm
from support.parameters import default_parameters
from support.stages import START_NS, Desk, a_belief, decide, one, surface_of

from mmfast.actuary.fill import decay
from mmfast.actuary.glft import curvature, eta, monopoly_depth
from mmfast.backtest.world import synthetic
from mmfast.config import load
from mmfast.filter.fusion import CORRELATION, fuse_drift
from mmfast.filter.glosten_milgrom import posterior
from mmfast.filter.kalman import update_drift
from mmfast.filter.ou import predict
from mmfast.filter.state import FILTER
from mmfast.records.belief import BELIEF_OK
from mmfast.records.feature import (
    FEATURES,
    OBS_DRIFT,
    OBS_INFORMED,
    OBS_LOG_SIGMA,
    OBS_VALUE,
    OBSERVATIONS,
    SOURCE_FLOW,
    SOURCE_OFI,
    SOURCE_TOUCH,
)
from mmfast.records.quote import MANDATE
from mmfast.units import ASK, BID, sigma_annual_from_bps, sigma_bps_from_annual

SIGMA = st.floats(0.1, 6.0)
DRIFT = st.floats(-0.05, 0.05)
FLOW = st.floats(-0.95, 0.95)
POSITION = st.integers(-50_000, 50_000)
FREE = {"edge_min_bps": -1e9, "depth_max_bps": 1e9}  # no floor and no deepest depth: quotes are where the model says
few, some, many = (settings(max_examples=n, deadline=None) for n in (10, 40, 100))


def mirrored(**changes: Any) -> tuple[Any, Any]:
    """A belief, and the one that a market turned upside down would give."""
    here = {"mu_bps_s": 0.0, "imbalance": 0.0, "informed_p": (0.15, 0.15), **changes}
    there = {**here, "mu_bps_s": -here["mu_bps_s"], "imbalance": -here["imbalance"],
             "informed_p": here["informed_p"][::-1], "funding_bps_s": -here.get("funding_bps_s", 0.0)}
    return a_belief(**here), a_belief(**there)


@many
@given(st.floats(1e-6, 1e4))
def test_01_volatility_survives_the_way_to_a_year_and_back(sigma: float) -> None:
    assert sigma_bps_from_annual(sigma_annual_from_bps(sigma)) == pytest.approx(sigma, rel=1e-12)


@many
@given(st.floats(0.2, 2.0), st.floats(0.03, 3.0), st.floats(0.5, 4.0), st.floats(0.2, 4.0), st.floats(-11.5, -4.6))
def test_02_the_closed_form_is_the_exact_solution_within_a_twentieth_of_a_bp(
        kappa: float, intensity: float, cost: float, sigma: float, log_gamma: float) -> None:
    """Up to ten clips, wherever they shift the quotes by no more than 0.6 of the depth scale 1/kappa."""
    gamma, limit = math.exp(log_gamma), 60
    rate = eta(intensity, kappa, cost, gamma)
    a = curvature(gamma, sigma, 2.0 * kappa * rate)
    assume(20.0 * a * kappa <= 0.6)
    q = np.arange(-limit, limit + 1)
    _, vectors = eigh_tridiagonal(0.5 * kappa * gamma * sigma**2 * q**2, np.full(2 * limit, -rate), select="i",
                                  select_range=(0, 0))
    f = np.abs(vectors[:, 0])
    near = np.arange(-10, 11)
    exact = cost + monopoly_depth(kappa, gamma) + np.log(f[near + limit] / f[near + limit + 1]) / kappa
    ours = cost + monopoly_depth(kappa, gamma) + a + 2.0 * a * near
    np.testing.assert_allclose(ours, exact, atol=0.05)


@many
@given(SIGMA, DRIFT, FLOW, POSITION, st.floats(-1e-3, 1e-3), st.floats(0.02, 0.6), st.floats(0.02, 0.6))
def test_03_a_market_turned_upside_down_turns_the_quotes_upside_down(
        sigma: float, mu: float, imbalance: float, position: int, funding: float, bid_p: float, ask_p: float) -> None:
    params = default_parameters()
    here, there = mirrored(sigma_bps=sigma, mu_bps_s=mu, imbalance=imbalance, funding_bps_s=funding,
                           informed_p=(bid_p, ask_p), touch_lots=(600_000, 600_000))
    one_way, other_way = surface_of(here, position, params), surface_of(there, -position, params)
    np.testing.assert_allclose(one_way["depth_bps"], other_way["depth_bps"][::-1], rtol=1e-9, atol=1e-9)
    assert one_way["shift_bps"] == pytest.approx(-other_way["shift_bps"], rel=1e-9, abs=1e-12)


@many
@given(st.integers(0, 49_000), SIGMA, DRIFT, FLOW)
def test_04_more_inventory_pushes_the_bid_away(position: int, sigma: float, mu: float, imbalance: float) -> None:
    belief, params = a_belief(sigma_bps=sigma, mu_bps_s=mu, imbalance=imbalance), default_parameters(**FREE)
    here, more = surface_of(belief, position, params), surface_of(belief, position + 500, params)
    assert more["shift_inventory_bps"] < here["shift_inventory_bps"]
    gap = [after - before for before, after in zip(here["depth_bps"] - here["width_bps"],
                                                   more["depth_bps"] - more["width_bps"])]
    flow = more["shift_flow_bps"] + more["shift_drift_bps"] - here["shift_flow_bps"] - here["shift_drift_bps"]
    assert gap[BID] + flow > 0.0
    assert gap[ASK] - flow < 0.0


@some
@given(st.integers(-30_000, 30_000), st.floats(0.3, 3.0))
def test_04_in_a_balanced_market_inventory_alone_moves_both_depths(position: int, sigma: float) -> None:
    belief, params = a_belief(sigma_bps=sigma), default_parameters(**FREE)
    here, more = surface_of(belief, position, params), surface_of(belief, position + 200, params)
    assert more["depth_bps"][BID] > here["depth_bps"][BID]
    assert more["depth_bps"][ASK] < here["depth_bps"][ASK]


@many
@given(st.floats(0.06, 4.0), st.floats(0.2, 1.0), st.floats(0.01, 1.0))
def test_05_and_06_balanced_flow_scales_nothing_and_sellers_lower_the_bids_kappa(
        kappa: float, mode: float, pressure: float) -> None:
    assume(kappa * mode > 0.12)
    assert decay(kappa, mode, 0.0, 1) == decay(kappa, mode, 0.0, -1) == pytest.approx(kappa * mode)
    assert decay(kappa, mode, -pressure, 1) < decay(kappa, mode, 0.0, 1) < decay(kappa, mode, -pressure, -1)


@some
@given(SIGMA, st.floats(0.01, 0.95))
def test_06_sell_pressure_widens_the_bid(sigma: float, pressure: float) -> None:
    params = default_parameters(**FREE)
    calm = surface_of(a_belief(sigma_bps=sigma), 0, params)
    pressed = surface_of(a_belief(sigma_bps=sigma, imbalance=-pressure), 0, params)
    assert pressed["width_bps"][BID] > calm["width_bps"][BID]


@some
@given(st.integers(1, 900_000), st.integers(3, 40))
def test_06_sell_pressure_reads_as_a_falling_price(lots: int, count: int) -> None:
    desk = Desk()
    desk.bbo(0.0, 999_990, 1_000_010)
    for k in range(count):
        desk.trade(0.1 * (k + 1), ASK, lots, px=999_990, taker=k + 1)
    features = desk.features
    assert features["flow_imbalance"] < 0.0
    assert features["obs_z"][SOURCE_FLOW] <= 0.0
    assert int(features["valid_mask"]) >> SOURCE_FLOW & 1


@some
@given(POSITION, SIGMA, st.floats(1e-4, 0.3), st.floats(1e-5, 1e-2))
def test_07_and_08_drift_raises_and_carry_lowers_both_quotes_at_any_inventory(
        position: int, sigma: float, mu: float, funding: float) -> None:
    params = default_parameters(**FREE)
    base, up, paid = (surface_of(a_belief(sigma_bps=sigma, **change), position, params)
                      for change in ({}, {"mu_bps_s": mu}, {"funding_bps_s": funding}))
    assert up["depth_bps"][BID] < base["depth_bps"][BID]
    assert up["depth_bps"][ASK] > base["depth_bps"][ASK]
    assert paid["depth_bps"][BID] > base["depth_bps"][BID]
    assert paid["depth_bps"][ASK] < base["depth_bps"][ASK]
    assert paid["shift_carry_bps"] == pytest.approx(-funding * paid["tau_eff_s"])


@some
@given(st.integers(0, 50_000), SIGMA, st.floats(1e-5, 1e-2))
def test_08_carry_has_no_factor_of_inventory(position: int, sigma: float, funding: float) -> None:
    params, belief = default_parameters(gamma_curve=0.0, **FREE), a_belief(sigma_bps=sigma, funding_bps_s=funding)
    assert surface_of(belief, position, params)["shift_carry_bps"] == pytest.approx(
        surface_of(belief, 0, params)["shift_carry_bps"])


@some
@given(st.integers(0, 40_000), DRIFT, FLOW, SIGMA)
def test_09_expected_profit_is_antisymmetric(position: int, mu: float, imbalance: float, sigma: float) -> None:
    params = default_parameters(depth_max_bps=1e3, edge_min_bps=-1e3)
    here, there = mirrored(mu_bps_s=mu, imbalance=imbalance, sigma_bps=sigma, touch_lots=(600_000, 600_000))
    one_way, other_way = decide(here, position, params), decide(there, -position, params)
    np.testing.assert_allclose(one_way["edge_bps"], other_way["edge_bps"][::-1], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(one_way["value_usd_h"], other_way["value_usd_h"][::-1], rtol=1e-5, atol=1e-6)


@many
@given(st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0.01, 5.0)), min_size=1, max_size=12))
def test_10_the_composite_is_updates_in_a_row_but_for_its_two_factors(readings: list[tuple[float, float]]) -> None:
    features = one(FEATURES)
    for source, (z, r) in enumerate(readings):
        features["valid_mask"] |= 1 << source
        features["obs_kind"][source], features["obs_ns"][source] = OBS_DRIFT, START_NS
        features["obs_z"][source], features["obs_r"][source], features["obs_serial"][source] = z, r, 1
    z, r, *_ = fuse_drift(one(FILTER), features, START_NS)
    zs, rs = np.array(readings).T
    disagreement = ((zs - z) ** 2 / rs).sum() / max(len(readings) - 1, 1)
    factors = (1.0 + (len(readings) - 1) * CORRELATION) * (max(disagreement, 1.0) if len(readings) > 1 else 1.0)
    together, in_a_row = one(FILTER, v_var=1.0, mu_var=0.01), one(FILTER, v_var=1.0, mu_var=0.01)
    update_drift(together, z, r / factors)
    for reading in readings:
        update_drift(in_a_row, *reading)
    assert r >= 1.0 / (1.0 / rs).sum() * (1.0 - 1e-9)
    assert together["mu_bps_s"] == pytest.approx(in_a_row["mu_bps_s"], rel=1e-6, abs=1e-9)
    assert together["mu_var"] == pytest.approx(in_a_row["mu_var"], rel=1e-6)


def told(**changes: Any) -> Desk:
    """A desk after three seconds of a lively market."""
    desk, random, px = Desk(**changes), np.random.default_rng(4), 1_000_000
    for k in range(30):
        px += 10 * int(random.integers(-2, 3))
        desk.bbo(0.1 * k, px - 10, px + 10, int(random.integers(1, 900_000)), int(random.integers(1, 900_000)))
        desk.trade(0.1 * k + 0.05, int(random.integers(0, 2)), int(random.integers(1, 90_000)), px, taker=k + 1)
    return desk


@few
@given(st.sampled_from([SOURCE_TOUCH, SOURCE_OFI, SOURCE_FLOW]))
def test_11_a_feature_without_correlation_leaves_the_belief_as_it_is(source: int) -> None:
    rho = default_parameters()["rho"].copy()
    rho[source] = 0.0
    mute = told(rho=rho)
    off = told(source_mask=(1 << OBSERVATIONS) - 1 & ~(1 << source))
    for name in ("fair_px", "mu_bps_s", "mu_var", "v_var", "sigma_bps", "mode_p"):
        assert np.array_equal(mute.belief[name], off.belief[name]), name
    assert mute.belief["mu_bps_s"] != told().belief["mu_bps_s"]


@many
@given(POSITION, SIGMA, st.floats(-0.5, 0.5), FLOW, st.floats(-60.0, 60.0), st.integers(1, 3000), st.floats(0.0, 1.0))
def test_12_13_14_no_quote_crosses_none_exceeds_the_cap_and_the_way_back_has_room(
        position: int, sigma: float, mu: float, imbalance: float, off_bps: float, width: int, crisis: float) -> None:
    bid, ask = 1_000_000 - width, 1_000_000 + width
    belief = a_belief(sigma_bps=sigma, mu_bps_s=mu, imbalance=imbalance, fair_px=1e5 * (1 + off_bps * 1e-4),
                      touch_ticks=(bid, ask), mode_p=(1.0 - crisis, 0.0, crisis))
    mandate = one(MANDATE)
    quote = decide(belief, position, default_parameters(), mandate)
    counts = quote["level_count"]
    assert (quote["px_ticks"][BID, : counts[BID]] < ask).all()
    assert (quote["px_ticks"][ASK, : counts[ASK]] > bid).all()
    cap = mandate["exposure_cap_usd"]  # a dollar is a lot at this price
    assert position + quote["lots"][BID].sum() <= max(cap, position, 0) + 1
    assert position - quote["lots"][ASK].sum() >= min(-cap, position, 0) - 1
    assert mandate["room_lots"][ASK if position > 0 else BID] >= abs(position)


@many
@given(st.floats(-1.0, 1.0), st.floats(1e-4, 2.0), st.floats(1e-3, 1e3))
def test_15_the_drift_fades_as_an_exponential(mu: float, theta: float, dt_s: float) -> None:
    state = one(FILTER, mu_bps_s=mu, mu_var=0.0025, v_var=1.0)
    predict(state, dt_s, 0.8, theta, 0.05)
    assert state["mu_bps_s"] == pytest.approx(mu * math.exp(-theta * dt_s), rel=1e-9, abs=1e-300)
    assert state["v_bps"] == pytest.approx(mu * -math.expm1(-theta * dt_s) / theta, rel=1e-8, abs=1e-12)


@some
@given(st.floats(-2.5, 2.5), st.floats(0.1, 30.0), st.floats(0.01, 0.9))
def test_16_the_fill_update_is_bayes_by_numerical_integration(depth_sds: float, variance: float,
                                                             informed: float) -> None:
    sd = math.sqrt(variance)
    delta = depth_sds * sd

    def weight(x: float) -> float:
        return float(norm.pdf(x, scale=sd) * (informed * (x > delta) + (1.0 - informed) * 0.5))

    ends = (-12.0 * sd, delta, 12.0 * sd)
    mass, mean, square = (sum(quad(lambda x, k=k: x**k * weight(x), a, b, limit=200)[0]
                              for a, b in itertools.pairwise(ends)) for k in range(3))
    shift, left = posterior(delta, variance, informed)
    assert shift == pytest.approx(mean / mass, rel=1e-6, abs=1e-8 * sd)
    assert left == pytest.approx(square / mass - (mean / mass) ** 2, rel=1e-5)


def test_18_profit_is_spread_earned_plus_inventory_carried_less_fees_to_the_micro_dollar() -> None:
    """Per second: sum over fills of e s (m - p), plus q before times the move of the mid, plus funding, less fees."""
    world = synthetic(load(coins=["BTC"], environ={}), ["BTC"], 11, 700.0)
    world.live(1 << 62)
    samples, fills = world.log("samples"), world.log("fills")
    marks = samples["mid_ticks"].astype(np.int64)
    signed = np.where(fills["side"] == BID, fills["lots"], -fills["lots"])
    spread = carried = fee = 0
    for k in range(1, len(samples)):
        here = (fills["ts_recv_ns"] > samples["ts_ns"][k - 1]) & (fills["ts_recv_ns"] <= samples["ts_ns"][k])
        gained = int((signed[here] * (marks[k] - fills["px_ticks"][here])).sum())
        held = int(samples["position_lots"][k - 1] * (marks[k] - marks[k - 1]))
        paid = int(fills["fee_uusd"][here].sum())
        assert samples["equity_uusd"][k] - samples["equity_uusd"][k - 1] == gained + held - paid
        spread, carried, fee = spread + gained, carried + held, fee + paid
    assert len(fills) > 5
    assert world["ledgers"][0]["funding_uusd"] == 0  # no full hour in between
    assert spread + carried - fee == samples["equity_uusd"][-1] - samples["equity_uusd"][0]


ABSURD_PX = st.sampled_from([0, -1, 1, 999_990, 1_000_010, 10**15, -(10**15), 2**62])
ABSURD_LOTS = st.sampled_from([0, -5, 1, 500_000, 10**15, 2**62])
ABSURD_RATE = st.sampled_from([0.0, 1e-5, math.nan, math.inf, -math.inf, 1e300])
LEVELS = st.lists(st.tuples(ABSURD_PX, ABSURD_LOTS), max_size=3)
RECORD = st.one_of(
    st.tuples(st.just("bbo"), ABSURD_PX, ABSURD_PX, ABSURD_LOTS, ABSURD_LOTS),
    st.tuples(st.just("bbo"), st.just(999_990), st.just(1_000_010), st.just(5), st.just(7)),
    st.tuples(st.just("trade"), st.sampled_from([BID, ASK, 2, -1]), ABSURD_LOTS, ABSURD_PX),
    st.tuples(st.just("book"), LEVELS, LEVELS), st.tuples(st.just("ctx"), ABSURD_RATE), st.tuples(st.just("timer")),
    st.tuples(st.just("gap")), st.tuples(st.just("fill"), st.sampled_from([BID, ASK, 3]), ABSURD_PX, ABSURD_LOTS))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.0, 1e-9, 0.05, 30.0]), RECORD), min_size=1, max_size=25), POSITION)
def test_20_everything_is_finite_from_the_first_event_on(events: list[tuple[float, Any]], position: int) -> None:
    """First events, no time between them, empty books, one level, nonsense: known numbers stay finite, or unknown."""
    desk, at_s = Desk(), 0.0
    for wait_s, (name, *arguments) in events:
        at_s += wait_s
        getattr(desk, name)(at_s, *arguments)
        features, belief = desk.features, desk.belief
        for source in range(OBSERVATIONS):
            if int(features["valid_mask"]) >> source & 1:
                assert math.isfinite(features["obs_z"][source])
                assert features["obs_r"][source] > 0.0
                assert features["obs_kind"][source] in (OBS_VALUE, OBS_DRIFT, OBS_LOG_SIGMA, OBS_INFORMED)
        assert all(math.isfinite(belief[n]) for n in ("v_bps", "v_var", "mu_bps_s", "mu_var", "sigma_bps"))
        assert abs(belief["mode_p"].sum() - 1.0) < 1e-6 or belief["mode_p"].sum() == 0.0
        quote = desk.decide(position)
        assert quote["pull"] == 1 or belief["status"] == BELIEF_OK
        for field in ("edge_bps", "fill_rate", "value_usd_h"):
            assert np.isfinite(quote[field]).all()
