"""
Locked memory: a page for one key, never swapped, never dumped, never inherited.

In      nothing.
Out     32 writable bytes at the start of a page of their own.
Source  mlock(2), madvise(2): MADV_DONTDUMP keeps it out of core files; MADV_WIPEONFORK shows a forked child zeros,
        MADV_DONTFORK shows it nothing.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource

KEY_BYTES = 32
MADV_WIPEONFORK = 18  # no name in the standard library
PR_SET_DUMPABLE = 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p


class NotLocked(OSError):
    """The system does not let this process lock memory; the message names the limit."""


def _lock(address: int) -> bool:
    return _libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE)) == 0


def _address(page: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(page))


def key_memory() -> memoryview:
    """32 zero bytes for this process alone; on a page that is not swapped if the system allows it (see `check`)."""
    page = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.madvise(mmap.MADV_DONTDUMP)
    page.madvise(MADV_WIPEONFORK)
    _lock(_address(page))
    return memoryview(page)[:KEY_BYTES]  # it keeps the page mapped


class Pinned:
    """
    The first page of an anonymous file, kept from being swapped until `release`; not mapped in a forked child.

    Not by the standard library's mmap, which keeps a descriptor of its own that every child would inherit.
    """

    def __init__(self, descriptor: int) -> None:
        rights = ctypes.c_int(mmap.PROT_READ | mmap.PROT_WRITE)
        size, self._owner = ctypes.c_size_t(mmap.PAGESIZE), os.getpid()
        address = _libc.mmap(None, size, rights, ctypes.c_int(mmap.MAP_SHARED), ctypes.c_int(descriptor),
                             ctypes.c_long(0))
        if address == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._address: int = address
        for advice in (mmap.MADV_DONTDUMP, mmap.MADV_DONTFORK):
            _libc.madvise(ctypes.c_void_p(address), size, ctypes.c_int(advice))
        _lock(address)

    def release(self) -> None:
        """Unmap it in the process that mapped it; nothing anywhere else, or a second time."""
        if self._owner == os.getpid() and self._address:
            _libc.munmap(ctypes.c_void_p(self._address), ctypes.c_size_t(mmap.PAGESIZE))
        self._address = 0


def check() -> None:
    """
    Raise NotLocked if this process cannot lock a page.

    Real keys are not read then: they might be written to a swap partition.
    """
    with mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as page:
        if not _lock(_address(page)):
            soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
            raise NotLocked(f"memory cannot be locked (limit {soft} bytes): a key could be swapped to disk; "
                            "use `ulimit -l unlimited`, or LimitMEMLOCK=infinity of the service")


def seal() -> None:
    """No core file of this process and its children from now on, and nobody may attach to it: it reads a key."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def wipe(secret: bytearray | memoryview) -> None:
    """Zeros over every byte."""
    secret[:] = bytes(len(secret))
