"""The lossless ring: refuses, never loses, survives the death of either side."""

from __future__ import annotations

import collections
import os
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.kernel import kernel
from mmfast.rings import spsc
from mmfast.rings.atomics import as_record, load_acquire, store_release
from mmfast.rings.layout import HEADER_BYTES, O_HEAD, O_REFUSED, O_TAIL, SPSC
from perf.rings.pair import fork
from tests.rings.conftest import MESSAGE

HALF, WHOLE, WORD, HEAD = range(1, 5)
STEPS = {"after the claim": 0, "half written": HALF, "written": WHOLE, "number stored": WORD, "head stored": HEAD}


@kernel
def fill(slot, first, last, value):
    record = as_record(slot, MESSAGE)
    for i in range(first, last):
        record["payload"][i] = value + i


@kernel
def push(ring, value):
    slot = spsc.claim(ring)
    if slot == 0:
        return -1
    fill(slot, 0, 10, value)
    return spsc.publish(ring, slot)


@kernel
def pop(ring):
    """The value of the next message; -1 when empty, -2 when torn."""
    slot = spsc.peek(ring)
    if slot == 0:
        return -1
    record = as_record(slot, MESSAGE)
    value = record["payload"][0]
    for i in range(10):
        if record["payload"][i] != value + i:
            value = -2
    spsc.release(ring)
    return value


def test_messages_come_out_in_the_order_they_went_in_numbered_from_zero(make_ring):
    _, ring, header = make_ring(SPSC, 8)
    assert pop(ring) == -1
    assert [push(ring, 100 * k) for k in range(8)] == list(range(8))
    assert [pop(ring) for _ in range(9)] == [100 * k for k in range(8)] + [-1]
    assert header[O_HEAD // 8] == header[O_TAIL // 8] == 8


def test_slot_carries_the_number_of_its_message(make_ring):
    house, ring, _ = make_ring(SPSC, 4)
    for k in range(6):
        push(ring, k)
        assert house.table("ring")["seq"][k % 4] == k
        pop(ring)


def test_full_ring_refuses_counts_and_keeps_what_it_has(make_ring):
    _, ring, header = make_ring(SPSC, 4)
    assert [push(ring, k) for k in range(7)] == [0, 1, 2, 3, -1, -1, -1]
    assert header[O_REFUSED // 8] == 3
    assert pop(ring) == 0
    assert push(ring, 50) == 4
    assert [pop(ring) for _ in range(5)] == [1, 2, 3, 50, -1]
    assert header[O_REFUSED // 8] == 3


def test_slot_that_is_being_read_is_not_given_to_the_writer(make_ring):
    _, ring, _ = make_ring(SPSC, 1)
    push(ring, 7)
    assert spsc.peek(ring) == ring + HEADER_BYTES
    assert spsc.claim(ring) == 0
    spsc.release(ring)
    assert spsc.claim(ring) == ring + HEADER_BYTES


def test_peek_without_release_gives_the_same_message_again(make_ring):
    _, ring, _ = make_ring(SPSC, 4)
    push(ring, 7)
    push(ring, 8)
    assert spsc.peek(ring) == spsc.peek(ring) == ring + HEADER_BYTES


def test_claim_without_publish_gives_the_same_slot_again_and_shows_nothing(make_ring):
    _, ring, _ = make_ring(SPSC, 4)
    assert spsc.claim(ring) == spsc.claim(ring)
    assert spsc.peek(ring) == 0


def test_message_of_the_lap_before_is_not_taken_for_a_new_one(make_ring):
    _, ring, _ = make_ring(SPSC, 2)
    for k in range(2):
        push(ring, k)
        pop(ring)
    fill(spsc.claim(ring), 0, 10, 99)
    assert pop(ring) == -1


@settings(max_examples=60, deadline=None)
@given(capacity=st.sampled_from([1, 2, 4, 8]), pushes=st.lists(st.booleans(), max_size=80))
def test_ring_is_a_bounded_queue(capacity, pushes):
    """Twin: collections.deque."""
    block = np.zeros((HEADER_BYTES + capacity * MESSAGE.itemsize) // 8, np.int64)
    block[4:7] = MESSAGE.itemsize, capacity, capacity - 1
    block[HEADER_BYTES // 8 :: MESSAGE.itemsize // 8] = -1
    ring, queue, refused = int(block.ctypes.data), collections.deque(), 0
    for step, is_push in enumerate(pushes):
        if is_push and len(queue) == capacity:
            assert push(ring, step) == -1
            refused += 1
        elif is_push:
            assert push(ring, step) >= 0
            queue.append(step)
        else:
            assert pop(ring) == (queue.popleft() if queue else -1)
    assert block[O_REFUSED // 8] == refused


def write_until(ring, step, value):
    """One message up to ``step``, as `publish` does it."""
    slot = spsc.claim(ring)
    number = word(ring + O_HEAD)
    if step >= HALF:
        fill(slot, 0, 5, value)
    if step >= WHOLE:
        fill(slot, 5, 10, value)
    if step >= WORD:
        put(slot, number)
    if step >= HEAD:
        put(ring + O_HEAD, number + 1)


@kernel
def word(address):
    return load_acquire(address)


@kernel
def put(address, value):
    store_release(address, value)


def die_writing(ring, step, value):
    """A child that attaches, writes up to ``step`` and is killed there."""
    def body():
        spsc.recover_writer(ring)
        write_until(ring, step, value)
        os.kill(os.getpid(), signal.SIGKILL)

    pid, pipe = fork(body)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    os.close(pipe)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_writer_stopped_in_the_middle_shows_all_or_nothing(make_ring, step):
    _, ring, _ = make_ring(SPSC, 2)
    write_until(ring, step, 100)
    assert pop(ring) == (100 if step >= WORD else -1)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_writer_killed_in_the_middle_is_followed_without_a_gap(make_ring, step):
    _, ring, header = make_ring(SPSC, 4)
    expected = []
    for lap in range(6):
        die_writing(ring, step, 1000 * lap)
        if step >= WORD:
            expected.append(1000 * lap)
        spsc.recover_writer(ring)
        assert push(ring, 1000 * lap + 500) == len(expected)
        expected.append(1000 * lap + 500)
        while (value := pop(ring)) != -1:
            assert value == expected[int(header[O_TAIL // 8]) - 1]
    assert header[O_TAIL // 8] == header[O_HEAD // 8] == len(expected)


def test_message_published_but_not_counted_may_be_read_before_the_next_writer_comes(make_ring):
    _, ring, header = make_ring(SPSC, 4)
    die_writing(ring, WORD, 100)
    assert pop(ring) == 100
    assert header[O_TAIL // 8] == 1
    assert header[O_HEAD // 8] == 0
    spsc.recover_writer(ring)
    assert push(ring, 200) == 1
    assert pop(ring) == 200


def test_without_the_recovery_the_next_message_would_be_lost(make_ring):
    _, ring, _ = make_ring(SPSC, 4)
    die_writing(ring, WORD, 100)
    assert pop(ring) == 100
    assert push(ring, 200) == 0
    assert pop(ring) == -1


@pytest.mark.parametrize("messages", [0, 1, 3, 4, 9])
def test_recovery_of_a_sound_ring_changes_nothing(make_ring, messages):
    _, ring, header = make_ring(SPSC, 4)
    for k in range(messages):
        push(ring, k)
        pop(ring)
    before = header.copy()
    spsc.recover_writer(ring)
    spsc.recover_writer(ring)
    assert header[O_HEAD // 8] == before[O_HEAD // 8] == messages
    assert push(ring, 77) == messages
    assert pop(ring) == 77


def test_recovery_of_a_full_ring_does_not_overwrite(make_ring):
    _, ring, _ = make_ring(SPSC, 2)
    push(ring, 1)
    push(ring, 2)
    spsc.recover_writer(ring)
    assert push(ring, 3) == -1
    assert [pop(ring), pop(ring)] == [1, 2]


def test_reader_killed_before_the_release_reads_that_message_again(make_ring):
    _, ring, _ = make_ring(SPSC, 4)
    push(ring, 1)
    push(ring, 2)

    def body():
        assert pop(ring) == 1
        assert spsc.peek(ring) != 0
        os.kill(os.getpid(), signal.SIGKILL)

    pid, pipe = fork(body)
    os.waitpid(pid, 0)
    os.close(pipe)
    assert [pop(ring), pop(ring)] == [2, -1]
