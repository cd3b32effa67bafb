"""When a take profit or stop fires, and at which worst price."""

from __future__ import annotations

import pytest

from mmfast.records.order import TIF_GTC
from mmfast.sim.orders import FOR_MARK, Order
from mmfast.sim.triggers import limit_ticks, made
from mmfast.units import ASK, BID


@pytest.mark.parametrize(("is_buy", "is_stop", "fires_at"), [
    (True, True, 101), (False, True, 99), (True, False, 99), (False, False, 101)])
def test_stops_follow_the_mark_and_take_profits_meet_it(is_buy, is_stop, fires_at):
    one = made(100, is_buy, True, is_stop, False)
    assert one.due(100)
    assert one.due(fires_at)
    assert not one.due(200 - fires_at)


def test_an_unknown_mark_fires_nothing():
    assert not any(made(100, buy, True, stop, False).due(0) for buy in (True, False) for stop in (True, False))


@pytest.mark.parametrize(("side", "worst"), [(BID, 1100), (ASK, 900)])
def test_market_order_gives_up_a_tenth_of_the_mark_and_a_limit_order_nothing(side, worst):
    one = Order(1, 0, side, 950, 1, 1, TIF_GTC, True, None, 1, 0, waits=FOR_MARK)
    one.trigger = made(1000, side == BID, True, True, False)
    assert limit_ticks(one, 1000) == worst
    one.trigger = one.trigger._replace(is_market=False)
    assert limit_ticks(one, 1000) == 950
