"""
How long a cache line takes from one core to another: the floor of every hop between processes.

    core A   store 2i+1 ──▶ line ──▶ core B sees it, stores 2i+2 ──▶ line ──▶ core A sees it

In      the cores we may use.
Out     nanoseconds one way, for every pair; half a round trip, median of rounds.
Source  rigtorp/c2clat.
"""

from __future__ import annotations

import mmap
import os

import numpy as np

from mmfast.kernel import kernel
from mmfast.rings.atomics import load_acquire, monotonic_ns, store_release
from perf.rings.pair import run_pair

HOPS = 20_000
CORES_MAX = 16


@kernel
def line_ping(line: int, count: int) -> int:
    """Send the line ``count`` times and wait for it; returns the time taken [ns]."""
    start = monotonic_ns()
    for i in range(count):
        store_release(line, 2 * i + 1)
        while load_acquire(line) != 2 * i + 2:
            pass
    return monotonic_ns() - start


@kernel
def line_pong(line: int, count: int) -> int:
    """Send the line back ``count`` times."""
    for i in range(count):
        while load_acquire(line) != 2 * i + 1:
            pass
        store_release(line, 2 * i + 2)
    return count


def hop_ns(one: int, other: int, count: int = HOPS) -> float:
    """Nanoseconds for the line from core ``one`` to core ``other``."""
    page = np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.int64)
    line = int(page.ctypes.data)
    line_ping(line, 0)
    line_pong(line, 0)
    taken_ns, _ = run_pair(lambda: line_ping(line, count), lambda: line_pong(line, count), (one, other))
    return float(taken_ns) / count / 2


def main() -> None:
    """Print the matrix."""
    from perf.harness import arguments, environment, show

    asked = arguments(__doc__)
    environment(asked, probes=False)
    cores = sorted(os.sched_getaffinity(0))[: 2 if asked.smoke else CORES_MAX]
    count = 100 if asked.smoke else HOPS
    rows = []
    for one in cores:
        hops = [[hop_ns(one, other, count) for _ in range(asked.rounds)] if one != other else [float("nan")]
                for other in cores]
        rows.append([f"core {one}", *(float(np.median(h)) for h in hops)])
    show(asked, "One cache line, one way [ns]", ["from \\ to", *(f"core {c}" for c in cores)], rows)


if __name__ == "__main__":
    main()
