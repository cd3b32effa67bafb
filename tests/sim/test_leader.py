"""The leader: it shows what the value will be, and the estimate of the lag finds by how much."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.stages import one

from mmfast.sensor import leadlag
from mmfast.sim.book import new_book
from mmfast.sim.edge import mid_ticks
from mmfast.sim.generator import STEP_MS
from mmfast.sim.leader import LEAD_MS, NOISE_BPS, advance_leader, leader_takers, leader_touch, new_leader
from mmfast.sim.synthetic import SyntheticSource, advance_generator
from mmfast.units import ASK, BID

START_MS = 1_700_000_000_000


def market(coin="BTC", seed=3):
    source, books = SyntheticSource(coin, seed), new_book(coin)
    source.start(books, 5, START_MS)
    return source.states, books


def test_it_is_the_value_of_later():
    states, books = market()
    leader = new_leader(states)
    ahead, truth = [], []
    for now_ms in range(START_MS, START_MS + 60_000, STEP_MS):
        advance_leader(leader[0], now_ms, LEAD_MS)
        advance_generator(states, books, now_ms, 1)
        books["fill_count"] = books["print_count"] = 0
        ahead.append(float(leader[0]["value_bps"]))
        truth.append(float(states[0]["value_bps"]))
    shift = LEAD_MS // STEP_MS
    assert np.ptp(truth) > 1.0
    assert ahead[:-shift] == truth[shift:]


def test_its_touch_is_one_fine_step_around_the_value():
    states, _ = market()
    leader, misses = new_leader(states), []
    for second in range(600):
        advance_leader(leader[0], START_MS + 1000 * second, LEAD_MS)
        bid, bid_lots, ask, ask_lots = leader_touch(leader[0])
        assert ask - bid == 1
        assert min(bid_lots, ask_lots) > 0
        value = leader[0]["start_px"] * 10 * math.exp(1e-4 * leader[0]["value_bps"])
        misses.append(1e4 * math.log(0.5 * (bid + ask) / value))
    assert np.std(misses) == pytest.approx(NOISE_BPS, rel=0.3)


def test_takers_come_at_their_rate_from_both_sides():
    states, _ = market()
    leader, rows, seen = new_leader(states), np.zeros((64, 2), np.int64), []
    for _ in range(2000):
        seen += rows[: leader_takers(leader[0], 2, rows)].tolist()
    assert len(seen) == pytest.approx(2000 * 2 * 5.0 * STEP_MS / 1000, rel=0.1)
    assert np.mean([side == BID for side, _ in seen]) == pytest.approx(0.5, abs=0.06)
    assert {side for side, _ in seen} == {BID, ASK}
    assert min(lots for _, lots in seen) > 0


@pytest.mark.parametrize("lead_ms", [100, 200, 300])
def test_the_lag_estimate_finds_the_lead(lead_ms):
    """Ours is the value itself, seen at moments of no common grid; the reference shows it ``lead_ms`` earlier."""
    states, _ = market(seed=11)
    own, leader, random = new_leader(states), new_leader(states), np.random.default_rng(lead_ms)
    state = one(leadlag.LEADLAG)
    leadlag.begin(state, leadlag.MEMORY_S)
    for now_ms in range(START_MS, START_MS + 600_000, STEP_MS):
        if advance_leader(leader[0], now_ms, lead_ms):
            bid, _, ask, _ = leader_touch(leader[0])
            leadlag.on_reference(state, 1e4 * math.log(0.5 * (bid + ask)), now_ms * 1_000_000)
        advance_leader(own[0], now_ms, 0)
        if random.random() < 0.5:
            leadlag.on_own(state, float(own[0]["value_bps"]), (now_ms + 1) * 1_000_000)
    lag_ms, response, fit = leadlag.estimate(state)
    assert lag_ms == pytest.approx(lead_ms, abs=30.0)
    assert response == pytest.approx(1.0, abs=0.35)
    assert fit > 0.2


def lag_of_makers_ms(coin, lead_ms, seconds=600):
    """
    The bin in which quotes follow a reference that is ``lead_ms`` ahead of the value most [ms].

    The estimate itself is the centre of all that follows within its window, from which the latest are cut off.
    """
    states, books = market(coin, seed=11)
    leader, state = new_leader(states), one(leadlag.LEADLAG)
    leadlag.begin(state, leadlag.MEMORY_S)
    for now_ms in range(START_MS, START_MS + 1000 * seconds, STEP_MS):
        advance_leader(leader[0], now_ms, lead_ms)
        bid, _, ask, _ = leader_touch(leader[0])
        leadlag.on_reference(state, 1e4 * math.log(0.5 * (bid + ask)), now_ms * 1_000_000)
        advance_generator(states, books, now_ms, 1)
        books["fill_count"] = books["print_count"] = 0
        leadlag.on_own(state, 1e4 * math.log(mid_ticks(books)), (now_ms + 1) * 1_000_000)
    return (leadlag.LAG_FIRST + int(np.argmax(state["contrast"]))) * leadlag.BIN_MS


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
def test_makers_follow_the_value_late_and_the_lead_comes_on_top(coin):
    own_ms = lag_of_makers_ms(coin, 0)
    assert own_ms > 0.0
    assert lag_of_makers_ms(coin, LEAD_MS) - own_ms == pytest.approx(LEAD_MS, abs=5.0)
