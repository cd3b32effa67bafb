"""
A gateway without sockets: a house that nobody else sees, a desk over it, and the venue's words about orders.

In      coins, a position at the start.
Out     a Desk whose slots can be placed and written, quotes, answers, updates and fills for it.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
from support.flow import LISTED
from support.parameters import default_parameters

from mmfast.config import EngineConfig
from mmfast.config.load import load
from mmfast.gateway.desk import Desk
from mmfast.gateway.plan import mark_canceling, mark_written
from mmfast.gateway.stamps import Stamps
from mmfast.hosts.instruments import instrument_table
from mmfast.records.quote import QUOTE
from mmfast.rings import seqlock, spsc
from mmfast.rings.region import House
from mmfast.topology import regions
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.actions import cloid_text
from mmfast.venues.hyperliquid.messages import RESTING, Fill, OrderAnswer, OrderUpdate

SERIAL = itertools.count()
SALT, NOW, NOW_MS, FAIR = 0x5A17, 10**12, 1_795_000_000_000, 100_000.0


def a_house(coins: tuple[str, ...] = ("BTC",), position_lots: int = 0) -> House:
    """A formatted house without a name, with instruments and parameters; give it back with ``segment.disown``."""
    house = House.create(f"/mmfast-desk-{os.getpid()}-{next(SERIAL)}", "test", regions(len(coins)))
    house.ready()
    house.segment.unlink()  # the mapping is enough
    house.table("instrument")[:] = instrument_table([LISTED[coin] for coin in coins])
    for inst, coin in enumerate(coins):
        scale = 10 ** (6 - LISTED[coin].sz_decimals), 10 ** LISTED[coin].sz_decimals
        house.cells("parameters")[inst] = default_parameters(ticks_per_usd=scale[0], lots_per_coin=scale[1])
        ledger = house.cells("ledger")[inst]
        ledger["position_lots"] = ledger["start_position_lots"] = position_lots
    return house


def a_config(folder: Path, coins: tuple[str, ...] = ("BTC",), **changes: Any) -> EngineConfig:
    """The shipped configuration with its state in ``folder``."""
    overrides = {"engine.state_dir": str(folder), **{key.replace("__", "."): v for key, v in changes.items()}}
    return load(coins=coins, environ={}, overrides=overrides, core_count=2)


def a_quote(now_ns: int = NOW, fair_px: float = FAIR, levels: int = 3, pull: int = 0) -> np.ndarray:
    """A QUOTE of a BTC-like coin, shape (1,): levels 4, 5, 6 bps from fair value on both sides."""
    quote = np.zeros(1, QUOTE)
    quote["fair_px"], quote["sigma_bps"], quote["room_lots"], quote["level_count"] = fair_px, 0.9, 10**8, levels
    for level in range(levels):
        quote["px_ticks"][0, BID, level] = int(fair_px * (1 - (4 + level) * 1e-4)) * 10
        quote["px_ticks"][0, ASK, level] = int(fair_px * (1 + (4 + level) * 1e-4)) * 10
    quote["lots"], quote["edge_bps"], quote["fill_rate"], quote["kappa"] = 2000, 1.5, 0.03, 0.5
    quote["seq"], quote["ts_recv_ns"], quote["ts_ns"], quote["pull"] = 42, now_ns - 1000, now_ns, pull
    return quote


def publish(house: House, quote: np.ndarray, inst: int = 0) -> None:
    """Store a quote set in its cell."""
    seqlock.store(seqlock.cell_address(house.address["quote"], inst), quote.ctypes.data, QUOTE.itemsize)


def take(house: House, reader: str) -> list[Any]:
    """Everything on the account ring of a reader, taken off it."""
    ring, found = house.address[f"account_{reader}"], []
    table = house.table(f"account_{reader}")
    while spsc.peek(ring):
        found.append(table[len(found) % len(table)].copy())
        spsc.release(ring)
    return found


def a_fill(desk: Desk, slot: int, lots: int, tid: int, start_lots: int, **changes: Any) -> Fill:
    """A fill of the order in a slot; the fee is a micro-dollar a lot."""
    o = desk.orders[slot]
    side = int(o["side"])
    after = start_lots + (lots if side == BID else -lots)
    made = Fill(int(o["inst"]), "BTC", int(o["px_ticks"]), lots, side, False, tid, 100 + slot, int(o["cloid_hi"]),
                int(o["cloid_lo"]), start_lots, after, lots, "USDC", 0, NOW_MS, "", "")
    return made._replace(**changes)


class Bench:
    """A desk, its house and its words."""

    def __init__(self, folder: Path, coins: tuple[str, ...] = ("BTC",), position_lots: int = 0) -> None:
        self.house, self.config = a_house(coins, position_lots), a_config(folder, coins)
        self.desk = Desk(self.house, self.config, SALT, NOW)

    def close(self) -> None:
        """Give the lock's descriptor back."""
        self.house.segment.disown()

    # ---- slots

    def quote(self, **changes: Any) -> None:
        """Publish a quote set and have the desk read it."""
        publish(self.house, a_quote(**changes))
        assert self.desk.read_quote(0)

    def placed(self, now_ns: int = NOW) -> list[int]:
        """Slots of a whole quote set: PENDING."""
        self.quote(now_ns=now_ns)
        return self.desk.plan(0, True, now_ns)[1]

    def sent(self, now_ns: int = NOW) -> list[int]:
        """Slots of a whole quote set: SENT."""
        slots = self.placed(now_ns)
        desk = self.desk
        mark_written(desk.orders, desk.register, desk.budget, np.array(slots), now_ns, 5, 6, now_ns, now_ns,
                     desk.table_address, desk.working_address, Stamps(self.house).address)
        return slots

    def resting(self, now_ns: int = NOW) -> list[int]:
        """Slots of a whole quote set: OPEN, with oids 100, 101, ..."""
        slots = self.sent(now_ns)
        self.desk.on_order_answers(slots, [OrderAnswer(RESTING, 100 + slot) for slot in slots], now_ns)
        return slots

    def canceling(self, now_ns: int = NOW) -> list[int]:
        """Slots of a whole quote set: CANCELING."""
        slots, desk = self.resting(now_ns), self.desk
        mark_canceling(desk.orders, desk.register, desk.budget, np.array(slots), now_ns, desk.table_address,
                       desk.working_address)
        return slots

    def shared(self, slot: int) -> Any:
        """The order as other processes see it."""
        return self.house.cells("order")[slot]

    def states(self, slots: list[int]) -> set[int]:
        """States of slots; the working and the shared table must agree."""
        assert [int(self.shared(s)["state"]) for s in slots] == self.desk.orders["state"][slots].tolist()
        return {int(state) for state in self.desk.orders["state"][slots]}

    def count(self, name: str) -> int:
        """A counter of the gateway."""
        return self.desk.counters.get(name)

    # ---- the venue's words

    def update(self, slot: int, status: str, left_lots: int = 0, **changes: Any) -> OrderUpdate:
        """An update about the order in a slot."""
        o = self.desk.orders[slot]
        made = OrderUpdate(int(o["inst"]), "BTC", int(o["side"]), int(o["px_ticks"]), left_lots, int(o["lots"]),
                           100 + slot, int(o["cloid_hi"]), int(o["cloid_lo"]), status, NOW_MS, NOW_MS, False)
        return made._replace(**changes)

    def fill(self, slot: int, lots: int, tid: int, start_lots: int, **changes: Any) -> Fill:
        """A fill of the order in a slot."""
        return a_fill(self.desk, slot, lots, tid, start_lots, **changes)


# ---- the venue's words as JSON


def cloid_json(order: Any) -> str:
    """Client order id of an ORDER as the venue repeats it."""
    return cloid_text(int(order["cloid_hi"]), int(order["cloid_lo"]))


def order_json(order: Any, oid: int, left_lots: int | None = None, **changes: Any) -> dict[str, Any]:
    """An ORDER of BTC as the venue lists it."""
    lots = int(order["lots"])
    return {"coin": "BTC", "side": "BA"[int(order["side"])], "limitPx": f"{int(order['px_ticks']) / 10:.1f}",
            "sz": f"{(lots if left_lots is None else left_lots) / 1e5:.5f}", "oid": oid, "timestamp": NOW_MS,
            "origSz": f"{lots / 1e5:.5f}", "cloid": cloid_json(order), **changes}


def fill_json(fill: Fill) -> dict[str, Any]:
    """A Fill of BTC as the venue tells it."""
    cloid = cloid_text(fill.cloid_hi, fill.cloid_lo) if fill.cloid_lo else None
    return {"coin": "BTC", "px": f"{fill.px_ticks / 10:.1f}", "sz": f"{fill.lots / 1e5:.5f}", "side": "BA"[fill.side],
            "time": fill.time_ms, "startPosition": f"{fill.start_lots / 1e5:.5f}", "oid": fill.oid, "tid": fill.tid,
            "crossed": fill.crossed, "fee": f"{fill.fee_uusd / 1e6:.6f}", "closedPnl": "0.0", "cloid": cloid}


def account_json(lots: int = 0) -> dict[str, Any]:
    """A clearinghouseState with a position in BTC."""
    held = {"coin": "BTC", "szi": f"{lots / 1e5:.5f}", "positionValue": "0", "unrealizedPnl": "0", "marginUsed": "0",
            "leverage": {"value": 3}}
    margin = dict.fromkeys(("accountValue", "totalMarginUsed", "totalNtlPos", "totalRawUsd"), "0")
    return {"assetPositions": [{"position": held}] if lots else [], "withdrawable": "0", "marginSummary": margin}


LIMIT_JSON = {"cumVlm": "0", "nRequestsUsed": 321, "nRequestsCap": 12_345}
