"""
The account that the timing venue keeps for its one client: orders that rest, are never filled and go when canceled.

In      actions and questions as the client sends them.
Out     answers and order updates as the venue writes them.
Source  the venue's exchange and info endpoint pages. The address budget is huge, so that it holds nothing back.
"""

from __future__ import annotations

import time
from typing import Any

Json = dict[str, Any]
GONE = "Order was never placed, already canceled, or filled. asset=0"
BUDGET = 10**9
MARGIN = {"accountValue": "1000000.0", "totalMarginUsed": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "1000000.0"}
STATE = {"assetPositions": [], "crossMaintenanceMarginUsed": "0.0", "withdrawable": "1000000.0", "time": 1,
         "marginSummary": MARGIN}


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class Account:
    """Orders by client order id."""

    def __init__(self, coin: str, sz_decimals: int) -> None:
        self.coin, self.sz_decimals = coin, sz_decimals
        self.orders: dict[str, Json] = {}
        self._oid = 0
        self._changes: list[Json] = []

    def is_two_sided(self) -> bool:
        """Whether orders rest on both sides."""
        return len({order["side"] for order in self.orders.values()}) == 2

    def resting(self) -> list[Json]:
        """The side and the price of all orders, as in an order action."""
        return [{"b": order["side"] == "B", "p": order["limitPx"]} for order in self.orders.values()]

    def act(self, action: Json) -> Json:
        """Place orders, or cancel them by client order id."""
        kind = action["type"]
        if kind == "order":
            statuses: list[Any] = [{"resting": {"oid": self._place(order)}} for order in action["orders"]]
        else:
            kind, statuses = "cancel", [self._cancel(entry.get("cloid", "")) for entry in action["cancels"]]
        return {"status": "ok", "response": {"type": kind, "data": {"statuses": statuses}}}

    def _place(self, order: Json) -> int:
        self._oid += 1
        cloid = order.get("c", f"oid {self._oid}")
        self.orders[cloid] = {"coin": self.coin, "side": "B" if order["b"] else "A", "limitPx": order["p"],
                              "sz": order["s"], "oid": self._oid, "timestamp": now_ms(), "origSz": order["s"],
                              "cloid": cloid}
        self._note(self.orders[cloid], "open")
        return self._oid

    def _cancel(self, cloid: str) -> Any:
        order = self.orders.pop(cloid, None)
        if order is None:
            return {"error": GONE}
        self._note(order, "canceled")
        return "success"

    def _note(self, order: Json, status: str) -> None:
        self._changes.append({"order": order, "status": status, "statusTimestamp": now_ms()})

    def changes(self) -> list[Json]:
        """What happened to orders since the last call, as the data of an ``orderUpdates`` frame."""
        changes, self._changes = self._changes, []
        return changes

    def info(self, question: Json, mid: float) -> Any:
        """The answer to one of the questions that an engine asks."""
        kind = question["type"]
        if kind == "metaAndAssetCtxs":
            px = f"{mid:.1f}"
            coin = {"name": self.coin, "szDecimals": self.sz_decimals, "maxLeverage": 40}
            return [{"universe": [coin]}, [{"markPx": px, "oraclePx": px, "midPx": px}]]
        if kind in ("openOrders", "frontendOpenOrders"):
            return list(self.orders.values())
        fixed = {"clearinghouseState": STATE, "userFillsByTime": [], "userFunding": [],
                 "orderStatus": {"status": "unknownOid"},
                 "userRateLimit": {"cumVlm": "0.0", "nRequestsUsed": 0, "nRequestsCap": BUDGET}}
        return fixed[kind]
