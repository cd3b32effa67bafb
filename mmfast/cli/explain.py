"""
Explain: why an order was sent, or why the quotes of a coin are what they are now, stage by stage.

In      the shared memory of a running engine; the id of an order, or a coin.
Out     the chain feature, belief, mandate, surface, quote, order, with numbers and units; why something is absent.
Source  every record names the one it was made from (src_seq): a stage is shown with an order only while its cell
        still holds the very record that the order came from.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from mmfast.cli.outcome import Exit, Refusal, tell
from mmfast.cli.target import Target, living
from mmfast.executor.diff import REASON_NAMES
from mmfast.records.belief import BELIEF_NAMES
from mmfast.records.control import KILL_NAMES, PAUSE_NAMES
from mmfast.records.feature import SOURCE_NAMES
from mmfast.records.header import HEADER, STAMPS
from mmfast.records.order import FREE, LIVE_STATES, ORDER_SLOTS, STATE_NAMES, TIF_NAMES
from mmfast.records.quote import SIDE_REASONS, TAKE_REASONS, TAKE_WANTED
from mmfast.rings.region import House
from mmfast.rings.seqlock import cell_address, load
from mmfast.runtime.holdings import Row, age_ms, coin_names, finite
from mmfast.units import ASK, BID, SIDE_NAMES

STAGES = ("feature", "belief", "mandate", "surface", "quote")
HIDDEN = {name for name, *_ in (*HEADER, *STAMPS)} | {"cloid_hi", "cloid_lo"}
SLOT_MASK = (1 << 16) - 1
# Unit of a field by the end of its name; the longest that fits.
UNITS = {"_bps_s": "bps/s", "_bps": "bps", "_s": "s", "_ns": "ns", "_ms": "ms", "_usd": "USD", "_usd_h": "USD/h",
         "_uusd": "micro-USD", "_ticks": "ticks", "_lots": "lots", "_px": "USD", "_clips": "clips", "_p": "share",
         "_var": "squared", "sigma_bps": "bps/sqrt(s)", "gamma": "1/bp per clip", "gamma0": "1/bp per clip",
         "kappa": "1/bp", "intensity": "1/s", "fill_rate": "1/s", "lots": "lots", "utilisation": "share",
         "theta": "1/s", "rv_30": "bps^2/s", "rv_300": "bps^2/s"}


def explain(which: Target, cloid: str | None, coin: str | None, as_json: bool) -> Exit:
    """
    Explain the order ``cloid`` or the quotes of ``coin`` now.

    Raises
    ------
    Refusal
        If not exactly one of them is given, if it is not known here, or if the engine does not run.
    """
    if (cloid is None) == (coin is None):
        raise Refusal(Exit.USAGE, "say what to explain", "mmfast explain CLOID, or mmfast explain --now COIN")
    house = living(which.engine)
    told = of_order(house, cloid) if cloid is not None else of_coin(house, str(coin))
    tell(json.dumps(told, allow_nan=False) if as_json else "\n".join(lines(told)))
    return Exit.OK


def read(house: House, region: str, index: int) -> np.void | None:
    """A copy of one cell; None if there is no such region, or nothing was ever written."""
    if region not in house.regions:
        return None
    buffer = np.zeros(1, house.regions[region].dtype)
    cell = cell_address(house.address[region], index)
    return buffer[0] if load(cell, buffer.ctypes.data, buffer.itemsize) > 0 else None


def of_coin(house: House, coin: str) -> Row:
    """The chain of a coin as it is now, and why a side or a level is absent."""
    names = coin_names(house)
    if coin not in names:
        raise Refusal(Exit.USAGE, f"{coin} is not traded here", f"coins of this engine: {', '.join(names)}")
    inst = names.index(coin)
    now_ns = time.monotonic_ns()
    stages = [stage(name, read(house, name, inst), now_ns) for name in STAGES]
    orders = [o for o in _orders(house) if o["inst"] == inst and o["state"] in LIVE_STATES]
    quote = read(house, "quote", inst)
    return {"coin": coin, "stages": [s for s in stages if s], "orders": [order_row(o, now_ns) for o in orders],
            "why": [*obstacles(house), *absences(quote, orders, int(house.cells("parameters")[inst]["level_max"]))]}


def of_order(house: House, cloid: str) -> Row:
    """The chain behind one order, as far as it is still in memory, and a sentence for each stage that is not."""
    digits = cloid.removeprefix("0x")
    if len(digits) != 32 or any(c not in "0123456789abcdefABCDEF" for c in digits):
        raise Refusal(Exit.USAGE, f"{cloid!r} is not an order id", "a cloid is 0x and 32 hexadecimal digits")
    high, low = int(digits[:16], 16), int(digits[16:], 16)
    order = read(house, "order", low & SLOT_MASK) if low & SLOT_MASK < ORDER_SLOTS else None
    if order is None or order["state"] == FREE or (int(order["cloid_hi"]), int(order["cloid_lo"])) != (high, low):
        raise Refusal(Exit.FAILURE, f"order {cloid} is not in the order table: its slot is free or used again",
                      "an order stays in memory while it lives and a few seconds longer")
    now_ns, inst = time.monotonic_ns(), int(order["inst"])
    cells = {name: read(house, name, inst) for name in STAGES}
    stages, why = [], []
    for name in STAGES:
        wanted = _wanted_seq(name, order, cells)
        found = cells[name]
        told = stage(name, found, now_ns)
        if wanted is not None and told and found is not None and _number(name, found) == wanted:
            stages.append(told)
        elif name in house.regions:
            held = "holds nothing" if found is None else f"holds number {_number(name, found)}"
            what = f"number {wanted}" if wanted is not None else "a record that cannot be told any more"
            why.append(f"{name}: no longer in memory: the order came from {what}, the cell {held}; "
                       f"what is left is what the order's own record holds")
    return {"coin": coin_names(house)[inst], "stages": stages, "orders": [order_row(order, now_ns)], "why": why}


def _number(name: str, record: np.void) -> int:
    """What identifies a record of a stage: features are known by the market record they come from."""
    return int(record["src_seq"] if name == "feature" else record["seq"])


def _wanted_seq(name: str, order: np.void, cells: dict[str, np.void | None]) -> int | None:
    """Number of the record of stage ``name`` that ``order`` came from; None if that cannot be told any more."""
    made_from = int(order["src_seq"])
    quote, belief = cells["quote"], cells["belief"]
    if name in ("mandate", "surface", "quote"):
        return made_from
    if quote is None or quote["seq"] != made_from:
        return None
    if name == "belief":
        return int(quote["src_seq"])
    return int(belief["src_seq"]) if belief is not None and belief["seq"] == quote["src_seq"] else None


def stage(name: str, record: np.void | None, now_ns: int) -> Row | None:
    """One record as named values with units; None if there is none."""
    if record is None:
        return None
    fields = {field: _field(field, record[field]) for field in record.dtype.names or ()
              if field not in HIDDEN and not field.startswith("_")}
    if name == "belief":
        fields["status"] = {"value": BELIEF_NAMES.get(int(record["status"]), "unknown"), "unit": ""}
    if name == "quote":
        fields["side_reason"] = {"value": [SIDE_REASONS.get(int(r), "unknown") for r in record["side_reason"]],
                                 "unit": ""}
        fields["take_reason"] = {"value": TAKE_REASONS.get(int(record["take_reason"]), "unknown"), "unit": ""}
        fields["take_side"] = {"value": SIDE_NAMES[int(record["take_side"])] if record["take_lots"] else "none",
                               "unit": ""}
    if name == "feature":
        fields = {field: value for field, value in fields.items() if not field.startswith("obs_")}
        fields.update(_observations(record))
    return {"stage": name, "number": _number(name, record), "age_ms": age_ms(record["ts_ns"] or record["ts_recv_ns"],
                                                                             now_ns), "fields": fields}


def _observations(record: np.void) -> Row:
    """What each source says now: its reading and the variance of it."""
    valid = int(record["valid_mask"])
    return {f"source: {name}": {"value": [finite(record["obs_z"][k]), finite(record["obs_r"][k])],
                                "unit": "reading, variance"}
            for k, name in enumerate(SOURCE_NAMES) if valid >> k & 1}


def _field(name: str, value: Any) -> Row:
    fits = [end for end in UNITS if name.endswith(end)]
    plain = np.asarray(value)
    shown = plain.tolist() if plain.dtype.kind in "iu" else _finite_list(plain)
    return {"value": shown, "unit": UNITS[max(fits, key=len)] if fits else ""}


def _finite_list(values: np.ndarray[Any, Any]) -> Any:
    """Floats as lists or a number, None where unknown."""
    return [_finite_list(v) for v in values] if values.ndim else finite(values)


def _orders(house: House) -> list[np.void]:
    found = (read(house, "order", int(slot)) for slot in np.flatnonzero(house.cells("order")["state"] != FREE))
    return [order for order in found if order is not None]


def order_row(order: np.void, now_ns: int) -> Row:
    """What the record of an order holds."""
    written = int(order["ts_written_ns"])
    recv = int(order["ts_recv_ns"])
    return {"cloid": f"0x{int(order['cloid_hi']) & (1 << 64) - 1:016x}{int(order['cloid_lo']) & (1 << 64) - 1:016x}",
            "oid": int(order["oid"]), "side": SIDE_NAMES[int(order["side"])], "level": int(order["level_index"]),
            "px_ticks": int(order["px_ticks"]), "lots": int(order["lots"]), "filled_lots": int(order["filled_lots"]),
            "state": STATE_NAMES[int(order["state"])], "tif": TIF_NAMES[int(order["tif"])],
            "reason": REASON_NAMES.get(int(order["reason"]), "not a quote"), "edge_bps": finite(order["edge_bps"]),
            "fair_px": finite(order["fair_px"]), "quote_number": int(order["src_seq"]),
            "age_ms": age_ms(written, now_ns),
            "tick_to_order_us": (written - recv) / 1e3 if written > 0 and recv > 0 else None}


def obstacles(house: House) -> list[str]:
    """What keeps the whole engine from quoting."""
    word = house.table("control")[0].copy()
    found = []
    if word["kill"]:
        found.append(f"the kill switch is latched: {KILL_NAMES[int(word['kill']) % len(KILL_NAMES)]}")
    paused = [name for bit, name in PAUSE_NAMES.items() if int(word["pause"]) & bit]
    if paused:
        found.append(f"paused by: {', '.join(paused)}")
    if word["flatten"]:
        found.append("the position is being closed: only reduce-only orders are sent")
    return found


def absences(quote: np.void | None, orders: list[np.void], level_max: int) -> list[str]:
    """Why a side or a level is not there, as far as the records say."""
    if quote is None:
        return ["no quotes yet: the quoter has not heard of a belief"]
    if quote["pull"]:
        return ["all quotes are pulled: there is no usable belief or a number is not finite"]
    found = []
    if quote["take_reason"] == TAKE_WANTED:
        found.append(f"{SIDE_NAMES[int(quote['take_side'])]} {int(quote['take_lots'])} lots at "
                     f"{int(quote['take_px_ticks'])} ticks or better are to be taken, reduce-only: "
                     f"{TAKE_REASONS[TAKE_WANTED]}")
    for side in (BID, ASK):
        name, levels = SIDE_NAMES[side], int(quote["level_count"][side])
        if levels == 0:
            found.append(f"no {name}: {SIDE_REASONS.get(int(quote['side_reason'][side]), 'unknown')}")
        elif levels < level_max:
            found.append(f"{name} has {levels} of {level_max} levels: the deeper ones are beyond the deepest allowed, "
                         f"without edge at their size, below the minimum order or without room")
        for k in range(levels):
            px = int(quote["px_ticks"][side, k])
            if not any(o["side"] == side and o["px_ticks"] == px for o in orders):
                found.append(f"{name} level {k} at {px} ticks has no order at this very price: one nearby serves it, "
                             f"is on its way, or the move is not worth its cost")
    return found


def lines(told: Row) -> list[str]:
    """The explanation as text."""
    text = [told["coin"]]
    for row in told["stages"]:
        age = "unknown" if row["age_ms"] is None else f"{row['age_ms']:.1f} ms"
        text.append(f"\n{row['stage']}  number {row['number']}, age {age}")
        text += [f"  {name:24s} {_shown(field['value'])} {field['unit']}".rstrip()
                 for name, field in row["fields"].items()]
    for order in told["orders"]:
        text.append(f"\norder {order['cloid']}")
        text += [f"  {name:24s} {_shown(value)}" for name, value in order.items() if name != "cloid"]
    text += ["", *told["why"]] if told["why"] else []
    return text


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(_shown(v) if not isinstance(v, list) else f"[{_shown(v)}]" for v in value)
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)
