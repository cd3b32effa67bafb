"""
Waking a reader that sleeps: how late it sees the message, what the writer pays, what waiting costs.

    writer   every millisecond or so:  stamp ─▶ publish ─▶ ring the bell if it sleeps
    reader   ring empty ─▶ wait as its row says ─▶ see the message ─▶ clock − stamp

In      a lossless ring, a bell, and the ways of waiting.
Out     lateness and the writer's cost as percentiles, the reader's share of a core.
Source  the base row is the same loop with the waiting removed: the reader spins.
"""

from __future__ import annotations

import asyncio
import os
import resource
import select
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import uvloop

from mmfast.kernel import kernel
from mmfast.records.header import record
from mmfast.rings import spsc
from mmfast.rings.atomics import load_unordered, monotonic_ns, pause, sched_yield, store_unordered
from mmfast.rings.bell import get_up, lie_down, ring_bell, sleep
from mmfast.rings.layout import HEADER_BYTES, SPSC, TABLE
from mmfast.rings.region import House, Region
from mmfast.topology import BELL
from perf.harness import Disturbance, arguments, each, environment, median, percentiles, show
from perf.rings.contenders import Gate
from perf.rings.pair import run_pair, two_cores

GAP_NS = 1_000_000
MESSAGES, SMOKE = 3000, 30
CAPACITY = 4096
SLEEP_NS = 50_000_000
SPIN, YIELD, FUTEX = 0, 1, 2
MESSAGE = record(("sent_ns", "i8"), size=64)
O_SENT = MESSAGE.fields["sent_ns"][1]
COLUMNS = ("reader", "late p50 ns", "p99 ns", "p99.9 ns", "max ns", "writer p50 ns", "p99 ns", "wake-ups", "reader CPU",
           "foreign CPU")


@kernel
def write(ring: int, bell: int, count: int, gap_ns: int, costs: int) -> None:
    """Publish ``count`` stamps at random gaps around ``gap_ns`` and write what each publication cost."""
    dice = 88172645463325252
    at = monotonic_ns() + gap_ns
    for i in range(count):
        dice = dice * 6364136223846793005 + 1442695040888963407
        at += gap_ns // 2 + ((dice >> 33) & 0x7FFFFFFF) % gap_ns
        while monotonic_ns() < at:
            pause()
        slot = spsc.claim(ring)
        now = monotonic_ns()
        store_unordered(slot + O_SENT, now)
        spsc.publish(ring, slot)
        ring_bell(bell)
        store_unordered(costs + 8 * i, monotonic_ns() - now)


@kernel
def drain(ring: int, late: int, done: int) -> int:
    """Take whatever is there and write how late it was; returns how many were taken in all."""
    slot = spsc.peek(ring)
    while slot != 0:
        store_unordered(late + 8 * done, monotonic_ns() - load_unordered(slot + O_SENT))
        spsc.release(ring)
        done += 1
        slot = spsc.peek(ring)
    return done


@kernel
def read(ring: int, bell: int, count: int, late: int, wait: int) -> None:
    """Read ``count`` stamps, waiting by pause, by sched_yield or in a futex."""
    done = 0
    while done < count:
        before = done
        done = drain(ring, late, done)
        if done != before:
            continue
        if wait == SPIN:
            pause()
        elif wait == YIELD:
            sched_yield()
        else:
            lie_down(bell)
            done = drain(ring, late, done)
            if done == before:
                sleep(bell, SLEEP_NS)
            else:
                get_up(bell)


class Wire:
    """A ring and a bell in shared memory, and the eventfd that both sides inherit."""

    def __init__(self, loop: bool) -> None:
        name = f"/mmfast-perf-{os.getpid()}-{time.monotonic_ns()}"
        self.house = House.create(name, "perf", [Region("ring", SPSC, MESSAGE, CAPACITY),
                                                 Region("bell", TABLE, BELL, 1)])
        self.house.segment.unlink()
        self.house.segment.disown()
        self.ring, self.bell = self.house.address["ring"], self.house.address["bell"] + HEADER_BYTES
        self.words = self.house.table("bell")
        self.descriptor = os.eventfd(0, os.EFD_NONBLOCK)
        self.words["descriptor"] = self.descriptor if loop else 0

    def close(self) -> None:
        """Drop the eventfd."""
        os.close(self.descriptor)


def take(wire: Wire, late: int, done: int, count: int) -> int:
    """One wake-up of an event loop: drain, lie down, look once more."""
    os.eventfd_read(wire.descriptor)
    while done < count:
        done = drain(wire.ring, late, done)
        lie_down(wire.bell)
        after = drain(wire.ring, late, done)
        if after == done:
            return done
        get_up(wire.bell)
        done = after
    return done


def read_poll(wire: Wire, count: int, late: int) -> None:
    """Read in poll(2) on the eventfd."""
    poll, done = select.poll(), 0
    poll.register(wire.descriptor, select.POLLIN)
    os.eventfd_write(wire.descriptor, 1)
    while done < count:
        done = take(wire, late, done, count) if poll.poll(50) else drain(wire.ring, late, done)


async def read_loop(wire: Wire, count: int, late: int) -> None:
    """Read in an event loop that watches the eventfd."""
    loop, finished, state = asyncio.get_running_loop(), asyncio.Event(), [0]

    def rung() -> None:
        state[0] = take(wire, late, state[0], count)
        if state[0] >= count:
            finished.set()

    loop.add_reader(wire.descriptor, rung)
    # Rings itself once, so that what was published before it lay down is taken.
    os.eventfd_write(wire.descriptor, 1)
    await finished.wait()
    loop.remove_reader(wire.descriptor)


Way = Callable[[Wire, int, int], Any]
WAYS: tuple[tuple[str, bool, Way], ...] = (
    ("base: spin with pause", False, lambda wire, count, late: read(wire.ring, wire.bell, count, late, SPIN)),
    ("spin with sched_yield", False, lambda wire, count, late: read(wire.ring, wire.bell, count, late, YIELD)),
    ("futex", False, lambda wire, count, late: read(wire.ring, wire.bell, count, late, FUTEX)),
    ("eventfd in poll", True, read_poll),
    ("eventfd in asyncio", True, lambda wire, count, late: asyncio.run(read_loop(wire, count, late))),
    ("eventfd in uvloop", True, lambda wire, count, late: uvloop.run(read_loop(wire, count, late))),
)


def measure(way: Way, loop: bool, count: int, gap_ns: int, cores: Sequence[int]) -> list[float]:
    """One row of one round."""
    wire, gate = Wire(loop), Gate()

    def writer() -> Any:
        costs = np.zeros(count, np.int64)
        gate.start()
        write(wire.ring, wire.bell, count, gap_ns, int(costs.ctypes.data))
        return costs

    def reader() -> Any:
        late = np.zeros(count + CAPACITY, np.int64)
        gate.open()
        start, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
        way(wire, count, int(late.ctypes.data))
        after, took = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - start
        return late[:count], (after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime) / took

    try:
        with Disturbance() as foreign:
            costs, (late, share) = run_pair(writer, reader, cores)
        cost = percentiles(costs)
        return [*percentiles(late[count // 10 :]), *cost[:2], float(wire.words["wakes"][0]), share, foreign.share]
    finally:
        wire.close()


def warm() -> None:
    """Compile before forking: the reader's CPU must not include it."""
    wire, sink = Wire(False), np.zeros(CAPACITY, np.int64)
    at = int(sink.ctypes.data)
    write(wire.ring, wire.bell, 1, 1, at)
    read(wire.ring, wire.bell, 1, at, SPIN)
    drain(wire.ring, at, 0)
    wire.close()


def main() -> None:
    """One table, median over rounds."""
    asked = arguments(__doc__, rounds=3)
    environment(asked)
    warm()
    cores = two_cores()
    count, gap_ns = (SMOKE, 20_000) if asked.smoke else (MESSAGES, GAP_NS)
    rows = []
    for name, loop, way in WAYS:
        middle = median([measure(way, loop, count, gap_ns, cores) for _ in each(asked, range(asked.rounds), name)])
        rows.append([name, *middle[:6], int(middle[6]), f"{middle[7]:.1%}", f"{middle[8]:.0%}"])
    where = f"cores {','.join(map(str, cores))}" if cores else "any core"
    show(asked, f"A message every {GAP_NS / 1e6:g} ms, writer and reader on {where}", COLUMNS, rows,
         f"{asked.rounds} rounds of {count} messages, medians. Writer: publish and ring.")


if __name__ == "__main__":
    main()
