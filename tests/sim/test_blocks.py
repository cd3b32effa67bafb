"""The clock of blocks and the order of a block."""

from __future__ import annotations

import statistics

import pytest
from support.venue import cancel_action, order, order_action

from mmfast.sim.blocks import CANCELS, MAKERS, TAKERS, BlockClock, action_class


def test_spacing_has_the_venues_median_and_bounds():
    clock = BlockClock(seed=3)
    drawn = [clock.spacing_s() for _ in range(5000)]
    assert 0.068 < statistics.median(drawn) < 0.072
    assert min(drawn) >= 0.028
    assert max(drawn) <= 0.175
    assert clock.height == 5000


def test_same_seed_makes_the_same_clock():
    first, second = BlockClock(seed=7), BlockClock(seed=7)
    assert [first.spacing_s() for _ in range(20)] == [second.spacing_s() for _ in range(20)]
    assert BlockClock(seed=8).spacing_s() != BlockClock(seed=7).spacing_s()


def modify(tif, **flags):
    return {"type": "batchModify", "modifies": [{"oid": 1, "order": order("B", "1", "1", tif)}], **flags}


@pytest.mark.parametrize(("action", "wanted"), [
    (order_action(order("B", "1", "1", "Alo")), MAKERS),
    (order_action(order("B", "1", "1", "Alo"), order("B", "1", "1", "Ioc")), TAKERS),
    (order_action(order("B", "1", "1", "Gtc")), TAKERS),
    (order_action(), MAKERS),
    (cancel_action(1), CANCELS),
    ({"type": "cancelByCloid", "cancels": []}, CANCELS),
    (modify("Alo"), MAKERS),
    (modify("Gtc"), MAKERS),
    (modify("Gtc", a=True), TAKERS),
    ({"type": "modify", "oid": 1, "order": order("B", "1", "1", "Ioc"), "a": True}, TAKERS),
    ({"type": "noop"}, MAKERS),
    ({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3}, MAKERS),
])
def test_action_has_the_class_of_what_it_may_take(action, wanted):
    assert action_class(action) == wanted
