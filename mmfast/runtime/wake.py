"""
Waiting: how a process that has nothing to do gives way, and how it is woken.

In      a bell in shared memory and the choice of the host's configuration.
Out     SPIN (own core, never sleeps) or SLEEP (futex in nopython loops, eventfd in event loops).
Source  measurements behind the two: spinning on a shared core costs milliseconds, sleeping on a core of one's
        own costs tens of microseconds.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress

from mmfast.kernel import kernel
from mmfast.rings.atomics import pause
from mmfast.rings.bell import BELL_BYTES, get_up, lie_down, sleep
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House
from mmfast.topology import PROCESSES

SPIN, SLEEP = 0, 1
IDLE_NAMES = ("spin", "sleep")
# Bounds what a writer that died between publishing and ringing can cost, and how late a control word is seen.
SLEEP_NS = 10_000_000


def bell_address(house: House, process: str) -> int:
    """Address of the bell of a process."""
    return house.address["bell"] + HEADER_BYTES + PROCESSES.index(process) * BELL_BYTES


@kernel
def doze(idle: int, bell: int, ready: bool) -> None:
    """
    Give way once. For SLEEP the caller has called `lie_down` and looked again: ``ready`` says what it saw.
    """
    if idle == SPIN:
        pause()
    elif ready:
        get_up(bell)
    else:
        sleep(bell, SLEEP_NS)


class LoopBell:
    """
    The bell of a process that waits in an event loop: once rung, ``drain`` runs until it returns False.

    With SPIN the loop polls ``drain`` on every turn and never blocks.
    """

    def __init__(self, house: House, process: str, descriptor: int, idle: int,
                 drain: Callable[[], bool]) -> None:
        self.address = bell_address(house, process)
        self._words = house.table("bell")[PROCESSES.index(process) : PROCESSES.index(process) + 1]
        self._descriptor = descriptor
        self._idle = idle
        self._drain = drain
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start to listen on ``loop``."""
        self._loop = loop
        self._words["asleep"] = 0
        self._words["descriptor"] = self._descriptor
        if self._idle == SPIN:
            loop.call_soon(self._poll)
        else:
            loop.add_reader(self._descriptor, self._rung)
            self._rung()

    def look(self) -> None:
        """Drain as if rung: call now and then, because a writer that died while ringing leaves us unheard."""
        if self._loop is not None and self._idle == SLEEP:
            self._rung()

    def close(self) -> None:
        """Stop to listen."""
        if self._loop is not None and self._idle == SLEEP:
            self._loop.remove_reader(self._descriptor)
        self._loop = None

    def _poll(self) -> None:
        if self._loop is not None:
            self._loop.call_soon(self._poll)  # first, so that a drain that fails is tried again
            self._drain()

    def _rung(self) -> None:
        with suppress(BlockingIOError):  # the first call, or a wake-up that was drained already
            os.eventfd_read(self._descriptor)
        try:
            self._drain_dry()
        except BaseException:
            lie_down(self.address)  # the next ring tries again: a bell that stays awake is never rung
            raise

    def _drain_dry(self) -> None:
        while True:
            while self._drain():
                pass
            lie_down(self.address)
            if not self._drain():
                return
            get_up(self.address)


def loop_descriptor() -> int:
    """An eventfd to be made before forking, so that writers and the sleeper share it."""
    return os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
