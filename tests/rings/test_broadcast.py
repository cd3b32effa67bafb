"""The broadcast ring: the writer never waits, a reader gets whole records or hears that it was lapped."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.kernel import kernel
from mmfast.rings import broadcast
from mmfast.rings.atomics import as_record, load_acquire, store_release
from mmfast.rings.broadcast import EMPTY, LAPPED, READ
from mmfast.rings.layout import BROADCAST, HEADER_BYTES, O_HEAD
from perf.rings.pair import Crew, fork
from tests.rings.conftest import MESSAGE

CLAIMED, HALF, WHOLE, WORD, HEAD = range(5)
STEPS = {"after the claim": CLAIMED, "half written": HALF, "written": WHOLE, "number stored": WORD,
         "head stored": HEAD}


@kernel
def fill(slot, first, last, value):
    record = as_record(slot, MESSAGE)
    for i in range(first, last):
        record["payload"][i] = value + i


@kernel
def push(ring, count):
    """Publish ``count`` messages; the payload of message n starts at 100 n."""
    number = -1
    for _ in range(count):
        slot = broadcast.claim(ring)
        fill(slot, 0, 10, 100 * broadcast.head(ring))
        number = broadcast.publish(ring, slot)
    return number


@kernel
def put(address, value):
    store_release(address, value)


@kernel
def word(address):
    return load_acquire(address)


def write_until(ring, step, value):
    """One message up to ``step``, as `claim` and `publish` do it."""
    slot = broadcast.claim(ring)
    number = word(ring + O_HEAD)
    if step >= HALF:
        fill(slot, 0, 5, value)
    if step >= WHOLE:
        fill(slot, 5, 10, value)
    if step >= WORD:
        put(slot, number)
    if step >= HEAD:
        put(ring + O_HEAD, number + 1)


def whole(record, number):
    """True if the record is message ``number`` in every word."""
    return record["seq"] == number and (record["payload"] == 100 * number + np.arange(10)).all()


def plain_ring(capacity):
    """A ring in private memory: the array that holds it, and its address."""
    block = np.zeros((HEADER_BYTES + capacity * MESSAGE.itemsize) // 8, np.int64)
    block[4:7] = MESSAGE.itemsize, capacity, capacity - 1
    block[HEADER_BYTES // 8 :: MESSAGE.itemsize // 8] = -1
    return block, int(block.ctypes.data)


@pytest.mark.parametrize("capacity", [1, 2, 4, 8])
def test_every_position_is_read_empty_or_lapped_exactly_as_the_numbers_say(capacity, message):
    """Twin: message n is there from its publication until message n + capacity is begun."""
    own, target = message
    block, ring = plain_ring(capacity)
    for head in range(3 * capacity + 2):
        for begun in (False, True):
            if begun:
                broadcast.claim(ring)
            oldest = head - capacity + (1 if begun else 0)
            for position in range(head + 2 * capacity + 2):
                state = broadcast.receive(ring, position, target, MESSAGE.itemsize)
                expected = EMPTY if position >= head else LAPPED if position < oldest else READ
                assert state == expected, (head, begun, position)
                assert state != READ or whole(own, position)
        assert push(ring, 1) == head
    assert block[O_HEAD // 8] == 3 * capacity + 2


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("laps", [0, 1, 3])
def test_writer_stopped_in_the_middle_shows_whole_records_only(make_ring, message, laps, step):
    own, target = message
    _, ring, _ = make_ring(BROADCAST, 4)
    push(ring, 4 * laps)
    number = 4 * laps
    write_until(ring, step, 100 * number)
    states = [broadcast.receive(ring, p, target, MESSAGE.itemsize) for p in range(number)]
    assert states == [LAPPED] * max(0, number - 3) + [READ] * min(number, 3)
    assert broadcast.receive(ring, number, target, MESSAGE.itemsize) == (READ if step >= WORD else EMPTY)
    assert step < WORD or whole(own, number)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_writer_killed_in_the_middle_is_followed_without_a_gap(make_ring, message, step):
    own, target = message
    _, ring, header = make_ring(BROADCAST, 4)

    def body():
        broadcast.recover_writer(ring)
        write_until(ring, step, 100 * int(header[O_HEAD // 8]))
        os.kill(os.getpid(), signal.SIGKILL)

    position = 0
    for _ in range(7):
        pid, pipe = fork(body)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        os.close(pipe)
        broadcast.recover_writer(ring)
        push(ring, 1)
        while (state := broadcast.receive(ring, position, target, MESSAGE.itemsize)) == READ:
            assert whole(own, position)
            position += 1
        assert state == EMPTY
    assert position == header[O_HEAD // 8] == (14 if step >= WORD else 7)


def test_without_the_recovery_a_number_would_be_used_twice(make_ring, message):
    _, target = message
    _, ring, _ = make_ring(BROADCAST, 4)
    write_until(ring, WORD, 0)
    assert broadcast.receive(ring, 0, target, MESSAGE.itemsize) == READ
    assert push(ring, 1) == 0
    assert broadcast.receive(ring, 1, target, MESSAGE.itemsize) == EMPTY


@pytest.mark.parametrize("messages", [0, 1, 4, 11])
def test_recovery_of_a_sound_ring_changes_nothing(make_ring, messages):
    house, ring, header = make_ring(BROADCAST, 4)
    push(ring, messages)
    before = house.table("ring").copy()
    broadcast.recover_writer(ring)
    assert header[O_HEAD // 8] == messages
    assert (house.table("ring") == before).all()


def test_reader_that_comes_late_starts_at_the_head(make_ring, message):
    own, target = message
    _, ring, _ = make_ring(BROADCAST, 8)
    push(ring, 5)
    position = broadcast.head(ring)
    assert broadcast.receive(ring, position, target, MESSAGE.itemsize) == EMPTY
    push(ring, 1)
    assert broadcast.receive(ring, position, target, MESSAGE.itemsize) == READ
    assert whole(own, 5)


def test_reader_that_is_lapped_resumes_half_a_ring_behind_and_knows_what_it_missed(make_ring, message):
    own, target = message
    _, ring, _ = make_ring(BROADCAST, 8)
    push(ring, 100)
    assert broadcast.receive(ring, 3, target, MESSAGE.itemsize) == LAPPED
    position = broadcast.resync(ring, 3)
    assert position == 100 - 4
    read = []
    while broadcast.receive(ring, position, target, MESSAGE.itemsize) == READ:
        assert whole(own, position)
        read.append(position)
        position += 1
    assert read == [96, 97, 98, 99]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([1, 2, 4, 64]), st.integers(0, 200), st.data())
def test_resync_goes_forward_to_a_message_that_is_there_or_comes_next(capacity, more, data):
    own = np.zeros(1, MESSAGE)
    _, ring = plain_ring(capacity)
    head = capacity + 1 + more
    push(ring, head)
    position = data.draw(st.integers(0, head - capacity - 1))
    resumed = broadcast.resync(ring, position)
    assert position < resumed <= head
    state = broadcast.receive(ring, resumed, int(own.ctypes.data), MESSAGE.itemsize)
    assert state == (EMPTY if resumed == head else READ)


def test_readers_do_not_disturb_each_other(make_ring, message):
    own, target = message
    _, ring, _ = make_ring(BROADCAST, 16)
    push(ring, 10)
    for _ in range(3):
        for position in range(10):
            assert broadcast.receive(ring, position, target, MESSAGE.itemsize) == READ
            assert whole(own, position)


def test_reader_that_stands_still_stops_neither_the_writer_nor_another_reader(make_ring):
    _, ring, _ = make_ring(BROADCAST, 64)
    count = 20_000

    def reader():
        own = np.zeros(1, MESSAGE)
        position = lost = received = 0
        while position < count:
            state = broadcast.receive(ring, position, int(own.ctypes.data), MESSAGE.itemsize)
            if state == LAPPED:
                resumed = broadcast.resync(ring, position)
                lost, position = lost + resumed - position, resumed
            elif state == READ:
                assert whole(own[0], position)
                received, position = received + 1, position + 1
        return received, lost

    stopped, pipe = fork(reader)
    os.kill(stopped, signal.SIGSTOP)
    crew = Crew([reader, reader])
    try:
        for _ in range(count // 10):
            push(ring, 10)
        for received, lost in crew.collect(60.0):
            assert received + lost == count
            assert received > 0
    finally:
        os.kill(stopped, signal.SIGKILL)
        os.waitpid(stopped, 0)
        os.close(pipe)


def test_only_the_bytes_asked_for_are_copied(make_ring, message):
    own, target = message
    _, ring, _ = make_ring(BROADCAST, 4)
    push(ring, 3)
    own["payload"] = -5
    assert broadcast.receive(ring, 2, target, 64) == READ
    offset = MESSAGE.fields["payload"][1]
    copied = (64 - offset) // 8
    assert own["payload"].tolist() == [200 + i for i in range(copied)] + [-5] * (10 - copied)


def test_number_far_beyond_any_session_still_works(make_ring, message):
    own, target = message
    house, ring, header = make_ring(BROADCAST, 4)
    start = 1 << 61
    header[O_HEAD // 8] = start
    house.table("ring")["seq"] = start + np.arange(4) - 4
    assert push(ring, 1) == start
    assert broadcast.receive(ring, start, target, MESSAGE.itemsize) == READ
    assert own["seq"] == start
    assert broadcast.receive(ring, start - 4, target, MESSAGE.itemsize) == LAPPED
    assert broadcast.receive(ring, start + 1, target, MESSAGE.itemsize) == EMPTY
