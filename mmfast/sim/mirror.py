"""
A mirrored market: what happens at another exchange happens here around the users' orders, as it is told.

In      frames of the other exchange's public channels: bbo, trades, l2Book, activeAssetCtx.
Out     a source for each coin; how many frames could not be used.
Source  replay.py, which plays recordings: there the events are all known, here they come one by one.

A fast book shows five levels: those behind them are the last whole book's. The touch of a bbo frame is newer than
books of earlier blocks that arrive after it: it is shown again after them.
"""

from __future__ import annotations

import math
import time
from collections import deque
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from mmfast.sim.levels import better
from mmfast.sim.recording import SNAPSHOT_LEVELS
from mmfast.sim.replay import EVENT_SNAPSHOT, EVENT_TOUCH, EVENT_TRADE, replay
from mmfast.units import ASK, BID, PX_DECIMALS

Json = dict[str, Any]
Level = tuple[int, int]  # price in ticks, lots
FOR_EVER_MS = 2**62
TIDS_KEPT = 10_000
STALE_NS = 3_000_000_000  # fast books come every 0.54 s: so long a silence is no market any more
BROKEN = (KeyError, TypeError, ValueError, IndexError, InvalidOperation)


def units(text: str, decimals: int) -> int:
    """A decimal text in units of 10^-``decimals``; ValueError if it is none of them, or none at all."""
    scaled = Decimal(text).scaleb(decimals)
    if not scaled.is_finite() or scaled != int(scaled) or not 0 < scaled < 2**62:
        raise ValueError(f"{text!r} is no positive multiple of 10^-{decimals}")
    return int(scaled)


def deeper(side: int, shown: list[Level], known: list[Level]) -> list[Level]:
    """Levels of an older whole book behind those that a fast one shows."""
    return [level for level in known if shown and better(side, shown[-1][0], level[0])]


class MirrorSource:
    """Source of one coin; `take` a frame's data as it comes, blocks play what has been taken."""

    def __init__(self, coin: str, sz_decimals: int) -> None:
        self.coin, self.sz_decimals, self.px_decimals = coin, sz_decimals, PX_DECIMALS - sz_decimals
        self.ended = False
        self.unusable_count = 0
        self._numbers = (math.nan, math.nan, math.nan, math.nan, math.nan)
        self._pending: list[tuple[int, int, Any]] = []
        self._touch: tuple[int, list[tuple[int, int, int]]] = (0, [])
        self._deep: list[list[Level]] = [[], []]
        self._tids: deque[int] = deque(maxlen=TIDS_KEPT)
        self._since_ms = self._last_ms = self._heard_ns = self._cursor = 0
        self._load()

    @property
    def stale(self) -> bool:
        """True when nothing has been told of the book for too long: what is shown is the past."""
        return time.monotonic_ns() - self._heard_ns > STALE_NS

    def take(self, channel: str, data: Any) -> None:
        """Take in the data of one frame; what cannot be used is counted."""
        try:
            if channel == "trades":
                for trade in data:
                    self._take_trade(trade)
            elif channel == "bbo":
                self._take_touch(data)
            elif channel == "l2Book":
                self._take_book(data)
            elif channel == "activeAssetCtx":
                self._take_context(data["ctx"])
        except BROKEN:
            self.unusable_count += 1

    def begin(self, book: Json) -> None:
        """Take in the first book; trades before it are not told. ValueError if a side is empty."""
        self._take_book(book)
        self._since_ms = int(book["time"])
        if not all(book["levels"]):
            raise ValueError(f"{self.coin} has an empty side at the exchange that is mirrored")

    def _add(self, time_ms: int, kind: int, payload: Any) -> None:
        """Later than all that came before, as it is told later."""
        self._last_ms = max(self._last_ms, time_ms)
        self._pending.append((self._last_ms, kind, payload))

    def _level(self, level: Json) -> Level:
        return units(level["px"], self.px_decimals), units(level["sz"], self.sz_decimals)

    def _take_trade(self, trade: Json) -> None:
        row = (*self._level(trade), {"B": BID, "A": ASK}[trade["side"]], int(trade["tid"]))
        if row[3] not in self._tids and trade["time"] > self._since_ms:
            self._tids.append(row[3])
            self._add(int(trade["time"]), EVENT_TRADE, row)

    def _take_touch(self, data: Json) -> None:
        bid, ask = data["bbo"]
        rows = [(side, *self._level(level)) for side, level in ((BID, bid), (ASK, ask)) if level is not None]
        if len(rows) == 2 and rows[0][1] >= rows[1][1]:
            raise ValueError("the touch is crossed")
        self._touch = (int(data["time"]), rows)
        self._heard_ns = time.monotonic_ns()
        for row in rows:
            self._add(self._touch[0], EVENT_TOUCH, row)

    def _take_book(self, data: Json) -> None:
        sides = [[self._level(level) for level in levels] for levels in data["levels"]]
        if all(sides) and sides[BID][0][0] >= sides[ASK][0][0]:
            raise ValueError("the book is crossed")
        if data.get("fast"):
            sides = [shown + deeper(side, shown, self._deep[side]) for side, shown in enumerate(sides)]
        else:
            self._deep = sides
        snapshot = np.zeros((2, SNAPSHOT_LEVELS, 2), np.int64)
        for side, levels in enumerate(sides):
            snapshot[side, : len(levels)] = np.array(levels[:SNAPSHOT_LEVELS], np.int64).reshape(-1, 2)
        self._heard_ns = time.monotonic_ns()
        self._add(int(data["time"]), EVENT_SNAPSHOT, snapshot)
        if self._touch[0] > int(data["time"]):
            for newer in self._touch[1]:
                self._add(self._touch[0], EVENT_TOUCH, newer)

    def _take_context(self, context: Json) -> None:
        premium = context["premium"]
        told = (context["oraclePx"], context["markPx"], math.nan if premium is None else premium, context["funding"],
                context["openInterest"])
        self._numbers = tuple(map(float, told))  # type: ignore[assignment]

    def _load(self) -> None:
        """Make what is pending the events that are played next."""
        self._pending.sort(key=lambda one: one[0])  # stable: within one time as it was told
        rows: dict[int, list[Any]] = {EVENT_TOUCH: [], EVENT_SNAPSHOT: [], EVENT_TRADE: []}
        events = []
        for time_ms, kind, payload in self._pending:
            events.append((time_ms, kind, len(rows[kind])))
            rows[kind].append(payload)
        self._pending.clear()
        self._events = np.array(events, np.int64).reshape(-1, 3)
        self._touches = np.array(rows[EVENT_TOUCH] or [(0, 0, 0)], np.int64)
        self._snapshots = np.array(rows[EVENT_SNAPSHOT] or [np.zeros((2, SNAPSHOT_LEVELS, 2))], np.int64)
        self._trades = np.array(rows[EVENT_TRADE], np.int64).reshape(-1, 4)
        self._cursor = 0

    def start(self, books: Any, sz_decimals: int, start_ms: int) -> None:
        """Show the first book."""
        self.advance(books, start_ms, 1)

    def advance(self, books: Any, now_ms: int, takers: int) -> int:
        """Play what has been told; 1 if the book must be drained and the call repeated."""
        if self._cursor >= len(self._events) and self._pending:
            self._load()
        cursor, more = replay(books, self._cursor, self._events, self._touches, self._snapshots, self._trades,
                              FOR_EVER_MS, now_ms, takers)
        self._cursor = int(cursor)
        return int(more or (takers == 1 and bool(self._pending)))

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        """Oracle, mark, premium, funding and open interest as they were told; the mid stands in for the oracle."""
        oracle, mark, premium, funding, interest = self._numbers
        return (oracle if math.isfinite(oracle) else mid_px, mark, premium, funding,
                interest if math.isfinite(interest) else 0.0)
