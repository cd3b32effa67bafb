"""
Placing: what becomes of one new order, of an entry with its take profit and stop, of a trigger that fires.

In      an account and prevalidated typed orders.
Out     entries of ``statuses``; the order in its book, armed, filled or refused; the ledger told.
Source  the venue's exchange-endpoint and TP/SL pages; the answers as captured on the wire.
"""

from __future__ import annotations

from typing import Any

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.sim import open_interest, priority, rules, triggers, wire
from mmfast.sim.accounts import Account
from mmfast.sim.ledger import Ledger
from mmfast.sim.margin import may_hold
from mmfast.sim.market import NO_MATCH, POST_ONLY_CROSSED, Added
from mmfast.sim.orders import FILLED, FOR_FILL, FOR_MARK, OPEN, Order
from mmfast.sim.rules import MARKET
from mmfast.sim.schema import Wire
from mmfast.sim.universe import Instrument
from mmfast.units import ASK, BID

Json = dict[str, Any]
TIFS = {"Alo": TIF_ALO, "Ioc": TIF_IOC, "Gtc": TIF_GTC, MARKET: TIF_IOC}
POST_ONLY_PERIOD = "Only post-only orders allowed immediately after a network upgrade"
DEFAULT: Json = {"type": "default"}  # the answer to what has nothing to tell
WAITING_FOR_FILL, WAITING_FOR_TRIGGER = "waitingForFill", "waitingForTrigger"


class ActionError(Exception):
    """The whole request fails: HTTP 200 with status err and this text."""


def instrument_of(ledger: Ledger, asset: int) -> Instrument:
    """The instrument of an asset id; ActionError when the exchange has none."""
    if asset >= len(ledger.instruments):
        raise ActionError(f"Invalid perp asset {asset}")
    return ledger.instruments[asset]


def place(ledger: Ledger, account: Account, order_wire: Wire) -> Json:
    """Put one prevalidated order to its book, or arm it where it has a trigger; its entry of ``statuses``."""
    if order_wire.trigger is not None:
        armed = arm(ledger, account, order_wire, FOR_MARK)
        return {"error": armed.error} if isinstance(armed, rules.Refusal) else {"resting": head(armed)}
    placed = enter(ledger, account, order_wire)
    return {"error": placed.error} if isinstance(placed, rules.Refusal) else placed[1]


def enter(ledger: Ledger, account: Account, order_wire: Wire) -> tuple[Order, Json] | rules.Refusal:
    """A new order without a trigger and its entry of ``statuses``, or why it was refused."""
    instrument = instrument_of(ledger, order_wire.asset)
    sized = _not_now(ledger, order_wire) or rules.size(order_wire, account, instrument, ledger.instruments)
    if not isinstance(sized, rules.Refusal):
        sized = open_interest.refused(order_wire, account, instrument, *sized) or sized
    if isinstance(sized, rules.Refusal):
        return _reject(ledger, account, order_wire, instrument, sized)
    order = new_order(ledger, account, order_wire, instrument, *sized)
    added = put(ledger, account, order, instrument, order.px_ticks)
    if isinstance(added, rules.Refusal):
        return added
    return order, _placed(ledger, account, order, instrument, added)


def new_order(
    ledger: Ledger, account: Account, order_wire: Wire, instrument: Instrument, px_ticks: int, lots: int
) -> Order:
    """An order of ``lots`` at ``px_ticks`` that nobody knows of yet."""
    return Order(
        ledger.oid(),
        instrument.asset,
        BID if order_wire.is_buy else ASK,
        px_ticks,
        lots,
        rules.scaled(order_wire.sz, instrument.sz_decimals) or lots,
        TIFS[order_wire.tif or "Gtc"],
        order_wire.reduce_only,
        order_wire.cloid,
        account.owner,
        ledger.now_ms,
        MARKET if order_wire.tif == MARKET else "",
        order_wire.builder_ppm,
        order_wire.rate,
    )


def put(
    ledger: Ledger, account: Account, order: Order, instrument: Instrument, px_ticks: int
) -> Added | rules.Refusal:
    """Let an order trade down to ``px_ticks`` and rest as its tif says; the ledger learns all of it."""
    touch = instrument.market.touch()
    try:
        added, matches, expired = instrument.market.add(
            order.oid, account.owner, order.side, px_ticks, order.lots, order.tif, ledger.now_ms, order.rate
        )
    except ValueError as error:  # the book is full of users' orders
        ledger.change(account, order, "tooManyOpenOrdersRejected")
        return rules.Refusal("tooManyOpenOrdersRejected", f"{error} asset={instrument.asset}")
    for oid in expired:
        ledger.expire_maker(oid)
    refused = _unplaced(instrument, order, added.status, touch)
    if refused is not None:
        ledger.change(account, order, refused.status)
        ledger.settle(instrument, matches)  # makers may have been refused in its way
        return refused
    if order.oid not in ledger.live:
        ledger.change(account, order, OPEN)
    if order.rate:
        priority.burn(ledger, account, added.notional_uusd + added.resting_lots * px_ticks, order.rate)
    if added.resting_lots and order.reduce_only:
        instrument.market.shrink(order.oid)
    ledger.settle(instrument, matches)
    if added.resting_lots:
        ledger.make_room(account)
    if not added.resting_lots and order.oid in ledger.live:  # an IOC that took some: its one final state is filled
        ledger.change(account, order, FILLED)
    return added


def arm(
    ledger: Ledger, account: Account, order_wire: Wire, waits: int, of_position: bool = False, reference: int = 0
) -> Order | rules.Refusal:
    """
    Accept a take profit or stop that waits for the mark or for its parent's fill; or why it is refused.

    ``reference`` is the price that it must lie beyond, by default the mark.
    """
    instrument = instrument_of(ledger, order_wire.asset)
    sized = _not_now(ledger, order_wire) or rules.trigger_size(
        order_wire, account, instrument, of_position, reference or instrument.mark_ticks
    )
    if isinstance(sized, rules.Refusal):
        return _reject(ledger, account, order_wire, instrument, sized)
    trigger, px_ticks, lots = sized
    order = new_order(ledger, account, order_wire, instrument, px_ticks, lots)
    order.trigger, order.waits = trigger, waits
    ledger.change(account, order, OPEN)
    return order


def bracket(ledger: Ledger, account: Account, wires: list[Wire]) -> list[Any]:
    """An entry and the children that its fill arms; one status each. Children share the fate of a refused entry."""
    placed = enter(ledger, account, wires[0])
    if isinstance(placed, rules.Refusal):
        return [{"error": placed.error}] * len(wires)
    parent, status = placed
    filled = parent.oid not in ledger.live
    children = [
        arm(ledger, account, one, FOR_MARK if filled else FOR_FILL, reference=0 if filled else parent.px_ticks)
        for one in wires[1:]
    ]
    group = tie(children)
    if not filled:
        parent.group = group
    waits = WAITING_FOR_TRIGGER if filled else WAITING_FOR_FILL
    return [status, *({"error": one.error} if isinstance(one, rules.Refusal) else waits for one in children)]


def protect(ledger: Ledger, account: Account, wires: list[Wire]) -> list[Any]:
    """Take profit and stop of a position; one status each."""
    made = [arm(ledger, account, one, FOR_MARK, of_position=True) for one in wires]
    tie(made)
    return [{"error": one.error} if isinstance(one, rules.Refusal) else WAITING_FOR_TRIGGER for one in made]


def tie(made: list[Order | rules.Refusal]) -> list[Order]:
    """Let those orders that were accepted know each other; their group."""
    group = [one for one in made if isinstance(one, Order)]
    for one in group:
        one.group = group
    return group


def fire(ledger: Ledger) -> None:
    """Send the armed orders that the mark has reached to their books."""
    for account, order in triggers.due(ledger):
        if order.oid in ledger.waiting:  # a sibling may have fired before it
            _fire_one(ledger, account, order)


def _fire_one(ledger: Ledger, account: Account, order: Order) -> None:
    instrument = ledger.instruments[order.asset]
    wanted = order.lots or abs(account.lots(order.asset))
    lots = rules.reduce_only_lots(account, order.asset, order.sign, wanted) if order.reduce_only else wanted
    triggers.send(ledger, account, order, lots)
    if lots == 0:
        ledger.change(account, order, "reduceOnlyCanceled")
    elif not may_hold(account, instrument, order.sign * lots, ledger.instruments):
        ledger.change(account, order, "perpMarginRejected")
    else:
        put(ledger, account, order, instrument, triggers.limit_ticks(order, instrument.mark_ticks))


def _not_now(ledger: Ledger, order_wire: Wire) -> rules.Refusal | None:
    """Delisted coins are not traded; after an upgrade of the network only post-only orders are let in for a while."""
    if ledger.instruments[order_wire.asset].listing.delisted:
        return rules.refusal("", rules.HALTED, order_wire.asset)
    if order_wire.tif == "Alo" or ledger.now_ms >= ledger.post_only_until_ms:
        return None
    return rules.refusal("", POST_ONLY_PERIOD, order_wire.asset)


def head(order: Order) -> Json:
    """How an answer names an order."""
    return {"oid": order.oid, **({"cloid": order.cloid} if order.cloid else {})}


def _unplaced(instrument: Instrument, order: Order, status: int, touch: Any) -> rules.Refusal | None:
    """The refusal of an order that the book did not take."""
    if status == POST_ONLY_CROSSED:
        bid, ask = (wire.decimal(side[0], instrument.px_decimals).removesuffix(".0") for side in touch)
        words = f"Post only order would have immediately matched, bbo was {bid}@{ask}."
        return rules.refusal("badAloPxRejected", words, instrument.asset)
    if status == NO_MATCH and (order.market or order.trigger is not None):
        words = "No liquidity available for market order."
        return rules.refusal("marketOrderNoLiquidityRejected", words, instrument.asset)
    if status == NO_MATCH:
        words = "Order could not immediately match against any resting orders."
        return rules.refusal("iocCancelRejected", words, instrument.asset)
    return None


def _placed(ledger: Ledger, account: Account, order: Order, instrument: Instrument, added: Added) -> Json:
    """
    The status entry of an order that rests, or that filled as far as it could.

    A GTC that took some and rests is answered as resting: its fills come by the user channels.
    """
    if added.resting_lots:
        return {"resting": head(order)}
    total = wire.decimal(added.filled_lots, instrument.sz_decimals)
    average = wire.decimal(round(added.notional_uusd * 10 / added.filled_lots), instrument.px_decimals + 1)
    return {"filled": {"totalSz": total, "avgPx": average, **head(order)}}


def _reject(
    ledger: Ledger, account: Account, order_wire: Wire, instrument: Instrument, refused: rules.Refusal
) -> rules.Refusal:
    """Let a refused order pass through orderUpdates with its refusing state, where it has one."""
    if refused.status:
        ticks = round(float(order_wire.px) * 10**instrument.px_decimals)
        lots = rules.scaled(order_wire.sz, instrument.sz_decimals) or 0
        ledger.change(account, new_order(ledger, account, order_wire, instrument, ticks, lots), refused.status)
    return refused
