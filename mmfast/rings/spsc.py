"""
Lossless ring: one writer, one reader, nothing is ever overwritten.

In      the address of a ring.
Out     `claim` and `peek` give the address of a slot, or 0 when full or empty; `publish` and `release` hand it over.
Source  rigtorp/SPSCQueue for the cached index; the message number lives in the slot's first word, so that a
        64-byte message crosses between cores as a single line.

A full ring refuses: the writer counts it and treats it as a fault. Fields are written in the slot, in place.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.rings.atomics import copy, load_acquire, load_unordered, store_release, store_unordered
from mmfast.rings.layout import (
    HEADER_BYTES,
    O_CAPACITY,
    O_HEAD,
    O_MASK,
    O_REFUSED,
    O_STRIDE,
    O_TAIL,
    O_TAIL_CACHE,
)


@kernel
def slot_address(ring: int, number: int) -> int:
    """Address of the slot of message ``number``."""
    return ring + HEADER_BYTES + (number & load_unordered(ring + O_MASK)) * load_unordered(ring + O_STRIDE)


@kernel
def claim(ring: int) -> int:
    """Address of the slot to write next, or 0 when the ring is full (which is counted)."""
    head = load_unordered(ring + O_HEAD)
    capacity = load_unordered(ring + O_CAPACITY)
    if head - load_unordered(ring + O_TAIL_CACHE) >= capacity:
        tail = load_acquire(ring + O_TAIL)
        store_unordered(ring + O_TAIL_CACHE, tail)
        if head - tail >= capacity:
            store_unordered(ring + O_REFUSED, load_unordered(ring + O_REFUSED) + 1)
            return 0
    return slot_address(ring, head)


@kernel
def publish(ring: int, slot: int) -> int:
    """Hand the claimed slot to the reader; returns the number of the message."""
    number = load_unordered(ring + O_HEAD)
    store_release(slot, number)
    store_release(ring + O_HEAD, number + 1)
    return number


@kernel
def put(ring: int, slot: int, source: int, size: int) -> int:
    """Fill the claimed slot from the record at ``source`` (all but its first word, which is the ring's) and publish."""
    copy(slot + 8, source + 8, size - 8)
    return publish(ring, slot)


@kernel
def peek(ring: int) -> int:
    """Address of the slot to read next, or 0 when the ring is empty. The slot is ours until `release`."""
    number = load_unordered(ring + O_TAIL)
    slot = slot_address(ring, number)
    if load_acquire(slot) != number:
        return 0
    return slot


@kernel
def release(ring: int) -> None:
    """Give the slot that was peeked back to the writer."""
    store_release(ring + O_TAIL, load_unordered(ring + O_TAIL) + 1)


@kernel
def recover_writer(ring: int) -> None:
    """
    What a writer does first when it attaches to a ring that another process wrote.

    A writer killed between the slot's word and the head has published a message that the head does not
    count; the reader may have taken it already. The head is moved past it.
    """
    head = load_unordered(ring + O_HEAD)
    if load_acquire(slot_address(ring, head)) == head:
        store_release(ring + O_HEAD, head + 1)
    store_unordered(ring + O_TAIL_CACHE, load_acquire(ring + O_TAIL))
