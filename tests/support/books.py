"""
The exchange's truth log read as books: what rested when, what was filled, what it earned.

In      the lines of a truth log; marks.
Out     integers: ns, ticks, lots, micro-dollars.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from mmfast.units import ASK, BID

# What the venue says to an order that a correct engine never sends.
NEVER = ("tick size", "lot size", "minimum value", "does not exist", "nonce", "signature", "float_to_wire",
         "invalid size", "invalid price")


class Books:
    """Everything of one account, from the log of the exchange."""

    def __init__(self, path: Path) -> None:
        lines = path.read_bytes().split(b"\n")
        self.lines = [json.loads(line) for line in lines[:-1] if line]
        self.fills = [line for line in self.lines if line["k"] == "fill"]
        self.orders = [line for line in self.lines if line["k"] == "order"]
        self.actions = [line for line in self.lines if line["k"] == "action"]

    def position_lots(self, asset: int) -> int:
        """Signed position in one coin."""
        return sum(_sign(f) * f["lots"] for f in self.fills if f["asset"] == asset)

    def pnl_uusd(self, asset: int, mark_ticks: int) -> int:
        """Profit of one coin that began flat: cash, position at the mark, fees, funding."""
        mine = [f for f in self.fills if f["asset"] == asset]
        cash = -sum(_sign(f) * f["lots"] * f["px_ticks"] for f in mine)
        funding = sum(line["uusd"] for line in self.lines if line["k"] == "funding" and line["asset"] == asset)
        return cash + self.position_lots(asset) * mark_ticks - sum(f["fee_uusd"] for f in mine) + funding

    def cloids(self) -> list[str]:
        """Cloid of every order that ever rested or traded, once each."""
        return list(dict.fromkeys(o["cloid"] for o in self.orders))

    def resting(self, at_ns: int | None = None) -> list[str]:
        """Cloids that rest at a moment of the exchange's monotonic clock, by default at the end."""
        state: dict[str, str] = {}
        for line in self.orders:
            if at_ns is None or line["ns"] <= at_ns:
                state[line["cloid"]] = line["status"]
        return [cloid for cloid, status in state.items() if status == "open"]

    def answers(self) -> list[str]:
        """Every refusal: of whole actions and of single orders."""
        texts = []
        for line in self.actions:
            answer = line["answer"]
            if answer["status"] != "ok":
                texts.append(answer["response"])
                continue
            statuses = answer["response"].get("data", {}).get("statuses", ())
            texts += [s["error"] for s in statuses if isinstance(s, dict) and "error" in s]
        return texts

    def never_texts(self) -> list[str]:
        """Refusals for tick, lot, notional, signature or nonce."""
        return [text for text in self.answers() if any(word in text.lower() for word in NEVER)]

    def kinds(self) -> dict[str, set[str]]:
        """Types of the actions of each signer."""
        found: dict[str, set[str]] = defaultdict(set)
        for line in self.actions:
            found[line["signer"]].add(line["action"]["type"])
        return dict(found)

    def two_sided_share(self, asset: int, until_ns: int) -> float:
        """Share of the time from the first moment with both sides until ``until_ns`` in which both sides rested."""
        resting: tuple[set[str], set[str]] = (set(), set())
        began, since, total = 0, 0, 0
        for line in self.orders:
            if line["asset"] != asset or line["ns"] > until_ns:
                continue
            book = resting[line["side"]]
            (book.add if line["status"] == "open" else book.discard)(line["cloid"])
            both = bool(resting[BID] and resting[ASK])
            if both and not since:
                since, began = line["ns"], began or line["ns"]
            elif not both and since:
                total, since = total + line["ns"] - since, 0
        if since:
            total += until_ns - since
        return total / (until_ns - began) if began else 0.0


def _sign(fill: dict[str, Any]) -> int:
    return 1 if fill["side"] == BID else -1


def wrong(report: dict[str, Any], books: Books) -> list[str]:
    """What the engine's report has otherwise than the exchange's log."""
    found = []
    if report["fills"] != len(books.fills):
        found.append(f"{report['fills']} fills, and {len(books.fills)} at the exchange")
    for asset, coin in enumerate(report["coins"]):
        row, lots = report["position"][coin], books.position_lots(asset)
        if row["position_lots"] != lots or row["venue_position_lots"] not in (lots, None):  # None: not to be asked
            found.append(f"{coin}: {row['position_lots']} lots, and {lots} at the exchange")
        if row["pnl_uusd"] != (pnl := books.pnl_uusd(asset, row["mark_ticks"])):
            found.append(f"{coin}: P&L {row['pnl_uusd']}, and {pnl} by the exchange's log")
    if resting := books.resting():
        found.append(f"{len(resting)} orders rest")
    return found + books.never_texts()
