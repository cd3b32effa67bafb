"""
Heartbeats: a process says that it is alive and what it is doing; anyone can tell a stale one.

In      the monotonic clock.
Out     one HEARTBEAT record for each process.
Source  Aeron's mark file, with the beat in shared memory.
"""

from __future__ import annotations

import os
import time

from mmfast.kernel import kernel
from mmfast.records.control import HEARTBEAT
from mmfast.rings.atomics import load_unordered, store_release, store_unordered
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House
from mmfast.topology import PROCESSES

O_BEAT, O_LOOPS = 0, 48


@kernel
def beat(heart: int, now_ns: int, loops: int) -> None:
    """Say "alive" at ``now_ns``, after ``loops`` more turns of the duty cycle."""
    store_unordered(heart + O_LOOPS, load_unordered(heart + O_LOOPS) + loops)
    store_release(heart + O_BEAT, now_ns)


class Heart:
    """The heartbeat of one process; ``address`` is for its kernels."""

    def __init__(self, house: House, process: str) -> None:
        row = PROCESSES.index(process)
        self.address = house.address["heartbeat"] + HEADER_BYTES + row * HEARTBEAT.itemsize
        self._record = house.table("heartbeat")[row : row + 1]

    def enter(self, state: int) -> None:
        """Enter a state of records/control.py, and beat."""
        now = time.monotonic_ns()
        self._record["pid"] = os.getpid()
        self._record["state"] = state
        self._record["state_ns"] = now
        self._record["beat_ns"] = now

    def beat(self) -> None:
        """Say "alive" now."""
        self._record["loop_count"] += 1
        self._record["beat_ns"] = time.monotonic_ns()

    def describe(self, core: int, idle: int) -> None:
        """State where the process runs and how it waits."""
        self._record["core"] = core
        self._record["idle"] = idle

    def count_restart(self) -> None:
        """Count that the supervisor started this process again."""
        self._record["restart_count"] += 1

    @property
    def age_ns(self) -> int:
        """Time since the last beat."""
        return time.monotonic_ns() - int(self._record["beat_ns"][0])

    @property
    def pid(self) -> int:
        """The process that beats."""
        return int(self._record["pid"][0])

    @property
    def state(self) -> int:
        """State the process is in, by its own word."""
        return int(self._record["state"][0])
