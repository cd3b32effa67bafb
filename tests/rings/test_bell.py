"""Bells: no wake-up is lost, no sleep is unbounded, and an awake reader costs its writer no call of the system."""

from __future__ import annotations

import mmap
import os
import select
import time

import numpy as np
import pytest

from mmfast.kernel import kernel
from mmfast.rings import bell as bells
from mmfast.rings.atomics import compare_swap, fetch_add, load_acquire, monotonic_ns, store_release
from mmfast.rings.bell import BELL_BYTES, O_ASLEEP, O_DESCRIPTOR, O_ONE, O_WAKES, get_up, lie_down, ring_bell, sleep
from mmfast.topology import BELL
from perf.rings.pair import Crew, fork, run_pair, two_cores

LONG_NS = 20_000_000_000  # a lost wake-up would cost this much
FUTEX_TURNS = 30_000
EVENTFD_TURNS = 5_000
# Beside the two bells, on lines of their own: what is handed over.
O_PING, O_PONG = 512, 640


@pytest.fixture
def page():
    """Shared words, and their address: two bells, then two words to hand over."""
    words = np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.int64)
    return words, int(words.ctypes.data)


def test_bell_in_the_house_has_the_words_where_the_kernels_look():
    offsets = {name: field[1] for name, field in BELL.fields.items()}
    assert offsets == {"asleep": O_ASLEEP, "descriptor": O_DESCRIPTOR, "one": O_ONE, "wakes": O_WAKES}
    assert BELL.itemsize == BELL_BYTES


def test_owner_that_is_awake_is_not_woken(page):
    words, bell = page
    ring_bell(bell)
    assert words[: BELL_BYTES // 8].tolist() == [0] * (BELL_BYTES // 8)


def test_owner_that_sleeps_is_woken_once(page):
    words, bell = page
    lie_down(bell)
    for _ in range(3):
        ring_bell(bell)
    assert words[O_ASLEEP // 8] == 0
    assert words[O_WAKES // 8] == 1


def test_ring_between_lying_down_and_sleeping_is_not_lost(page):
    _, bell = page
    sleep(bell, 1)
    lie_down(bell)
    ring_bell(bell)
    start = time.monotonic()
    sleep(bell, LONG_NS)
    assert time.monotonic() - start < 10.0


def test_sleep_ends_at_its_timeout_and_leaves_the_owner_awake(page):
    words, bell = page
    lie_down(bell)
    start = time.monotonic_ns()
    sleep(bell, 20_000_000)
    assert 20_000_000 <= time.monotonic_ns() - start < LONG_NS // 2
    assert words[O_ASLEEP // 8] == 0


def test_getting_up_spares_the_writer_the_call(page):
    words, bell = page
    lie_down(bell)
    get_up(bell)
    ring_bell(bell)
    assert words[O_WAKES // 8] == 0


def test_eventfd_sleeper_is_rung_through_its_descriptor(page):
    words, bell = page
    descriptor = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        words[O_DESCRIPTOR // 8] = descriptor
        ring_bell(bell)
        with pytest.raises(BlockingIOError):
            os.eventfd_read(descriptor)
        lie_down(bell)
        ring_bell(bell)
        assert os.eventfd_read(descriptor) == 1
    finally:
        os.close(descriptor)


@kernel
def wait_futex(bell, word, value):
    """Sleep until the word is ``value``; returns how many sleeps ran into their timeout."""
    late = 0
    while load_acquire(word) != value:
        lie_down(bell)
        if load_acquire(word) == value:
            get_up(bell)
            break
        start = monotonic_ns()
        sleep(bell, LONG_NS)
        late += monotonic_ns() - start >= LONG_NS
    return late


@kernel
def play(mine, theirs, hear, say, first, turns):
    """Hand the ball to and fro, asleep while the other has it."""
    late = 0
    for turn in range(1, turns + 1):
        if first:
            store_release(say, turn)
            ring_bell(theirs)
        late += wait_futex(mine, hear, turn)
        if not first:
            store_release(say, turn)
            ring_bell(theirs)
    return late


def test_no_wake_up_is_lost_between_two_futex_sleepers(page):
    words, address = page
    one, other = address, address + BELL_BYTES
    play(one, other, address + O_PING, address + O_PONG, True, 0)
    late = run_pair(lambda: play(one, other, address + O_PONG, address + O_PING, True, FUTEX_TURNS),
                    lambda: play(other, one, address + O_PING, address + O_PONG, False, FUTEX_TURNS), timeout_s=60.0)
    assert late == (0, 0)
    assert words[O_PING // 8] == words[O_PONG // 8] == FUTEX_TURNS


def wait_eventfd(bell, word, value, descriptor, poll):
    """The same for a sleeper in poll(2); returns how many sleeps ran into their timeout."""
    late = 0
    while word[0] != value:
        lie_down(bell)
        if word[0] == value:
            get_up(bell)
            break
        if poll.poll(LONG_NS // 1_000_000):
            os.eventfd_read(descriptor)
        else:
            late += 1
        get_up(bell)
    return late


def test_no_wake_up_is_lost_between_a_futex_sleeper_and_an_event_loop(page):
    words, address = page
    one, other = address, address + BELL_BYTES
    play(one, other, address + O_PING, address + O_PONG, True, 0)
    descriptor = os.eventfd(0, os.EFD_NONBLOCK)
    words[(BELL_BYTES + O_DESCRIPTOR) // 8] = descriptor

    def event_loop():
        poll, late = select.poll(), 0
        poll.register(descriptor, select.POLLIN)
        ball = words[O_PING // 8 : O_PING // 8 + 1]
        for turn in range(1, EVENTFD_TURNS + 1):
            late += wait_eventfd(other, ball, turn, descriptor, poll)
            words[O_PONG // 8] = turn
            ring_bell(one)
        return late

    try:
        late = run_pair(lambda: play(one, other, address + O_PONG, address + O_PING, True, EVENTFD_TURNS), event_loop,
                        timeout_s=60.0)
    finally:
        os.close(descriptor)
    assert late == (0, 0)
    assert words[O_PONG // 8] == EVENTFD_TURNS


@kernel
def linger(ns):
    """Let the two sides meet at every distance in time."""
    until = monotonic_ns() + ns
    while monotonic_ns() < until:
        pass


@kernel
def publish_in_step(bell, word, mine, other, count):
    """Publish and ring, ``count`` times in step with the other process."""
    for i in range(1, count + 1):
        linger(i * 7 & 255)
        store_release(word, i)
        ring_bell(bell)
        store_release(mine, i)
        while load_acquire(other) < i:
            pass


@kernel
def lie_down_in_step(bell, word, mine, other, count):
    """Lie down and look once more, in step; returns how often neither side saw the other."""
    missed = 0
    for i in range(1, count + 1):
        linger(i * 13 & 255)
        lie_down(bell)
        seen = load_acquire(word)
        # Only when the writer is done is it certain that it has not seen us.
        store_release(mine, i)
        while load_acquire(other) < i:
            pass
        missed += seen < i and load_acquire(bell + O_ASLEEP) == 1
        get_up(bell)
    return missed


def test_reader_sees_the_message_or_the_writer_sees_the_sleeper(page):
    words, address = page
    count, away = 200_000, (address + O_PING, address + 1024, address + 1152)
    publish_in_step(address, *away, 0)
    lie_down_in_step(address, *away, 0)
    word, mine, other = away
    _, missed = run_pair(lambda: publish_in_step(address, word, mine, other, count),
                         lambda: lie_down_in_step(address, word, other, mine, count), two_cores(), 60.0)
    assert missed == 0
    assert words[O_WAKES // 8] > 0


@kernel
def add_and_ring(bell, word, count):
    for _ in range(count):
        fetch_add(word, 1)
        ring_bell(bell)


@kernel
def sleep_until(bell, word, value):
    """Sleep until the word has grown to ``value``; returns how many sleeps ran into their timeout."""
    late = 0
    seen = load_acquire(word)
    while seen < value:
        lie_down(bell)
        newer = load_acquire(word)
        if newer == seen:
            start = monotonic_ns()
            sleep(bell, LONG_NS)
            late += monotonic_ns() - start >= LONG_NS
        else:
            get_up(bell)
        seen = newer
    return late


def test_no_wake_up_is_lost_when_several_writers_ring_one_bell(page):
    words, address = page
    count, word = 20_000, address + O_PING
    add_and_ring(address, word, 0)
    sleep_until(address, word, 0)
    crew = Crew([lambda: sleep_until(address, word, 3 * count), *3 * [lambda: add_and_ring(address, word, count)]])
    assert crew.collect(60.0)[0] == 0
    assert words[O_PING // 8] == 3 * count


@kernel
def answer_without_waking(bell):
    """A writer that is killed after it has answered the bell and before it wakes."""
    while not compare_swap(bell + O_ASLEEP, 1, 0):
        pass


def test_writer_that_dies_between_answering_and_waking_costs_at_most_the_timeout(page):
    words, bell = page
    answer_without_waking.compile("(int64,)")
    pid, pipe = fork(lambda: answer_without_waking(bell))
    lie_down(bell)
    start = time.monotonic_ns()
    bells.sleep(bell, 300_000_000)
    assert time.monotonic_ns() - start < LONG_NS // 2
    os.waitpid(pid, 0)
    os.close(pipe)
    assert words[O_ASLEEP // 8] == 0
