"""
An account whose questions wait for an answer: the venue is played by hand.

In      a folder for the configuration; answers as JSON.
Out     the questions, what was agreed, what was canceled.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.desk import NOW, NOW_MS, Bench, account_json, order_json

from mmfast.gateway.account import Account
from mmfast.gateway.reconcile import GRACE_NS
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid.messages import PostAnswer

ADDRESS = "0x" + "1A" * 20
LATER = NOW + GRACE_NS + NS_PER_S


class Scene(Bench):
    """An account whose questions wait here for an answer."""

    def __init__(self, folder: Path, started_ms: int = NOW_MS - 100, opened_ms: int = NOW_MS - 50) -> None:
        super().__init__(folder)
        self.questions: list[tuple[dict[str, Any], Any]] = []
        self.done: list[bool] = []
        self.canceled: list[tuple[int, int]] = []
        self.account = Account(self.desk, ADDRESS, started_ms, opened_ms,
                               lambda question, then: self.questions.append((question, then)),
                               self.done.append, self.canceled.extend)
        self.audit = self.account.audit

    def asked(self) -> list[str]:
        """Types of the questions that are open."""
        return [question["type"] for question, _ in self.questions]

    def answer(self, kind: str, data: Any, now_ns: int) -> dict[str, Any]:
        """Answer the oldest question of a kind; the question. ``data`` None is a lost answer."""
        index = self.asked().index(kind)
        question, then = self.questions.pop(index)
        then(None if data is None else PostAnswer(1, None, json.dumps(data).encode(), ""), now_ns)
        return question

    def audited(self, fills: Any = (), fundings: Any = (), now_ns: int = LATER) -> None:
        """Answer what the audit asks, if it asks."""
        for kind, data in (("userFillsByTime", fills), ("userFunding", fundings)):
            if kind in self.asked():
                self.answer(kind, list(data), now_ns)

    def reconcile(self, orders: Any = (), lots: int = 0, now_ns: int = LATER) -> None:
        """A whole reconcile with these lists."""
        self.account.reconcile(now_ns, 5.0)
        self.audited(now_ns=now_ns)
        self.answer("frontendOpenOrders", None if orders is None else list(orders), now_ns)
        self.answer("clearinghouseState", account_json(lots), now_ns)

    def listed(self, slots: list[int]) -> list[dict[str, Any]]:
        """Orders of ours as the venue lists them."""
        return [order_json(self.desk.orders[s], 100 + s) for s in slots]
