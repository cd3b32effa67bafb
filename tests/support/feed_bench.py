"""
A feed handler over the house of an engine that is not there.

In      coins, a folder, options of the configuration.
Out     the stage; what is on its market ring, in its counters, among its errors.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from pathlib import Path

import numpy as np
import orjson
from support.flow import LISTED
from support.house import a_house

from mmfast.cli.reasons import FRAMES
from mmfast.config import load
from mmfast.feed.stage import FeedStage
from mmfast.hosts.instruments import instrument_table
from mmfast.records.control import CHANNEL_COUNT
from mmfast.records.market import BOOK
from mmfast.rings import broadcast
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import read_errors

SERIAL = itertools.count()
NOWHERE = "ws://127.0.0.1:1/ws"
DEADLINE_S = 10.0


async def until(condition):
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.005)


class FakeLink:
    """Keeps what was written."""

    def __init__(self):
        self.sent, self.checks = [], 0

    def send(self, payload):
        self.sent.append(orjson.loads(payload))
        return True

    def check(self):
        self.checks += 1


class Bench:
    """A feed handler over the house of an engine that is not there."""

    def __init__(self, coins, tmp_path, **changes):
        self.name = f"feed-{os.getpid()}-{next(SERIAL)}"
        self.house = a_house(self.name, coins)
        self.house.table("instrument")[:] = instrument_table([LISTED[coin] for coin in coins])
        self.config = load("local", host="shared", overrides={
            "engine.name": self.name, "engine.state_dir": str(tmp_path), "feed.timer_ms": 5,
            "reference.kind": "none", **changes})
        self.house.table("heartbeat")["state"] = 0
        self.after = 0

    def stage(self, url=NOWHERE):
        made = FeedStage(self.house, self.config, url, self.note_after)
        if url == NOWHERE:
            made.link = FakeLink()
        return made

    def note_after(self):
        self.after += 1

    def close(self):
        self.house.segment.disown()
        Path(f"/dev/shm/mmfast-{self.name}").unlink(missing_ok=True)

    def records(self, kind):
        """What is on the market ring of that kind, oldest first."""
        ring, target, found = self.house.address["market"], np.zeros(1, BOOK), []
        for number in range(broadcast.head(ring)):
            assert broadcast.receive(ring, number, target.ctypes.data, BOOK.itemsize) == broadcast.READ
            if target["kind"][0] == kind:
                found.append(np.frombuffer(target.tobytes()[: FRAMES[kind].itemsize], FRAMES[kind])[0])
        return found

    def count(self, name):
        return Counters(self.house, "feed").get(name)

    def channel(self, channel, inst=0):
        return self.house.table("channel")[inst * CHANNEL_COUNT + channel]

    def said(self):
        return [line.text for line in read_errors(self.house)]
