"""Claims about the event loop of a process. Each runs in a child, because the collector is changed for good."""

import asyncio
import gc
import os
import signal
import time

import pytest

from mmfast.runtime import eventloop
from mmfast.runtime.eventloop import run_loop
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SLEEP, SPIN


def in_child(body):
    """Exit code of a forked child that runs ``body``; it ends within 20 s."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            signal.alarm(20)
            code = int(body())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_result_of_the_body_comes_back():
    async def body():
        return 42

    assert in_child(lambda: run_loop(body, Placement(-1, SLEEP))) == 42


def test_an_exception_of_the_body_comes_out():
    async def body():
        raise KeyError("gone")

    def child():
        with pytest.raises(KeyError, match="gone"):
            run_loop(body, Placement(-1, SLEEP))
        return 3

    assert in_child(child) == 3


def test_it_is_uvloop_and_the_collector_is_out_of_the_way():
    async def body():
        frozen = gc.get_freeze_count() > 1000 and not gc.isenabled()
        return 10 * frozen + ("uvloop" in type(asyncio.get_running_loop()).__module__)

    assert in_child(lambda: run_loop(body, Placement(-1, SLEEP))) == 11


def test_garbage_is_still_collected_between_deadlines():
    async def body():
        eventloop.COLLECT_S = 0.01
        eventloop._collect(asyncio.get_running_loop())
        before = gc.get_stats()[1]["collections"]
        deadline = time.monotonic() + 5
        while gc.get_stats()[1]["collections"] < before + 3 and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        return gc.get_stats()[1]["collections"] >= before + 3

    assert in_child(lambda: run_loop(body, Placement(-1, SLEEP))) == 1


def busy_share(idle):
    """Share of CPU time of a loop that only sleeps [%]."""
    async def body():
        start, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(0.2)
        return round(100 * (time.process_time() - cpu) / (time.monotonic() - start))

    return in_child(lambda: run_loop(body, Placement(-1, idle)))


def test_a_spinning_loop_never_blocks_and_a_sleeping_one_does():
    assert busy_share(SPIN) > 10 + busy_share(SLEEP)
