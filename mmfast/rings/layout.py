"""
Where the words of a ring lie: one header page, each cursor on a line pair of its own, then the slots.

   byte 0     magic       written last, with release: the ring is ready
        8     version
        16    kind        SPSC, BROADCAST or CELLS
        24    dtype hash
        32    stride      bytes of a slot
        40    capacity    slots, a power of two (cells: any number)
        48    mask        capacity - 1
        128   head        messages published                     (writer)
        256   tail cache  the writer's copy of tail              (writer)
        384   tail        messages consumed                      (reader of a lossless ring)
        512   refused     pushes that found a lossless ring full (writer)
        4096  slot 0 ...

Cursors are 128 bytes apart because the adjacent-line prefetcher pulls 64-byte lines in pairs.
"""

from __future__ import annotations

MAGIC = 0x4D4D46415354_01
VERSION = 1
SPSC, BROADCAST, CELLS, TABLE = 1, 2, 3, 4
KIND_NAMES = {SPSC: "lossless", BROADCAST: "broadcast", CELLS: "cells", TABLE: "table"}

O_MAGIC, O_VERSION, O_KIND, O_DTYPE, O_STRIDE, O_CAPACITY, O_MASK = 0, 8, 16, 24, 32, 40, 48
O_HEAD, O_TAIL_CACHE, O_TAIL, O_REFUSED = 128, 256, 384, 512
HEADER_BYTES = 4096

CELL_HEADER_BYTES = 128  # the version word of a cell, on a line pair of its own


def slot_stride(kind: int, record_bytes: int) -> int:
    """Bytes from one slot to the next."""
    if kind == CELLS:
        return CELL_HEADER_BYTES + -(-record_bytes // 128) * 128
    return record_bytes


def region_bytes(kind: int, record_bytes: int, capacity: int) -> int:
    """Bytes of a region with its header page, rounded up to whole pages."""
    size = HEADER_BYTES + slot_stride(kind, record_bytes) * capacity
    return -(-size // 4096) * 4096
