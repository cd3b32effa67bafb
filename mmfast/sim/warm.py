"""
Warm: compiles every kernel that a block can call, before anybody waits for one.

In      nothing; the kind of market that will be served.
Out     kernels compiled and cached on disk.
Source  a market of a kind nobody sees is traded with once in every way there is.
"""

from __future__ import annotations

from typing import Any

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.sim.book import ENDLESS
from mmfast.sim.market import Market
from mmfast.sim.queueing import set_level
from mmfast.sim.reference import Coin
from mmfast.sim.synthetic import SyntheticSource
from mmfast.units import ASK, BID

START_MS = 0


class StillSource:
    """Two levels and no events: enough for the kernels of orders, without those of a generator."""

    def __init__(self) -> None:
        self.ended = False

    def start(self, book: Any, sz_decimals: int, start_ms: int) -> None:
        """One level a side."""
        set_level(book[0], BID, 990_000, 1000, 1)
        set_level(book[0], ASK, 1_010_000, 1000, 1)

    def advance(self, book: Any, now_ms: int, takers: int) -> int:
        """Nothing is ever due."""
        return 0

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        """The mid, and nothing else."""
        return mid_px, mid_px, 0.0, 0.0, 0.0


def warm(kind: str) -> None:
    """Compile what a market of ``kind`` (synthetic or recording) needs; a recording's own kernels run as it loads."""
    source = SyntheticSource("WARM") if kind == "synthetic" else StillSource()
    market = Market("WARM", 2, source, START_MS)
    if isinstance(source, SyntheticSource):
        Coin("WARM", 2, source.states).advance(START_MS + 1000)
    bid, ask = market.touch()
    market.add(1, 1, BID, bid[0], 10, TIF_ALO, START_MS)
    market.add(2, 1, ASK, ask[0] * 2, 10, TIF_GTC, START_MS)
    market.reduce(1, 3)
    market.shrink(1)
    market.set_room(1, BID, ENDLESS, ENDLESS)
    market.add(3, 2, ASK, bid[0], 10, TIF_IOC, START_MS)
    market.cancel(2)
    for now_ms in range(100, 1000, 100):
        market.advance_makers(START_MS + now_ms)
        market.advance_takers(START_MS + now_ms)
    for levels in (1, 5, 20):
        market.depth(levels)
    market.take_prints()
    market.context()
