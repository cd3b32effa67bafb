"""The stress runs, short: the full size is bin/stress."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from mmfast.rings import seqlock
from mmfast.rings.layout import BROADCAST, CELLS, SPSC
from perf.rings.pair import Crew, fork, two_cores
from tests.stress import drive, loops

MESSAGES = 2_000_000
KILLS = 20
IDS = {"ids": lambda case: case.name}


@pytest.mark.parametrize("case", drive.CASES, **IDS)
def test_two_processes_lose_tear_and_disorder_nothing(case):
    report = drive.run(case, MESSAGES, timeout_s=60.0)
    assert report.forbidden == []
    assert report.received > 0


@pytest.mark.parametrize("case", drive.CASES, **IDS)
def test_killed_writer_leaves_no_torn_record_and_no_hanging_reader(case):
    report = drive.run_kills(case, KILLS)
    assert report.kills == KILLS
    assert report.forbidden == []


def test_report_names_everything_that_is_forbidden():
    bad = drive.Report(drive.CASES[0], 10, 7, 1, 2, 3, 0, 0, 0, 1.0, 1, drive.ANSWER_NS_MAX + 1)
    assert len(bad.forbidden) == 5


def tears_until_seen(case, unguarded, capacity):
    """Run a broken reader beside a writer until it has read a torn record."""
    bench = drive.Bench(case, capacity)
    message = np.zeros(case.size // 8, np.int64)
    address = int(message.ctypes.data)
    unguarded(bench, address, 0)
    drive.warm(case)
    writer = Crew([lambda: bench.write(drive.NO_END, 0, 0)], two_cores()[1:])
    deadline = time.monotonic() + 30.0
    try:
        while bench.seen[0]["torn"] == 0 and time.monotonic() < deadline:
            unguarded(bench, address, 10_000)
    finally:
        writer.kill()
    return int(bench.seen[0]["torn"])


def test_broadcast_reader_that_does_not_look_again_is_torn():
    def unguarded(bench, message, tries):
        loops.read_broadcast_unguarded(bench.ring, bench.case.size, message, bench.result, tries)

    assert tears_until_seen(drive.Case(BROADCAST, 1024), unguarded, 1) > 0


def test_cell_reader_that_ignores_the_version_is_torn():
    def unguarded(bench, message, tries):
        loops.read_cell_unguarded(seqlock.cell_address(bench.ring, 0), bench.case.size, message, bench.result, tries)

    assert tears_until_seen(drive.Case(CELLS, 1024), unguarded, 1) > 0


def test_lossless_ring_survives_the_death_of_its_reader():
    case = drive.Case(SPSC, 64)
    drive.warm(case)
    bench = drive.Bench(case, drive.KILL_CAPACITY)
    cores = two_cores()
    writer = Crew([lambda: bench.write(drive.NO_END, 0, 0)], cores[:1])
    try:
        for _ in range(KILLS):
            before = int(bench.seen[0]["received"])
            pid, pipe = fork(lambda: bench.read(drive.NO_END, 0, 0), cores[1] if cores else None)
            drive.wait_until(lambda before=before: int(bench.seen[0]["received"]) > before, "the reader reads")
            drive.kill(pid, pipe)
    finally:
        writer.kill()
    head, tail = (int(bench.house.words("ring")[offset // 8]) for offset in (128, 384))
    assert 0 <= head - tail <= drive.KILL_CAPACITY
    assert bench.seen[0]["torn"] == 0
    assert bench.seen[0]["disorder"] == 0
    # A reader killed between taking and giving back reads that one message again, or misses the counting of it.
    assert abs(int(bench.seen[0]["received"]) - tail) <= KILLS


def test_process_that_fails_is_told_and_the_others_are_ended():
    def fails():
        raise SystemExit(3)

    pid, pipe = fork(lambda: 5)
    assert os.waitpid(pid, 0)[1] == 0
    os.close(pipe)
    crew = Crew([fails, lambda: time.sleep(60)])
    with pytest.raises(RuntimeError, match="failed"):
        crew.collect(30.0)
