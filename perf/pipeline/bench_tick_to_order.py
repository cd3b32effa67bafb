"""
Tick to order: from a price that moves at the venue to the order that answers it, by the venue's own clock.

    venue    clock ─▶ bbo frame ─▶ socket ═══▶ client ═══▶ socket ─▶ whole order frame read ─▶ clock

In      the engine on its hosts, the floor of this machine, and what other clients are made of.
Out     percentiles for each; where the engine's time goes, by the stamps that its orders carry.
Source  loopback, no TLS; the price jumps at random times, and every order must fit the market that caused it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from signal import SIGKILL
from socket import socket
from typing import Any, NamedTuple

import numpy as np

from mmfast.runtime.catalog import STAGE_NAMES
from perf.harness import PERCENTILE_COLUMNS, Disturbance, arguments, each, environment, median, percentiles, show
from perf.pipeline import engine, peers, venue
from perf.pipeline.venue import FIRST, ORDER, TICK, Board, Course
from perf.rings.pair import Crew

HOSTS = ("fused", "shared", "isolated")
TICKS, WARM_TICKS, GAP_MS = 120, 8, (250, 350)  # apart by more than the least time between two moves of an order
SMOKE_TICKS, SMOKE_GAP_MS = 2, (160, 180)
COLUMNS = ("client", *(name.replace("ns", "µs") for name in PERCENTILE_COLUMNS), "first frame p50 µs", "ticks",
           "missed", "strays", "× floor", "× fused", "foreign CPU")
NAME = f"perf-{os.getpid()}"
PARTS = ("socket in", *STAGE_NAMES, "socket out")

Client = Callable[[Board, socket, socket], Any]


class Run(NamedTuple):
    """One client on one venue: samples of the venue, and of an engine its stamps."""

    samples: np.ndarray[Any, Any]
    missed: int
    strays: int
    stamps: Any
    foreign: float

    def order_us(self) -> list[float]:
        """Percentiles of tick to order."""
        return percentiles((self.samples[:, ORDER] - self.samples[:, TICK]) / 1e3)

    def first_us(self) -> float:
        """Median of tick to first frame of any action: of an engine, the cancels."""
        return percentiles((self.samples[:, FIRST] - self.samples[:, TICK]) / 1e3)[0]

    def parts_us(self) -> np.ndarray[Any, Any]:
        """What each part of the way took, one row for each tick whose order was found."""
        rows = np.column_stack([self.samples[:, TICK], self.stamps, self.samples[:, ORDER]])
        return np.diff(rows[self.stamps[:, 0] > 0], axis=1) / 1e3


def cores() -> tuple[list[int], list[int]]:
    """The venue's core and the client's; none of either if there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[:1], allowed[1:]) if len(allowed) > 1 else ([], [])


def alone(where: list[int], body: Callable[[], Any]) -> Callable[[], Any]:
    """``body`` on these cores, in a process group that can be ended as one."""

    def run() -> Any:
        os.setsid()
        if where:
            os.sched_setaffinity(0, where)
        return body()

    return run


def measure(client: Client, course: Course) -> Run:
    """Put one client through one course."""
    board, (ws, http), (core, own) = Board(course.ticks), venue.listen(), cores()
    with ws, http, Disturbance() as foreign:
        crew = Crew([alone(core, lambda: venue.run(board, course, ws, http)),
                     alone(own, lambda: client(board, ws, http))])
        groups = list(crew.pids)
        try:
            _, stamps = crew.collect(60.0 + (course.ticks + course.warm_ticks) * course.gap_ms[1] / 1e3)
        finally:
            for group in groups:
                with suppress(ProcessLookupError):
                    os.killpg(group, SIGKILL)
            engine.clear(NAME)
    if not len(board.samples):
        raise RuntimeError(f"no tick was answered: {board.missed} missed, {board.strays} orders of another market")
    return Run(board.samples.copy(), board.missed, board.strays, stamps, foreign.share)


def clients() -> dict[str, tuple[bool, Client]]:
    """By name: whether it is an engine, and what runs it."""
    own = cores()[1]
    made: dict[str, tuple[bool, Client]] = {}
    for host in HOSTS:
        if max(len(own), 1) >= engine.cores_needed(host):
            made[f"mmfast, {host} host"] = True, partial(engine.run, host, NAME, own)
    for peer in peers.PEERS:
        if not peer.missing:
            made[peer.name] = False, peer.run
    return made


def left_out() -> str:
    """What could not run here, and why."""
    absent = [f"{peer.name}: {', '.join(peer.missing)} not installed" for peer in peers.PEERS if peer.missing]
    needed = engine.cores_needed("isolated")
    if len(cores()[1]) < needed:
        absent.append(f"isolated host: needs {needed + 1} cores")
    return f" Left out: {'; '.join(absent)}." if absent else ""


def table(runs: dict[str, list[Run]]) -> list[list[Any]]:
    """One row for each client, medians over rounds."""
    middle = {name: median([run.order_us() for run in rounds]) for name, rounds in runs.items()}
    floor, fused = (next((m[0] for name, m in middle.items() if word in name), float("nan"))
                    for word in ("echo, blocking", "fused"))
    return [[name, *middle[name], float(np.median([run.first_us() for run in rounds])),
             *(sum(counts) for counts in zip(*((len(r.samples), r.missed, r.strays) for r in rounds))),
             middle[name][0] / floor, middle[name][0] / fused,
             f"{np.median([run.foreign for run in rounds]):.0%}"] for name, rounds in runs.items()]


def stages(rounds: list[Run]) -> list[list[Any]]:
    """One row for each part of the way: p50, p99, share of the whole."""
    parts = np.concatenate([run.parts_us() for run in rounds])
    if not len(parts):
        return []
    middle = np.median(parts, axis=0)
    rows = [[name, *percentiles(column)[:2], f"{share:.0%}"]
            for name, column, share in zip(PARTS, parts.T, middle / middle.sum())]
    return [*rows, ["whole", *percentiles(parts.sum(axis=1))[:2], ""]]


def main() -> None:
    """One table of clients, one of stages for each host."""
    asked = arguments(__doc__, rounds=3)
    environment(asked)
    engine.warm()
    peers.warm()
    ticks, warm_ticks, gap_ms = (SMOKE_TICKS, 2, SMOKE_GAP_MS) if asked.smoke else (TICKS, WARM_TICKS, GAP_MS)
    every = clients()
    runs: dict[str, list[Run]] = {name: [] for name in every}
    turns = [(number, name) for number in range(asked.rounds)
             for name in list(every)[:: 1 if number % 2 == 0 else -1]]
    for number, name in each(asked, turns, "clients"):
        quotes, client = every[name]
        runs[name].append(measure(client, Course(ticks, warm_ticks, gap_ms, quotes, number)))
    note = (f"{asked.rounds} rounds of {ticks} ticks of {venue.JUMP_BPS:g} bps, {gap_ms[0]} to {gap_ms[1]} ms apart; "
            f"medians over rounds, so p99.9 is nearly the max. × compares p50. First frame: an engine cancels first. "
            f"Missed: ticks without an order that fits, for an engine also where no move was worth its price; strays: "
            f"orders that do not fit the tick.{left_out()}")
    show(asked, "Tick to order by the venue's clock, loopback without TLS", COLUMNS, table(runs), note)
    for name, (quotes, _) in every.items():
        if quotes:
            show(asked, f"{name}: where the time goes", ("part", "p50 µs", "p99 µs", "share"), stages(runs[name]),
                 "diff: with waking the gateway where it sleeps. sign: with building, signing and writing the cancels, "
                 "which go first. socket out is negative where the venue had read the order before the engine knew "
                 "that it was written.")


if __name__ == "__main__":
    main()
