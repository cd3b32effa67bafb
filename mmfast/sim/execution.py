"""
Execution: what an accepted action does inside a block, and the venue's answer to it.

In      an account and a canonical action.
Out     the ``response`` object of the answer; the ledger, books and accounts changed.
Source  the venue's exchange-endpoint page; the answers as captured on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.sim import rules, schema, wire
from mmfast.sim.accounts import Account, Agent, Leverage
from mmfast.sim.ledger import Ledger
from mmfast.sim.market import NO_MATCH, POST_ONLY_CROSSED, Added
from mmfast.sim.orders import FILLED, OPEN, Order
from mmfast.sim.schema import Wire
from mmfast.sim.universe import Instrument
from mmfast.units import ASK, BID, UUSD_PER_USD

Json = dict[str, Any]
TIFS = {"Alo": TIF_ALO, "Ioc": TIF_IOC, "Gtc": TIF_GTC}
MISSING = "Order was never placed, already canceled, or filled."
MISSING_MODIFY = "Cannot modify canceled or filled order."
SCHEDULE_GATE_UUSD = 1_000_000 * UUSD_PER_USD
SCHEDULE_AHEAD_MS = 5000
RESERVE_UUSD = 500  # for one bought action
AGENT_DAYS_MS = 180 * 86_400_000
DEFAULT: Json = {"type": "default"}


class ActionError(Exception):
    """The whole request fails: HTTP 200 with status err and this text."""


def instrument_of(ledger: Ledger, asset: int) -> Instrument:
    """The instrument of an asset id; ActionError when the exchange has none."""
    if asset >= len(ledger.instruments):
        raise ActionError(f"Invalid perp asset {asset}")
    return ledger.instruments[asset]


def place(ledger: Ledger, account: Account, order_wire: Wire) -> Json:
    """Put one prevalidated order to its book; its entry of ``statuses``."""
    instrument = instrument_of(ledger, order_wire.asset)
    sized = rules.size(order_wire, account, instrument, ledger.instruments)
    side = BID if order_wire.is_buy else ASK
    if isinstance(sized, rules.Refusal):
        if sized.status:
            _reject(ledger, account, order_wire, instrument, sized.status)
        return {"error": sized.error}
    px_ticks, lots = sized
    asked = rules.scaled(order_wire.sz, instrument.sz_decimals) or lots
    order = Order(
        ledger.oid(),
        instrument.asset,
        side,
        px_ticks,
        lots,
        asked,
        TIFS[order_wire.tif or "Gtc"],
        order_wire.reduce_only,
        order_wire.cloid,
        account.owner,
        ledger.now_ms,
    )
    touch = instrument.market.touch()
    try:
        added, matches, expired = instrument.market.add(
            order.oid, account.owner, side, px_ticks, lots, order.tif, ledger.now_ms
        )
    except ValueError as error:  # the book is full of users' orders
        ledger.change(account, order, "tooManyOpenOrdersRejected")
        return {"error": f"{error} asset={instrument.asset}"}
    for oid in expired:
        ledger.expire_maker(oid)
    refused = _unplaced(instrument, added.status, touch)
    if refused is not None:
        ledger.change(account, order, refused.status)
        return {"error": refused.error}
    ledger.change(account, order, OPEN)
    ledger.settle(instrument, matches)
    return _placed(ledger, account, order, instrument, added)


def _unplaced(instrument: Instrument, status: int, touch: Any) -> rules.Refusal | None:
    """The refusal of an order that the book did not take."""
    if status == POST_ONLY_CROSSED:
        bid, ask = (wire.decimal(side[0], instrument.px_decimals).removesuffix(".0") for side in touch)
        return rules.refusal(
            "badAloPxRejected",
            f"Post only order would have immediately matched, bbo was {bid}@{ask}.",
            instrument.asset,
        )
    if status == NO_MATCH:
        return rules.refusal(
            "iocCancelRejected",
            "Order could not immediately match against any resting orders.",
            instrument.asset,
        )
    return None


def _placed(ledger: Ledger, account: Account, order: Order, instrument: Instrument, added: Added) -> Json:
    """
    The status entry of an order that rests, or that filled as far as it could.

    A GTC that took some and rests is answered as resting: its fills come by the user channels. What an IOC
    could not fill goes without an event of its own: its one final state is filled, with the rest as the size
    left.
    """
    head: Json = {"oid": order.oid, **({"cloid": order.cloid} if order.cloid else {})}
    if added.resting_lots:
        return {"resting": head}
    if order.oid in ledger.live:
        ledger.change(account, order, FILLED)
    average = _average(added.notional_uusd, added.filled_lots, instrument)
    return {
        "filled": {
            "totalSz": wire.decimal(added.filled_lots, instrument.sz_decimals),
            "avgPx": average,
            **head,
        }
    }


def _average(notional_uusd: int, lots: int, instrument: Instrument) -> str:
    """Average price of a fill with one decimal more than the tick has."""
    return wire.decimal(round(notional_uusd * 10 / lots), instrument.px_decimals + 1)


def _reject(ledger: Ledger, account: Account, order_wire: Wire, instrument: Instrument, status: str) -> None:
    """Let a refused order pass through orderUpdates with its refusing state."""
    lots = rules.scaled(order_wire.sz, instrument.sz_decimals) or 0
    ticks = round(float(order_wire.px) * 10**instrument.px_decimals)
    order = Order(
        ledger.oid(),
        instrument.asset,
        BID if order_wire.is_buy else ASK,
        ticks,
        lots,
        lots,
        TIFS[order_wire.tif or "Gtc"],
        order_wire.reduce_only,
        order_wire.cloid,
        account.owner,
        ledger.now_ms,
    )
    ledger.change(account, order, status)


def _prevalidated(ledger: Ledger, wires: list[Wire]) -> str | None:
    """The one error of a batch that fails before it is looked at order by order."""
    if not wires:
        return "Batch must not be empty."
    errors = (rules.prevalidate(one, instrument_of(ledger, one.asset)) for one in wires)
    return next((error for error in errors if error), None)


def _statuses(kind: str, statuses: list[Any]) -> Json:
    return {"type": kind, "data": {"statuses": statuses}}


def do_order(ledger: Ledger, account: Account, action: Json) -> Json:
    """Place a batch in order."""
    wires = [schema.parsed(one) for one in action["orders"]]
    error = _prevalidated(ledger, wires)
    return _statuses("order", [{"error": error}] if error else [place(ledger, account, one) for one in wires])


def _cancel_one(ledger: Ledger, account: Account, asset: int, key: int | str) -> Any:
    order = account.orders.find_open(asset, key)
    if order is None:
        return {"error": f"{MISSING} asset={asset}"}
    ledger.cancel(account, order)
    return "success"


def do_cancel(ledger: Ledger, account: Account, action: Json) -> Json:
    """Cancel by oid."""
    return _statuses("cancel", [_cancel_one(ledger, account, c["a"], c["o"]) for c in action["cancels"]])


def do_cancel_by_cloid(ledger: Ledger, account: Account, action: Json) -> Json:
    """Cancel by cloid."""
    return _statuses("cancel", [_cancel_one(ledger, account, c["asset"], c["cloid"]) for c in action["cancels"]])


def _modify_one(ledger: Ledger, account: Account, key: int | str, order_wire: Wire, always: bool) -> Json:
    """
    Cancel and replace: a new oid, and the old cloid unless the request names one.

    Without ``always`` a GTC becomes an ALO. A replacement that the book refuses does not bring the old order
    back.
    """
    old = account.orders.find_open(order_wire.asset, key)
    if not always and order_wire.tif not in ("Alo", "Gtc"):
        return {"error": f"Modified order must be post-only unless always_place is set. asset={order_wire.asset}"}
    if old is None and not always:
        return {"error": f"{MISSING_MODIFY} asset={order_wire.asset}"}
    if old is not None:
        ledger.cancel(account, old)
        order_wire = order_wire._replace(cloid=order_wire.cloid or old.cloid)
    return place(ledger, account, order_wire if always else order_wire._replace(tif="Alo"))


def _modify_all(ledger: Ledger, account: Account, modifies: list[Json], always: bool) -> list[Json]:
    wires = [schema.parsed(one["order"]) for one in modifies]
    error = _prevalidated(ledger, wires)
    if error:
        return [{"error": error}]
    return [_modify_one(ledger, account, one["oid"], order_wire, always) for one, order_wire in zip(modifies, wires)]


def do_modify(ledger: Ledger, account: Account, action: Json) -> Json:
    """Modify one order; the answer does not tell the new oid."""
    status = _modify_all(ledger, account, [action], action.get("a", False))[0]
    if "error" in status:
        raise ActionError(status["error"])
    return DEFAULT


def do_batch_modify(ledger: Ledger, account: Account, action: Json) -> Json:
    """Modify a batch; answered like an order."""
    return _statuses("order", _modify_all(ledger, account, action["modifies"], action.get("a", False)))


def do_schedule_cancel(ledger: Ledger, account: Account, action: Json) -> Json:
    """Arm or disarm the dead man's switch; it needs a million dollars of volume."""
    if account.volume_uusd < SCHEDULE_GATE_UUSD:
        raise ActionError(
            "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. "
            f"Traded: ${account.volume_uusd / UUSD_PER_USD:g}."
        )
    due_ms = action.get("time")
    if due_ms is not None and due_ms < ledger.now_ms + SCHEDULE_AHEAD_MS:
        raise ActionError("Scheduled cancel time too early, must be at least 5 seconds from now.")
    account.scheduled_ms = due_ms
    return DEFAULT


def do_update_leverage(ledger: Ledger, account: Account, action: Json) -> Json:
    """Set the leverage of an asset, cross margin only."""
    instrument = instrument_of(ledger, action["asset"])
    if not 1 <= action["leverage"] <= instrument.max_leverage:
        raise ActionError("Invalid leverage value")
    if not action["isCross"]:
        raise ActionError("Isolated margin is not served by this exchange.")
    account.leverages[instrument.asset] = Leverage(action["leverage"])
    ledger.truth.write("leverage", {"user": account.address, "asset": instrument.asset, "value": action["leverage"]})
    return DEFAULT


def do_update_isolated_margin(ledger: Ledger, account: Account, action: Json) -> Json:
    """Isolated margin is not served."""
    raise ActionError("Isolated margin is not served by this exchange.")


def do_reserve_request_weight(ledger: Ledger, account: Account, action: Json) -> Json:
    """Buy actions at 0.0005 USDC each."""
    cost_uusd = action["weight"] * RESERVE_UUSD
    if cost_uusd > account.raw_uusd:
        raise ActionError("Insufficient balance to reserve request weight.")
    account.raw_uusd -= cost_uusd
    account.fees_uusd += cost_uusd
    account.budget.reserved += action["weight"]
    ledger.truth.write("reserve", {"user": account.address, "uusd": cost_uusd, "weight": action["weight"]})
    return DEFAULT


def do_noop(ledger: Ledger, account: Account, action: Json) -> Json:
    """Nothing but a used nonce."""
    return DEFAULT


def do_approve_agent(ledger: Ledger, account: Account, action: Json) -> Json:
    """Let a wallet sign for the account."""
    agent = Agent(action["agentAddress"], action["agentName"], ledger.now_ms + AGENT_DAYS_MS)
    ledger.accounts.approve(account.address, agent)
    ledger.truth.write("agent", {"user": account.address, "agent": agent.address, "name": agent.name})
    return DEFAULT


DO: dict[str, Callable[[Ledger, Account, Json], Json]] = {
    "order": do_order,
    "cancel": do_cancel,
    "cancelByCloid": do_cancel_by_cloid,
    "modify": do_modify,
    "batchModify": do_batch_modify,
    "scheduleCancel": do_schedule_cancel,
    "updateLeverage": do_update_leverage,
    "updateIsolatedMargin": do_update_isolated_margin,
    "reserveRequestWeight": do_reserve_request_weight,
    "noop": do_noop,
    "approveAgent": do_approve_agent,
}


def execute(ledger: Ledger, account: Account, action: Json) -> Json:
    """
    Carry out an admitted canonical action.

    Raises
    ------
    ActionError
        If it fails as a whole; its text is the venue's.
    """
    return DO[action["type"]](ledger, account, action)
