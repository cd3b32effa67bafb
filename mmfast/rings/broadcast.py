"""
Broadcast ring: one writer that never waits, many readers that each keep their own position.

In      the address of a ring, a reader's position.
Out     whole records, or EMPTY, or LAPPED: a reader that falls a ring behind loses records; that is counted
        by the reader, it is not an error.
Source  a seqlock in each slot (Boehm 2012, "Can seqlocks get along with programming language memory models?").

A slot's first word is n when message n is there, -(n + 2) while n is being written, -1 when never used.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.rings.atomics import (
    copy,
    fence_acquire,
    fence_release,
    load_acquire,
    load_unordered,
    store_release,
    store_unordered,
)
from mmfast.rings.layout import O_CAPACITY, O_HEAD
from mmfast.rings.spsc import publish, slot_address

__all__ = ["EMPTY", "LAPPED", "READ", "claim", "head", "publish", "receive", "recover_writer", "resync"]

READ, EMPTY, LAPPED = 1, -1, -2


@kernel
def claim(ring: int) -> int:
    """Address of the slot to write next; readers that still are in it will see themselves lapped."""
    number = load_unordered(ring + O_HEAD)
    slot = slot_address(ring, number)
    store_unordered(slot, -(number + 2))
    fence_release()  # the mark is visible before the payload changes
    return slot


@kernel
def receive(ring: int, position: int, target: int, size: int) -> int:
    """Copy ``size`` bytes of message ``position`` to ``target``: READ, EMPTY (not there yet) or LAPPED."""
    slot = slot_address(ring, position)
    mark = load_acquire(slot)
    if mark != position:
        return LAPPED if mark > position or mark < -(position + 2) else EMPTY
    copy(target, slot, size)
    fence_acquire()
    return READ if load_unordered(slot) == position else LAPPED


@kernel
def head(ring: int) -> int:
    """Number of the next message: where a reader starts that wants only what is new."""
    return load_acquire(ring + O_HEAD)


@kernel
def resync(ring: int, position: int) -> int:
    """Where a lapped reader goes on: half a ring behind the writer, so that it is not lapped again at once."""
    return max(position + 1, head(ring) - (load_unordered(ring + O_CAPACITY) >> 1))


@kernel
def recover_writer(ring: int) -> None:
    """First step of a writer on a ring that another process wrote: count a message published but not yet counted."""
    number = load_unordered(ring + O_HEAD)
    if load_acquire(slot_address(ring, number)) == number:
        store_release(ring + O_HEAD, number + 1)
