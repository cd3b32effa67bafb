"""Cells: the newest whole record, or an answer within a bound that there is none."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from mmfast.kernel import kernel
from mmfast.rings import seqlock
from mmfast.rings.atomics import as_record
from mmfast.rings.layout import CELLS
from mmfast.rings.seqlock import GAVE_UP
from perf.rings.pair import fork
from tests.rings.conftest import MESSAGE

BEGUN, HALF, WHOLE, ENDED = range(4)
STEPS = {"begun": BEGUN, "half written": HALF, "written": WHOLE}
ANSWER_NS_MAX = 1_000_000
SIZE = MESSAGE.itemsize


@kernel
def fill(record, first, last, value):
    own = as_record(record, MESSAGE)
    for i in range(first, last):
        own["payload"][i] = value + i


def write_until(cell, step, value):
    """One version up to ``step``."""
    record = seqlock.begin(cell)
    if step >= HALF:
        fill(record, 0, 5, value)
    if step >= WHOLE:
        fill(record, 5, 10, value)
    return seqlock.end(cell) if step >= ENDED else 0


def values(record):
    return record["payload"].tolist()


def sequence(value):
    return list(range(value, value + 10))


@pytest.fixture
def cell(make_ring):
    _, ring, _ = make_ring(CELLS, 3)
    return seqlock.cell_address(ring, 1)


def test_cell_that_was_never_written_says_so(cell, message):
    own, target = message
    own["payload"] = 9
    assert seqlock.load(cell, target, SIZE) == 0
    assert values(own) == [9] * 10


def test_load_gives_the_newest_record_and_its_version(cell, message):
    own, target = message
    for k in range(1, 6):
        assert write_until(cell, ENDED, 100 * k) == 2 * k
        assert seqlock.load(cell, target, SIZE) == 2 * k == seqlock.version(cell)
        assert values(own) == sequence(100 * k)


def test_store_publishes_a_prepared_record(cell, message):
    own, target = message
    ready = np.zeros(1, MESSAGE)
    ready["payload"] = sequence(40)
    assert seqlock.store(cell, int(ready.ctypes.data), SIZE) == 2
    assert seqlock.load(cell, target, SIZE) == 2
    assert values(own) == sequence(40)


def test_loading_twice_without_a_write_gives_the_same_version(cell, message):
    _, target = message
    write_until(cell, ENDED, 1)
    assert seqlock.load(cell, target, SIZE) == seqlock.load(cell, target, SIZE) == 2


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("before", [0, 1, 5])
def test_writer_stopped_in_the_middle_makes_readers_give_up_and_the_next_write_heals(cell, message, before, step):
    own, target = message
    for k in range(before):
        write_until(cell, ENDED, k)
    write_until(cell, step, 700)
    assert seqlock.version(cell) == 2 * before + 1
    assert seqlock.load(cell, target, SIZE) == GAVE_UP
    assert write_until(cell, ENDED, 800) == 2 * before + 2
    assert seqlock.load(cell, target, SIZE) == 2 * before + 2
    assert values(own) == sequence(800)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_writer_killed_in_the_middle_makes_readers_give_up_and_the_next_write_heals(cell, message, step):
    own, target = message

    def body():
        write_until(cell, step, 700)
        os.kill(os.getpid(), signal.SIGKILL)

    for death in range(4):
        pid, pipe = fork(body)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        os.close(pipe)
        assert seqlock.load(cell, target, SIZE) == GAVE_UP
        assert write_until(cell, ENDED, death) == 2 * (death + 1)
        assert seqlock.load(cell, target, SIZE) == 2 * (death + 1)
        assert values(own) == sequence(death)


def test_reader_of_a_dead_writer_gives_up_within_a_millisecond(cell, message):
    _, target = message
    write_until(cell, HALF, 1)
    seqlock.load(cell, target, SIZE)
    taken = []
    for _ in range(20):
        start = time.thread_time_ns()
        assert seqlock.load(cell, target, SIZE) == GAVE_UP
        taken.append(time.thread_time_ns() - start)
    assert np.median(taken) < ANSWER_NS_MAX


def test_writer_that_died_twice_leaves_the_same_odd_version(cell):
    write_until(cell, HALF, 1)
    write_until(cell, HALF, 2)
    assert seqlock.version(cell) == 1


def test_cells_are_independent(make_ring, message):
    own, target = message
    house, ring, _ = make_ring(CELLS, 5)
    cells = [seqlock.cell_address(ring, k) for k in range(5)]
    for k, address in enumerate(cells):
        write_until(address, ENDED, 10 * k)
    write_until(cells[2], HALF, 555)
    for k, address in enumerate(cells):
        if k != 2:
            assert seqlock.load(address, target, SIZE) == 2
            assert values(own) == sequence(10 * k)
    assert house.cells("ring")["payload"][3].tolist() == sequence(30)


def test_version_is_on_a_pair_of_lines_of_its_own(make_ring):
    _, ring, _ = make_ring(CELLS, 3)
    for k in range(3):
        cell = seqlock.cell_address(ring, k)
        assert (cell - ring) % 128 == 0
        assert seqlock.begin(cell) - cell == 128
