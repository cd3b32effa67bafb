"""
Stress runs: two real processes to a ring, random stalls on both sides, writers killed at random instants.

In      a case (kind of ring, size of the message) and how many messages.
Out     a report: what was received, lost, torn, disordered; `forbidden` names what must not have happened.
Source  agrona's and the Disruptor's jcstress outcomes: each is acceptable or forbidden, with a sentence.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mmfast.records.header import bare, record
from mmfast.rings import broadcast, seqlock, spsc
from mmfast.rings.layout import BROADCAST, CELLS, HEADER_BYTES, KIND_NAMES, SPSC, TABLE
from mmfast.rings.region import House, Region
from perf.rings.pair import Crew, fork, two_cores
from tests.stress import loops

CAPACITY = 1024
KILL_CAPACITY = 64
NO_END = 1 << 60
BROADCAST_BREATH = 2  # pauses at most after each message, so that the reader keeps up for a while
STALL_NS = 100_000
STALL_EVERY = 5000
ANSWER_NS_MAX = 1_000_000  # a reader whose writer was killed has its answer within this [CPU time]
RESULT = bare(*((name, "i8") for name in ("position", "received", "lost", "torn", "disorder", "laps", "gave_up",
                                          "stalls")), size=64)

OUTCOMES = (
    ("lossless", "every message once, whole and in order", "required"),
    ("lossless", "ring full or empty", "acceptable: that side tries again"),
    ("broadcast", "reader lapped, the numbers it missed are counted", "acceptable: the writer never waits"),
    ("broadcast", "received and counted as lost are not all there is", "forbidden"),
    ("cells", "a version was never seen", "acceptable: only the newest counts"),
    ("cells", "reader gave up because the writer was off its core in the middle of a write", "acceptable: counted"),
    ("cells", "an older version after a newer one", "forbidden"),
    ("any", "a word of one message in another", "forbidden"),
    ("any", "no answer within a millisecond after the writer was killed", "forbidden"),
)


def cell_breath(size: int) -> int:
    """Pauses at most between two versions: a reader needs a gap in which it can copy the whole record."""
    return size // 8


class Case(NamedTuple):
    """One kind of ring with messages of one size."""

    kind: int
    size: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{KIND_NAMES[self.kind]} {self.size} B"


CASES = tuple(Case(kind, size) for kind in (SPSC, BROADCAST, CELLS) for size in (64, 1024))


class Report(NamedTuple):
    """What a run saw."""

    case: Case
    messages: int
    received: int
    lost: int
    torn: int
    disorder: int
    laps: int
    gave_up: int
    stalls: int
    seconds: float
    kills: int = 0
    answer_ns: int = 0

    @property
    def forbidden(self) -> list[str]:
        """Outcomes that must not be."""
        found = []
        if self.torn:
            found.append(f"{self.torn} torn")
        if self.disorder:
            found.append(f"{self.disorder} out of order")
        if self.received + self.lost != self.messages:
            found.append(f"{self.messages - self.received - self.lost} unaccounted for")
        if self.case.kind == SPSC and self.lost:
            found.append(f"{self.lost} lost")
        if self.answer_ns > ANSWER_NS_MAX:
            found.append(f"no answer for {self.answer_ns} ns of CPU time")
        return found


class Bench:
    """Shared memory for one case. The name is gone at once: nothing can be left behind."""

    def __init__(self, case: Case, capacity: int = CAPACITY) -> None:
        name = f"/mmfast-stress-{os.getpid()}-{time.monotonic_ns()}"
        payload = record(size=case.size)
        self.case = case
        slots = 1 if case.kind == CELLS else capacity
        self.house = House.create(name, "stress", [Region("ring", case.kind, payload, slots),
                                                   Region("result", TABLE, RESULT, 1)])
        self.house.segment.unlink()
        self.ring = self.house.address["ring"]
        self.result = self.house.address["result"] + HEADER_BYTES
        self.seen = self.house.table("result")

    def write(self, end: int, every: int = STALL_EVERY, longest_ns: int = STALL_NS) -> int:
        """Be the writer until message ``end`` - 1, after the recovery that every writer starts with."""
        dice = np.array([os.getpid()], np.int64)
        size, stalls = self.case.size, (int(dice.ctypes.data), every, longest_ns)
        if self.case.kind == SPSC:
            spsc.recover_writer(self.ring)
            return loops.write_spsc(self.ring, size, end, *stalls)
        if self.case.kind == BROADCAST:
            broadcast.recover_writer(self.ring)
            return loops.write_broadcast(self.ring, size, end, BROADCAST_BREATH, *stalls)
        return loops.write_cell(seqlock.cell_address(self.ring, 0), size, end, cell_breath(size), *stalls)

    def read(self, end: int, every: int = STALL_EVERY, longest_ns: int = STALL_NS) -> int:
        """Be the reader until message ``end`` - 1."""
        dice = np.array([os.getpid() + 1], np.int64)
        stalls = (self.result, int(dice.ctypes.data), every, longest_ns)
        if self.case.kind == SPSC:
            return loops.read_spsc(self.ring, self.case.size, end, *stalls)
        message = np.zeros(self.case.size // 8, np.int64)
        if self.case.kind == BROADCAST:
            return loops.read_broadcast(self.ring, self.case.size, end, int(message.ctypes.data), *stalls)
        cell = seqlock.cell_address(self.ring, 0)
        return loops.read_cell(cell, self.case.size, end, int(message.ctypes.data), *stalls)

    def next_number(self) -> int:
        """Number of the message that a writer would write next."""
        if self.case.kind == CELLS:
            return seqlock.version(seqlock.cell_address(self.ring, 0)) // 2
        return broadcast.head(self.ring)

    def answer_ns(self) -> int:
        """CPU time of one look at the newest message: what a reader pays if the writer died in the middle."""
        message = np.zeros(self.case.size // 8, np.int64)
        target = int(message.ctypes.data)
        start = time.thread_time_ns()
        if self.case.kind == SPSC:
            spsc.peek(self.ring)
        elif self.case.kind == BROADCAST:
            broadcast.receive(self.ring, broadcast.head(self.ring), target, self.case.size)
        else:
            seqlock.load(seqlock.cell_address(self.ring, 0), target, self.case.size)
        return time.thread_time_ns() - start

    def report(self, messages: int, seconds: float, kills: int = 0, answer_ns: int = 0) -> Report:
        """What the reader counted."""
        row = self.seen[0]
        names = ("received", "lost", "torn", "disorder", "laps", "gave_up", "stalls")
        return Report(self.case, messages, *(int(row[n]) for n in names), seconds, kills, answer_ns)  # type: ignore[misc]


def warm(case: Case) -> None:
    """Compile both sides before forking."""
    bench = Bench(case)
    bench.write(3, 0, 0)
    bench.read(3, 0, 0)
    bench.answer_ns()


def run(case: Case, messages: int, watch: Callable[[int], None] | None = None, timeout_s: float = 3600.0) -> Report:
    """One writer, one reader, ``messages`` messages; ``watch`` hears where the reader is."""
    warm(case)
    bench = Bench(case)
    start = time.monotonic()
    crew = Crew([lambda: bench.write(messages), lambda: bench.read(messages)], two_cores())
    crew.collect(timeout_s, (lambda: watch(int(bench.seen[0]["position"]))) if watch else None)
    return bench.report(messages, time.monotonic() - start)


def run_kills(case: Case, kills: int, watch: Callable[[int], None] | None = None, seed: int = 1) -> Report:
    """The writer is killed ``kills`` times at random instants and starts again; the reader must never notice."""
    warm(case)
    bench, rng, cores, answer_ns = Bench(case, KILL_CAPACITY), np.random.default_rng(seed), two_cores(), 0
    start = time.monotonic()
    reader, pipe = fork(lambda: bench.read(NO_END, 0, 0), cores[1] if cores else None)
    try:
        for done in range(kills):
            _kill_a_writer(bench, cores, float(rng.uniform(0.0, 0.002)))
            answer_ns = max(answer_ns, min(bench.answer_ns() for _ in range(3)))
            if watch is not None:
                watch(done + 1)
        end = bench.next_number() + KILL_CAPACITY // 2
        Crew([lambda: bench.write(end, 0, 0)], cores[:1]).collect(60.0)
        wait_until(lambda: int(bench.seen[0]["position"]) >= end, "the reader is where the last writer was")
    finally:
        kill(reader, pipe)
    return bench.report(end, time.monotonic() - start, kills, answer_ns)


def _kill_a_writer(bench: Bench, cores: tuple[int, ...], after_s: float) -> None:
    before = bench.next_number()
    pid, pipe = fork(lambda: bench.write(NO_END, 0, 0), cores[0] if cores else None)
    wait_until(lambda: bench.next_number() > before, "the writer has started again")
    time.sleep(after_s)
    kill(pid, pipe)


def kill(pid: int, pipe: int) -> None:
    """SIGKILL a forked process and wait for its end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)


def wait_until(reached: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Look again every half millisecond; RuntimeError when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not so after {timeout_s:g} s: {what}")
        time.sleep(0.0005)
