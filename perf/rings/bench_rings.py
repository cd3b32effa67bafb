"""
A message from one process to another: how long it takes and how many a second go through.

    hop    core A  push ─▶ ring ─▶ pop  core B  push ─▶ ring ─▶ pop  core A     half of the round trip
    rate   core A  push push push ...  ─▶ ring ─▶  ... pop pop pop   core B     first push to last pop

In      mmfast's rings, the same rings in C++ in the same run, and what else two Python processes talk through.
Out     p50, p99 and p99.9 of the hop and the rate, with ratios; median over rounds.
Source  a stamp is a clock read in both languages, so half of one is in every hop, the base row's too.
"""

from __future__ import annotations

import argparse
import ctypes
import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

from perf.harness import Disturbance, arguments, console, each, environment, median, probe_line, show
from perf.host.core_to_core import hop_ns
from perf.rings.contenders import LARGE, SMALL, Base, Gate, address, compile_limit, compiled, natives
from perf.rings.pair import run_pair, two_cores
from perf.rings.peers import Peer, available

HOPS, PEER_HOPS = 200_000, 10_000
RATES = {SMALL: 10_000_000, LARGE: 3_000_000}
PEER_RATE = 50_000
SMOKE = 50
COLUMNS = ("", "hop p50 ns", "p99", "p99.9", "× C++", "× mmfast", "M msg/s", "÷ C++", "received", "foreign CPU")


def measure_hop(contender: Any, count: int, cores: Sequence[int]) -> list[float]:
    """p50, p99, p99.9 of half a round trip [ns]."""
    contender.setup()
    try:
        trips, _ = run_pair(lambda: contender.ping(count), lambda: contender.pong(count), cores)
    finally:
        contender.close()
    return [float(v) for v in np.percentile(trips / 2, (50, 99, 99.9))]


def measure_rate(contender: Any, count: int, cores: Sequence[int]) -> list[float]:
    """Millions of messages a second from the first that was sent to the last received, and the share received."""
    contender.gate = Gate()
    contender.setup()
    try:
        start, (received, end) = run_pair(lambda: contender.produce(count), lambda: contender.consume(count), cores)
    finally:
        contender.close()
    if received < 1:
        raise RuntimeError(f"{contender.name}: a message was out of order")
    return [count / (end - start) * 1e3, received / count]


def measure(contender: Any, size: int, smoke: bool, cores: Sequence[int]) -> list[float]:
    """One row of one round."""
    peer = isinstance(contender, Peer)
    hops, rate = (PEER_HOPS, PEER_RATE) if peer else (HOPS, RATES[size])
    with Disturbance() as foreign:
        hop = measure_hop(contender, SMOKE if smoke else hops, cores)
        through = measure_rate(contender, SMOKE if smoke else rate, cores)
    return [*hop, *through, foreign.share]


def line_probe(library: Any, cores: Sequence[int], count: int) -> float:
    """Nanoseconds of one line from core to core, in C++ if there is a compiler."""
    if library is None:
        return hop_ns(*cores, count) if cores else float("nan")
    page = np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.int64)
    line = address(page)
    return run_pair(lambda: call(library.line_ping, line, count), lambda: call(library.line_pong, line, count),
                    cores)[0] / count / 2


def call(function: Any, *words: int) -> int:
    """A function of the C++ library."""
    function.restype = ctypes.c_int64
    return int(function(*(ctypes.c_int64(word) for word in words)))


def table_rows(names: Sequence[str], seen: dict[str, list[list[float]]]) -> list[list[Any]]:
    """Rows with ratios to the C++ ring and to mmfast's lossless ring."""
    middle = {name: median(seen[name]) for name in names}
    nothing = [float("nan")] * 6
    native, own = (middle.get(name, nothing) for name in ("C++ cached index", "mmfast lossless"))
    rows: list[list[Any]] = []
    for name in names:
        p50, p99, p999, rate, received, foreign = middle[name]
        rows.append([name, p50, p99, p999, p50 / native[0], p50 / own[0], rate, rate / native[3], f"{received:.0%}",
                     f"{foreign:.0%}"])
    return rows


def run(asked: argparse.Namespace, size: int, library: Any, reason: str, cores: Sequence[int]) -> None:
    """All contenders with messages of one size, in rounds, every second round backwards."""
    peers, missing = available(size)
    contenders: list[Any] = [Base(size), *(natives(library, size) if library else []), *compiled(size), *peers]
    if library is None:
        missing = [("C++", reason), *missing]
    for contender in contenders:
        contender.warm()
    seen: dict[str, list[list[float]]] = {c.name: [] for c in contenders}
    probes = []
    turns = [contender for turn in range(asked.rounds) for contender in contenders[:: 1 if turn % 2 == 0 else -1]]
    for contender in each(asked, turns, f"{size} bytes"):
        probes.append(line_probe(library, cores, SMOKE if asked.smoke else 20_000))
        seen[contender.name].append(measure(contender, size, asked.smoke, cores))
    note = (f"{asked.rounds} rounds, medians. One line from core to core meanwhile: {np.median(probes):.0f} ns, "
            f"from {min(probes):.0f} to {max(probes):.0f} ns. Received: what a reader that may be lapped, or that "
            f"wants only the newest, got of a writer that never waits.{''.join(f' {n}: {why}.' for n, why in missing)}")
    show(asked, f"{size} bytes, cores {','.join(map(str, cores)) or 'not pinned'}", COLUMNS,
         table_rows([c.name for c in contenders], seen), note)


def main() -> None:
    """Both sizes."""
    asked = arguments(__doc__)
    environment(asked)
    cores = two_cores()
    library, reason = compile_limit(asked.smoke)
    for size in (SMALL, LARGE):
        run(asked, size, library, reason, cores)
    if not asked.smoke:
        console().print("after the run, " + probe_line(), style="dim")


if __name__ == "__main__":
    main()
