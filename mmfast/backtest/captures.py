"""
Captures: what others recorded of Hyperliquid and Binance, as the market records that the engine would have heard.

In      what was heard of one coin: touches, trades, books, contexts; formats.py reads them from files.
Out     a tape of MARKET records by receive time, with a tick of the house clock every 250 ms.
Source  the records are those of the feed; the tick of a price is told from the prices themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from mmfast.records.market import (
    BBO,
    BOOK,
    BOOK_LEVELS,
    CTX,
    KIND_BBO,
    KIND_BOOK,
    KIND_CTX,
    KIND_TIMER,
    KIND_TRADE,
    MARKET,
    TRADE,
)
from mmfast.units import NS_PER_MS

Array = np.ndarray[Any, Any]
TIMER_NS = 250 * NS_PER_MS
TICKS = 8  # of the house clock after a record: it does not tick through longer silences
DECIMALS = 6  # a price tick is 10^-(6 - size decimals)


class Capture(NamedTuple):
    """One coin of one set; ``rows`` are MARKET records in the order in which they were received."""

    name: str
    coin: str
    sz_decimals: int
    rows: Array


class Heard:
    """What was heard of one coin, prices and sizes still as floats."""

    def __init__(self) -> None:
        self.touches: list[tuple[float, ...]] = []  # recv_ns, exch_ns, bid, ask, bid size, ask size
        self.trades: list[tuple[float, ...]] = []  # recv_ns, exch_ns, px, size, side, tid
        self.books: list[tuple[int, int, Any]] = []  # recv_ns, exch_ns, ((px, size) ...) of bids, of asks
        self.contexts: list[tuple[float, ...]] = []  # recv_ns, exch_ns, funding an hour, premium

    def prices(self) -> Iterator[float]:
        """Prices from which the tick can be told."""
        for touch in self.touches[:2000]:
            yield from touch[2:4]
        for trade in self.trades[:2000]:
            yield trade[2]
        for _, _, sides in self.books[:50]:
            for side in sides:
                yield from (px for px, _ in side)


def sz_decimals(prices: Iterable[float]) -> int:
    """Size decimals whose tick holds every price: 6 less the most decimal places of any."""
    places = max((len(f"{px:.6f}".rstrip("0").split(".")[1]) for px in prices), default=0)
    return max(DECIMALS - max(places, 1), 0)


def wide(dtype: Any) -> Any:
    """``dtype`` in slots of a MARKET record."""
    names = dtype.names
    return np.dtype({"names": names, "formats": [dtype.fields[n][0] for n in names],
                     "offsets": [dtype.fields[n][1] for n in names], "itemsize": MARKET.itemsize})


def _stamped(kind: int, stamps: Array) -> Array:
    """Rows of ``kind`` received and sent at ``stamps`` (n, 2) [ns]."""
    rows = np.zeros(len(stamps), MARKET)
    rows["kind"], rows["src_seq"] = kind, -1
    rows["ts_recv_ns"] = rows["ts_ns"] = stamps[:, 0]
    rows["ts_exch_ns"] = stamps[:, 1]
    return rows


def _stamps(events: list[Any]) -> Array:
    return np.array([(int(event[0]), int(event[1])) for event in events], np.int64).reshape(-1, 2)


def _whole(values: Any, scale: int) -> Array:
    return np.rint(np.asarray(values, float) * scale).astype(np.int64)


def tape(name: str, coin: str, heard: Heard) -> Capture:
    """The records of one coin."""
    size = sz_decimals(heard.prices())
    per_px, per_size = 10 ** (DECIMALS - size), 10**size
    touches, trades, books, contexts = (_stamped(kind, _stamps(events)) for kind, events in (
        (KIND_BBO, heard.touches), (KIND_TRADE, heard.trades), (KIND_BOOK, heard.books), (KIND_CTX, heard.contexts)))
    if heard.touches:
        numbers, view = np.array([touch[2:] for touch in heard.touches]), touches.view(wide(BBO))
        view["px_ticks"], view["lots"] = _whole(numbers[:, :2], per_px), _whole(numbers[:, 2:], per_size)
    if heard.trades:
        numbers, view = np.array([trade[2:5] for trade in heard.trades]), trades.view(wide(TRADE))
        view["px_ticks"], view["lots"] = _whole(numbers[:, 0], per_px), np.maximum(_whole(numbers[:, 1], per_size), 1)
        view["side"], view["batch_count"] = numbers[:, 2], 1
        view["tid"] = [trade[5] for trade in heard.trades]
        view["taker"] = view["ts_exch_ns"] * 2 + view["side"]  # prints of one moment and side are one order
    view = books.view(wide(BOOK))
    for row, (_, _, sides) in zip(view, heard.books, strict=True):
        for side, levels in enumerate(sides):
            few = np.array(levels[:BOOK_LEVELS], float).reshape(-1, 2)
            row["level_count"][side] = len(few)
            row["px_ticks"][side, :len(few)] = _whole(few[:, 0], per_px)
            row["lots"][side, :len(few)] = _whole(few[:, 1], per_size)
    if heard.contexts:
        view = contexts.view(wide(CTX))
        view["oracle_px"] = view["open_interest"] = view["mark_px"] = view["mid_px"] = np.nan
        view["funding_rate_h"], view["premium"] = np.array([context[2:] for context in heard.contexts]).T
    return Capture(name, coin, size, _in_order([touches, trades, books, contexts]))


def _in_order(parts: list[Array]) -> Array:
    """All records by receive time with the ticks of the clock between them, numbered."""
    times = np.concatenate([part["ts_recv_ns"] for part in parts])
    ticks = np.unique((times[:, None] + TIMER_NS * np.arange(1, TICKS + 1)).ravel() // TIMER_NS * TIMER_NS)
    timers = _stamped(KIND_TIMER, np.stack([ticks, np.zeros_like(ticks)], axis=1))
    timers["inst"] = -1
    stamps = np.concatenate([times, ticks])
    rows = np.empty(len(stamps), MARKET)
    order, begin = np.argsort(np.argsort(stamps, kind="stable"), kind="stable"), 0
    for part in (*parts, timers):  # by bytes: what a slot holds is in the padding of its dtype
        rows.view((np.void, MARKET.itemsize))[order[begin:begin + len(part)]] = part.view((np.void, MARKET.itemsize))
        begin += len(part)
    rows["seq"] = np.arange(len(rows))
    return rows
