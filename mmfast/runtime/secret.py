"""
Secrets: a key that is in no process's memory but the one that signs with it.

In      32 bytes, wiped from where they came.
Out     an anonymous file that a forked child reads once and every other child closes.
Source  a forked child inherits its parent's memory; it does not have to inherit the key.
"""

from __future__ import annotations

import mmap
import os

from mmfast.runtime.locked import KEY_BYTES, Pinned, key_memory, wipe

Key = bytearray | memoryview  # 32 bytes that can be wiped


class Secret:
    """A key behind a descriptor. Its text never shows it."""

    def __init__(self, key: Key) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._descriptor = os.memfd_create("mmfast-key", os.MFD_CLOEXEC)
        os.ftruncate(self._descriptor, mmap.PAGESIZE)
        self._pinned = Pinned(self._descriptor)
        os.pwrite(self._descriptor, key, 0)
        wipe(key)

    def take(self) -> memoryview:
        """A copy of the key in locked memory, for the process that signs; the taker wipes it after use."""
        key = key_memory()
        os.preadv(self._descriptor, [key], 0)
        return key

    def forget(self) -> None:
        """Close the descriptor: this process cannot read the key any more."""
        if self._descriptor >= 0:
            self._pinned.release()
            os.close(self._descriptor)
            self._descriptor = -1

    def __repr__(self) -> str:
        return "Secret(***)"
