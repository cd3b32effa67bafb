"""
What every benchmark shares: arguments, the line about the host, percentiles, tables.

In      functions to time, durations [ns].
Out     tables on the terminal; nothing at all with --smoke, which only shows that the file still runs.
Source  rigtorp's and HdrHistogram's habit: p50, p99, p99.9 and max, with the noise of the host beside them.

    from perf.harness import arguments, environment, ns_per_call, percentiles, show

    asked = arguments(__doc__)
    environment(asked)
    show(asked, "kernel", COLUMNS, [[name, *percentiles(ns_per_call(loop, 10_000, asked.rounds))]])
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

Item = TypeVar("Item")
PERCENTILES = (50.0, 99.0, 99.9, 100.0)
PERCENTILE_COLUMNS = ("p50 ns", "p99 ns", "p99.9 ns", "max ns")
WIDTH_MIN = 180  # of a pipe or a file; a terminal has its own


def arguments(description: str | None, rounds: int = 5) -> argparse.Namespace:
    """``smoke`` and ``rounds`` from the command line; a smoke run has one round."""
    summary = (description or "").strip().splitlines()[0]
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--smoke", action="store_true", help="a tiny run that prints nothing")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"rounds of each measurement (default {rounds})")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error(f"--rounds {asked.rounds}: at least one")
    asked.rounds = 1 if asked.smoke else asked.rounds
    return asked


def console() -> Console:
    """A console that is wide enough for tables when the output is not a terminal."""
    return Console() if Console().is_terminal else Console(width=WIDTH_MIN)


def each(asked: argparse.Namespace, items: Sequence[Item], what: str) -> Iterable[Item]:
    """The items, with how far we are on standard error; nothing is told in a smoke run."""
    if asked.smoke:
        return items
    return track(items, what, console=Console(stderr=True), transient=True, auto_refresh=False)  # drawn in between only


def show(asked: argparse.Namespace, title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]],
         note: str = "") -> None:
    """Print a table: text left, numbers right; nothing in a smoke run."""
    rows = [[cell(value) for value in row] for row in rows]
    if asked.smoke:
        return
    table = Table(title=title, caption=note or None, title_justify="left", caption_justify="left")
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console().print(table)


def cell(value: Any) -> str:
    """Three significant digits or more; NaN and None, which mean unknown, as a dash."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, (float, np.floating)):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, (int, np.integer)) else str(value)


def percentiles(durations_ns: Any) -> list[float]:
    """p50, p99, p99.9 and max, in the order of ``PERCENTILE_COLUMNS``; NaN if there are none."""
    if len(durations_ns) == 0:
        return [float("nan")] * len(PERCENTILES)
    return [float(v) for v in np.percentile(durations_ns, PERCENTILES)]


def median(rounds: Sequence[Sequence[float]]) -> list[float]:
    """Median over rounds, column by column."""
    return [float(v) for v in np.median(np.asarray(rounds, float), axis=0)]


def ns_per_call(loop: Callable[[int], Any], count: int, rounds: int) -> list[float]:
    """
    Nanoseconds for each call, one figure a round: ``loop(n)`` makes n calls in compiled code.

    The first, short run compiles and warms the caches; it is not timed.
    """
    loop(max(count // 100, 1))
    taken = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        loop(count)
        taken.append((time.perf_counter_ns() - start) / count)
    return taken


def environment(asked: argparse.Namespace, probes: bool = True) -> None:
    """Print what the figures below were taken on: the host, its load, and two probes of it."""
    if asked.smoke:
        return
    out = console()
    out.print(host_line(), style="dim")
    if probes:
        out.print(probe_line(), style="dim")


def host_line() -> str:
    """Processor, cores we may use, governor, load, versions."""
    cores = sorted(os.sched_getaffinity(0))
    load = ", ".join(f"{v:.2f}" for v in os.getloadavg())
    return (f"{cpu_model()}, cores {','.join(map(str, cores))} of {os.cpu_count()}, governor {governor(cores[0])}, "
            f"load {load}, Linux {platform.release()}, Python {platform.python_version()}, "
            f"numba {version('numba')}, numpy {np.__version__}")


def probe_line() -> str:
    """How far the first two cores are apart and how still the first one is, now."""
    from perf.host.core_to_core import hop_ns
    from perf.host.hiccups import summary
    from perf.rings.pair import two_cores

    cores = two_cores()
    hop = f"{hop_ns(*cores):.0f} ns" if cores else "not to be had on one core"
    return f"probes: one cache line between two cores {hop}; {summary(min(os.sched_getaffinity(0)))}"


def cpu_model() -> str:
    """Model name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def governor(core: int) -> str:
    """Frequency governor of a core."""
    path = Path(f"/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor")
    return path.read_text().strip() if path.exists() else "unknown"


def busy_s() -> float:
    """Processor seconds that anybody has used on this host since it started."""
    ticks = [int(v) for v in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def own_s() -> float:
    """Processor seconds that we and our finished children have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


class Disturbance:
    """``with Disturbance() as foreign: ...``; then ``foreign.share`` of one core went to others meanwhile."""

    share = float("nan")

    def __enter__(self) -> Disturbance:
        self._start, self._busy, self._own = time.monotonic(), busy_s(), own_s()
        return self

    def __exit__(self, *_: object) -> None:
        took = max(time.monotonic() - self._start, 1e-9)
        self.share = max(0.0, (busy_s() - self._busy) - (own_s() - self._own)) / took
