"""A writer killed after any instruction of a write: whoever reads, and whoever writes next, finds sound memory."""

from __future__ import annotations

import mmap

import numpy as np
import pytest

from mmfast.records.header import record
from mmfast.rings import broadcast, seqlock, spsc
from mmfast.rings.layout import CELL_HEADER_BYTES, HEADER_BYTES
from tests.stress import loops
from tests.stress.single_step import states

SIZE = 128
CAPACITY = 2
WORDS = (HEADER_BYTES + CELL_HEADER_BYTES + CAPACITY * SIZE) // 8
MESSAGE = record(size=SIZE)
# The mark or number, a payload of fifteen words in vectors of at most eight, the head or version.
STATES_MIN = 4


@pytest.fixture
def shared():
    """An empty ring (or a cell behind the header) in memory that a child shares."""
    words = np.frombuffer(mmap.mmap(-1, 2 * mmap.PAGESIZE), np.int64)[:WORDS]
    words[4:7] = SIZE, CAPACITY, CAPACITY - 1
    words[HEADER_BYTES // 8 :: SIZE // 8] = -1
    return words


def traced(write, shared):
    """The states of a write that has been compiled and run before."""
    before = shared.copy()
    write()
    shared[:] = before
    try:
        found = states(write, shared)
    except PermissionError as reason:
        pytest.skip(str(reason))
    assert len(found) >= STATES_MIN
    shared[:] = before
    return found


def at(words):
    """Address of words."""
    return int(words.ctypes.data)


def push_spsc(ring, count):
    head = int(broadcast.head(ring))
    assert loops.write_spsc(ring, SIZE, head + count, 0, loops.NEVER, 0) == 0


def pop_spsc(ring, count):
    """Read ``count`` messages, which must be there, whole, and the last."""
    result = np.zeros(8, np.int64)
    for _ in range(count):
        assert spsc.peek(ring) != 0
        loops.read_spsc(ring, SIZE, loops.tail(ring) + 1, at(result), 0, loops.NEVER, 0)
    assert (result[loops.O_TORN // 8], result[loops.O_DISORDER // 8]) == (0, 0)
    assert result[loops.O_RECEIVED // 8] == count
    assert spsc.peek(ring) == 0


@pytest.mark.parametrize("before", [0, 2, 5])
def test_lossless_writer(shared, before):
    for _ in range(before):
        push_spsc(at(shared), 1)
        pop_spsc(at(shared), 1)
    found = traced(lambda: push_spsc(at(shared), 1), shared)
    published = []
    for state in found:
        ring = at(state)
        there = spsc.peek(ring) != 0
        published.append(there)
        # The reader may take it before the next writer comes, or after.
        for reads_first in {False, there}:
            copy = state.copy()
            ring = at(copy)
            if reads_first:
                pop_spsc(ring, 1)
            spsc.recover_writer(ring)
            push_spsc(ring, 1)
            pop_spsc(ring, 2 if there and not reads_first else 1)
            assert broadcast.head(ring) == before + 1 + there
    assert published == sorted(published)
    assert published[-1]


def received(ring, position):
    """What a broadcast reader gets: (state, True if whole)."""
    message = np.zeros(SIZE // 8, np.int64)
    state = broadcast.receive(ring, position, at(message), SIZE)
    whole = message[0] == position and loops.torn(at(message), SIZE, loops.mix(position)) == 0
    return state, bool(whole)


@pytest.mark.parametrize("before", [0, 2, 5])
def test_broadcast_writer(shared, before):
    def push(ring, count):
        head = int(broadcast.head(ring))
        loops.write_broadcast(ring, SIZE, head + count, 0, 0, loops.NEVER, 0)

    push(at(shared), before)
    found = traced(lambda: push(at(shared), 1), shared)
    overwritten, published = [], []
    for state in found:
        ring = at(state)
        answers = {position: received(ring, position) for position in range(before + 3)}
        assert all(whole for answer, whole in answers.values() if answer == broadcast.READ)
        assert answers[before][0] in (broadcast.READ, broadcast.EMPTY)
        assert answers[before + 1][0] == answers[before + 2][0] == broadcast.EMPTY
        published.append(answers[before][0] == broadcast.READ)
        if before >= CAPACITY:
            assert answers[before - CAPACITY][0] in (broadcast.READ, broadcast.LAPPED)
            overwritten.append(answers[before - CAPACITY][0] == broadcast.LAPPED)
        if before >= 1:
            assert answers[before - 1] == (broadcast.READ, True)
        broadcast.recover_writer(ring)
        push(ring, 1)
        assert broadcast.head(ring) == before + 1 + published[-1]
        newest = before + published[-1]
        assert received(ring, newest) == (broadcast.READ, True)
        assert received(ring, newest + 1)[0] == broadcast.EMPTY
    assert published == sorted(published)
    assert overwritten == sorted(overwritten)
    assert published[-1]


@pytest.mark.parametrize("before", [0, 1, 4])
def test_cell_writer(shared, before):
    cell = at(shared) + HEADER_BYTES
    shared[HEADER_BYTES // 8 :] = 0

    def write(cell):
        loops.write_cell(cell, SIZE, int(seqlock.version(cell)) // 2 + 1, 0, 0, loops.NEVER, 0)

    def load(cell):
        message = np.zeros(SIZE // 8, np.int64)
        version = int(seqlock.load(cell, at(message), SIZE))
        number = version // 2 - 1
        whole = message[0] == number and loops.torn(at(message), SIZE, loops.mix(number)) == 0
        return version, bool(whole)

    for _ in range(before):
        write(cell)
    found = traced(lambda: write(cell), shared)
    versions = []
    for state in found:
        mine = at(state) + HEADER_BYTES
        version, whole = load(mine)
        assert whole or version in (0, seqlock.GAVE_UP)
        versions.append(version)
        write(mine)
        assert load(mine) == (2 * before + (4 if version == 2 * before + 2 else 2), True)
    middle = versions.index(seqlock.GAVE_UP)
    assert set(versions[:middle]) == {2 * before}
    assert versions[-1] == 2 * before + 2
    assert set(versions[middle:-1]) == {seqlock.GAVE_UP}
