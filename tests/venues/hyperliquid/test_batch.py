"""Batches: what is no order is refused, the longest fit the page, and rows beyond the count are not read."""

from __future__ import annotations

import json

import msgpack
import numpy as np
import pytest

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.actions import Order, Sheet
from mmfast.venues.hyperliquid.batch import AROUND_BYTES, BATCH_MAX, ENTRY, ENTRY_BYTES, is_whole, write_orders
from mmfast.venues.hyperliquid.errors import LocalError

GOOD = Order(0, BID, 841_430, 12, 5, TIF_ALO)
MOST = 2**63 - 1
LONGEST = Order(MOST, ASK, MOST, MOST, 3, TIF_IOC, False, -1, -1)


def rows(*orders: Order) -> np.ndarray:
    made = np.zeros(len(orders), ENTRY)
    made[:] = list(orders)
    return made


@pytest.mark.parametrize("change", [{"px_ticks": 0}, {"px_ticks": -5}, {"lots": 0}, {"asset": -1}, {"tif": 3},
                                    {"tif": -1}, {"sz_decimals": 7}, {"sz_decimals": -1}])
def test_an_order_that_cannot_be_is_not_written(change):
    (good,), (bad,) = rows(GOOD), rows(GOOD._replace(**change))
    assert (is_whole(good), is_whole(bad)) == (True, False)
    page = np.zeros(1000, np.uint8)
    assert write_orders(rows(GOOD, GOOD._replace(**change)), 2, 0, page, page.copy()) == (0, 0)


def test_the_longest_orders_and_cancels_fit_the_page():
    sheet = Sheet()
    sheet.rows[:] = [LONGEST] * BATCH_MAX
    placed, canceled = sheet.place(BATCH_MAX, 10**8), sheet.cancel(BATCH_MAX, fast=True)
    for action in (placed, canceled):
        assert max(map(len, action[1:3])) < BATCH_MAX * ENTRY_BYTES + AROUND_BYTES
        assert json.loads(action.json) == msgpack.unpackb(action.msgpack)
    one = Sheet(1)
    one.rows[:] = [LONGEST]
    alone = one.place(1, 10**8)
    assert max(map(len, alone[1:3])) < ENTRY_BYTES + AROUND_BYTES


def test_rows_beyond_the_count_are_not_read():
    sheet = Sheet(2)
    sheet.rows[0] = GOOD
    assert len(json.loads(sheet.place(1).json)["orders"]) == 1
    with pytest.raises(LocalError, match="an order needs"):
        sheet.place(2)


@pytest.mark.parametrize("count", [0, BATCH_MAX + 1])
def test_batches_have_a_size(count):
    sheet = Sheet()
    for build in (sheet.place, sheet.cancel):
        with pytest.raises(LocalError, match="1 to 200"):
            build(count)


def test_the_times_in_force_have_their_names():
    sheet = Sheet(3)
    sheet.rows[:] = [GOOD._replace(tif=tif) for tif in (TIF_ALO, TIF_IOC, TIF_GTC)]
    names = [order["t"]["limit"]["tif"] for order in json.loads(sheet.place(3).json)["orders"]]
    assert names == ["Alo", "Ioc", "Gtc"]
