"""
Explain: why an order was sent, or why the quotes of a coin are what they are now, stage by stage.

In      the shared memory of a running engine; the id of an order, or a coin.
Out     the chain frame, feature, belief, mandate, surface, quote, order, with numbers and units; what they were made
        of (reasons.py); why something is absent.
Source  every record names the one it was made from (src_seq). The chain behind an order lies beside its slot of the
        order table; that of the quotes of now is found by number among the recent records of each stage.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from mmfast.cli import left_out, reasons
from mmfast.cli.outcome import Exit, Refusal, tell
from mmfast.cli.target import Target, living
from mmfast.cli.visibility import visibility
from mmfast.executor.diff import REASON_NAMES
from mmfast.records.account import KIND_FILL
from mmfast.records.belief import BELIEF_NAMES
from mmfast.records.control import KILL_NAMES, PAUSE_NAMES
from mmfast.records.header import HEADER, STAMPS
from mmfast.records.market import BBO, BOOK, BOOK_KINDS, KIND_TIMER, MARKET
from mmfast.records.order import FREE, LIVE_STATES, ORDER_KINDS, ORDER_SLOTS, STATE_NAMES, TIF_NAMES
from mmfast.records.quote import KIND_QUOTE, SIDE_REASONS, TAKE_REASONS, TAKE_WANTED
from mmfast.rings.broadcast import READ, receive
from mmfast.rings.region import House
from mmfast.rings.seqlock import cell_address, load
from mmfast.runtime.holdings import Row, age_ms, cloid_text, coin_names, finite
from mmfast.topology import CHAIN, RECENT
from mmfast.units import ASK, BID, NS_PER_S, SIDE_NAMES

Chain = dict[str, Any]  # records by stage; a stage that is not known is missing or None
STAGES = tuple(stage for stage, _ in CHAIN)
HIDDEN = {name for name, *_ in (*HEADER, *STAMPS)} | {"cloid_hi", "cloid_lo"}
SLOT_MASK = (1 << 16) - 1
# Unit of a field by the end of its name; the longest that fits.
UNITS = {"_bps_s": "bps/s", "_bps": "bps", "_s": "s", "_ns": "ns", "_ms": "ms", "_usd": "USD", "_usd_h": "USD/h",
         "_uusd": "micro-USD", "_ticks": "ticks", "_lots": "lots", "_px": "USD", "_clips": "clips", "_p": "share",
         "_var": "squared", "sigma_bps": "bps/sqrt(s)", "gamma": "1/bp per clip", "gamma0": "1/bp per clip",
         "kappa": "1/bp", "intensity": "1/s", "fill_rate": "1/s", "lots": "lots", "utilisation": "share",
         "theta": "1/s", "rv_30": "bps^2/s", "rv_300": "bps^2/s"}


def explain(which: Target, cloid: str | None, coin: str | None, as_json: bool, absent: bool = False) -> Exit:
    """
    Explain the order ``cloid``, the quotes of ``coin`` now, or what is left out, for which no engine is needed.

    Raises
    ------
    Refusal
        If not exactly one of them is given, if it is not known here, or if the engine does not run.
    """
    if (cloid is not None) + (coin is not None) + absent != 1:
        raise Refusal(Exit.USAGE, "say what to explain",
                      "mmfast explain CLOID, mmfast explain --now COIN, or mmfast explain --left-out")
    if absent:
        return left_out.left_out(as_json)
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
    if load(cell, buffer.ctypes.data, buffer.itemsize) <= 0:
        return None
    return reasons.as_frame(buffer) if buffer.dtype == MARKET else buffer[0]


def chain_now(house: House, inst: int) -> Chain:
    """The newest quotes of a coin and the very records they were made from; the newest ones where those are gone."""
    quote = read(house, "quote", inst)
    if quote is None:
        return {"feature": read(house, "feature", inst), "belief": read(house, "belief", inst)}
    number = int(quote["seq"])
    found: Chain = {"quote": quote}
    for name in ("mandate", "surface"):
        recent = read(house, f"recent_{name}", number % RECENT)
        found[name] = recent if recent is not None and recent["seq"] == number else read(house, name, inst)
    belief = read(house, "recent_belief", number % RECENT)
    if belief is None or belief["seq"] != quote["src_seq"]:
        belief = read(house, "belief", inst)
    found["belief"] = belief
    feature = read(house, "recent_feature", int(belief["seq"]) % RECENT) if belief is not None else None
    if feature is None or belief is None or feature["seq"] != belief["seq"]:
        feature = read(house, "feature", inst)
    found["feature"] = feature
    found["frame"] = _frame(house, belief) if belief is not None and belief["cause_kind"] != KIND_FILL else None
    return found


def _frame(house: House, belief: np.void) -> np.void | None:
    """The market record that a belief came from, if the ring still holds it."""
    buffer, position = np.zeros(1, MARKET), int(belief["src_seq"])
    whole = BOOK.itemsize if belief["cause_kind"] in BOOK_KINDS else BBO.itemsize
    got = receive(house.address["market"], position, buffer.ctypes.data, whole) if position >= 0 else None
    return reasons.as_frame(buffer) if got == READ and buffer["kind"][0] == belief["cause_kind"] else None


def chain_of(house: House, slot: int, order: np.void) -> Chain:
    """What the order in ``slot`` was made from; nothing of it if what lies there is another order's."""
    found = {name: read(house, f"order_{name}", slot) for name in STAGES}
    quote = found["quote"]
    if quote is None or quote["kind"] != KIND_QUOTE or quote["seq"] != order["src_seq"] or (
            quote["ts_quote_ns"] != order["ts_quote_ns"]):
        return {}
    return {name: record for name, record in found.items() if record is not None and record["ts_recv_ns"] != 0}


def of_coin(house: House, coin: str) -> Row:
    """The chain of a coin as it is now, and why a side or a level is absent."""
    names = coin_names(house)
    if coin not in names:
        raise Refusal(Exit.USAGE, f"{coin} is not traded here", f"coins of this engine: {', '.join(names)}")
    inst = names.index(coin)
    chain = chain_now(house, inst)
    now_ns = time.monotonic_ns()
    orders = [o for o in _orders(house) if o["inst"] == inst and o["state"] in LIVE_STATES]
    told = _told(house, inst, chain, orders, now_ns)
    _tell_news(told, house, inst, now_ns)
    told["why"] = [*obstacles(house), *refusals(house, inst, now_ns), *told["why"],
                   *absences(chain.get("quote"), orders)]
    return told


def _tell_news(told: Row, house: House, inst: int, now_ns: int) -> None:
    """
    What was heard last, and what each source weighed when it was last heard.

    The quotes of now nearly always follow from the house's own clock, which says nothing and has no weights.
    """
    beliefs = recent_beliefs(house, inst)
    news = next((b for b in beliefs if b["cause_kind"] != KIND_TIMER), None)
    if news is not None:
        frame = None if news["cause_kind"] == KIND_FILL else _frame(house, news)
        told["stages"].insert(0, {
            "stage": "news", "number": int(news["seq"]), "age_ms": age_ms(news["ts_recv_ns"], now_ns),
            "before_after": reasons.before_after(news),
            "fields": _frame_fields(frame) if frame is not None else
            {"kind": {"value": reasons.cause(news), "unit": ""}}})
    for row in told["stages"]:
        for source in row.get("sources", ()):
            source["last_weight"] = reasons.last_weight(source["source"], beliefs)


def recent_beliefs(house: House, inst: int) -> list[np.void]:
    """The beliefs of a coin that are still in memory, newest first."""
    found = (read(house, "recent_belief", k) for k in range(RECENT))
    of_inst = [b.copy() for b in found if b is not None and b["inst"] == inst]
    return sorted(of_inst, key=lambda b: -int(b["seq"]))


def of_order(house: House, cloid: str) -> Row:
    """The chain behind one order, and a sentence for each stage that is not there."""
    digits = cloid.removeprefix("0x")
    if len(digits) != 32 or any(c not in "0123456789abcdefABCDEF" for c in digits):
        raise Refusal(Exit.USAGE, f"{cloid!r} is not an order id", "a cloid is 0x and 32 hexadecimal digits")
    high, low = int(digits[:16], 16), int(digits[16:], 16)
    slot = low & SLOT_MASK
    order = read(house, "order", slot) if slot < ORDER_SLOTS else None
    if order is None or order["state"] == FREE or (int(order["cloid_hi"]), int(order["cloid_lo"])) != (high, low):
        raise Refusal(Exit.FAILURE, f"order {cloid} is not in the order table: its slot is free or used again",
                      "an order stays in memory while it lives and a few seconds longer")
    chain = chain_of(house, slot, order)
    inst, now_ns = int(order["inst"]), time.monotonic_ns()
    told = _told(house, inst, chain, [order], now_ns)
    if not chain:
        told["why"].append("no chain: this order does not come from a quote, or it is on its way out just now")
    elif "belief" in chain and chain["belief"]["cause_kind"] == KIND_FILL:
        told["why"].append("frame: none, a fill of ours made the quotes change")
    else:
        told["why"] += [f"{name}: was not in memory any more when the order had been sent"
                        for name in STAGES if name not in chain]
    return told


def _told(house: House, inst: int, chain: Chain, orders: list[np.void], now_ns: int) -> Row:
    """The stages of a chain with what stands behind them, and the orders."""
    stages = [row for name in STAGES if (row := stage(name, chain.get(name), now_ns))]
    shares = visibility(house, inst, orders)
    told: Row = {"coin": coin_names(house)[inst], "stages": stages, "why": [],
                 "orders": [order_row(order, now_ns) | {"visibility": share} for order, share in zip(orders, shares)]}
    params = read(house, "parameters", inst)
    params = house.cells("parameters")[inst] if params is None else params
    quote, belief, mandate = chain.get("quote"), chain.get("belief"), chain.get("mandate")
    told["parameters_version"] = int(params["version"] if quote is None else quote["parameters_version"])
    if params["version"] != told["parameters_version"]:
        told["why"].append(f"made with parameters version {told['parameters_version']}; in force is "
                           f"{int(params['version'])}: what follows from parameters is not told")
        return told
    behind = {row["stage"]: row for row in stages}
    if "feature" in behind:
        behind["feature"]["sources"] = reasons.sources(chain["feature"], belief, params)
    if belief is not None and mandate is not None and params["lots_per_coin"] > 0:
        behind["mandate"] |= {"aversion": reasons.aversion(belief, mandate, params),
                              "caps": reasons.caps(belief, mandate, params)}
        if "surface" in behind:
            behind["surface"]["costs"] = reasons.cost_rows(belief, params)
            if "quote" in behind:
                behind["quote"]["levels"] = reasons.level_rows(belief, mandate, chain["surface"], params)
    return told


def stage(name: str, record: np.void | None, now_ns: int) -> Row | None:
    """One record as named values with units; None if there is none."""
    if record is None:
        return None
    told: Row = {"stage": name, "number": int(record["seq"]),
                 "age_ms": age_ms(record["ts_ns"] or record["ts_recv_ns"], now_ns)}
    if name == "frame":
        return told | {"fields": _frame_fields(record)}
    fields = {field: _field(field, record[field]) for field in record.dtype.names or ()
              if field not in HIDDEN and not field.startswith(("_", "obs_"))}
    if name == "belief":
        fields["status"] = {"value": BELIEF_NAMES.get(int(record["status"]), "unknown"), "unit": ""}
        fields["cause"] = {"value": reasons.cause(record), "unit": ""}
        told["before_after"] = reasons.before_after(record)
        fields = {field: value for field, value in fields.items()
                  if not field.endswith("_before") and field not in ("cause_kind", "source_weight")}
    if name == "quote":
        fields["side_reason"] = {"value": [SIDE_REASONS.get(int(r), "unknown") for r in record["side_reason"]],
                                 "unit": ""}
        fields["take_reason"] = {"value": TAKE_REASONS.get(int(record["take_reason"]), "unknown"), "unit": ""}
        fields["take_side"] = {"value": SIDE_NAMES[int(record["take_side"])] if record["take_lots"] else "none",
                               "unit": ""}
    return told | {"fields": fields}


def _frame_fields(frame: Any) -> Row:
    """What a market record said."""
    return {name: {"value": value, "unit": _unit(name)} for name, value in reasons.frame_row(frame).items()}


def _field(name: str, value: Any) -> Row:
    plain = np.asarray(value)
    shown = plain.tolist() if plain.dtype.kind in "iu" else _finite_list(plain)
    note = {"note": left_out.SHOWN_ONLY[name]} if name in left_out.SHOWN_ONLY else {}
    return {"value": shown, "unit": _unit(name), **note}


def _unit(name: str) -> str:
    fits = [end for end in UNITS if name.endswith(end)]
    return UNITS[max(fits, key=len)] if fits else ""


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
    return {"cloid": cloid_text(order),
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


def refusals(house: House, inst: int, now_ns: int) -> list[str]:
    """What the gateway does not ask the venue for at present, since it was refused for a reason that lasts."""
    waits_s = (house.table("held")["until_ns"][inst] - now_ns) / NS_PER_S
    return [f"no new {kind} for {wait_s:.1f} s: the venue has refused them, `mmfast status` shows in which words"
            for kind, wait_s in zip(ORDER_KINDS, waits_s) if wait_s > 0.0]


def absences(quote: np.void | None, orders: list[np.void]) -> list[str]:
    """Why a side is not there, and which wanted levels have no order; `levels` tells about levels."""
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
        for k in range(levels):
            px = int(quote["px_ticks"][side, k])
            if not any(o["side"] == side and o["px_ticks"] == px for o in orders):
                found.append(f"{name} level {k} at {px} ticks has no order at this very price: one nearby serves it, "
                             f"is on its way, or the move is not worth its cost")
    return found


def lines(told: Row) -> list[str]:
    """The explanation as text."""
    text = [f"{told['coin']}  parameters version {told['parameters_version']}"]
    for row in told["stages"]:
        age = "unknown" if row["age_ms"] is None else f"{row['age_ms']:.1f} ms"
        text.append(f"\n{row['stage']}  number {row['number']}, age {age}")
        for name in ("before_after", "sources", "caps", "costs", "levels"):
            text += _table(name, row[name]) if row.get(name) else []
        if "aversion" in row:
            text.append("  gamma  " + "  ".join(f"{k} {_shown(v)}" for k, v in row["aversion"].items()))
        text += [_line(name, field) for name, field in row["fields"].items() if not _is_table(field["value"])]
    for order in told["orders"]:
        text.append(f"\norder {order['cloid']}")
        text += [f"  {name:24s} {_shown(value)}" for name, value in order.items() if name != "cloid"]
    text += ["", *told["why"]] if told["why"] else []
    return [*text, "", "what is not in the model, and why: mmfast explain --left-out"]


def _line(name: str, field: Row) -> str:
    """A named value with its unit, and a note if it moves nothing."""
    said = f"  {name:24s} {_shown(field['value'])} {field['unit']}".rstrip()
    return f"{said:44s} ({field['note']})" if field.get("note") else said


def _table(name: str, rows: list[Row]) -> list[str]:
    """Rows of one table with aligned columns; what is missing is a dash, what is false nothing."""
    columns = list(rows[0])
    texts = [columns] + [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(line[k]) for line in texts) for k in range(len(columns))]
    return [f"  {name.replace('_', ', ')}:", *("    " + "  ".join(
        cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in texts)]


def _cell(value: Any) -> str:
    return ("<--" if value else "") if isinstance(value, bool) else _shown(value)


def _is_table(value: Any) -> bool:
    """A list of lists: levels, which have a table of their own."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "  ".join(_shown(v) for v in value)
    if value is None:
        return "–"
    if isinstance(value, float):
        digits = 6 if abs(value) < 1e4 else 8  # a basis point of a price shows
        return f"{value:.{digits}g}" if abs(value) < 1e6 else f"{value:.1f}"
    return str(value)
