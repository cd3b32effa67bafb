"""
The stages of one coin from market records to quotes, and builders of their records, for tests.

In      touches, prints, books as plain numbers.
Out     the records of every stage.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from support.parameters import default_parameters

from mmfast.actuary.price import price
from mmfast.executor.allocate import allocate
from mmfast.filter import believe as believing
from mmfast.filter.state import FILTER
from mmfast.governor.govern import govern
from mmfast.records.account import FILL
from mmfast.records.belief import BELIEF
from mmfast.records.feature import FEATURES
from mmfast.records.market import BBO, BOOK, CTX, GAP, TIMER, TRADE
from mmfast.records.quote import MANDATE, QUOTE, SURFACE
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR

START_NS = 1_000_000_000_000


def one(dtype: np.dtype[Any], **values: Any) -> Any:
    """A zeroed record of ``dtype`` with some fields set."""
    record = np.zeros(1, dtype)[0]
    for name, value in values.items():
        record[name] = value
    return record


def a_belief(**changes: Any) -> Any:
    """A usable belief: fair value and mid 100 000, 50 % a year, no drift, no flow, a touch of 99 999 and 100 001."""
    return one(BELIEF, **{
        "fair_px": 1e5, "mid_px": 1e5, "anchor_px": 1e5, "sigma_bps": 0.89, "mode_p": (0.85, 0.13, 0.02),
        "informed_p": 0.15, "activity": 1.0, "tail": 1.0, "half_spread_bps": 0.1,
        "touch_ticks": (999_990, 1_000_010), "touch_lots": (600_000, 400_000), **changes})


class Desk:
    """All records of one coin; every method feeds one market record and believes at its time."""

    def __init__(self, **changes: Any) -> None:
        self.params = default_parameters(**changes)
        self.sensor, self.filter, self.features = one(SENSOR), one(FILTER), one(FEATURES)
        self.belief, self.mandate, self.surface, self.quote = one(BELIEF), one(MANDATE), one(SURFACE), one(QUOTE)
        sense.begin(self.sensor, self.params)
        believing.begin(self.filter, self.params)

    def bbo(self, at_s: float, bid: int, ask: int, bid_lots: int = 500_000, ask_lots: int = 500_000) -> None:
        record = one(BBO, px_ticks=(bid, ask), lots=(bid_lots, ask_lots))
        self._feed(sense.on_bbo, record, at_s)

    def trade(self, at_s: float, side: int, lots: int, px: int = 1_000_000, taker: int = 0, replayed: int = 0) -> None:
        record = one(TRADE, side=side, lots=lots, px_ticks=px, taker=taker, replayed=replayed, batch_count=1)
        self._feed(sense.on_trade, record, at_s)

    def book(self, at_s: float, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        record = one(BOOK, level_count=(len(bids), len(asks)))
        for side, levels in enumerate((bids, asks)):
            for k, (px, lots) in enumerate(levels):
                record["px_ticks"][side, k], record["lots"][side, k] = px, lots
        self._feed(sense.on_book, record, at_s)

    def ctx(self, at_s: float, funding_rate_h: float) -> None:
        self._feed(sense.on_ctx, one(CTX, funding_rate_h=funding_rate_h), at_s)

    def timer(self, at_s: float) -> None:
        self._feed(sense.on_timer, one(TIMER, inst=-1), at_s)

    def gap(self, at_s: float, reason: int = 1) -> None:
        self._feed(sense.on_gap, one(GAP, reason=reason), at_s)

    def fill(self, at_s: float, side: int, px: int, lots: int, crossed: int = 0, exch_ns: int = 1) -> None:
        now_ns = START_NS + round(at_s * 1e9)
        record = one(FILL, side=side, px_ticks=px, lots=lots, crossed=crossed, ts_recv_ns=now_ns, ts_exch_ns=exch_ns)
        believing.on_fill(self.filter, record, self.belief, self.params)

    def _feed(self, kernel: Any, record: Any, at_s: float) -> None:
        now_ns = START_NS + round(at_s * 1e9)
        record["ts_recv_ns"] = record["ts_exch_ns"] = now_ns
        kernel(self.sensor, record, self.features, self.params)
        believing.believe(self.filter, self.features, self.belief, self.params, now_ns)

    def decide(self, position_lots: int = 0) -> Any:
        """Govern, price and allocate for a position; returns the quotes."""
        return decide(self.belief, position_lots, self.params, self.mandate, self.surface, self.quote)


def decide(belief: Any, position_lots: int, params: Any, mandate: Any = None, surface: Any = None,
           quote: Any = None) -> Any:
    """The cycle of the quoter on these records, new ones where none are given; returns the quotes."""
    mandate = one(MANDATE) if mandate is None else mandate
    surface = one(SURFACE) if surface is None else surface
    quote = one(QUOTE) if quote is None else quote
    govern(belief, position_lots, params, mandate)
    price(belief, mandate, params, surface)
    allocate(belief, mandate, surface, params, quote)
    return quote


def surface_of(belief: Any, position_lots: int, params: Any) -> Any:
    """The surface for a belief and a position."""
    mandate, surface = one(MANDATE), one(SURFACE)
    govern(belief, position_lots, params, mandate)
    price(belief, mandate, params, surface)
    return surface
