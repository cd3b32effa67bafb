"""Nonces, budgets and weights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.venue import cancel_action, order, order_action

from mmfast.sim.limits import (
    DAY_MS,
    AddressBudget,
    Bucket,
    NonceSet,
    action_count,
    action_weight,
    info_weight,
    item_weight,
)
from mmfast.units import UUSD_PER_USD

NOW = 1_795_000_000_000


def test_used_nonce_is_refused_by_the_venues_words():
    nonces = NonceSet()
    nonces.use(NOW)
    assert nonces.refusal(NOW, NOW) == f"Invalid nonce: duplicate nonce {NOW}"
    assert nonces.refusal(NOW - 5, NOW) is None


def test_nonce_must_lie_between_two_days_ago_and_tomorrow():
    nonces = NonceSet()
    low, high = NOW - 2 * DAY_MS, NOW + DAY_MS
    assert nonces.refusal(low, NOW) == f"Invalid nonce: nonce too low {low} < {low}"
    assert nonces.refusal(low + 1, NOW) is None
    assert nonces.refusal(high, NOW) == f"Invalid nonce: nonce too high {high} > {high}"
    assert nonces.refusal(high - 1, NOW) is None


def test_nonce_must_exceed_the_lowest_of_the_hundred_highest():
    nonces = NonceSet()
    for k in range(100):
        nonces.use(NOW + 2 * k)
    assert nonces.refusal(NOW + 1, NOW) is None
    assert nonces.refusal(NOW - 1, NOW) == f"Invalid nonce: nonce too low {NOW - 1} < {NOW}"


@given(st.lists(st.integers(NOW - 500, NOW + 500), max_size=300))
def test_nonce_set_agrees_with_a_plain_one(nonces):
    fast, plain, ever = NonceSet(), [], set()
    for nonce in nonces:
        allowed = nonce not in plain and (len(plain) < 100 or nonce > min(plain))
        assert (fast.refusal(nonce, NOW) is None) == allowed
        if allowed:
            assert nonce not in ever  # no nonce is ever accepted twice
            ever.add(nonce)
            fast.use(nonce)
            plain = sorted([*plain, nonce])[-100:]


def test_budget_grows_by_one_for_each_dollar_traded():
    budget = AddressBudget(free=10)
    budget.use(10, NOW)
    refused = budget.refusal(1, 0, NOW)
    assert refused.startswith("Too many cumulative requests sent (11 > 10) for cumulative volume traded $0.00.")
    assert budget.refusal(1, UUSD_PER_USD - 1, NOW) is not None
    assert budget.refusal(1, UUSD_PER_USD, NOW) is None


def test_exhausted_budget_lets_one_action_through_in_ten_seconds():
    budget = AddressBudget(free=1)
    budget.use(1, NOW)
    assert budget.refusal(1, 0, NOW + 9_999) is not None
    assert budget.refusal(1, 0, NOW + 10_000) is None
    assert budget.refusal(2, 0, NOW + 10_000) is not None
    budget.use(1, NOW + 10_000)
    assert budget.refusal(1, 0, NOW + 19_999) is not None


def test_cancels_have_twice_the_room():
    budget = AddressBudget(free=10)
    budget.use(10, NOW)
    assert budget.refusal(10, 0, NOW) is not None
    assert budget.refusal(10, 0, NOW, cancel=True) is None
    assert budget.refusal(11, 0, NOW, cancel=True) is not None


def test_bucket_refills_over_a_minute():
    bucket = Bucket(60)
    assert bucket.take(60, 100.0)
    assert not bucket.take(1, 100.5)
    assert bucket.take(1, 101.5)
    assert bucket.take(60, 10_000.0)


def test_a_clock_that_steps_back_gives_no_weight_away():
    bucket = Bucket(60)
    bucket.take(60, 100.0)
    assert not bucket.take(1, 50.0)


@pytest.mark.parametrize(("action", "count", "weight"), [
    (order_action(*[order("B", "1", "1")] * 39), 39, 1), (order_action(*[order("B", "1", "1")] * 40), 40, 2),
    (cancel_action(*range(200)), 200, 6), ({"type": "noop"}, 1, 1), (None, 1, 1), ({"orders": 3}, 1, 1),
])
def test_batches_count_by_element_and_weigh_by_forty(action, count, weight):
    assert action_count(action) == count
    assert action_weight(action) == weight


def test_info_weights_are_the_documented_ones():
    assert [info_weight(kind) for kind in ("l2Book", "userRole", "openOrders", None)] == [2, 60, 20, 20]
    assert item_weight("userFills", [0] * 45) == 2
    assert item_weight("openOrders", [0] * 45) == 0
