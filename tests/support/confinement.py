"""
Is a key in this process's memory? Looks through every writable page, without ever holding the key in one piece.

In      a key as two halves whose exclusive-or it is.
Out     how often it stands in memory.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import traceback
from collections.abc import Callable, Iterator

KEY_BYTES = 32
PR_SET_DUMPABLE = 4
CHUNK = 1 << 20
DEADLINE_S = 100  # to look through all pages of a large process on a busy host


def in_child(body: Callable[[], int]) -> int:
    """What ``body`` returns in a forked child: the exit code, at most 127. Negative if it does not end in time."""
    pid = os.fork()
    if pid == 0:
        code = 127
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(DEADLINE_S)
            code = int(body())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def occurrences(masked: bytes, mask: bytes) -> int:
    """
    How often the key ``masked`` xor ``mask`` stands in this process's memory.

    What is read goes through one buffer, whose own place is left out.
    """
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)
    found, window = 0, bytearray(CHUNK + KEY_BYTES)
    places = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw") and "[v" not in line and end - start < 1 << 30:
                places.append((start, end))
    descriptor = os.open("/proc/self/mem", os.O_RDONLY)
    own = ctypes.addressof(ctypes.c_char.from_buffer(window))
    for start, end in places:
        for at in range(start, end, CHUNK):
            try:
                size = os.preadv(descriptor, [window], at)
            except OSError:
                continue
            found += sum(1 for hit in matches(window, size, masked, mask) if hit < CHUNK and at + hit < end
                         and not own - KEY_BYTES < at + hit < own + len(window))
    return found


def matches(window: bytearray, size: int, masked: bytes, mask: bytes) -> Iterator[int]:
    """Places in ``window`` where the key stands whole: four bytes of it lead there, the rest is compared masked."""
    lead = bytes(a ^ b for a, b in zip(masked[:4], mask[:4]))
    at = window.find(lead, 0, size)
    while 0 <= at <= size - KEY_BYTES:
        if all(window[at + k] ^ mask[k] == masked[k] for k in range(KEY_BYTES)):
            yield at
        at = window.find(lead, at + 1, size)


def a_masked_key() -> tuple[bytes, bytes]:
    """A key as (masked, mask): neither of the two is the key."""
    return secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)


def unmask(masked: bytes, mask: bytes) -> bytearray:
    """The key, in a buffer that is its only copy."""
    key = bytearray(KEY_BYTES)
    for k in range(KEY_BYTES):
        key[k] = masked[k] ^ mask[k]
    return key
