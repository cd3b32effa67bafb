"""
The flow of one engine inside one process: frames go in, records, beliefs and quotes come out of shared memory.

In      payloads of the venue's market channels, fills of ours.
Out     copies of what the market ring and the cells hold.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.parameters import default_parameters

from mmfast.cli.reasons import FRAMES
from mmfast.feed.admit import FEED_STATE
from mmfast.feed.publish import FEED, publish_frame, publish_gap, publish_timer
from mmfast.hosts.estimator import Estimator
from mmfast.hosts.instruments import Listed, instrument_table
from mmfast.hosts.quoter import Quoter
from mmfast.records.account import FILL, KIND_FILL
from mmfast.records.control import STATE_RUNNING
from mmfast.records.market import BOOK
from mmfast.rings import broadcast, seqlock, spsc
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SLEEP, SPIN, bell_address
from mmfast.topology import QUOTER, regions

CAPTURED = Path(__file__).parents[2].parent / "shared" / "hyperliquid" / "samples" / "captured"
needs_captured = pytest.mark.skipif(not CAPTURED.is_dir(), reason="the captured frames are not beside this checkout")

SERIAL = itertools.count()
LISTED = {"BTC": Listed("BTC", 0, 5, 40, 80_000.0), "ETH": Listed("ETH", 1, 4, 25, 3_000.0),
          "MATIC": Listed("MATIC", 3, 1, 20, 0.4), "SOL": Listed("SOL", 5, 2, 20, 200.0)}
TURN_NS = 2_000_000
DEADLINE_S = 5.0


class Flow:
    """A house without a name, the feed's context over it, an estimator and a quoter that run when they are told."""

    def __init__(self, coins: tuple[str, ...] = ("BTC",), idle: int = SPIN, position_lots: int = 0) -> None:
        self.house = house = House.create(f"/mmfast-flow-{os.getpid()}-{next(SERIAL)}", "test", regions(len(coins)))
        house.ready()
        house.segment.unlink()  # the mapping is enough
        house.table("instrument")[:] = instrument_table([LISTED[coin] for coin in coins])
        for inst, coin in enumerate(coins):
            scale = 10 ** (6 - LISTED[coin].sz_decimals), 10 ** LISTED[coin].sz_decimals
            house.cells("parameters")[inst] = default_parameters(ticks_per_usd=scale[0], lots_per_coin=scale[1])
            house.cells("ledger")[inst]["position_lots"] = position_lots
        self.instruments = house.table("instrument").copy()
        self.states, self.context = np.zeros(len(coins), FEED_STATE), np.zeros(1, FEED)
        for field, value in {"market": house.address["market"], "channels": house.address["channel"] + HEADER_BYTES,
                             "states": self.states.ctypes.data, "counters": Counters(house, "feed").address,
                             "bell": bell_address(house, "estimator"), "instrument_count": len(coins)}.items():
            self.context[field] = value
        self.feed = int(self.context.ctypes.data)
        self.estimator, self.quoter = Estimator(house, Placement(-1, idle)), Quoter(house, Placement(-1, idle))
        self.estimator.run(0)  # compiles, and returns because its time is over
        self.quoter.run(0)
        publish_frame(b"", self.feed, self.instruments, 0)  # compiles, and is no market data
        self.context["frame_number"], house.table("counter")["value"] = 0, 0

    def close(self) -> None:
        """Give the lock's descriptor back."""
        self.house.segment.disown()

    def frame(self, payload: bytes, at_ns: int = 0) -> int:
        """One frame, received now or at ``at_ns``; the code of `publish_frame`."""
        return publish_frame(payload, self.feed, self.instruments, at_ns or time.monotonic_ns())

    def timer(self, at_ns: int = 0) -> None:
        """One tick of the feed's clock."""
        publish_timer(self.feed, 1, at_ns or time.monotonic_ns())

    def gap(self, inst: int, reason: int, at_ns: int = 0) -> None:
        """One gap marker."""
        publish_gap(self.feed, inst, reason, at_ns or time.monotonic_ns())

    def fill(self, reader: str, inst: int = 0, **fields: Any) -> int:
        """One fill on the account ring of ``reader``; its seq."""
        record = np.zeros(1, FILL)
        record["kind"], record["inst"] = KIND_FILL, inst
        record["ts_recv_ns"] = record["ts_ns"] = time.monotonic_ns()
        for field, value in fields.items():
            record[field] = value
        ring = self.house.address[f"account_{reader}"]
        slot = spsc.claim(ring)
        return spsc.put(ring, slot, record.ctypes.data, record.itemsize)

    def estimate(self) -> None:
        """Run the estimator until it has read everything."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            self.estimator.run(time.monotonic_ns() + TURN_NS)
            idle = spsc.peek(self.house.address["account_estimator"]) == 0
            if self.estimator.context["position"][0] == broadcast.head(self.house.address["market"]) and idle:
                return
            assert time.monotonic() < deadline, "the estimator does not keep up"

    def decide(self) -> None:
        """Run the quoter for a moment and one turn at least, which is all it needs for what is new."""
        heart, deadline = self.house.table("heartbeat")[QUOTER], time.monotonic() + DEADLINE_S
        turns = int(heart["loop_count"])
        while heart["loop_count"] == turns:
            assert time.monotonic() < deadline, "the quoter does not get to run"
            self.quoter.run(time.monotonic_ns() + TURN_NS)

    def records(self, kind: int | None = None) -> list[Any]:
        """What is on the market ring, oldest first, as records of their kind."""
        ring, target, found = self.house.address["market"], np.zeros(1, BOOK), []
        for number in range(broadcast.head(ring)):
            assert broadcast.receive(ring, number, target.ctypes.data, BOOK.itemsize) == broadcast.READ
            if kind is None or target["kind"][0] == kind:
                dtype = FRAMES[int(target["kind"][0])]
                found.append(np.frombuffer(target.tobytes()[: dtype.itemsize], dtype)[0])
        return found

    def cell(self, region: str, inst: int = 0) -> Any:
        """The record in a cell; None if it was never written."""
        target = np.zeros(1, self.house.regions[region].dtype)
        cell = seqlock.cell_address(self.house.address[region], inst)
        return target[0] if seqlock.load(cell, target.ctypes.data, target.itemsize) > 0 else None

    def count(self, process: str, name: str) -> int:
        """A counter."""
        return Counters(self.house, process).get(name)


def code_when_stopped(flow: Flow, body: Callable[[House, Placement], int], name: str) -> int:
    """Run the ``body`` of a process until it says that it runs, ask it to stop, and give the code that it ends with."""
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(body(flow.house, Placement(-1, SLEEP))))
    thread.start()
    deadline = time.monotonic() + DEADLINE_S
    while Heart(flow.house, name).state != STATE_RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    Control(flow.house).ask_stop()
    thread.join(timeout=DEADLINE_S)
    (code,) = ended
    return code
