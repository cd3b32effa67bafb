"""Segments: private, exclusive, seen whole or not at all, and never removed by somebody else's exit."""

from __future__ import annotations

import fcntl
import mmap
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from mmfast.rings import segment as segments
from mmfast.rings.segment import PAGE, READY, WORD_LAYOUT, WORD_READY, WORD_SIZE, Segment, SegmentError, owner_lives
from perf.rings.pair import Crew, fork, run_pair, two_cores

LAYOUT = 0x1234_5678_9ABC


def path_of(name):
    return Path("/dev/shm") / name.lstrip("/")


def made(name, pages=3, ready=True):
    segment = Segment.create(name, pages * PAGE, "run-1", LAYOUT)
    if ready:
        segment.words[WORD_READY] = READY
    return segment


def wait_until(reached, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.001)


# ---- made and attached


def test_segment_is_private_whatever_the_umask_says(name):
    before = os.umask(0)
    try:
        made(name)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path_of(name).stat().st_mode) == 0o600


def test_size_is_rounded_up_to_pages_and_all_zero_but_the_first(name):
    segment = Segment.create(name, 2 * PAGE + 1, "run-1", LAYOUT)
    assert path_of(name).stat().st_size == 3 * PAGE
    assert segment.words[WORD_SIZE] == 3 * PAGE
    assert not segment.words[PAGE // 8 :].any()
    assert segment.address % PAGE == 0


def test_segment_tells_who_made_it_and_when(name):
    before = time.time_ns()
    segment = made(name)
    assert (segment.run_id, segment.owner_pid) == ("run-1", os.getpid())
    assert before <= segment.words[segments.WORD_CREATED] <= time.time_ns()


def test_attached_reader_sees_the_same_memory_and_cannot_write_it(name):
    owner = made(name)
    reader = Segment.attach(name, LAYOUT)
    owner.words[100] = 77
    assert reader.words[100] == 77
    assert reader.run_id == "run-1"
    with pytest.raises(ValueError, match="read-only"):
        reader.words[100] = 1


def test_attached_writer_writes_the_same_memory(name):
    owner = made(name)
    Segment.attach(name, LAYOUT, writable=True).words[100] = 5
    assert owner.words[100] == 5


def test_unrelated_process_attaches(name):
    owner = made(name)
    owner.words[200] = 4711
    code = (f"from mmfast.rings.segment import Segment\ns = Segment.attach({name!r}, {LAYOUT}, writable=True)\n"
            "assert s.words[200] == 4711\ns.words[201] = 4712")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert owner.words[201] == 4712


# ---- refused


def refusal(name, layout=LAYOUT, writable=False):
    with pytest.raises(SegmentError) as caught:
        Segment.attach(name, layout, writable)
    message = str(caught.value)
    assert name in message
    return message


def test_missing_segment_is_refused(name):
    assert "no engine of that name runs" in refusal(name)


def test_segment_that_others_may_read_is_refused(name):
    made(name)
    for mode in (0o640, 0o604, 0o622, 0o660, 0o666):
        path_of(name).chmod(mode)
        assert f"remove {path_of(name)}" in refusal(name)
    path_of(name).chmod(0o600)
    Segment.attach(name, LAYOUT)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_segment_of_another_user_is_refused(name):
    made(name)
    os.chown(path_of(name), 12345, -1)
    assert f"remove {path_of(name)}" in refusal(name)


def test_symbolic_link_is_refused(name):
    made(name + "-target")
    path_of(name).symlink_to(path_of(name + "-target"))
    try:
        assert "cannot be opened" in refusal(name)
        assert "cannot be opened" in refusal(name, writable=True)
    finally:
        path_of(name + "-target").unlink()


@pytest.mark.parametrize("size", [0, 1, PAGE - 1])
def test_segment_shorter_than_a_page_is_refused(name, size):
    path_of(name).touch(mode=0o600)
    os.truncate(path_of(name), size)
    assert f"not ready ({size} bytes)" in refusal(name)


def test_segment_that_is_not_ready_is_refused(name):
    segment = made(name, ready=False)
    assert "is starting, or died while starting" in refusal(name)
    segment.words[WORD_READY] = READY + 1
    assert "is starting, or died while starting" in refusal(name)


def test_segment_of_another_layout_is_refused(name):
    segment = made(name)
    assert "stop that engine first" in refusal(name, LAYOUT + 1)
    segment.words[WORD_LAYOUT] = 0
    assert "stop that engine first" in refusal(name)


def test_segment_that_was_cut_short_is_refused(name):
    made(name, pages=8)
    os.truncate(path_of(name), 2 * PAGE)
    refusal(name)


def test_segment_that_was_lengthened_is_refused(name):
    made(name, pages=2)
    os.truncate(path_of(name), 8 * PAGE)
    refusal(name)


def test_folder_squatting_the_name_is_refused(name):
    path_of(name).mkdir(mode=0o700)
    try:
        refusal(name)
        refusal(name, writable=True)
    finally:
        path_of(name).rmdir()


def test_pipe_squatting_the_name_is_refused_without_waiting_for_its_other_end(name):
    os.mkfifo(path_of(name), 0o600)

    def attach():
        try:
            Segment.attach(name, LAYOUT)
        except SegmentError as error:
            return str(error)
        return "attached"

    assert name in Crew([attach]).collect(5.0)[0]


def test_random_bytes_are_refused(name):
    path_of(name).touch(mode=0o600)
    path_of(name).write_bytes(np.random.default_rng(1).bytes(4 * PAGE))
    refusal(name)


# ---- one owner


def test_second_owner_is_refused_and_the_first_undisturbed(name):
    first = made(name)
    with pytest.raises(SegmentError, match=f"{name} exists already"):
        Segment.create(name, PAGE, "run-2", LAYOUT)
    assert first.run_id == Segment.attach(name, LAYOUT).run_id == "run-1"


def test_refusal_of_a_second_owner_names_the_remedy(name):
    made(name)
    with pytest.raises(SegmentError) as caught:
        Segment.create(name, PAGE, "run-2", LAYOUT)
    assert "stop" in str(caught.value) or "remove" in str(caught.value)


@pytest.mark.parametrize("squatter", ["file", "folder", "link", "pipe"])
def test_squatted_name_is_never_taken_over(name, squatter):
    path = path_of(name)
    {"file": lambda: path.touch(mode=0o666), "folder": lambda: path.mkdir(), "link": lambda: path.symlink_to("nowhere"),
     "pipe": lambda: os.mkfifo(path)}[squatter]()
    try:
        with pytest.raises(SegmentError, match=name):
            Segment.create(name, PAGE, "run-1", LAYOUT)
        assert os.path.lexists(path)
    finally:
        path.rmdir() if squatter == "folder" else path.unlink()


def test_owner_lives_tells_three_cases_apart(name):
    assert owner_lives(name) is None
    segment = made(name)
    assert owner_lives(name) is True
    segment.disown()
    assert owner_lives(name) is False


def dies_owning(name, with_children):
    """A process that makes a segment, forks ``with_children`` and is killed. Their pids come back."""
    def owner():
        segment = made(name)
        pids = []
        for disowns in with_children:
            pid = os.fork()
            if pid == 0:
                if disowns:
                    segment.disown()
                segment.words[300] += 1
                time.sleep(60)
                os._exit(0)
            pids.append(pid)
        segment.words[301 : 301 + len(pids)] = pids
        segment.words[310] = 1
        time.sleep(60)

    pid, pipe = fork(owner)
    wait_until(lambda: path_of(name).exists() and path_of(name).stat().st_size > 0)
    wait_until(lambda: owner_lives(name))
    with path_of(name).open("rb") as file:
        watcher = np.frombuffer(mmap.mmap(file.fileno(), PAGE, access=mmap.ACCESS_READ), np.int64)
    wait_until(lambda: watcher[310] == 1 and watcher[300] == len(with_children))
    assert owner_lives(name) is True
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(pipe)
    return [int(p) for p in watcher[301 : 301 + len(with_children)]]


def test_lock_dies_with_its_owner_although_children_still_map_the_segment(name):
    children = dies_owning(name, [True, True])
    try:
        assert owner_lives(name) is False
        assert path_of(name).exists()
        assert all(os.path.exists(f"/proc/{pid}") for pid in children)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)


def test_child_that_does_not_disown_keeps_the_lock(name):
    (child,) = dies_owning(name, [False])
    try:
        assert owner_lives(name) is True
    finally:
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: owner_lives(name) is False)


def test_segment_survives_the_death_of_its_owner_until_it_is_unlinked(name):
    dies_owning(name, [])
    left = Segment.attach(name, LAYOUT)
    assert left.run_id == "run-1"
    left.unlink()
    assert owner_lives(name) is None
    assert Segment.create(name, PAGE, "run-2", LAYOUT).run_id == "run-2"


def test_two_who_ask_at_once_whether_the_owner_lives_do_not_take_each_other_for_it(name, monkeypatch):
    made(name).disown()
    real, answers = fcntl.flock, []

    def flock(descriptor, operation):
        real(descriptor, operation)
        if not answers:
            answers.append(None)
            answers[0] = owner_lives(name)

    monkeypatch.setattr(segments.fcntl, "flock", flock)
    assert owner_lives(name) is False
    assert answers == [False]


def test_owner_that_starts_while_somebody_asks_waits_for_its_lock(name, monkeypatch):
    real, how = fcntl.flock, []
    made(name).unlink()

    def record(descriptor, operation):
        how.append(operation)
        real(descriptor, operation)

    def somebody_was_first(descriptor, operation):
        probe = os.open(path_of(name), os.O_RDWR | os.O_CLOEXEC)
        real(probe, how[0])
        answer = threading.Timer(0.05, os.close, [probe])
        answer.start()
        try:
            real(descriptor, operation)
        finally:
            answer.join()

    with path_of(name).open("wb"), monkeypatch.context() as patch:
        patch.setattr(segments.fcntl, "flock", record)
        owner_lives(name)
        path_of(name).unlink()
        patch.setattr(segments.fcntl, "flock", somebody_was_first)
        segment = made(name)
    assert owner_lives(name) is True
    segment.disown()
    assert owner_lives(name) is False


def test_segment_of_a_dead_owner_is_cleared_and_that_of_a_living_one_is_not(name):
    assert segments.clear_dead(name) is False
    segment = made(name)
    assert segments.clear_dead(name) is False
    assert path_of(name).exists()
    segment.disown()
    assert segments.clear_dead(name) is True
    assert not path_of(name).exists()


def test_a_start_whose_name_was_taken_meanwhile_does_not_wait_for_the_end_of_the_other(name, tmp_path):
    theirs = Segment.create(name, PAGE, "run", LAYOUT)
    try:
        with pytest.raises(SegmentError, match="taken by another start at the same moment"):
            segments._lock(name, os.stat(tmp_path))
    finally:
        theirs.disown()
        theirs.unlink()


def test_of_two_starts_at_once_on_a_dead_segment_one_owns_it(name):
    turns, page = 200, np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.int64)

    def meet(mine, theirs, turn):
        page[mine] = turn
        while page[theirs] < turn:
            pass

    def start():
        segments.clear_dead(name)
        try:
            return None if owner_lives(name) else Segment.create(name, PAGE, "run", LAYOUT)
        except SegmentError:
            return None

    def starter(me):
        def body():
            owned = []
            for turn in range(1, turns + 1):
                meet(me, 1 - me, turn)
                segment = start()
                owned.append(segment is not None)
                meet(2 + me, 3 - me, turn)
                if segment is not None:
                    segment.disown()
            return owned
        return body

    one, other = run_pair(starter(0), starter(1), two_cores(), 60.0)
    assert not any(a and b for a, b in zip(one, other))
    assert any(one) or any(other)


# ---- gone


def test_reader_that_attached_and_exited_does_not_remove_the_segment(name):
    owner = made(name)
    code = f"from mmfast.rings.segment import Segment\nSegment.attach({name!r}, {LAYOUT}).words[0]"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert path_of(name).exists()
    assert Segment.attach(name, LAYOUT).run_id == owner.run_id


def test_reader_that_was_killed_does_not_remove_the_segment(name):
    made(name)

    def reader():
        Segment.attach(name, LAYOUT)
        os.kill(os.getpid(), signal.SIGKILL)

    for _ in range(20):
        pid, pipe = fork(reader)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        os.close(pipe)
    assert Segment.attach(name, LAYOUT).run_id == "run-1"


def test_mapping_outlives_the_name_and_newcomers_are_refused(name):
    owner = made(name)
    reader = Segment.attach(name, LAYOUT)
    owner.unlink()
    owner.unlink()
    refusal(name)
    owner.words[100] = 3
    assert reader.words[100] == 3


def test_name_can_be_used_again_and_the_old_mapping_is_not_the_new_memory(name):
    old = made(name)
    old.unlink()
    new = Segment.create(name, PAGE, "run-2", LAYOUT)
    new.words[100] = 9
    assert (old.run_id, old.words[100]) == ("run-1", 0)


def test_a_hundred_runs_leave_nothing_behind(name):
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        segment = made(name)
        segment.unlink()
        segment.disown()
        del segment
    assert [left for left in os.listdir("/dev/shm") if name.lstrip("/") in left] == []
    assert len(os.listdir("/proc/self/fd")) <= descriptors


def test_run_id_that_is_too_long_is_refused_by_name_and_leaves_nothing_behind(name):
    with pytest.raises(ValueError, match=r"x{25}"):
        Segment.create(name, PAGE, "x" * 25, LAYOUT)
    assert not path_of(name).exists()
