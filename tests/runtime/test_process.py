"""Claims about the processes of the engine, each on a real fork."""

import ctypes
import gc
import os
import select
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from mmfast.records.control import STATE_RUNNING, STATE_STARTING, STATE_STOPPED
from mmfast.rings.region import House
from mmfast.rings.segment import owner_lives
from mmfast.runtime.errorlog import read_errors
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.process import Placement, fork, reap
from mmfast.topology import PROCESSES, regions

ANYWHERE = Placement(-1, 1)
PR_GET_DUMPABLE, PR_GET_PDEATHSIG = 3, 2


@contextmanager
def running(name, house, body, placement=ANYWHERE, dies_with_parent=True):
    """A child that is killed and collected at the end if it still runs."""
    child = fork(name, house, placement, body, dies_with_parent)
    try:
        yield child
    finally:
        if os.path.exists(f"/proc/{child.pid}"):
            try:
                os.kill(child.pid, signal.SIGKILL)
                reap(child)
            except (ProcessLookupError, ChildProcessError):
                pass


def outcome(name, house, body, **options):
    """Exit code of a child that ends by itself within ten seconds."""
    with running(name, house, body, **options) as child:
        poll = select.poll()
        poll.register(child.pidfd, select.POLLIN)
        assert poll.poll(10_000), "the child did not end"
        return reap(child)


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.001)


@pytest.mark.parametrize("code", [0, 1, 42])
def test_what_the_body_returns_is_the_exit_code(house, code):
    assert outcome("feed", house, lambda: code) == code
    assert read_errors(house) == []


def test_an_exception_is_logged_told_and_gives_1(house, capfd):
    def body():
        raise ValueError("frame 7 is bad")

    assert outcome("quoter", house, body) == 1
    assert [(e.process, e.text) for e in read_errors(house)] == [("quoter", "ValueError: frame 7 is bad")]
    told = capfd.readouterr().err
    assert told.startswith("mmfast quoter: Traceback")
    assert "frame 7 is bad" in told


def test_a_key_in_an_exception_does_not_reach_shared_memory(house, capfd):
    def body():
        raise ValueError(f"bad key 0x{'4f' * 32}")

    assert outcome("gateway", house, body) == 1
    assert "4f4f" not in read_errors(house)[0].text
    assert capfd.readouterr().err


@pytest.mark.parametrize(("ending", "code"), [(SystemExit(5), 5), (SystemExit(None), 0), (SystemExit("text"), 1)])
def test_a_body_that_exits_is_taken_at_its_word(house, ending, code, capfd):
    def body():
        raise ending

    assert outcome("feed", house, body) == code
    capfd.readouterr()


@pytest.mark.parametrize("returned", [None, "seven", object()])
def test_a_body_that_returns_nonsense_is_a_failure_and_never_returns_into_the_parent(house, returned, capfd):
    assert outcome("feed", house, lambda: returned) == 1
    assert len(read_errors(house)) == 1
    capfd.readouterr()


def test_a_child_without_a_standard_error_still_ends(house):
    def body():
        sys.stderr = None
        raise ValueError("unheard")

    assert outcome("feed", house, body) == 1
    assert read_errors(house)[0].text == "ValueError: unheard"


def test_the_heartbeat_tells_the_life_of_the_child(house):
    gate_read, gate_write = os.pipe()
    heart = Heart(house, "estimator")

    def body():
        Heart(house, "estimator").enter(STATE_RUNNING)
        os.read(gate_read, 1)
        return 0

    heart.enter(STATE_RUNNING)  # what a dead predecessor left behind
    with running("estimator", house, body) as child:
        until(lambda: heart.state == STATE_RUNNING)
        assert house.table("heartbeat")["pid"][1] == child.pid
        os.write(gate_write, b"x")
        assert reap(child) == 0
    assert heart.state == STATE_STOPPED
    os.close(gate_read)
    os.close(gate_write)


def test_from_the_moment_of_the_fork_a_restarted_process_does_not_count_as_running(house):
    Heart(house, "feed").enter(STATE_RUNNING)
    with running("feed", house, lambda: signal.pause() or 0):
        assert Heart(house, "feed").state == STATE_STARTING


def test_a_child_that_was_killed_did_not_stop(house):
    with running("feed", house, lambda: signal.pause() or 0) as child:
        until(lambda: house.table("heartbeat")["pid"][0] == child.pid)
        os.kill(child.pid, signal.SIGKILL)
        assert reap(child) == -signal.SIGKILL
    assert Heart(house, "feed").state == STATE_STARTING


def test_a_place_is_a_core_of_its_own(house):
    core = max(os.sched_getaffinity(0))
    assert outcome("feed", house, lambda: 10 + (os.sched_getaffinity(0) == {core}), placement=Placement(core, 0)) == 11
    row = house.table("heartbeat")[0]
    assert (row["core"], row["idle"]) == (core, 0)
    assert core in os.sched_getaffinity(0)


def test_without_a_core_it_may_run_anywhere(house):
    mine = os.sched_getaffinity(0)
    assert outcome("feed", house, lambda: 10 + (os.sched_getaffinity(0) == mine)) == 11
    assert house.table("heartbeat")["core"][0] == -1


def test_a_child_is_named_hides_its_memory_and_freezes_what_it_inherited(house):
    def body():
        libc = ctypes.CDLL(None)
        named = Path("/proc/self/comm").read_text() == "mmfast watchdog\n"
        return named + 2 * (libc.prctl(PR_GET_DUMPABLE) == 0) + 4 * (gc.get_freeze_count() > 1000)

    assert outcome("watchdog", house, body) == 7


def test_signals_to_the_group_are_left_to_the_supervisor(house):
    def body():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
        return 9

    assert outcome("gateway", house, body) == 9


def test_a_supervisors_wake_up_pipe_is_not_written_by_a_child(house):
    read, write = os.pipe2(os.O_NONBLOCK)
    before = signal.set_wakeup_fd(write)
    try:
        assert outcome("feed", house, lambda: os.kill(os.getpid(), signal.SIGINT) or 0) == 0
    finally:
        signal.set_wakeup_fd(before)
    with pytest.raises(BlockingIOError):
        os.read(read, 1)
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(("dies", "name"), [(True, "feed"), (False, "gateway")])
def test_a_dead_parent_takes_its_dependants_along_and_leaves_the_others(house, dies, name):
    read, write = os.pipe()
    supervisor = os.fork()
    if supervisor == 0:
        try:
            child = fork(name, house, ANYWHERE, lambda: time.sleep(10) or 0, dies)
            os.write(write, child.pid.to_bytes(4, "little"))
            time.sleep(10)
        finally:
            os._exit(1)
    pid = int.from_bytes(os.read(read, 4), "little")
    watch = os.pidfd_open(pid)
    until(lambda: house.table("heartbeat")["pid"][PROCESSES.index(name)] == pid)
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    assert bool(poll.poll(5000 if dies else 100)) is dies
    if not dies:
        signal.pidfd_send_signal(watch, signal.SIGKILL)
        assert poll.poll(5000)
    for descriptor in (read, write, watch):
        os.close(descriptor)


def test_the_lock_of_the_house_dies_with_its_owner_and_not_with_its_children(engine):
    """An owner that is killed while its child lives on: others see that the owner is dead."""
    name = f"/mmfast-{engine}"
    read, write = os.pipe()
    owner = os.fork()
    if owner == 0:
        try:
            house = House.create(name, "test", regions(1))
            house.ready()
            child = fork("gateway", house, ANYWHERE, lambda: time.sleep(10) or 0, False)
            until(lambda: house.table("heartbeat")["pid"][3] == child.pid)
            os.write(write, child.pid.to_bytes(4, "little"))
            time.sleep(10)
        finally:
            os._exit(1)
    pid = int.from_bytes(os.read(read, 4), "little")
    assert owner_lives(name) is True
    os.kill(owner, signal.SIGKILL)
    os.waitpid(owner, 0)
    until(lambda: owner_lives(name) is False, 5.0)
    os.kill(pid, 0)  # the child lives
    os.kill(pid, signal.SIGKILL)
    os.close(read)
    os.close(write)


def test_collecting_a_child_gives_its_descriptor_back(house):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        assert outcome("feed", house, lambda: 0) == 0
    assert len(os.listdir("/proc/self/fd")) == before
