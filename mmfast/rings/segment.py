"""
Segments: POSIX shared memory with an own mapping, owned by one run and seen whole or not at all.

In      a name and a size.
Out     a mapping, its address, and the lock that tells whether its owner still lives.
Source  posix_ipc for shm_open; multiprocessing.shared_memory is not used because its resource tracker unlinks
        segments that others still use (cpython issue 82300).

The first page:   byte 0 ready word (written last)   8 layout hash   16 owner's pid   24 created [ns]
                  32 bytes of the segment            40 run id (24 bytes of ASCII)

The segment is mode 0600 and created exclusively. Its owner holds an flock on it; SIGKILL frees the lock.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import stat
import time
from pathlib import Path

import numpy as np
import posix_ipc

PAGE = 4096
READY = 0x4D4D_4641_5354_0001
WORD_READY, WORD_LAYOUT, WORD_PID, WORD_CREATED, WORD_SIZE, WORD_RUN = 0, 1, 2, 3, 4, 5
RUN_ID_BYTES = 24
SHM_FOLDER = Path("/dev/shm")
# Without O_NONBLOCK a pipe that squats the name would hold us until somebody opens its other end.
CAREFULLY = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class SegmentError(RuntimeError):
    """A segment that is missing, foreign, of another layout or not ready; the message names it and the remedy."""


class Segment:
    """A mapped segment: ``address`` is its first byte, ``words`` its int64 words. Keep it while either is in use."""

    def __init__(self, name: str, mapping: mmap.mmap, lock_descriptor: int = -1) -> None:
        self.name = name
        self.mapping = mapping
        self.lock_descriptor = lock_descriptor
        self.words = np.frombuffer(mapping, np.int64)
        self.address = int(self.words.ctypes.data)

    @classmethod
    def create(cls, name: str, size: int, run_id: str, layout: int) -> Segment:
        """
        A new segment of ``size`` bytes (rounded up to pages), touched, locked by us and not yet ready.

        Raises
        ------
        SegmentError
            If the name is taken: by a live owner, or left behind by a dead one.
        """
        size = -(-size // PAGE) * PAGE
        run = run_id.encode()
        if len(run) > RUN_ID_BYTES:
            raise ValueError(f"run id {run_id!r} has {len(run)} bytes, at most {RUN_ID_BYTES} fit")
        try:
            shared = posix_ipc.SharedMemory(name, posix_ipc.O_CREX, mode=0o600, size=size)
        except posix_ipc.ExistentialError:
            raise SegmentError(f"shared memory {name} exists already: stop its engine, or, if that died, "
                               f"remove {_path(name)}") from None
        try:
            segment = cls(name, mmap.mmap(shared.fd, size, flags=mmap.MAP_SHARED | mmap.MAP_POPULATE))
            segment.lock_descriptor = _lock(name, os.fstat(shared.fd))
        except OSError:
            shared.unlink()
            raise
        finally:
            shared.close_fd()
        segment.words[WORD_LAYOUT] = layout
        segment.words[WORD_PID] = os.getpid()
        segment.words[WORD_CREATED] = time.time_ns()
        segment.words[WORD_SIZE] = size
        segment.words[WORD_RUN : WORD_RUN + 3] = np.frombuffer(run.ljust(RUN_ID_BYTES, b"\0"), np.int64)
        return segment

    @classmethod
    def attach(cls, name: str, layout: int, writable: bool = False) -> Segment:
        """
        Map an existing segment, read-only unless ``writable``.

        Raises
        ------
        SegmentError
            If it is missing, not ours, not private, not ready or of another layout.
        """
        path = _path(name)
        try:
            descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | CAREFULLY)
        except FileNotFoundError:
            raise SegmentError(f"no shared memory {name}: no engine of that name runs") from None
        except OSError as error:
            raise SegmentError(f"shared memory {name} cannot be opened: {error.strerror}") from None
        try:
            status = os.fstat(descriptor)
            if status.st_uid != os.getuid() or status.st_mode & 0o077:
                raise SegmentError(f"shared memory {name} is not private to uid {os.getuid()}: remove {path}")
            if not stat.S_ISREG(status.st_mode):
                raise SegmentError(f"shared memory {name} is not a file: remove {path}")
            if status.st_size < PAGE:
                raise SegmentError(f"shared memory {name} is not ready ({status.st_size} bytes)")
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            segment = cls(name, mmap.mmap(descriptor, status.st_size, access=access))
        finally:
            os.close(descriptor)
        if segment.words[WORD_READY] != READY:
            raise SegmentError(f"shared memory {name} is not ready: its engine is starting, or died while starting")
        if segment.words[WORD_LAYOUT] != layout:
            raise SegmentError(f"shared memory {name} was laid out by another version of mmfast: "
                               f"stop that engine first")
        if segment.words[WORD_SIZE] != status.st_size:
            raise SegmentError(f"shared memory {name} has {status.st_size} bytes and was made with "
                               f"{segment.words[WORD_SIZE]}: stop its engine and remove {path}")
        return segment

    @property
    def run_id(self) -> str:
        """Name of the run that made this segment."""
        return self.words[WORD_RUN : WORD_RUN + 3].tobytes().rstrip(b"\0").decode("ascii", "replace")

    @property
    def owner_pid(self) -> int:
        """Process id of the supervisor that made this segment."""
        return int(self.words[WORD_PID])

    def disown(self) -> None:
        """In a forked child: drop the lock's descriptor, so that the lock dies with the owner."""
        if self.lock_descriptor >= 0:
            os.close(self.lock_descriptor)
            self.lock_descriptor = -1

    def unlink(self) -> None:
        """Remove the name; mappings stay valid until their processes end."""
        _path(self.name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return SHM_FOLDER / name.lstrip("/")


def _is_named(name: str, status: os.stat_result) -> bool:
    """True if the file of this status still has that name."""
    try:
        return os.path.samestat(os.stat(_path(name), follow_symlinks=False), status)
    except FileNotFoundError:
        return False


def _lock(name: str, made: os.stat_result) -> int:
    # A description of its own: the mapping keeps a duplicate of the first one in every child.
    # Blocking: somebody who asks or clears at this instant holds the lock for microseconds.
    taken = SegmentError(f"shared memory {name} was taken by another start at the same moment: start again")
    try:
        descriptor = os.open(_path(name), os.O_RDWR | CAREFULLY)
    except FileNotFoundError:
        raise taken from None
    if not os.path.samestat(os.fstat(descriptor), made):  # theirs, which they hold for as long as they live
        os.close(descriptor)
        raise taken
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if not _is_named(name, made):
        os.close(descriptor)
        raise taken
    return descriptor


def owner_lives(name: str) -> bool | None:
    """True if the segment's owner holds its lock, False if it died, None if there is no such segment."""
    try:
        descriptor = os.open(_path(name), os.O_RDWR | CAREFULLY)
    except FileNotFoundError:
        return None
    try:
        # Shared, so that two who ask at once do not take each other for the owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def clear_dead(name: str) -> bool:
    """
    Remove the segment that a dead owner left: True if it was removed, False if there is none or its owner lives.

    Holds the dead segment's lock meanwhile: of two who clear at once, the second sees that the name is gone or new.
    """
    if owner_lives(name) is not False:
        return False
    try:
        descriptor = os.open(_path(name), os.O_RDWR | CAREFULLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_named(name, os.fstat(descriptor)):
            return False
        _path(name).unlink()
        return True
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
