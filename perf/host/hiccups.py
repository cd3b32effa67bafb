"""
How still a core is: holes in a loop that does nothing but read the clock.

    clock ─ clock ─ clock ─────────── hole ─────────── clock ─ clock

In      how long to watch each core.
Out     holes longer than a microsecond: how many a second, how long, and the share of time they take.
Source  jHiccup. A p99.9 above the host's own p99.9 is the host's, not the program's.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from mmfast.kernel import kernel
from mmfast.rings.atomics import monotonic_ns, store_unordered

HOLE_NS = 1_000
ROOM = 1 << 17


class Stillness(NamedTuple):
    """Holes of one core."""

    core: int
    per_s: float
    p50_ns: float
    p99_ns: float
    max_ns: float
    lost_share: float


@kernel
def holes(watch_ns: int, hole_ns: int, sink: int, room: int) -> int:
    """Write the length of each hole to the words at ``sink``; returns how many there were, at most ``room``."""
    start = monotonic_ns()
    before = start
    found = 0
    while before - start < watch_ns:
        now = monotonic_ns()
        if now - before > hole_ns and found < room:
            store_unordered(sink + 8 * found, now - before)
            found += 1
        before = now
    return found


def watch(core: int, watch_s: float) -> Stillness:
    """Watch a core. Runs in this process, which is where it was before when this returns."""
    allowed = os.sched_getaffinity(0)
    lengths = np.zeros(ROOM, np.int64)
    holes(0, HOLE_NS, int(lengths.ctypes.data), 0)
    try:
        os.sched_setaffinity(0, {core})
        found = holes(int(watch_s * 1e9), HOLE_NS, int(lengths.ctypes.data), ROOM)
    finally:
        os.sched_setaffinity(0, allowed)
    seen = lengths[:found] if found else np.zeros(1, np.int64)
    p50, p99 = np.percentile(seen, (50, 99))
    lost = float(seen.sum()) / watch_s / 1e9
    return Stillness(core, found / watch_s, float(p50), float(p99), float(seen.max()), lost)


def summary(core: int, watch_s: float = 0.5) -> str:
    """One core in one line."""
    s = watch(core, watch_s)
    return (f"holes above 1 µs on core {core}: {s.per_s:.0f} a second, p50 {s.p50_ns / 1e3:.1f} µs, "
            f"p99 {s.p99_ns / 1e3:.1f} µs, max {s.max_ns / 1e3:.0f} µs, {s.lost_share:.2%} of the time")


def main() -> None:
    """Print a row for each core."""
    from perf.harness import arguments, environment, show

    asked = arguments(__doc__, rounds=1)
    environment(asked, probes=False)
    cores = sorted(os.sched_getaffinity(0))
    watch_s = 0.01 if asked.smoke else 3.0
    rows = []
    for core in cores[:1] if asked.smoke else cores:
        s = watch(core, watch_s)
        rows.append([f"core {core}", s.per_s, s.p50_ns, s.p99_ns, s.max_ns, f"{s.lost_share:.3%}"])
    columns = ("", "a second", "p50 ns", "p99 ns", "max ns", "time lost")
    show(asked, f"Holes above {HOLE_NS} ns in {watch_s:g} s", columns, rows)


if __name__ == "__main__":
    main()
