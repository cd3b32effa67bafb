"""
Triggers: take profits and stops, from their placement until the mark sends them to the book.

In      orders of a request with a trigger; the marks; what became of the orders they belong to.
Out     armed orders; those that fire, as a market or a limit order; those that fall with their parent or sibling.
Source  the venue's page on TP/SL: the mark decides; market orders accept ten percent of slippage; an entry arms its
        children with its whole fill, or with its part where margin cancelled the rest, and takes them with it
        otherwise; of two siblings one survives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmfast.records.order import TIF_GTC, TIF_IOC
from mmfast.sim.orders import (
    CANCELED,
    FILLED,
    FOR_FILL,
    FOR_MARK,
    IN_BOOK,
    OPEN,
    TRIGGERED,
    Order,
    Trigger,
)

if TYPE_CHECKING:
    from mmfast.sim.accounts import Account
    from mmfast.sim.ledger import Ledger

SLIPPAGE_DIVISOR = 10  # a market order goes a tenth of the mark beyond it
SIBLING_CANCELED = "siblingFilledCanceled"


def made(px_ticks: int, is_buy: bool, is_market: bool, is_stop: bool, of_position: bool) -> Trigger:
    """The trigger of a buy or a sell: a stop buys above and sells below, a take profit the other way round."""
    return Trigger(px_ticks, is_buy == is_stop, is_market, is_stop, of_position)


def limit_ticks(order: Order, mark_ticks: int) -> int:
    """The worst price of an order that fires at ``mark_ticks``."""
    if order.trigger is None or not order.trigger.is_market:
        return order.px_ticks
    return max(mark_ticks + order.sign * (mark_ticks // SLIPPAGE_DIVISOR), 1)


def due(ledger: Ledger) -> list[tuple[Account, Order]]:
    """The armed orders that the marks have reached, oldest first."""
    return [(account, order) for account, order in ledger.waiting.values()
            if order.waits == FOR_MARK and order.trigger is not None
            and order.trigger.due(ledger.instruments[order.asset].mark_ticks)]


def send(ledger: Ledger, account: Account, order: Order, lots: int) -> None:
    """Move an armed order to where it can trade, with what it may trade now."""
    order.orig_lots = order.orig_lots or lots
    order.lots = lots
    order.waits = IN_BOOK
    order.tif = TIF_IOC if order.trigger is not None and order.trigger.is_market else TIF_GTC
    ledger.change(account, order, TRIGGERED)


def follow(ledger: Ledger, account: Account, order: Order, status: str) -> None:
    """Let an order's group follow the status that it has just taken."""
    if status in (OPEN, TRIGGERED):
        return
    if order.trigger is None:
        _follow_parent(ledger, account, order, status)
    elif status == FILLED:
        for sibling in [one for one in order.group if one is not order and one.oid in ledger.live]:
            ledger.cancel(account, sibling, SIBLING_CANCELED)


def _follow_parent(ledger: Ledger, account: Account, parent: Order, status: str) -> None:
    filled = parent.orig_lots - parent.lots
    arms = status == FILLED or (status == "marginCanceled" and filled > 0)
    for child in [one for one in parent.group if one.waits == FOR_FILL and one.oid in ledger.live]:
        if arms:
            child.waits = FOR_MARK
            child.lots = min(child.lots, filled) if status != FILLED else child.lots
        else:
            ledger.cancel(account, child, CANCELED)
