"""What an account remembers of its orders."""

from __future__ import annotations

from mmfast.records.order import TIF_ALO, TIF_IOC
from mmfast.sim.orders import CANCELED, OPEN, REMEMBERED, Order, OrderBook
from mmfast.units import BID


def make(oid: int, cloid: str | None = None, tif: int = TIF_ALO, asset: int = 0) -> Order:
    return Order(oid, asset, BID, 100, 5, 5, tif, False, cloid, 1, 0)


def test_order_is_forgotten_after_two_thousand_others():
    book = OrderBook()
    for oid in range(REMEMBERED + 1):
        order = make(oid, f"c{oid}")
        book.record(order, OPEN, oid)
        book.record(order, CANCELED, oid)
    assert book.status(0) is None
    assert book.status("c0") is None
    assert book.status(1) is not None
    assert len(book.latest) == len(book.by_cloid) == REMEMBERED
    assert len(book.history) == REMEMBERED


def test_open_order_is_never_forgotten():
    book = OrderBook()
    book.record(make(0, "mine"), OPEN, 0)
    for oid in range(1, REMEMBERED + 50):
        book.record(make(oid), CANCELED, oid)
    assert book.status("mine").status == OPEN
    assert book.find_open(0, "mine").oid == 0


def test_reused_cloid_means_the_newest_order():
    book = OrderBook()
    book.record(make(1, "c"), OPEN, 0)
    book.record(make(2, "c"), OPEN, 0)
    assert book.find_open(0, "c").oid == 2


def test_order_of_another_asset_is_not_found():
    book = OrderBook()
    book.record(make(1, asset=3), OPEN, 0)
    assert book.find_open(0, 1) is None
    assert book.find_open(3, 1) is not None


def test_an_ioc_never_rests():
    book = OrderBook()
    book.record(make(1, tif=TIF_IOC), OPEN, 0)
    book.record(make(2), OPEN, 0)
    assert [order.oid for order in book.resting(0)] == [2]


def test_change_keeps_the_size_it_had():
    book, order = OrderBook(), make(1)
    change = book.record(order, OPEN, 0)
    order.lots = 2
    assert change.lots == 5
