"""
The fused host: feed, estimator, quoter and gateway in one process, on one core, in one event loop.

In      what the four processes of the other hosts take.
Out     the same records through the same rings; a frame is an order before its callback returns.
Source  on a small host, hops between processes cost more than the work: the same stages, composed (agrona's
        CompositeAgent). The watchdog stays a process of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any

from mmfast.config import EngineConfig
from mmfast.feed.stage import FeedStage
from mmfast.gateway.stage import GatewayStage
from mmfast.hosts import estimator, quoter
from mmfast.records.control import STATE_RUNNING, STATE_STOPPED
from mmfast.rings.region import House
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.process import Placement

FUSED = ("feed", "estimator", "quoter")  # what runs in the gateway's process besides the gateway


class FusedHost(GatewayStage):
    """A gateway whose wake-up first runs the stages before it."""

    def __init__(self, house: House, config: EngineConfig, placement: Placement, ws_url: str, *gateway: Any) -> None:
        super().__init__(house, config, placement, ws_url, *gateway)
        self.estimator = estimator.Estimator(house, placement)
        self.quoter = quoter.Quoter(house, placement)
        self.feed = FeedStage(house, config, ws_url, self._drain)
        self.fused_hearts = [Heart(house, name) for name in FUSED]
        for heart in self.fused_hearts:
            heart.describe(placement.core, placement.idle)
            heart.enter(STATE_RUNNING)

    async def run(self) -> int:
        """The feed and the gateway side by side, until the engine stops."""
        feeding = asyncio.ensure_future(self.feed.run())
        code = await super().run()
        feeding.cancel()
        for heart in self.fused_hearts:
            heart.enter(STATE_STOPPED)
        return code

    def _drain(self) -> bool:
        """Frames to beliefs, beliefs to quotes, quotes to orders."""
        work = estimator.drain(self.estimator.address) + quoter.drain(self.quoter.address)
        return super()._drain() or work > 0

    def _on_frame(self, payload: bytes, ts_recv_ns: int) -> None:
        super()._on_frame(payload, ts_recv_ns)
        self._drain()  # a fill changes the position, and the position changes the quotes
