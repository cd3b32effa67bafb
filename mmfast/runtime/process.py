"""
A process of the engine: forked from the warm supervisor, told what it is, watched.

In      a name, a body, the house.
Out     a pid and a pidfd; the child runs the body and ends with its exit code.
Source  fork after warm-up: the compiled kernels are shared pages, six processes start in milliseconds.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from mmfast.records.control import STATE_STARTING, STATE_STOPPED
from mmfast.rings.region import House
from mmfast.runtime.errorlog import ErrorLog
from mmfast.runtime.heartbeat import Heart

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NAME = 1, 4, 15


class Placement(NamedTuple):
    """Where a process runs and how it waits: core -1 is any, idle as in wake.py."""

    core: int
    idle: int


class Child(NamedTuple):
    """A running process."""

    name: str
    pid: int
    pidfd: int


def fork(name: str, house: House, placement: Placement, body: Callable[[], int],
         dies_with_parent: bool) -> Child:
    """Start ``body`` in a child; its return value is the exit code, an exception is logged and gives 1."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    Heart(house, name).enter(STATE_STARTING)  # what the last process of this name said no longer holds
    pid = os.fork()
    if pid:
        return Child(name, pid, os.pidfd_open(pid))
    code = 1
    try:
        _settle(name, house, placement, parent, dies_with_parent)
        code = int(body())
        Heart(house, name).enter(STATE_STOPPED)
    except SystemExit as ending:
        code = int(ending.code or 0)
    except BaseException as error:
        with suppress(Exception):
            ErrorLog(house, name).record(f"{type(error).__name__}: {error}")
        with suppress(Exception):
            sys.stderr.write(f"mmfast {name}: {traceback.format_exc()}")
            sys.stderr.flush()
    finally:
        os._exit(code)  # whatever happened, a child never returns into its parent's code


def _settle(name: str, house: House, placement: Placement, parent: int, dies_with_parent: bool) -> None:
    house.segment.disown()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # these reach the whole group; the supervisor decides
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_NAME, f"mmfast {name}".encode())
    libc.prctl(PR_SET_DUMPABLE, 0)  # no core file, no attaching: keys may be in memory
    if dies_with_parent:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    if placement.core >= 0:
        os.sched_setaffinity(0, {placement.core})
    gc.freeze()  # what the supervisor made stays shared and is never scanned again
    heart = Heart(house, name)
    heart.enter(STATE_STARTING)
    heart.describe(placement.core, placement.idle)


def reap(child: Child) -> int:
    """Exit code of a child that has ended; negative is the signal that ended it."""
    _, status = os.waitpid(child.pid, 0)
    os.close(child.pidfd)
    return os.waitstatus_to_exitcode(status)
