"""Claims about waiting and waking."""

import asyncio
import ctypes
import os
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
import uvloop

from mmfast.kernel import kernel
from mmfast.rings.atomics import load_acquire, monotonic_ns, store_release
from mmfast.rings.bell import lie_down, ring_bell
from mmfast.runtime.wake import IDLE_NAMES, SLEEP, SLEEP_NS, SPIN, LoopBell, bell_address, doze, loop_descriptor
from mmfast.topology import PROCESSES

GATEWAY = PROCESSES.index("gateway")
LOOPS = {"uvloop": uvloop.run, "asyncio": asyncio.run}
ROUNDS = 3000


@kernel
def send_rounds(box: int, bell: int, rounds: int, until_ns: int) -> int:
    """Write 1 ... ``rounds`` at ``box`` and ring; each waits until ``box`` + 64 has caught up. How many got through."""
    for number in range(1, rounds + 1):
        store_release(box, number)
        ring_bell(bell)
        while load_acquire(box + 64) < number:
            if monotonic_ns() > until_ns:
                return number - 1
    return rounds


@pytest.fixture
def descriptor():
    made = loop_descriptor()
    yield made
    os.close(made)


@pytest.fixture
def box(house):
    """Two words in shared memory, a line pair each: what was sent, what was received. The unused last bell."""
    return bell_address(house, "supervisor")


def word(address):
    """A live view of the word at an address of our own mapping."""
    return ctypes.c_int64.from_address(address)


@pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)
def test_no_wake_up_is_lost_between_two_processes(house, descriptor, box, run):
    bell = bell_address(house, "gateway")
    send_rounds(box, bell, 0, 0)  # compiled before forking
    deadline_ns = time.monotonic_ns() + 20_000_000_000
    sent, received = word(box), word(box + 64)
    received.value = 0

    async def receive():
        done = asyncio.Event()

        def drain():
            news = sent.value > received.value
            received.value = sent.value
            if received.value == ROUNDS:
                done.set()
            return news

        listening = LoopBell(house, "gateway", descriptor, SLEEP, drain)
        listening.open(asyncio.get_running_loop())
        async with asyncio.timeout(20):
            await done.wait()
        listening.close()

    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            # The loop sleeps when the first ring comes.
            while house.table("bell")["asleep"][GATEWAY] == 0 and time.monotonic_ns() < deadline_ns:
                time.sleep(0.001)
            code = 0 if send_rounds(box, bell, ROUNDS, deadline_ns) == ROUNDS else 2
        finally:
            os._exit(code)
    run(receive())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert house.table("bell")["wakes"][GATEWAY] > 0  # it really slept


def drained(house, descriptor, idle, act):
    """Open a bell whose drain counts, let ``act(bell, counts)`` run in the loop; the counts."""
    counts = [0]

    async def body():
        def drain():
            counts[0] += 1
            return False

        bell = LoopBell(house, "gateway", descriptor, idle, drain)
        bell.open(asyncio.get_running_loop())
        await act(bell, counts)
        bell.close()
        still = counts[0]
        ring_bell(bell.address)
        for _ in range(3):
            await asyncio.sleep(0.001)
        assert counts[0] <= still + 1

    uvloop.run(body())
    return counts[0]


async def until(condition, seconds=5.0):
    """Wait for ``condition()``, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.0005)


def test_a_bell_that_opens_drains_what_came_before_it(house, descriptor):
    async def act(bell, counts):
        assert counts[0] >= 1
        assert house.table("bell")["asleep"][GATEWAY] == 1

    drained(house, descriptor, SLEEP, act)


def test_what_comes_between_the_last_look_and_lying_down_is_not_overlooked(house, descriptor):
    async def body():
        letters, read = [], []
        loop = asyncio.get_running_loop()

        def drain():
            news = list(letters)
            letters.clear()
            read.extend(news)
            if not news and len(read) < 20:  # a writer gets in after we have looked, while we still are awake
                letters.append(len(read))
                ring_bell(bell.address)
            return bool(news)

        bell = LoopBell(house, "gateway", descriptor, SLEEP, drain)
        bell.open(loop)
        await until(lambda: len(read) == 20)
        assert read == list(range(20))
        bell.close()

    uvloop.run(body())


def test_nobody_rings_for_a_sleeper_who_is_awake(house, descriptor):
    async def act(bell, counts):
        before = counts[0]
        house.table("bell")["asleep"][GATEWAY] = 0
        ring_bell(bell.address)
        await asyncio.sleep(0.005)
        assert counts[0] == before
        lie_down(bell.address)
        ring_bell(bell.address)
        await until(lambda: counts[0] > before)

    drained(house, descriptor, SLEEP, act)


def test_a_spinning_loop_polls_without_being_rung_and_is_never_written_to(house, descriptor):
    async def act(bell, counts):
        await until(lambda: counts[0] > 50)
        assert house.table("bell")["asleep"][GATEWAY] == 0
        ring_bell(bell.address)
        with pytest.raises(BlockingIOError):
            os.eventfd_read(descriptor)

    assert drained(house, descriptor, SPIN, act) > 50
    assert house.table("bell")["wakes"][GATEWAY] == 0


@pytest.mark.parametrize("idle", [SLEEP, SPIN], ids=IDLE_NAMES[::-1])
def test_a_drain_that_fails_is_told_and_tried_again(house, descriptor, idle):
    told, calls = [], []

    async def body():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))

        def drain():
            calls.append(1)
            if len(calls) == 3:
                raise ValueError("a drain that fails")
            return False

        bell = LoopBell(house, "gateway", descriptor, idle, drain)
        bell.open(asyncio.get_running_loop())
        deadline = time.monotonic() + 5.0
        while len(calls) < 6:
            assert time.monotonic() < deadline
            ring_bell(bell.address)
            await asyncio.sleep(0.0005)
        bell.close()

    uvloop.run(body())
    assert [str(error) for error in told] == ["a drain that fails"]


def test_the_descriptor_is_shared_with_children_and_not_with_programs(descriptor):
    assert not os.get_inheritable(descriptor)
    pid = os.fork()
    if pid == 0:
        os.eventfd_write(descriptor, 5)
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.eventfd_read(descriptor) == 5


def test_bells_do_not_share_lines(house):
    addresses = [bell_address(house, name) for name in PROCESSES]
    assert {b - a for a, b in pairwise(addresses)} == {128}
    assert addresses[0] % 128 == 0


def test_dozing_awake_returns_at_once(house):
    bell = bell_address(house, "quoter")
    doze(SPIN, bell, False)
    lie_down(bell)
    start = time.monotonic_ns()
    doze(SLEEP, bell, True)  # there was something after all
    assert time.monotonic_ns() - start < SLEEP_NS
    assert house.table("bell")["asleep"][PROCESSES.index("quoter")] == 0


def test_a_sleeper_looks_again_after_a_bound_even_if_nobody_rings(house):
    bell = bell_address(house, "quoter")
    doze(SPIN, bell, False)
    lie_down(bell)
    start = time.monotonic_ns()
    doze(SLEEP, bell, False)
    slept_ns = time.monotonic_ns() - start
    assert SLEEP_NS <= slept_ns < 100 * SLEEP_NS
    assert house.table("bell")["asleep"][PROCESSES.index("quoter")] == 0


def test_a_sleeper_is_woken_before_its_bound(house):
    bell = bell_address(house, "quoter")
    ring_bell(bell)
    row = house.table("bell")[PROCESSES.index("quoter") :][:1]

    def ring_when_asleep():
        deadline = time.monotonic() + 5
        while row["wakes"][0] < 200 and time.monotonic() < deadline:
            ring_bell(bell)

    ringer = threading.Thread(target=ring_when_asleep)
    ringer.start()
    naps = []
    while ringer.is_alive():
        lie_down(bell)
        start = time.monotonic_ns()
        doze(SLEEP, bell, False)
        naps.append(time.monotonic_ns() - start)
    ringer.join()
    assert row["wakes"][0] == 200
    assert np.median(naps) < SLEEP_NS
