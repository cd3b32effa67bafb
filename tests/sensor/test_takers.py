"""Takers: prints of one hash and side are one order."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from support.stages import one

from mmfast.sensor import takers
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID

PRINTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(1, 4), st.integers(1, 9)), max_size=30)


def grouped(prints: list[tuple[int, int, int, int]]) -> list[list[tuple[int, int, int, int]]]:
    """Runs of the same known taker and side."""
    orders: list[list[tuple[int, int, int, int]]] = []
    for each in prints:
        if orders and each[0] != 0 and orders[-1][-1][:2] == each[:2]:
            orders[-1].append(each)
        else:
            orders.append([each])
    return orders


@settings(max_examples=100, deadline=None)
@given(PRINTS)
def test_orders_are_runs_of_one_taker(prints: list[tuple[int, int, int, int]]) -> None:
    sensor, seen = one(SENSOR), []
    takers.restart(sensor)
    for taker, side, px, lots in prints:
        if takers.opens(sensor, taker, side):
            takers.open_order(sensor, taker, side, 0.0)
            seen.append([0.0, 0])
        takers.extend(sensor, px, float(lots))
        seen[-1] = [float(sensor["taker_lots"]), int(sensor["taker_levels"])]
    naive = [[float(sum(p[3] for p in order)), 1 + sum(a[2] != b[2] for a, b in itertools.pairwise(order))]
             for order in grouped(prints)]
    assert seen == naive


def test_buyers_are_positive() -> None:
    assert (takers.sign(BID), takers.sign(ASK)) == (1.0, -1.0)
