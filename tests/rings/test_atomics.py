"""Atomic words between two real processes, and the calls into libc."""

from __future__ import annotations

import mmap
import os
import time

import numpy as np
import pytest

from mmfast.kernel import kernel
from mmfast.rings.atomics import (
    as_record,
    compare_swap,
    copy,
    exchange,
    fence_acquire,
    fence_full,
    fence_release,
    fetch_add,
    fetch_and,
    fetch_or,
    futex_wait,
    futex_wake,
    load_acquire,
    load_unordered,
    monotonic_ns,
    pause,
    record_address,
    sched_yield,
    store_release,
    store_unordered,
    write_descriptor,
)
from perf.rings.pair import Crew, run_pair, two_cores

COUNT = 200_000
PAIR = np.dtype([("a", "i8"), ("b", "f8"), ("c", "i4", (2,)), ("_pad", "i8", (5,))])
EXTREMES = (0, 1, -1, 2**63 - 1, -(2**63))


@pytest.fixture
def words():
    """A page of shared words and its address; words that two processes write are 128 bytes apart."""
    page = np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.int64)
    return page, int(page.ctypes.data)


@kernel
def store_and_load(word, value):
    store_release(word, value)
    store_unordered(word + 8, value)
    return load_acquire(word), load_unordered(word + 8)


@pytest.mark.parametrize("value", EXTREMES)
def test_stored_word_is_loaded_whole(words, value):
    page, address = words
    assert store_and_load(address, value) == (value, value)
    assert page[0] == page[1] == value


@kernel
def add_many(word, count, amount):
    for _ in range(count):
        fetch_add(word, amount)


def test_fetch_add_of_two_processes_loses_no_count(words):
    page, address = words
    add_many(address, 0, 1)
    run_pair(lambda: add_many(address, COUNT, 3), lambda: add_many(address, COUNT, -1), two_cores())
    assert page[0] == 2 * COUNT


@kernel
def flip_many(word, bit, count):
    wrong = 0
    for _ in range(count):
        wrong += fetch_or(word, bit) & bit != 0
        wrong += fetch_and(word, ~bit) & bit != bit
    fetch_or(word, bit)
    return wrong


def test_bits_of_two_owners_do_not_disturb_each_other(words):
    page, address = words
    flip_many(address, 1, 0)
    page[0] = 4
    wrong = run_pair(lambda: flip_many(address, 1, COUNT), lambda: flip_many(address, 2, COUNT), two_cores())
    assert wrong == (0, 0)
    assert page[0] == 7


@kernel
def count_behind_lock(lock, total, count):
    for _ in range(count):
        while not compare_swap(lock, 0, 1):
            pause()
        store_unordered(total, load_unordered(total) + 1)
        store_release(lock, 0)


def test_compare_swap_lets_one_process_in_at_a_time(words):
    page, address = words
    count_behind_lock(address, address + 128, 0)
    run_pair(*2 * [lambda: count_behind_lock(address, address + 128, COUNT)], two_cores())
    assert page[16] == 2 * COUNT


@kernel
def swap_if(word, expected, value):
    return compare_swap(word, expected, value)


@kernel
def swap(word, value):
    return exchange(word, value)


def test_compare_swap_stores_only_what_was_expected(words):
    page, address = words
    assert not swap_if(address, 5, 6)
    assert page[0] == 0
    assert swap_if(address, 0, 6)
    assert page[0] == 6


def test_exchange_returns_what_was_there(words):
    page, address = words
    assert swap(address, 9) == 0
    assert swap(address, -2) == 9
    assert page[0] == -2


@kernel
def wait_for(word, value, limit_ns):
    until = monotonic_ns() + limit_ns
    while load_acquire(word) != value:
        if monotonic_ns() > until:
            return False
    return True


@kernel
def spin_unordered(word, value, tries):
    seen = load_unordered(word)
    while seen != value and tries > 0:
        seen = load_unordered(word)
        tries -= 1
    return seen == value


def test_load_in_a_spin_loop_is_not_hoisted(words):
    page, address = words
    assert not wait_for(address, 1, 1)
    assert not spin_unordered(address + 128, 1, 1)

    def reader():
        return wait_for(address, 7, 20_000_000_000), spin_unordered(address + 128, 7, 10**10)

    crew = Crew([reader])
    time.sleep(0.02)
    page[0] = 7
    time.sleep(0.02)
    page[16] = 7
    assert crew.collect(30.0) == [(True, True)]


@kernel
def store_then_load(mine, theirs, done, other_done, seen, count, fenced):
    """The litmus test "store buffering", ``count`` times in step with the other process."""
    for i in range(1, count + 1):
        store_unordered(mine, i)
        if fenced:
            fence_full()
        store_unordered(seen + 8 * i, load_unordered(theirs))
        store_release(done, i)
        while load_acquire(other_done) < i:
            pass


def both_missed(address, count, fenced):
    """How often neither process saw what the other had stored."""
    def side(mine, theirs):
        def body():
            seen = np.zeros(count + 1, np.int64)
            store_then_load(address + mine, address + theirs, address + mine + 1024, address + theirs + 1024,
                            int(seen.ctypes.data), count, fenced)
            return seen[1:]
        return body

    one, other = run_pair(side(0, 128), side(128, 0), two_cores(), 60.0)
    numbers = np.arange(1, count + 1)
    return int(((one < numbers) & (other < numbers)).sum())


def test_across_a_full_fence_one_of_two_processes_sees_the_other(words):
    _, address = words
    store_then_load(address, address, address, address, address, 0, True)
    assert both_missed(address, COUNT, True) == 0


@pytest.mark.skipif(not two_cores(), reason="one core runs one process at a time: nothing can be reordered")
def test_without_the_fence_both_miss_so_the_test_above_can_fail(words):
    page, address = words
    deadline, missed = time.monotonic() + 30.0, 0
    while missed == 0 and time.monotonic() < deadline:
        page[:] = 0
        missed = both_missed(address, COUNT, False)
    assert missed > 0


@kernel
def move(target, source, size):
    fence_release()
    copy(target, source, size)
    fence_acquire()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 63, 64, 65, 128, 896, 4096, 100_000])
def test_copy_moves_exactly_the_bytes_asked_for(size):
    source = np.random.default_rng(size).integers(0, 255, size + 16, np.uint8)
    target = np.full(size + 16, 255, np.uint8)
    move(int(target.ctypes.data), int(source.ctypes.data), size)
    assert (target[:size] == source[:size]).all()
    assert (target[size:] == 255).all()


@kernel
def through_record(address):
    record = as_record(address, PAIR)
    record["a"] += 1
    record["b"] = 2.5
    record["c"][1] = -7
    return record_address(record)


def test_record_at_an_address_is_the_memory_itself():
    own = np.zeros(2, PAIR)
    second = int(own.ctypes.data) + PAIR.itemsize
    assert through_record(second) == second
    assert not own[0].tobytes().strip(b"\0")
    assert (own[1]["a"], own[1]["b"], own[1]["c"].tolist()) == (1, 2.5, [0, -7])


@kernel
def now():
    return monotonic_ns()


def test_clock_is_that_of_python():
    now()
    before = time.monotonic_ns()
    middle = now()
    assert before <= middle <= time.monotonic_ns()


@kernel
def doze(word, expected, timeout_ns):
    return futex_wait(word, expected, timeout_ns)


@kernel
def wake(word, count):
    return futex_wake(word, count)


def test_futex_does_not_sleep_when_the_word_has_changed(words):
    page, address = words
    page[0] = 2
    start = time.monotonic()
    assert doze(address, 1, 20_000_000_000) == -1
    assert time.monotonic() - start < 10.0


def test_futex_sleeps_no_longer_than_its_timeout(words):
    page, address = words
    page[0] = 1
    start = time.monotonic_ns()
    assert doze(address, 1, 30_000_000) == -1
    assert 30_000_000 <= time.monotonic_ns() - start < 10_000_000_000


@pytest.mark.parametrize("timeout_ns", [0, -1, -5_000_000_000])
def test_futex_with_no_time_to_sleep_returns_at_once(words, timeout_ns):
    page, address = words
    page[0] = 1
    start = time.monotonic()
    assert doze(address, 1, timeout_ns) == -1
    assert time.monotonic() - start < 10.0


def test_futex_wake_tells_how_many_it_woke(words):
    page, address = words
    doze(address, 1, 1)
    assert wake(address, 1) == 0
    page[0] = 1
    crew = Crew([lambda: doze(address, 1, 20_000_000_000)])
    deadline = time.monotonic() + 20.0
    woken = 0
    while woken == 0 and time.monotonic() < deadline:
        woken = wake(address, 8)
    assert woken == 1
    assert crew.collect(20.0) == [0]


@kernel
def ring(descriptor, word):
    return write_descriptor(descriptor, word, 8)


def test_eight_bytes_written_to_an_eventfd_ring_it(words):
    page, address = words
    page[0] = 3
    descriptor = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        assert ring(descriptor, address) == 8
        assert os.eventfd_read(descriptor) == 3
    finally:
        os.close(descriptor)


def test_write_to_a_closed_descriptor_is_an_error_not_a_crash(words):
    _, address = words
    assert ring(1 << 20, address) == -1


@kernel
def give_way():
    pause()
    return sched_yield()


def test_yield_and_pause_return():
    assert give_way() == 0
