"""
Holdings: what an engine believes, wants, has resting and owns in each coin, and what it has earned.

In      the cells of a house.
Out     plain dictionaries of numbers with their unit in the name; None is "unknown".
Source  the definition of profit and loss in watchdog/checks.py, marked at the ledger's mark.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from mmfast.records.belief import BELIEF_NAMES
from mmfast.records.order import FREE, LIVE_STATES, STATE_NAMES
from mmfast.records.quote import SIDE_REASONS
from mmfast.rings.region import House
from mmfast.rings.seqlock import cell_address, load
from mmfast.runtime.control import Control
from mmfast.units import ASK, BID, NS_PER_MS, SIDE_NAMES, UUSD_PER_USD

Row = dict[str, Any]


class Cells:
    """Whole records out of a house's cells, copied into buffers of our own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._buffers = {n: np.zeros(1, house.regions[n].dtype) for n in ("belief", "quote", "order", "ledger")}
        self.read("ledger", 0)

    def read(self, region: str, index: int) -> np.void | None:
        """The record, valid until the next read of ``region``; None if never written or not to be had whole."""
        buffer = self._buffers[region]
        cell = cell_address(self.house.address[region], index)
        return buffer[0] if load(cell, buffer.ctypes.data, buffer.itemsize) > 0 else None

    def ledger(self, index: int) -> np.void:
        """The ledger; before the gateway's first word it is what the supervisor wrote at the start."""
        record = self.read("ledger", index)
        return self.house.cells("ledger")[index].copy() if record is None else record


def coin_names(house: House) -> list[str]:
    """Names of the instruments, by index."""
    return [bytes(row["name"]).rstrip(b"\0").decode("utf-8", "replace") for row in house.table("instrument")]


def holdings(house: House) -> list[Row]:
    """One row for each coin: position, profit, belief, wanted quotes, resting orders."""
    cells = Cells(house)
    resting = _orders(house, cells)
    now_ns = time.monotonic_ns()  # after the first read, which may have loaded its kernel
    rows = []
    for inst, (name, instrument) in enumerate(zip(coin_names(house), house.table("instrument").copy())):
        belief = _belief(cells.read("belief", inst), now_ns)
        ledger = cells.ledger(inst)
        rows.append({"coin": name, **_position(ledger, instrument), "pnl": profit(ledger), "belief": belief,
                     "quote": _quote(cells.read("quote", inst), instrument, now_ns),
                     "orders": [_resting(o, instrument, belief, now_ns) for o in resting if o["inst"] == inst]})
    return rows


def profit(ledger: np.void) -> Row:
    """Profit and loss since the start of the run [USD], exact in micro-dollars before division."""
    value = int(ledger["position_lots"]) * int(ledger["mark_ticks"])
    start = int(ledger["start_position_lots"]) * int(ledger["start_mark_ticks"])
    total = int(ledger["cash_uusd"]) + value - start - int(ledger["fee_uusd"]) + int(ledger["funding_uusd"])
    return {"total_usd": total / UUSD_PER_USD, "fee_usd": int(ledger["fee_uusd"]) / UUSD_PER_USD,
            "funding_usd": int(ledger["funding_uusd"]) / UUSD_PER_USD,
            "volume_usd": int(ledger["volume_uusd"]) / UUSD_PER_USD, "fill_count": int(ledger["fill_count"])}


def totals(rows: list[Row]) -> Row:
    """Profit, fees, funding, volume and fills of all coins."""
    keys = ("total_usd", "fee_usd", "funding_usd", "volume_usd", "fill_count")
    return {key: sum(row["pnl"][key] for row in rows) for key in keys}


def cloid_text(order: np.void) -> str:
    """The client id of an order as the venue writes it."""
    return f"0x{int(order['cloid_hi']) & (1 << 64) - 1:016x}{int(order['cloid_lo']) & (1 << 64) - 1:016x}"


def live_order_count(house: House) -> int:
    """Orders that may rest at the venue, by the shared order table."""
    return int(np.isin(house.cells("order")["state"], LIVE_STATES).sum())


def resting_count(house: House, since_ns: int = 0) -> int:
    """
    Orders that may rest at the venue; none if the venue itself was seen empty since the kill, or since ``since_ns``
    when the engine was asked to end: a gateway that is dead or frozen leaves its table as it was.
    """
    control = Control(house)
    since_ns = control.kill_ns if control.kill_reason else since_ns
    return 0 if since_ns and control.clear_ns >= since_ns else live_order_count(house)


def positions(house: House) -> dict[str, float]:
    """Signed position of each coin [coins]."""
    lots = house.cells("ledger")["position_lots"]
    scale = house.table("instrument")["lots_per_coin"]
    return {name: int(lots[i]) / max(int(scale[i]), 1) for i, name in enumerate(coin_names(house))}


def finite(value: Any) -> float | None:
    """A number, or None where it is NaN or infinite: JSON has neither."""
    number = float(value)
    return number if math.isfinite(number) else None


def _position(ledger: np.void, instrument: np.void) -> Row:
    lots, mark = int(ledger["position_lots"]), int(ledger["mark_ticks"])
    return {"position_lots": lots, "position": lots / max(int(instrument["lots_per_coin"]), 1),
            "position_usd": lots * mark / UUSD_PER_USD, "mark_px": mark / max(int(instrument["ticks_per_usd"]), 1),
            "mismatch_count": int(ledger["mismatch_count"])}


def _belief(record: np.void | None, now_ns: int) -> Row | None:
    if record is None:
        return None
    numbers = {n: finite(record[n]) for n in ("fair_px", "mid_px", "v_bps", "mu_bps_s", "sigma_bps", "half_spread_bps")}
    return {"status": BELIEF_NAMES.get(int(record["status"]), "unknown"), **numbers,
            "mode_p": [finite(p) for p in record["mode_p"]], "informed_p": [finite(p) for p in record["informed_p"]],
            "touch_ticks": [int(t) for t in record["touch_ticks"]], "age_ms": age_ms(record["ts_ns"], now_ns)}


def _quote(record: np.void | None, instrument: np.void, now_ns: int) -> Row | None:
    if record is None:
        return None
    sides = {}
    for side in (BID, ASK):
        levels = range(min(int(record["level_count"][side]), record["px_ticks"].shape[1]))
        sides[SIDE_NAMES[side]] = {
            "reason": SIDE_REASONS.get(int(record["side_reason"][side]), "unknown"),
            "levels": [{"px": int(record["px_ticks"][side, k]) / max(int(instrument["ticks_per_usd"]), 1),
                        "lots": int(record["lots"][side, k]), "edge_bps": finite(record["edge_bps"][side, k])}
                       for k in levels]}
    return {"pull": bool(record["pull"]), "reservation_px": finite(record["reservation_px"]),
            "gamma": finite(record["gamma"]), "age_ms": age_ms(record["ts_ns"], now_ns), **sides}


def _orders(house: House, cells: Cells) -> list[np.void]:
    states = house.cells("order")["state"]
    found = []
    for index in np.flatnonzero(states != FREE):
        order = cells.read("order", int(index))
        if order is not None and order["state"] in LIVE_STATES:
            found.append(order.copy())
    return found


def _resting(order: np.void, instrument: np.void, belief: Row | None, now_ns: int) -> Row:
    px = int(order["px_ticks"]) / max(int(instrument["ticks_per_usd"]), 1)
    side = int(order["side"])
    mid = belief["mid_px"] if belief else None
    outward = mid - px if mid and side == BID else px - mid if mid else None
    return {"side": SIDE_NAMES[side], "px": px, "lots": int(order["lots"]) - int(order["filled_lots"]),
            "distance_bps": round(outward / mid * 1e4, 3) if mid and outward is not None else None,
            "state": STATE_NAMES[int(order["state"])], "oid": int(order["oid"]), "cloid": cloid_text(order),
            "reduce_only": bool(order["reduce_only"]), "age_ms": age_ms(order["ts_written_ns"], now_ns)}


def age_ms(then_ns: Any, now_ns: int) -> float | None:
    """Milliseconds since a stamp of our monotonic clock; None if it was never set."""
    return round(max(now_ns - int(then_ns), 0) / NS_PER_MS, 3) if int(then_ns) > 0 else None
