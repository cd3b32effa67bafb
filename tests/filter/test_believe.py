"""Believe: usable at once, never usable when it should not be, finite whatever comes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import START_NS, Desk

from mmfast.filter.believe import ANCHOR_MOVE_BPS, believe
from mmfast.filter.state import CRISIS
from mmfast.filter.ukf import OBS_VARIANCE
from mmfast.records.belief import BELIEF, BELIEF_GAP, BELIEF_NO_BOOK, BELIEF_OK, BELIEF_STALE, BELIEF_WARMING
from mmfast.records.feature import (
    OBS_DRIFT,
    OBS_INFORMED,
    OBS_VALUE,
    SOURCE_BIPOWER,
    SOURCE_INFORMED_ASK,
    SOURCE_MICROPRICE,
    SOURCE_OFI,
)
from mmfast.units import ASK, BID

# The gradient is NaN while the book does not reach far enough to tell.
FLOATS = [n for n in BELIEF.names or ()
          if BELIEF.fields is not None and BELIEF.fields[n][0].base.kind == "f" and n != "gradient"]


def a_desk(until_s: float = 1.0, **changes: object) -> Desk:
    """A desk that has seen the same touch ten times a second."""
    desk = Desk(**changes)
    for k in range(round(until_s * 10) + 1):
        desk.bbo(0.1 * k, 999_990, 1_000_010)
    return desk


def fair(desk: Desk) -> float:
    return float(desk.belief["fair_px"])


def test_it_is_usable_within_the_first_second_at_the_reference_volatility() -> None:
    desk = Desk()
    desk.bbo(0.0, 999_990, 1_000_010)
    assert desk.belief["status"] == BELIEF_WARMING
    desk.bbo(0.2, 999_990, 1_000_010)
    assert desk.belief["status"] == BELIEF_OK
    assert fair(desk) == pytest.approx(100_000.0, abs=1.0)
    assert desk.belief["sigma_bps"] == pytest.approx(0.89, rel=0.1)
    assert desk.belief["mode_p"].sum() == pytest.approx(1.0)


def test_fair_value_is_the_anchor_moved_by_v() -> None:
    desk = a_desk()
    desk.bbo(1.1, 999_990, 1_000_010, 900_000, 10_000)
    belief = desk.belief
    assert belief["fair_px"] == pytest.approx(belief["anchor_px"] * math.exp(belief["v_bps"] * 1e-4), rel=1e-15)
    assert belief["fair_px"] > 100_000.0


def test_without_a_touch_a_gap_or_news_it_is_not_quoted_on() -> None:
    desk = a_desk(stale_ns=2_000_000_000)
    desk.bbo(1.1, 999_990, 1_000_010, 0, 5)
    assert desk.belief["status"] == BELIEF_NO_BOOK
    desk.bbo(1.2, 999_990, 1_000_010)
    assert desk.belief["status"] == BELIEF_OK
    desk.timer(3.1)
    assert desk.belief["status"] == BELIEF_OK
    desk.timer(3.3)
    assert desk.belief["status"] == BELIEF_STALE
    desk.gap(3.4)
    assert desk.belief["status"] == BELIEF_GAP
    desk.timer(3.5)
    assert desk.belief["status"] == BELIEF_GAP
    for k in range(3):
        desk.bbo(3.6 + 0.1 * k, 999_990, 1_000_010)
    assert desk.belief["status"] == BELIEF_OK


def test_nothing_seen_is_no_book() -> None:
    desk = Desk()
    desk.timer(1.0)
    assert desk.belief["status"] == BELIEF_NO_BOOK
    desk.fill(1.1, ASK, 1_000_300, 500)
    assert desk.belief["status"] == BELIEF_NO_BOOK


def test_a_jump_is_not_quoted_on_until_it_is_believed() -> None:
    desk = a_desk()
    statuses = []
    for k in range(20):
        desk.bbo(1.1 + 0.1 * k, 1_004_990, 1_005_010)
        statuses.append(int(desk.belief["status"]))
    assert statuses[0] != BELIEF_OK  # the sensor may refuse the first touch, too
    assert statuses[-1] == BELIEF_OK
    caught_up = statuses.index(BELIEF_OK)
    assert caught_up < 10
    assert statuses[caught_up:] == [BELIEF_OK] * (20 - caught_up)
    assert fair(desk) == pytest.approx(100_500.0, rel=1e-5)


def test_after_a_day_of_silence_it_is_not_quoted_on_before_it_is_where_the_book_is() -> None:
    desk = a_desk()
    usable = []
    for k in range(20):
        desk.bbo(86_400.0 + 0.2 * k, 1_019_990, 1_020_010)
        if desk.belief["status"] == BELIEF_OK:
            usable.append(abs(math.log(fair(desk) / 102_000.0)) * 1e4)
    assert len(usable) > 10
    assert max(usable) < 5.0


def test_another_market_is_a_new_start() -> None:
    desk = a_desk()
    for k in range(3):
        desk.bbo(1.1 + 0.1 * k, 1_499_990, 1_500_010)
    assert desk.belief["status"] == BELIEF_OK
    assert fair(desk) == pytest.approx(150_000.0, rel=1e-5)


def test_the_anchor_moves_and_the_fair_value_does_not() -> None:
    desk = Desk()
    anchors, worst = set(), 0.0
    for k in range(400):
        px = round(1_000_000 * math.exp(k * 0.5e-4))
        desk.bbo(0.1 * k, px - 10, px + 10)
        anchors.add(float(desk.belief["anchor_px"]))
        assert abs(desk.belief["v_bps"]) <= ANCHOR_MOVE_BPS
        worst = max(worst, abs(math.log(fair(desk) / (px * 0.1))) * 1e4)
    assert 3 <= len(anchors) <= 6
    assert worst < 3.0


def test_a_feature_with_rho_zero_would_leave_the_drift_alone_and_imbalance_does_not() -> None:
    up, down = a_desk(), a_desk()
    for k in range(10):
        up.bbo(1.1 + 0.1 * k, 999_990, 1_000_010, 900_000, 100_000)
        down.bbo(1.1 + 0.1 * k, 999_990, 1_000_010, 100_000, 900_000)
    assert up.belief["mu_bps_s"] == pytest.approx(-down.belief["mu_bps_s"], rel=1e-6)
    assert up.belief["mu_bps_s"] > 0.0


def test_context_reaches_the_belief() -> None:
    desk = a_desk()
    desk.ctx(1.1, 1.25e-5)
    desk.trade(1.2, ASK, 50_000)
    assert desk.belief["funding_bps_s"] == pytest.approx(3.47e-5, rel=1e-2)
    assert desk.belief["imbalance"] == -1.0
    assert tuple(desk.belief["touch_ticks"]) == (999_990, 1_000_010)
    assert tuple(desk.belief["informed_p"]) == (0.15, 0.15)


def test_it_measures_the_volatility_of_the_market() -> None:
    desk, random = Desk(), np.random.default_rng(1)
    px, late = 1e6, []
    for k in range(6000):
        px *= math.exp(random.normal(0.0, 2.0e-4 * 0.1**0.5))
        desk.bbo(0.1 * k, round(px) - 10, round(px) + 10)
        if k > 3000:
            late.append(float(desk.belief["sigma_bps"]))
    assert np.mean(late) == pytest.approx(2.0, rel=0.15)


def test_a_lifted_ask_raises_the_fair_value_and_our_own_taking_does_not() -> None:
    desk = a_desk()
    before = fair(desk)
    desk.fill(1.1, ASK, 1_000_350, 2000, crossed=1)
    assert fair(desk) == before
    desk.fill(1.1, ASK, 1_000_350, 2000)
    assert fair(desk) > before
    assert desk.belief["status"] == BELIEF_OK


def test_partial_fills_by_one_taker_order_are_one_piece_of_news() -> None:
    whole, parts, two = a_desk(), a_desk(), a_desk()
    whole.fill(1.1, BID, 999_650, 2000)
    for lots in (500, 300, 1200):
        parts.fill(1.1, BID, 999_650, lots)
    two.fill(1.1, BID, 999_650, 1000, exch_ns=1)
    two.fill(1.1, BID, 999_650, 1000, exch_ns=2)
    for name in ("v_bps", "v_var", "mu_bps_s", "mu_var", "vmu_cov"):
        assert parts.belief[name] == pytest.approx(whole.belief[name], rel=1e-12), name
    assert fair(two) < fair(whole) < 100_000.0


@pytest.mark.parametrize(("px", "lots", "side"), [(0, 5, ASK), (-3, 5, ASK), (10**15, 5, ASK), (5, 0, BID), (5, 5, 7),
                                                  (1, 10**15, BID)])
def test_absurd_fills_leave_it_finite(px: int, lots: int, side: int) -> None:
    desk = a_desk()
    desk.fill(1.1, side, px, lots)
    assert all(np.isfinite(desk.belief[name]).all() for name in FLOATS)


whole = st.one_of(st.sampled_from([0, 1, -1, 10**15, -(10**15), 999_990, 1_000_010, 2**62]), st.integers(0, 2_000_000))
seconds = st.sampled_from([0.0, 0.0, 1e-9, 0.1, 1.0, 11.0, -5.0, 1e6])
number = st.sampled_from([0.0, math.nan, math.inf, -math.inf, 1e300, -1e300, 1.25e-5])
levels = st.lists(st.tuples(whole, whole), max_size=6)
event = st.one_of(
    st.tuples(st.just("bbo"), whole, whole, whole, whole), st.tuples(st.just("trade"), st.integers(-1, 2), whole),
    st.tuples(st.just("ctx"), number), st.tuples(st.just("timer")), st.tuples(st.just("gap")),
    st.tuples(st.just("book"), levels, levels),
    st.tuples(st.just("fill"), st.integers(-1, 2), whole, whole))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(seconds, event), max_size=25))
def test_absurd_input_never_makes_a_usable_belief_that_is_not_finite(steps: list) -> None:
    desk, at_s = Desk(), 0.0
    for step_s, (what, *arguments) in steps:
        at_s += step_s
        getattr(desk, what)(at_s, *arguments)
        if desk.belief["status"] == BELIEF_OK:
            assert all(np.isfinite(desk.belief[name]).all() for name in FLOATS)
            assert desk.belief["fair_px"] > 0.0
            assert desk.belief["sigma_bps"] > 0.0
        quote = desk.decide(3000)
        assert quote["pull"] == (desk.belief["status"] != BELIEF_OK)
        assert np.isfinite(quote["edge_bps"]).all()


def told(desk: Desk, source: int, kind: int, z: float, r: float, at_s: float, late_s: float = 0.0) -> None:
    """One observation, and the belief at ``at_s``; it was made ``late_s`` before."""
    now_ns, features = START_NS + round(at_s * 1e9), desk.features
    features["valid_mask"] = 1 << source
    features["obs_kind"][source], features["obs_z"][source], features["obs_r"][source] = kind, z, r
    features["obs_ns"][source] = now_ns - round(late_s * 1e9)
    features["obs_serial"][source] += 1
    believe(desk.filter, features, desk.belief, desk.params, now_ns)


def test_a_feature_that_says_nothing_leaves_the_belief_alone() -> None:
    silent, heard = a_desk(), a_desk()
    told(silent, SOURCE_OFI, OBS_DRIFT, 5.0, math.inf, 1.1)
    told(heard, SOURCE_OFI, OBS_DRIFT, 5.0, 0.2, 1.1)
    assert silent.belief["mu_bps_s"] == 0.0
    assert heard.belief["mu_bps_s"] > 0.0


def test_news_that_comes_late_says_less_and_never_turns_time_back() -> None:
    fresh, late = a_desk(), a_desk()
    told(fresh, SOURCE_MICROPRICE, OBS_VALUE, 2.0, 0.05, 1.1)
    told(late, SOURCE_MICROPRICE, OBS_VALUE, 2.0, 0.05, 1.1, late_s=1.0)
    assert 0.0 < late.belief["v_bps"] < fresh.belief["v_bps"]
    before = int(late.filter["ts_ns"])
    late.fill(0.6, ASK, 1_000_350, 2000)
    assert late.filter["ts_ns"] == before


def test_fill_and_news_of_one_moment_commute_but_for_what_they_tell_each_other() -> None:
    first, second = a_desk(), a_desk()
    first.fill(1.1, ASK, 1_000_350, 2000)
    told(first, SOURCE_MICROPRICE, OBS_VALUE, 0.2, 0.05, 1.1)
    told(second, SOURCE_MICROPRICE, OBS_VALUE, 0.2, 0.05, 1.1)
    second.fill(1.1, ASK, 1_000_350, 2000)
    assert first.filter["ts_ns"] == second.filter["ts_ns"]
    assert first.belief["v_bps"] > 0.0 < second.belief["v_bps"]
    assert first.belief["v_bps"] == pytest.approx(second.belief["v_bps"], abs=0.2)


def test_a_side_with_informed_takers_moves_further_when_it_is_filled() -> None:
    plain, feared = a_desk(), a_desk()
    for desk, share in ((plain, 0.15), (feared, 0.5)):
        told(desk, SOURCE_MICROPRICE, OBS_VALUE, 0.0, 0.05, 1.1)
        told(desk, SOURCE_INFORMED_ASK, OBS_INFORMED, share, 0.01, 1.1)
        desk.fill(1.1, ASK, 1_000_350, 2000)
    assert feared.belief["v_bps"] > 1.5 * plain.belief["v_bps"]
    assert tuple(feared.belief["informed_p"]) == (0.15, 0.5)
    told(feared, SOURCE_MICROPRICE, OBS_VALUE, 0.0, 0.05, 1.2)
    assert tuple(feared.belief["informed_p"]) == (0.15, 0.15)


def test_a_reading_of_the_variance_itself_moves_the_volatility() -> None:
    desk = a_desk()
    before = float(desk.filter["log_sigma"])
    told(desk, SOURCE_BIPOWER, OBS_VARIANCE, 8.0, 1.0, 1.1)
    assert desk.filter["log_sigma"] > before
    assert desk.filter["log_sigma_var"] < 0.1225 + 0.05


def test_moving_the_anchor_moves_every_mode_and_nothing_else() -> None:
    desk = a_desk()
    for k in range(40):
        desk.bbo(1.1 + 0.1 * k, 999_990 + 400 * k, 1_000_010 + 400 * k)
    spread = desk.filter["modes"]["v_bps"] - desk.filter["v_bps"]
    assert np.abs(spread).max() < 5.0
    assert desk.filter["anchor_px"] > 100_000.0
    assert desk.filter["mode_p"][CRISIS] > 0.5  # four bps in each tenth of a second
