"""
Schema: an action as the venue understands it, and as the venue itself would serialise it.

In      the JSON of a request to /exchange.
Out     the action rebuilt with the venue's keys in the venue's order and its own number texts; a typed order.
Source  the venue's exchange-endpoint page; clients' reports: a signature over any other serialisation (other
        key order, trailing zeros, upper case, keys that should be absent) recovers a stranger's address.

`canonical` is what signatures are checked over, so a client that hashes something else fails here as it fails
there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from mmfast.sim.signature import USER_SIGNED

Json = dict[str, Any]
DECIMAL = re.compile(r"(\d{1,18})(?:\.(\d{1,18}))?\Z")
CLOID = re.compile(r"0x[0-9a-fA-F]{32}\Z")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")
TIFS = ("Alo", "Ioc", "Gtc", "FrontendMarket")
U64_MAX = 2**64 - 1


class SchemaError(ValueError):
    """The body is JSON, but not an action of the venue: HTTP 422."""


class TriggerWire(NamedTuple):
    """When a take profit or a stop goes to the book, still in texts."""

    px: str
    is_market: bool
    tpsl: str


class Wire(NamedTuple):
    """One order of a request, still in texts; ``tif`` is None for a trigger order."""

    asset: int
    is_buy: bool
    px: str
    sz: str
    reduce_only: bool
    tif: str | None
    cloid: str | None
    trigger: TriggerWire | None = None
    builder_ppm: int = 0
    rate: int = 0  # of its priority


def want(holder: Any, key: str, kind: type) -> Any:
    """``holder[key]`` of exactly this type, or SchemaError."""
    if not isinstance(holder, dict) or type(holder.get(key)) is not kind:
        raise SchemaError(f"{key} is missing or not of type {kind.__name__}")
    return holder[key]


def natural(holder: Any, key: str) -> int:
    """An unsigned 64-bit integer."""
    value = want(holder, key, int)
    if not 0 <= value <= U64_MAX:
        raise SchemaError(f"{key} is {value}, not an unsigned 64-bit integer")
    return int(value)


def number(holder: Any, key: str) -> str:
    """A decimal text in the venue's form: no leading or trailing zeros, no point without need."""
    match = DECIMAL.match(want(holder, key, str))
    if match is None:
        raise SchemaError(f"{key} is {holder[key]!r}, not a decimal")
    whole, part = match.group(1).lstrip("0") or "0", (match.group(2) or "").rstrip("0")
    return f"{whole}.{part}" if part else whole


def text(holder: Any, key: str, pattern: re.Pattern[str]) -> str:
    """A text of a pattern, in lower case."""
    value = want(holder, key, str)
    if pattern.match(value) is None:
        raise SchemaError(f"{key} is {value!r}")
    return str(value).lower()


def order_type(holder: Any) -> Json:
    """``t`` of an order: a limit with a time in force, or a trigger."""
    kind = want(holder, "t", dict)
    if "limit" in kind:
        tif = want(kind["limit"], "tif", str)
        if tif not in TIFS:
            raise SchemaError(f"tif {tif!r} is not one of {TIFS}")
        return {"limit": {"tif": tif}}
    trigger = want(kind, "trigger", dict)
    if want(trigger, "tpsl", str) not in ("tp", "sl"):
        raise SchemaError(f"tpsl {trigger['tpsl']!r} is neither tp nor sl")
    return {
        "trigger": {
            "isMarket": want(trigger, "isMarket", bool),
            "triggerPx": number(trigger, "triggerPx"),
            "tpsl": trigger["tpsl"],
        }
    }


def order(wire: Any) -> Json:
    """An order in canonical form."""
    made: Json = {
        "a": natural(wire, "a"),
        "b": want(wire, "b", bool),
        "p": number(wire, "p"),
        "s": number(wire, "s"),
        "r": want(wire, "r", bool),
        "t": order_type(wire),
    }
    if wire.get("c") is not None:
        made["c"] = text(wire, "c", CLOID)
    return made


def parsed(wire: Json) -> Wire:
    """A canonical order as a typed tuple."""
    limit = wire["t"].get("limit")
    trigger = wire["t"].get("trigger")
    due = None if trigger is None else TriggerWire(trigger["triggerPx"], trigger["isMarket"], trigger["tpsl"])
    tif = None if limit is None else limit["tif"]
    return Wire(wire["a"], wire["b"], wire["p"], wire["s"], wire["r"], tif, wire.get("c"), due)


def oid_or_cloid(holder: Any) -> int | str:
    """``oid`` of a modify: an order id, or a cloid as text."""
    if isinstance(holder, dict) and isinstance(holder.get("oid"), str):
        return text(holder, "oid", CLOID)
    return natural(holder, "oid")


def _order(action: Json) -> Json:
    grouping = action.get("grouping")
    if isinstance(grouping, dict):
        grouping = {"p": natural(grouping, "p")}
    elif grouping not in ("na", "normalTpsl", "positionTpsl"):
        raise SchemaError(f"grouping {grouping!r}")
    made: Json = {
        "type": "order",
        "orders": [order(wire) for wire in want(action, "orders", list)],
        "grouping": grouping,
    }
    if action.get("builder") is not None:
        builder = action["builder"]
        made["builder"] = {"b": text(builder, "b", ADDRESS), "f": natural(builder, "f")}
    return made


def _cancel(action: Json) -> Json:
    cancels = [{"a": natural(one, "a"), "o": natural(one, "o")} for one in want(action, "cancels", list)]
    return _flagged({"type": "cancel", "cancels": cancels}, action, "f")


def _cancel_by_cloid(action: Json) -> Json:
    cancels = [
        {"asset": natural(one, "asset"), "cloid": text(one, "cloid", CLOID)} for one in want(action, "cancels", list)
    ]
    return _flagged({"type": "cancelByCloid", "cancels": cancels}, action, "f")


def _modify(action: Json) -> Json:
    return _flagged({"type": "modify", "oid": oid_or_cloid(action), "order": order(action.get("order"))}, action, "a")


def _batch_modify(action: Json) -> Json:
    modifies = [{"oid": oid_or_cloid(one), "order": order(one.get("order"))} for one in want(action, "modifies", list)]
    return _flagged({"type": "batchModify", "modifies": modifies}, action, "a")


def _flagged(made: Json, action: Json, flag: str) -> Json:
    """The venue leaves a false flag out of what it hashes."""
    if action.get(flag) is not None and want(action, flag, bool):
        made[flag] = True
    return made


def _schedule_cancel(action: Json) -> Json:
    return {
        "type": "scheduleCancel",
        **({"time": natural(action, "time")} if action.get("time") is not None else {}),
    }


def _update_leverage(action: Json) -> Json:
    return {
        "type": "updateLeverage",
        "asset": natural(action, "asset"),
        "isCross": want(action, "isCross", bool),
        "leverage": natural(action, "leverage"),
    }


def _update_isolated_margin(action: Json) -> Json:
    return {
        "type": "updateIsolatedMargin",
        "asset": natural(action, "asset"),
        "isBuy": want(action, "isBuy", bool),
        "ntli": want(action, "ntli", int),
    }


def _top_up(action: Json) -> Json:
    made = {"asset": natural(action, "asset"), "leverage": number(action, "leverage")}
    return {"type": "topUpIsolatedOnlyMargin", **made}


def _reserve_request_weight(action: Json) -> Json:
    return {"type": "reserveRequestWeight", "weight": natural(action, "weight")}


def _twap_order(action: Json) -> Json:
    twap = want(action, "twap", dict)
    return {
        "type": "twapOrder",
        "twap": {
            "a": natural(twap, "a"),
            "b": want(twap, "b", bool),
            "s": number(twap, "s"),
            "r": want(twap, "r", bool),
            "m": natural(twap, "m"),
            "t": want(twap, "t", bool),
        },
    }


def _twap_cancel(action: Json) -> Json:
    return {"type": "twapCancel", "a": natural(action, "a"), "t": natural(action, "t")}


def _create_sub_account(action: Json) -> Json:
    return {"type": "createSubAccount", "name": want(action, "name", str)}


def _sub_account_transfer(action: Json) -> Json:
    return {
        "type": "subAccountTransfer",
        "subAccountUser": text(action, "subAccountUser", ADDRESS),
        "isDeposit": want(action, "isDeposit", bool),
        "usd": natural(action, "usd"),
    }


def _user_signed(action: Json) -> Json:
    """An action that its user signed field by field; texts stay as they were signed."""
    made: Json = {key: want(action, key, str) for key in ("type", "signatureChainId")}
    for key, kind in USER_SIGNED[made["type"]][1]:
        if kind == "address":
            made[key] = text(action, key, ADDRESS)
        elif kind == "uint64":
            made[key] = natural(action, key)
        elif key == "agentName":
            made[key] = "" if action.get(key) is None else want(action, key, str)
        else:
            made[key] = want(action, key, bool if kind == "bool" else str)
    return made


SHAPES: dict[str, Callable[[Json], Json]] = {
    "order": _order,
    "cancel": _cancel,
    "cancelByCloid": _cancel_by_cloid,
    "modify": _modify,
    "batchModify": _batch_modify,
    "scheduleCancel": _schedule_cancel,
    "updateLeverage": _update_leverage,
    "updateIsolatedMargin": _update_isolated_margin,
    "topUpIsolatedOnlyMargin": _top_up,
    "reserveRequestWeight": _reserve_request_weight,
    "noop": lambda action: {"type": "noop"},
    "twapOrder": _twap_order,
    "twapCancel": _twap_cancel,
    "createSubAccount": _create_sub_account,
    "setReferrer": lambda action: {"type": "setReferrer", "code": want(action, "code", str)},
    "subAccountTransfer": _sub_account_transfer,
    **dict.fromkeys(USER_SIGNED, _user_signed),
}


def canonical(action: Any) -> Json:
    """
    The action as the venue would serialise it.

    Raises
    ------
    SchemaError
        If it is no action of the venue, or one that this exchange does not know.
    """
    kind = action.get("type") if isinstance(action, dict) else None
    if not isinstance(kind, str) or kind not in SHAPES:
        raise SchemaError(f"action type {kind!r} is not one of {', '.join(SHAPES)}")
    return SHAPES[kind](action)
