"""
Execution: what an accepted action does inside a block, and the venue's answer to it.

In      an account and a canonical action.
Out     the ``response`` object of the answer; the ledger, books and accounts changed.
Source  the venue's exchange-endpoint page; the answers as captured on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmfast.sim import agents, funds, gearing, priority, rules, schema, twap, wire
from mmfast.sim.accounts import TRIGGERS_PER_DAY, Account
from mmfast.sim.fees import DAY_MS
from mmfast.sim.ledger import Ledger
from mmfast.sim.orders import IN_BOOK
from mmfast.sim.placing import DEFAULT, ActionError, bracket, instrument_of, place, protect
from mmfast.sim.schema import Wire
from mmfast.units import UUSD_PER_USD

Json = dict[str, Any]
MISSING = "Order was never placed, already canceled, or filled."
FAST_TRIGGER = "Trigger orders cannot be canceled with fast set."
MISSING_MODIFY = "Cannot modify canceled or filled order."
SCHEDULE_GATE_UUSD = 1_000_000 * UUSD_PER_USD
SCHEDULE_AHEAD_MS = 5000
PPM_PER_BUILDER_UNIT = 10  # builders count in tenths of a basis point


def _prevalidated(ledger: Ledger, wires: list[Wire], grouping: Any = "na") -> str | None:
    """The one error of a batch that fails before it is looked at order by order."""
    if not wires:
        return "Batch must not be empty."
    sizeless = grouping == "positionTpsl"
    errors = (rules.prevalidate(one, instrument_of(ledger, one.asset), sizeless) for one in wires)
    return next((error for error in errors if error), None) or rules.group_error(wires, grouping)


def _statuses(kind: str, statuses: list[Any]) -> Json:
    return {"type": kind, "data": {"statuses": statuses}}


def _builder_ppm(account: Account, action: Json) -> int:
    """What a builder takes of each fill; ActionError when it may not."""
    if "builder" not in action:
        return 0
    builder, ppm = action["builder"]["b"], action["builder"]["f"] * PPM_PER_BUILDER_UNIT
    if ppm > account.head.builders.get(builder, 0):
        raise ActionError("Builder fee has not been approved")
    return int(ppm)


def _unpaid(ledger: Ledger, account: Account, wires: list[Wire], rate: int) -> str | None:
    """Why a batch may not have the priority it asks for; its stake must cover it at its limit prices."""
    if rate == 0:
        return None
    notional_uusd = sum(rules.value_uusd(one, instrument_of(ledger, one.asset)) for one in wires)
    covered = priority.burned_units(ledger, notional_uusd, rate) <= priority.stake_of(account)
    return priority.refusal(wires, rate) or (None if covered else priority.NO_STAKE)


def do_order(ledger: Ledger, account: Account, action: Json) -> Json:
    """Place a batch in order, or as an entry with its children, or as the take profit and stop of a position."""
    grouping, builder_ppm = action["grouping"], _builder_ppm(account, action)
    rate = priority.rate_of(action)
    wires = [schema.parsed(one)._replace(builder_ppm=builder_ppm, rate=rate) for one in action["orders"]]
    error = _prevalidated(ledger, wires, grouping)
    if error:
        return _statuses("order", [{"error": error}])
    unpaid = _unpaid(ledger, account, wires, rate)
    if unpaid:
        raise ActionError(unpaid)
    if grouping == "normalTpsl":
        return _statuses("order", bracket(ledger, account, wires))
    if grouping == "positionTpsl":
        return _statuses("order", protect(ledger, account, wires))
    return _statuses("order", [place(ledger, account, one) for one in wires])


def _cancel_one(ledger: Ledger, account: Account, asset: int, key: int | str, fast: bool) -> Any:
    order = account.orders.find_open(asset, key)
    if order is None:
        return {"error": f"{MISSING} asset={asset}"}
    if fast and order.waits != IN_BOOK:
        return {"error": f"{FAST_TRIGGER} asset={asset}"}
    ledger.cancel(account, order)
    return "success"


def do_cancel(ledger: Ledger, account: Account, action: Json) -> Json:
    """Cancel by oid."""
    return _statuses("cancel", [_cancel_one(ledger, account, c["a"], c["o"], "f" in action) for c in action["cancels"]])


def do_cancel_by_cloid(ledger: Ledger, account: Account, action: Json) -> Json:
    """Cancel by cloid."""
    cancels, fast = action["cancels"], "f" in action
    return _statuses("cancel", [_cancel_one(ledger, account, c["asset"], c["cloid"], fast) for c in cancels])


def _modify_one(ledger: Ledger, account: Account, key: int | str, order_wire: Wire, always: bool) -> Json:
    """
    Cancel and replace: a new oid, and the old cloid unless the request names one.

    Without ``always`` a GTC becomes an ALO. A replacement that the book refuses does not bring the old order
    back. Its news may come before those of the old order.
    """
    old = account.orders.find_open(order_wire.asset, key)
    if not always and order_wire.tif not in ("Alo", "Gtc"):
        return {"error": f"Modified order must be post-only unless always_place is set. asset={order_wire.asset}"}
    if old is None and not always:
        return {"error": f"{MISSING_MODIFY} asset={order_wire.asset}"}
    told = ledger.changes[account.owner]
    before = len(told)
    if old is not None:
        ledger.cancel(account, old)
        order_wire = order_wire._replace(cloid=order_wire.cloid or old.cloid)
    between = len(told)
    status = place(ledger, account, order_wire if always else order_wire._replace(tif="Alo"))
    if len(told) > between and _new_comes_first(told[between].order.oid):
        told[before:] = told[between:] + told[before:between]
    return status


def _new_comes_first(oid: int) -> bool:
    """Whether orderUpdates tell of a replacement before the end of what it replaces: it happens either way."""
    return bool(oid * 0x9E3779B97F4A7C15 >> 63 & 1)


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
            f"Traded: ${wire.usd(account.volume_uusd).removesuffix('.0')}."
        )
    due_ms = action.get("time")
    if due_ms is not None and due_ms < ledger.now_ms + SCHEDULE_AHEAD_MS:
        raise ActionError("Scheduled cancel time too early, must be at least 5 seconds from now.")
    today = ledger.now_ms // DAY_MS
    if due_ms is not None and sum(one // DAY_MS == today for one in account.fired) >= TRIGGERS_PER_DAY:
        raise ActionError(f"Cannot set scheduled cancel time: triggered {TRIGGERS_PER_DAY} times today.")
    account.scheduled_ms = due_ms
    return DEFAULT


def do_noop(ledger: Ledger, account: Account, action: Json) -> Json:
    """Nothing but a used nonce."""
    return DEFAULT


DO: dict[str, Callable[[Ledger, Account, Json], Json]] = {
    "order": do_order,
    "cancel": do_cancel,
    "cancelByCloid": do_cancel_by_cloid,
    "modify": do_modify,
    "batchModify": do_batch_modify,
    "scheduleCancel": do_schedule_cancel,
    "updateLeverage": gearing.do_update_leverage,
    "updateIsolatedMargin": gearing.do_update_isolated_margin,
    "topUpIsolatedOnlyMargin": gearing.do_top_up,
    "noop": do_noop,
    **funds.DO,
    **agents.DO,
    **twap.DO,
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
