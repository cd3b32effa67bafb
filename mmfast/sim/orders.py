"""
Orders: a user's order at the exchange, what states it went through, and how long the exchange remembers it.

In      orders as they are placed, their changes.
Out     open orders by oid and by cloid; the last 2000 changes of an account.
Source  the venue's orderStatus and historicalOrders requests; clients measured about 2000 remembered orders.

An open order is not always in a book: a take profit or stop waits for the mark, and before that perhaps for its
parent's fill.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from mmfast.records.order import TIF_IOC
from mmfast.units import BID

REMEMBERED = 2000
OPEN, TRIGGERED, FILLED, CANCELED = "open", "triggered", "filled", "canceled"
IN_BOOK, FOR_FILL, FOR_MARK = range(3)  # what an open order waits for: a taker, its parent's fill, the mark


class Trigger(NamedTuple):
    """When an order goes to its book: once the mark is at ``px_ticks`` or beyond, above or below."""

    px_ticks: int
    above: bool
    is_market: bool
    is_stop: bool
    of_position: bool  # tied to the position; without a size of its own, 0 lots, it closes all of it

    def due(self, mark_ticks: int) -> bool:
        """True when a known mark has reached the price."""
        return mark_ticks > 0 and (mark_ticks >= self.px_ticks if self.above else mark_ticks <= self.px_ticks)


@dataclass(slots=True, eq=False)
class Order:
    """
    One order; ``lots`` is what remains of ``orig_lots``. ``placed_ms`` is the block that took it in.

    ``market`` is the time in force by which the venue names a market order, empty for others. ``group`` is the
    take profit and stop that belong to an entry, or for each of them both. ``rate`` is its priority's.
    """

    oid: int
    asset: int
    side: int
    px_ticks: int
    lots: int
    orig_lots: int
    tif: int
    reduce_only: bool
    cloid: str | None
    owner: int
    placed_ms: int
    market: str = ""
    builder_ppm: int = 0
    rate: int = 0
    twap: int | None = None
    trigger: Trigger | None = None
    waits: int = IN_BOOK
    group: list[Order] = field(default_factory=list)

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self.side == BID else -1


class Change(NamedTuple):
    """An order's entry into a state: ``lots`` remained at block time ``time_ms``."""

    order: Order
    status: str
    lots: int
    time_ms: int


@dataclass(slots=True)
class OrderBook:
    """The orders of one account: those open, and a bounded memory of all."""

    open: dict[int, Order] = field(default_factory=dict)
    by_cloid: OrderedDict[str, int] = field(default_factory=OrderedDict)
    latest: OrderedDict[int, Change] = field(default_factory=OrderedDict)
    history: deque[Change] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def record(self, order: Order, status: str, time_ms: int) -> Change:
        """Move ``order`` into ``status``; it is open only while the status says so."""
        change = Change(order, status, order.lots, time_ms)
        if status in (OPEN, TRIGGERED):
            self.open[order.oid] = order
        else:
            self.open.pop(order.oid, None)
        if order.cloid is not None:
            self.by_cloid[order.cloid] = order.oid
        self.history.append(change)
        self.latest[order.oid] = change
        self.latest.move_to_end(order.oid)
        self._forget()
        return change

    def find_open(self, asset: int, key: int | str) -> Order | None:
        """The open order of ``asset`` with this oid, or with this cloid."""
        oid = self.by_cloid.get(key, -1) if isinstance(key, str) else key
        order = self.open.get(oid)
        return order if order is not None and order.asset == asset else None

    def resting(self, asset: int) -> list[Order]:
        """
        Open orders of ``asset`` that a book can hold: an IOC is open only while its own block settles it.
        """
        return [order for order in self.open.values()
                if order.asset == asset and order.waits == IN_BOOK and order.tif != TIF_IOC]

    def armed(self, asset: int) -> list[Order]:
        """Orders of ``asset`` that the mark will send to the book."""
        return [order for order in self.open.values() if order.asset == asset and order.waits == FOR_MARK]

    def status(self, key: int | str) -> Change | None:
        """The newest change of the order with this oid or cloid; None once it is forgotten."""
        oid = self.by_cloid.get(key, -1) if isinstance(key, str) else key
        return self.latest.get(oid)

    def _forget(self) -> None:
        """Drop the longest unchanged order that is not open once more than 2000 are remembered."""
        while len(self.latest) - len(self.open) > REMEMBERED:
            oid = next(oid for oid in self.latest if oid not in self.open)
            change = self.latest.pop(oid)
            cloid = change.order.cloid
            if cloid is not None and self.by_cloid.get(cloid) == oid:
                del self.by_cloid[cloid]
