"""
Every state that a writer killed at any instruction can leave behind.

In      a function that writes, and the shared bytes it writes to.
Out     the distinct contents of those bytes, in the order in which they came about.
Source  ptrace(2). x86-64 makes the stores of one core visible in program order, so what a step at a time shows is
        exactly what another core can see and what a kill can leave.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Any

import numpy as np

PTRACE_TRACEME, PTRACE_SINGLESTEP = 0, 9
STEPS_MAX = 2_000_000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


def states(write: Callable[[], Any], shared: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """
    Run ``write`` in a child, one instruction at a time, and keep each new content of ``shared``.

    Raises
    ------
    PermissionError
        If this host does not let a process trace its own child.
    """
    pid = os.fork()
    if pid == 0:
        _be_traced(write)
    seen = [shared.copy()]
    try:
        if not os.WIFSTOPPED(os.waitpid(pid, 0)[1]):
            raise PermissionError("ptrace is not permitted here")
        for _ in range(STEPS_MAX):
            if LIBC.ptrace(PTRACE_SINGLESTEP, pid, None, None) != 0:
                raise PermissionError(f"ptrace: {os.strerror(ctypes.get_errno())}")
            status = os.waitpid(pid, 0)[1]
            if not np.array_equal(shared, seen[-1]):
                seen.append(shared.copy())
            if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) == signal.SIGSTOP:
                return seen
        raise RuntimeError(f"still writing after {STEPS_MAX} instructions")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _be_traced(write: Callable[[], Any]) -> None:
    try:
        if LIBC.ptrace(PTRACE_TRACEME, 0, None, None) == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            write()
            os.kill(os.getpid(), signal.SIGSTOP)
    finally:
        os._exit(1)
