"""
Cells: the newest value only. One writer, any number of readers.

In      the address of a cell.
Out     `store` publishes a whole record; `load` copies a whole record and tells its version.
Source  seqlock with acquire and release fences (Boehm 2012).

The version is odd while the record is being written. A writer that died in the middle leaves it odd:
readers give up after a bound, and the next write heals the cell.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.rings.atomics import (
    copy,
    fence_acquire,
    fence_release,
    load_acquire,
    load_unordered,
    pause,
    store_release,
    store_unordered,
)
from mmfast.rings.layout import CELL_HEADER_BYTES, HEADER_BYTES, O_STRIDE

GAVE_UP = -1
TRIES = 1000  # a whole record takes some 50 ns to write: this many looks mean that its writer is gone or off its core


@kernel
def cell_address(ring: int, index: int) -> int:
    """Address of cell ``index`` of a region of cells."""
    return ring + HEADER_BYTES + index * load_unordered(ring + O_STRIDE)


@kernel
def begin(cell: int) -> int:
    """Mark the cell as being written; returns the address of its record, to be filled in place."""
    store_unordered(cell, load_unordered(cell) | 1)
    fence_release()
    return cell + CELL_HEADER_BYTES


@kernel
def end(cell: int) -> int:
    """Publish what was written since `begin`; returns the new version."""
    version = (load_unordered(cell) | 1) + 1
    store_release(cell, version)
    return version


@kernel
def store(cell: int, source: int, size: int) -> int:
    """Publish the ``size`` bytes at ``source``; returns the new version (even, > 0)."""
    copy(begin(cell), source, size)
    return end(cell)


@kernel
def version(cell: int) -> int:
    """Version of the cell as it is now; odd while it is written, 0 if it never was."""
    return load_acquire(cell)


@kernel
def load(cell: int, target: int, size: int) -> int:
    """
    Copy the record to ``target``: its version, 0 if never written, GAVE_UP if no whole record could be had.

    After GAVE_UP the target may hold parts of two records: load into a spare, or forget what was there.
    """
    for _ in range(TRIES):
        before = load_acquire(cell)
        if before == 0:
            return 0
        if before & 1 == 0:
            copy(target, cell + CELL_HEADER_BYTES, size)
            fence_acquire()
            if load_unordered(cell) == before:
                return before
        pause()
    return GAVE_UP
