"""
The loops that are timed, over mmfast's own rings: the counterpart of limit.cpp, the same work for each message.

In      addresses of rings (of a cell for CELLS), a prepared record, how many messages.
Out     stamps of every round trip, or how many messages were received.
Source  `push` copies a prepared record and then writes two words in the slot: writing them into the prepared
        record just before copying it would cost a store that cannot be forwarded to the wider load.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.rings import broadcast, seqlock, spsc
from mmfast.rings.atomics import copy, load_acquire, load_unordered, monotonic_ns, store_release, store_unordered
from mmfast.rings.layout import BROADCAST, SPSC

SMALL, LARGE = 64, 896  # bytes: an acknowledgement and a whole book
NUMBER = 8  # the word that carries the number of the message


@kernel
def move(target: int, source: int, size: int, skip: int) -> None:
    """Copy a record without its first ``skip`` bytes; the sizes are constants, as in a stage."""
    if size == SMALL:
        copy(target + skip, source + skip, SMALL - skip)
    else:
        copy(target + skip, source + skip, LARGE - skip)


@kernel
def push(kind: int, ring: int, prepared: int, size: int, x: int, y: int) -> None:
    """Publish one message, waiting for room if need be."""
    if kind == SPSC:
        slot = spsc.claim(ring)
        while slot == 0:
            slot = spsc.claim(ring)
    elif kind == BROADCAST:
        slot = broadcast.claim(ring)
    else:
        slot = seqlock.begin(ring)
    move(slot, prepared, size, 8)
    store_unordered(slot + NUMBER, x)
    store_unordered(slot + 16, y)
    if kind in (SPSC, BROADCAST):
        spsc.publish(ring, slot)
    else:
        seqlock.end(ring)


@kernel
def pop_spsc(ring: int, position: int, target: int, size: int) -> int:
    """Wait for the next message and copy it; returns the next position."""
    slot = spsc.peek(ring)
    while slot == 0:
        slot = spsc.peek(ring)
    move(target, slot, size, 0)
    spsc.release(ring)
    return position + 1


@kernel
def pop_broadcast(ring: int, position: int, target: int, size: int) -> int:
    """Wait for the next message and copy it; a lapped reader goes on where `resync` says."""
    while True:
        if size == SMALL:
            state = broadcast.receive(ring, position, target, SMALL)
        else:
            state = broadcast.receive(ring, position, target, LARGE)
        if state == broadcast.READ:
            return position + 1
        if state == broadcast.LAPPED:
            position = broadcast.resync(ring, position)


@kernel
def pop_cell(cell: int, seen: int, target: int, size: int) -> int:
    """Wait for a version other than ``seen`` and copy it; returns that version."""
    while True:
        if seqlock.version(cell) == seen:
            continue
        if size == SMALL:
            version = seqlock.load(cell, target, SMALL)
        else:
            version = seqlock.load(cell, target, LARGE)
        if version > seen:
            return version


@kernel
def pop(kind: int, ring: int, position: int, target: int, size: int) -> int:
    """Wait for the next message of any kind of ring and copy it."""
    if kind == SPSC:
        return pop_spsc(ring, position, target, size)
    if kind == BROADCAST:
        return pop_broadcast(ring, position, target, size)
    return pop_cell(ring, position, target, size)


@kernel
def ping(kind: int, there: int, back: int, size: int, count: int, prepared: int, target: int, stamps: int) -> int:
    """Send and wait for the answer; a stamp after each. Returns how many answers were wrong."""
    wrong = 0
    position = 0
    for i in range(count):
        push(kind, there, prepared, size, i, 0)
        position = pop(kind, back, position, target, size)
        wrong += load_unordered(target + NUMBER) != i
        store_unordered(stamps + 8 * i, monotonic_ns())
    return wrong


@kernel
def pong(kind: int, there: int, back: int, size: int, count: int, target: int) -> None:
    """Answer ``count`` times."""
    position = 0
    for _ in range(count):
        position = pop(kind, there, position, target, size)
        push(kind, back, target, size, load_unordered(target + NUMBER), 0)


@kernel
def produce(kind: int, there: int, size: int, count: int, prepared: int) -> None:
    """Publish as fast as it goes."""
    for i in range(count):
        push(kind, there, prepared, size, i, 0)


@kernel
def consume(kind: int, there: int, size: int, count: int, target: int) -> int:
    """Read until the last message; returns how many were received, -1 if one was out of order."""
    received = 0
    position = 0
    before = -1
    while before != count - 1:
        position = pop(kind, there, position, target, size)
        number = load_unordered(target + NUMBER)
        if number <= before:
            return -1
        before = number
        received += 1
    return received


@kernel
def ping_base(there: int, back: int, count: int, stamps: int) -> int:
    """`ping` with the ring and the record removed: two bare lines."""
    for i in range(count):
        store_release(there, i + 1)
        while load_acquire(back) != i + 1:
            pass
        store_unordered(stamps + 8 * i, monotonic_ns())
    return 0


@kernel
def pong_base(there: int, back: int, count: int) -> None:
    """`pong` with the ring and the record removed."""
    for i in range(count):
        while load_acquire(there) != i + 1:
            pass
        store_release(back, i + 1)


@kernel
def copy_base(slot: int, size: int, count: int, prepared: int, target: int) -> int:
    """`produce` and `consume` with the ring removed, in one process: two copies and two words for each message."""
    start = monotonic_ns()
    for i in range(count):
        move(slot, prepared, size, 8)
        store_unordered(slot + NUMBER, i)
        store_unordered(slot + 16, 0)
        move(target, slot, size, 0)
    return monotonic_ns() - start
