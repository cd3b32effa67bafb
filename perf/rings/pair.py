"""
Functions in forked, pinned processes, with their results brought back.

In      functions without arguments, the cores to run them on.
Out     what they returned, in order; when one fails the others, which would spin for ever, are killed.
Source  fork, as the engine itself does: compiled kernels and mappings are inherited.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

PR_SET_PDEATHSIG = 1
Body = Callable[[], Any]


class Crew:
    """Processes at work: `collect` waits for all of them, `kill` ends them."""

    def __init__(self, bodies: Sequence[Body], cores: Sequence[int] = ()) -> None:
        self.pids: list[int] = []
        self.pipes: list[int] = []
        for index, body in enumerate(bodies):
            pid, pipe = fork(body, cores[index % len(cores)] if cores else None)
            self.pids.append(pid)
            self.pipes.append(pipe)

    def collect(self, timeout_s: float = 120.0, watch: Callable[[], None] | None = None) -> list[Any]:
        """
        Results in order; ``watch`` is called about ten times a second meanwhile.

        Raises
        ------
        RuntimeError
            If a process fails or the time is up; all are killed then.
        """
        parts: dict[int, bytes] = dict.fromkeys(self.pipes, b"")
        waiting, deadline, failure = set(self.pipes), time.monotonic() + timeout_s, ""
        while waiting and not failure:
            for pipe in select.select(list(waiting), [], [], 0.1)[0]:
                data = os.read(pipe, 1 << 20)
                parts[pipe] += data
                if not data:
                    waiting.discard(pipe)
                    failure = failure or ("" if parts[pipe] else "a process failed")
            if watch is not None:
                watch()
            if waiting and time.monotonic() > deadline:
                failure = f"not done after {timeout_s:g} s"
        self.kill() if failure else self._reap()
        if failure:
            raise RuntimeError(failure)
        return [pickle.loads(parts[pipe]) for pipe in self.pipes]

    def kill(self) -> None:
        """SIGKILL whatever still runs."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        for pid, pipe in zip(self.pids, self.pipes):
            with suppress(OSError):
                os.close(pipe)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self.pids = []


def fork(body: Body, core: int | None = None) -> tuple[int, int]:
    """Run ``body`` in a child that dies with us: its pid and the pipe that its result comes through."""
    result, sink = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(sink)
        return pid, result
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        if core is not None:
            os.sched_setaffinity(0, {core})
        answer = pickle.dumps(body())
        with os.fdopen(sink, "wb") as stream:
            stream.write(answer)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def run_pair(first: Body, second: Body, cores: Sequence[int] = (),
             timeout_s: float = 120.0) -> tuple[Any, Any]:
    """Run two functions at the same time and return both results."""
    one, two = Crew([first, second], cores).collect(timeout_s)
    return one, two


def two_cores() -> tuple[int, ...]:
    """The first two cores that we may use; none if there is only one, so that nothing is pinned."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else ()
