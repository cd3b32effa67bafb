"""What the diff does to single books, and how it lives for ten minutes with a jittering fair value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.jitter import CLIP, FAIR, PER_USD, T0, TICKS_PER_BPS, Desk, Market, quote_at

from mmfast.executor import budget as bud
from mmfast.executor import diff as d
from mmfast.executor import lifecycle as life
from mmfast.records.order import AMBIGUOUS, CANCELING, OPEN, PENDING, SENT
from mmfast.records.quote import QUOTE
from mmfast.units import ASK, BID, NS_PER_MS, NS_PER_S


def resting(quote=None, **kwargs):
    """A desk whose ladder for ``quote`` rests since long ago."""
    desk = Desk(**kwargs)
    desk.step(quote_at() if quote is None else quote, T0 - 10 * NS_PER_S)
    desk.rest_all()
    return desk


def kinds(actions):
    return [(int(a["kind"]), int(a["side"]), int(a["level_index"])) for a in actions]


# -- single decisions -------------------------------------------------------------------------------------------------


def test_empty_book_gets_all_levels_touch_first():
    actions = Desk().decide(quote_at())
    assert kinds(actions) == [(d.PLACE, side, k) for k in range(3) for side in (BID, ASK)]
    assert list(actions["px_ticks"][::2]) == list(quote_at()["px_ticks"][BID, :3])


def test_orders_on_their_way_are_waited_for():
    desk = Desk()
    desk.step(quote_at())
    assert len(desk.decide(quote_at(fair=FAIR + 200))) == 0


def test_small_jitter_moves_nothing_and_is_counted_as_held():
    desk = resting()
    assert len(desk.decide(quote_at(fair=FAIR + 3))) == 0
    assert desk.budget["held_count"] == 1


def test_ladder_shifted_by_one_step_moves_one_order_a_side():
    desk = resting()
    q = quote_at()
    q["sigma_bps"] = 0.3  # a calm market, where coming closer is worth it
    for side, sign in ((BID, 1), (ASK, -1)):
        q["px_ticks"][side, 1:3] = q["px_ticks"][side, :2].copy()
        q["px_ticks"][side, 0] += sign * 100
    actions = desk.decide(q)
    assert kinds(actions) == [(d.CANCEL, BID, 2), (d.CANCEL, ASK, 2), (d.PLACE, BID, 0), (d.PLACE, ASK, 0)]


def test_fair_value_through_an_order_cancels_it_at_once():
    desk = resting()
    actions = desk.decide(quote_at(fair=FAIR * (1 - 6e-4)), T0 - 10 * NS_PER_S + 1)
    forced = [a for a in actions if a["kind"] == d.CANCEL and a["side"] == BID]
    assert len(forced) == 3
    assert {int(a["reason"]) for a in forced} <= {d.NO_EDGE, d.FAIR_NEARER}


def test_pull_cancels_everything_that_may_rest_and_only_once():
    desk = resting()
    desk.orders[0]["state"], desk.orders[1]["state"], desk.orders[2]["state"] = SENT, AMBIGUOUS, PENDING
    desk.orders[3]["state"] = CANCELING
    q = quote_at()
    q["pull"] = 1
    actions = desk.decide(q)
    assert sorted(int(a["slot"]) for a in actions) == [0, 1, 4, 5]
    assert set(actions["reason"]) == {d.PULL}
    desk.carry_out(actions, q)
    assert len(desk.decide(q)) == 0
    assert len(desk.decide(q, T0 + d.CANCEL_RETRY_NS)) == 1  # the fate of one is still unknown


@pytest.mark.parametrize("fair", [np.nan, np.inf, 0.0, -1.0])
def test_quote_without_fair_value_is_a_pull(fair):
    q = quote_at()
    desk = resting()
    q["fair_px"] = fair
    assert set(desk.decide(q)["reason"]) == {d.PULL}


def test_disabled_side_goes_and_the_other_stays():
    desk = resting()
    q = quote_at()
    q["level_count"][BID] = 0
    actions = desk.decide(q)
    assert kinds(actions) == [(d.CANCEL, BID, k) for k in range(3)]
    assert set(actions["reason"]) == {d.SIDE_OFF}


@pytest.mark.parametrize("side", [BID, ASK])
def test_side_that_the_venue_refuses_gets_nothing_new_until_its_time(side):
    desk = Desk()
    desk.limits["until_ns"][side] = T0 + 1
    assert kinds(desk.decide(quote_at())) == [(d.PLACE, 1 - side, k) for k in range(3)]
    assert len(desk.decide(quote_at(), T0 + 1)) == 6


def test_what_rests_on_a_side_that_the_venue_refuses_goes_for_danger_but_not_for_value():
    desk = resting()
    q = quote_at()
    q["sigma_bps"] = 0.3
    for side, sign in ((BID, 1), (ASK, -1)):
        q["px_ticks"][side, 1:3] = q["px_ticks"][side, :2].copy()
        q["px_ticks"][side, 0] += sign * 100
    desk.limits["until_ns"][BID] = T0 + 1
    assert kinds(desk.decide(q)) == [(d.CANCEL, ASK, 2), (d.PLACE, ASK, 0)]
    fallen = desk.decide(quote_at(fair=FAIR * (1 - 6e-4)))
    assert [int(a["slot"]) for a in fallen if a["kind"] == d.CANCEL and a["side"] == BID] == [
        slot for slot in range(6) if desk.orders[slot]["side"] == BID]


@pytest.mark.parametrize("state", [SENT, AMBIGUOUS, PENDING])
def test_order_of_unknown_fate_is_not_touched(state):
    desk = resting()
    desk.orders["state"][:6] = state
    q = quote_at()
    q["level_count"][:] = 0
    assert len(desk.decide(q)) == 0
    assert len(desk.decide(quote_at(fair=FAIR * 1.001))) == 0


def test_dropped_level_is_a_surplus_order():
    desk = resting()
    actions = desk.decide(quote_at(levels=2))
    assert kinds(actions) == [(d.CANCEL, BID, 2), (d.CANCEL, ASK, 2)]
    assert set(actions["reason"]) == {d.SURPLUS}


def test_new_bid_waits_for_an_ask_of_ours_that_is_being_canceled():
    desk = resting(quote_at(levels=1))
    ask = next(o for o in desk.orders if o["side"] == ASK and o["state"] == OPEN)
    bid = next(o for o in desk.orders if o["side"] == BID and o["state"] == OPEN)
    ask["state"] = bid["state"] = CANCELING
    up = quote_at(fair=FAIR * 1.0009, levels=1)
    assert up["px_ticks"][BID, 0] > ask["px_ticks"]
    assert kinds(desk.decide(up)) == [(d.PLACE, ASK, 0)]
    desk.finish_cancels()
    assert kinds(desk.decide(up)) == [(d.PLACE, BID, 0), (d.PLACE, ASK, 0)]


def test_no_second_order_at_a_price_that_is_being_canceled():
    desk = resting(quote_at(levels=1))
    desk.orders[0]["state"] = CANCELING
    assert len(desk.decide(quote_at(levels=1))) == 0
    desk.finish_cancels()
    assert kinds(desk.decide(quote_at(levels=1))) == [(d.PLACE, BID, 0)]


def test_without_room_for_old_and_new_one_level_goes_at_a_time():
    desk = resting(quote_at(room=12_000), position_max=12_000)
    q = quote_at(room=12_000)
    q["px_ticks"][:, :3] += np.array([[200], [-200]])  # much better, same edge and rate
    q["edge_bps"][:] += 5.0
    actions = desk.decide(q)
    assert [a["kind"] for a in actions] == [d.CANCEL, d.CANCEL]
    desk.carry_out(actions, q)
    assert len(desk.decide(q)) == 0
    desk.finish_cancels()
    assert [a["kind"] for a in desk.decide(q)] == [d.PLACE, d.PLACE]


def test_shrunken_room_takes_the_deepest_orders():
    desk = resting()
    actions = desk.decide(quote_at(room=8_000))
    assert kinds(actions) == [(d.CANCEL, BID, 2), (d.CANCEL, ASK, 2)]
    assert set(actions["reason"]) == {d.ROOM}


def test_fills_since_the_quote_count_against_its_room():
    desk = Desk()
    desk.position = 5_000
    actions = desk.decide(quote_at(room=8_000))
    assert sum(int(a["lots"]) for a in actions if a["side"] == BID) == 0
    assert sum(int(a["lots"]) for a in actions if a["side"] == ASK) == 12_000


def test_reducing_side_is_open_to_flat_even_without_room():
    desk = Desk()
    desk.position = 20_000
    q = quote_at(position=20_000, room=0)
    q["room_lots"] = 0
    actions = desk.decide(q)
    assert kinds(actions) == [(d.PLACE, ASK, k) for k in range(3)]


def test_partly_filled_order_is_kept_until_little_is_left():
    desk = resting(quote_at(levels=1))
    bid = next(o for o in desk.orders if o["side"] == BID and o["state"] == OPEN)
    bid["filled_lots"] = 700
    assert len(desk.decide(quote_at(levels=1))) == 0
    bid["filled_lots"] = 3_900
    assert kinds(desk.decide(quote_at(levels=1))) == [(d.CANCEL, BID, 0)]


def test_oversized_orders_are_exchanged_one_by_one():
    desk = resting()
    q = quote_at(lots=CLIP)
    canceled = 0
    for _ in range(12):
        actions = desk.decide(q)
        gone = [a for a in actions if a["kind"] == d.CANCEL]
        assert len([a for a in gone if a["side"] == BID]) <= 1
        canceled += len(gone)
        desk.carry_out(actions, q, T0 - NS_PER_S)
        desk.rest_all()
        desk.finish_cancels()
    live = [o for o in desk.orders if life.is_live(o["state"])]
    assert canceled == 6
    assert [int(o["lots"]) for o in live] == [CLIP] * 6


def test_young_order_moves_for_danger_but_not_for_value():
    desk = Desk()
    desk.step(quote_at(levels=1))
    desk.rest_all()
    better = quote_at(levels=1, shift_bps=2.0)
    better["sigma_bps"] = 0.3
    young, old = T0 + 100 * NS_PER_MS, T0 + 200 * NS_PER_MS
    bids = lambda actions: kinds(actions[actions["side"] == BID])  # noqa: E731
    assert bids(desk.decide(better, young)) == []
    assert bids(desk.decide(better, old)) == [(d.CANCEL, BID, 0), (d.PLACE, BID, 0)]
    assert bids(desk.decide(quote_at(fair=FAIR * (1 - 4e-4), levels=1), young))[0] == (d.CANCEL, BID, 0)


def test_empty_budget_cancels_and_places_nothing():
    desk = resting()
    desk.budget["address_used"] = desk.budget["address_cap"] - 100
    actions = desk.decide(quote_at(fair=FAIR * (1 + 6e-4)))
    assert len(actions) > 0
    assert set(actions["kind"]) == {d.CANCEL}


@pytest.mark.parametrize("name", ["kappa", "a_bps", "edge_bps", "fill_rate"])
def test_side_with_unknown_numbers_is_disabled(name):
    q = quote_at()
    q[name] = np.nan
    actions = resting().decide(q)
    assert set(actions["reason"]) == {d.SIDE_OFF}
    assert len(actions) == 6


def test_broken_levels_are_not_placed():
    q = quote_at()
    q["edge_bps"][BID, 1], q["lots"][ASK, 0] = np.nan, 0
    assert kinds(Desk().decide(q)) == [(d.PLACE, BID, 0)]


def test_small_action_buffer_is_never_overrun():
    desk = Desk()
    desk.actions = desk.actions[:2]
    assert len(desk.decide(quote_at())) == 2


# -- properties -------------------------------------------------------------------------------------------------------

STATES = st.sampled_from([SENT, OPEN, OPEN, OPEN, CANCELING, AMBIGUOUS])
ORDERS = st.lists(st.tuples(STATES, st.sampled_from([BID, ASK]), st.integers(1, 15), st.integers(200, 5_000),
                            st.integers(0, 400)), max_size=10)
QUOTES = st.tuples(st.integers(-12, 12), st.integers(-30_000, 30_000), st.integers(0, 4), st.integers(300, 4_000),
                   st.integers(0, 60_000))


def build(orders, quote):
    desk = Desk(position_max=40_000)
    for slot, (state, side, depth_bps, lots, age_ms) in enumerate(orders):
        order = desk.orders[slot]
        order["state"], order["side"], order["lots"], order["fair_px"] = state, side, lots, FAIR
        order["px_ticks"] = FAIR * PER_USD - (1 - 2 * side) * depth_bps * TICKS_PER_BPS
        order["ts_written_ns"] = T0 - age_ms * NS_PER_MS
    move_bps, position, levels, lots, room = quote
    desk.position = position
    return desk, quote_at(FAIR * (1 + move_bps * 1e-4), position, levels, lots, room=room)


@settings(max_examples=300, deadline=None)
@given(ORDERS, QUOTES)
def test_diff_after_carrying_out_a_diff_is_empty(orders, quote):
    desk, q = build(orders, quote)
    desk.step(q)
    assert len(desk.decide(q)) == 0


@settings(max_examples=300, deadline=None)
@given(ORDERS, QUOTES)
def test_what_is_planned_is_safe(orders, quote):
    desk, q = build(orders, quote)
    before = desk.orders.copy()
    actions = desk.decide(q)
    cancels, places = actions[actions["kind"] == d.CANCEL], actions[actions["kind"] == d.PLACE]
    assert (before == desk.orders).all()
    assert list(actions["kind"]) == [d.CANCEL] * len(cancels) + [d.PLACE] * len(places)
    assert all(before[a["slot"]]["state"] == OPEN for a in cancels)
    assert len(set(cancels["slot"])) == len(cancels)
    live = [o for o in before if life.is_live(o["state"])]
    gone = set(cancels["slot"])
    for side, sign in ((BID, 1), (ASK, -1)):
        mine = [o for o in live if o["side"] == side]
        planned = places[places["side"] == side]
        total = sum(int(o["lots"]) for o in mine) + int(planned["lots"].sum())
        if len(planned):
            assert total <= max(int(q["room_lots"][side]), -sign * desk.position)
            assert total <= 40_000 - sign * desk.position
        prices = [int(o["px_ticks"]) for o in mine]
        assert not set(prices) & set(planned["px_ticks"])
        assert len(set(planned["px_ticks"])) == len(planned)
        held = [s for s, o in enumerate(before) if o["side"] == side and o["state"] in (SENT, OPEN, AMBIGUOUS)]
        kept = [s for s in held if s not in gone]
        if len(planned):
            assert len(kept) + len(planned) <= q["level_count"][side]
        others = [int(o["px_ticks"]) for o in live if o["side"] != side]
        others += [int(p) for p in places[places["side"] != side]["px_ticks"]]
        assert all(sign * (other - int(px)) > 0 for px in planned["px_ticks"] for other in others)


@settings(max_examples=100, deadline=None)
@given(ORDERS, QUOTES)
def test_sides_are_mirror_images(orders, quote):
    # Two orders of ours at one price are never made; between them a tie is broken by the notional, which has no mirror.
    assume(len({(side, depth) for _, side, depth, _, _ in orders}) == len(orders))
    desk, q = build(orders, quote)
    actions = desk.decide(q)
    mirrored = [(s, 1 - side, depth, lots, age) for s, side, depth, lots, age in orders]
    move, position, levels, lots, room = quote
    other, _ = build(mirrored, (0, -position, levels, lots, room))
    m = mirror(q)
    for order in other.orders[: len(orders)]:
        order["fair_px"] = 2 * FAIR - FAIR
    if move == 0:
        twin = other.decide(m)
        assert sorted((int(a["kind"]), 1 - int(a["side"]), int(a["lots"]), int(a["reason"])) for a in twin) == sorted(
            (int(a["kind"]), int(a["side"]), int(a["lots"]), int(a["reason"])) for a in actions)


def mirror(q):
    m = q.copy()
    m["px_ticks"] = np.where(q["px_ticks"] > 0, int(2 * FAIR * PER_USD) - q["px_ticks"], 0)[::-1]
    for name in ("lots", "edge_bps", "fill_rate", "room_lots", "level_count"):
        m[name] = q[name][::-1]
    m["position_lots"] = -q["position_lots"]
    return m


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=QUOTE.itemsize, max_size=QUOTE.itemsize), st.integers(0, 2**32))
def test_any_bytes_for_a_quote_stay_within_the_limits(noise, seed):
    desk, _ = build([], (0, 0, 0, 1, 0))
    q = np.frombuffer(noise, QUOTE)[0].copy()
    q["level_count"] = np.random.default_rng(seed).integers(-2, 20, 2)
    q["pull"] = 0
    if seed % 2:  # half of the time with numbers that pass the first look
        q["fair_px"], q["edge_bps"], q["fill_rate"], q["kappa"] = FAIR, 1.0, 0.1, 0.5
        q["px_ticks"] = FAIR * PER_USD * (1 + np.random.default_rng(seed).normal(0, 0.01, (2, 8)))
    actions = desk.decide(q)
    for a in actions:
        assert a["kind"] == d.PLACE
        assert 0 < a["lots"] <= 40_000
        assert abs(a["px_ticks"] / (q["fair_px"] * PER_USD) - 1) <= 0.0201


# -- a market ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_minutes_of_jitter_cost_few_actions_and_stay_two_sided(seed):
    market = Market(Desk(), seed).run(600)
    share = market.two_sided / market.blocks
    rate = market.actions / 600
    print(f"seed {seed}: {rate:.2f} actions/s, two-sided {share:.4f}, {market.fills} fills, {market.rejected} refused")
    assert share > 0.95
    assert rate < 3.0


def test_fresh_address_lasts_for_hours_and_keeps_quoting():
    """10 000 actions, nothing earned by volume: the pace comes down by itself, and both sides stay."""
    desk = Desk(cap=bud.ADDRESS_FREE)
    market = Market(desk, 3)
    market.volume_counts = False
    market.run(2 * 3600, quote_ms=250, block_ms=250)
    share = market.two_sided / market.blocks
    print(f"{market.actions} actions in 2 h, {bud.remaining(desk.budget)} left, two-sided {share:.4f}, "
          f"forecast {bud.forecast_s(desk.budget) / 3600:.1f} h")
    assert bud.remaining(desk.budget) > 3_500
    assert bud.forecast_s(desk.budget) > 2 * 3600
    assert share > 0.95
