"""Claims about visibility: our share of a level, from the newest book that can show it."""

import numpy as np
import pytest
from support.house import put

from mmfast.cli.visibility import newest_books, share_of, visibility
from mmfast.records.market import BBO, BOOK, KIND_BBO, KIND_BOOK
from mmfast.records.order import OPEN, ORDER
from mmfast.rings.broadcast import claim
from mmfast.rings.spsc import put as publish
from mmfast.units import ASK, BID


def a_book(px, lots, recv_ns=2000, fast=0, inst=0):
    book = np.zeros(1, BOOK)
    book["kind"], book["inst"], book["ts_recv_ns"], book["fast"] = KIND_BOOK, inst, recv_ns, fast
    book["level_count"] = len(px)
    for side in (BID, ASK):
        book["px_ticks"][0, side, : len(px)] = np.array(px) if side == BID else np.array(px) + 1_000
        book["lots"][0, side, : len(px)] = lots
    return book


def an_order(px, lots=40, filled=0, since_ns=1000, side=BID):
    order = np.zeros(1, ORDER)
    order["px_ticks"], order["lots"], order["filled_lots"] = px, lots, filled
    order["side"], order["state"], order["ts_open_ns"] = side, OPEN, since_ns
    return order


def say(house, record):
    ring = house.address["market"]
    publish(ring, claim(ring), record.ctypes.data, record.itemsize)


@pytest.mark.parametrize(("order", "share"), [
    (an_order(990), 0.4), (an_order(990, filled=30), 0.1), (an_order(980), 0.2), (an_order(1_980, side=ASK), 0.2),
    (an_order(990, lots=500), 1.0), (an_order(985), None), (an_order(990, since_ns=3000), None),
    (an_order(990, since_ns=0), None)])
def test_our_share_is_that_of_a_book_that_has_seen_us(order, share):
    assert share_of(order[0], a_book([990, 980], [100, 200])[0]) == share


def test_a_level_without_size_has_no_share():
    assert share_of(an_order(990)[0], a_book([990], [0])[0]) is None


@pytest.mark.parametrize(("order", "share"), [
    (an_order(998), 0.2), (an_order(990), 0.2), (an_order(989), 0.1), (an_order(979), None), (an_order(1_000), None),
    (an_order(1_990, side=ASK), 0.2), (an_order(1_981, side=ASK), 0.2), (an_order(1_980, side=ASK), 0.1)])
def test_in_a_book_of_merged_prices_we_are_part_of_the_next_price_outwards(order, share):
    book = a_book([990, 980], [200, 400])
    book["wide"] = 1
    assert share_of(order[0], book[0]) == share


def test_the_newest_fast_and_slow_book_of_the_coin_are_found(house):
    bbo = np.zeros(1, BBO)
    bbo["kind"] = KIND_BBO
    rows = [a_book([990], [100], 1), a_book([990], [100], 2, fast=1), a_book([980], [80], 3),
            a_book([990], [50], 4, fast=1), a_book([1], [1], 5, inst=1), bbo]
    for record in rows:
        say(house, record)
    assert [(int(b["ts_recv_ns"]), int(b["fast"])) for b in newest_books(house, 0)] == [(4, 1), (3, 0)]
    orders = [an_order(990, since_ns=1)[0], an_order(980, since_ns=1)[0], an_order(970, since_ns=1)[0]]
    assert visibility(house, 0, orders) == [0.8, 0.5, None]


def test_without_a_book_nothing_is_visible(house):
    put(house, "order", 1, an_order(990))
    assert visibility(house, 0, [an_order(990)[0]]) == [None]
