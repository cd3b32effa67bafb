"""
Bells: how a writer wakes a reader that has gone to sleep, and only then.

In      the address of a bell: one 128-byte line pair for each process, in shared memory.
Out     `ring_bell` costs one fence and one load while the reader is awake.
Source  Dekker's handshake: the reader says "I sleep" and looks at its rings once more; the writer publishes
        and then looks at the bell. One of the two sees the other.

   byte 0   asleep      1 while the reader sleeps; its low half is the futex word
        8   descriptor  eventfd of a reader that sleeps in an event loop, 0 for a futex sleeper
        16  one         the 8 bytes written to the eventfd
        24  wakes       how often a writer had to wake the reader
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.rings.atomics import (
    exchange,
    fence_full,
    fetch_add,
    futex_wait,
    futex_wake,
    load_unordered,
    store_unordered,
    write_descriptor,
)

O_ASLEEP, O_DESCRIPTOR, O_ONE, O_WAKES = 0, 8, 16, 24
BELL_BYTES = 128


@kernel
def ring_bell(bell: int) -> None:
    """Wake the owner of ``bell`` if it sleeps. Call after publishing."""
    fence_full()
    if load_unordered(bell + O_ASLEEP) == 1 and exchange(bell + O_ASLEEP, 0) == 1:
        fetch_add(bell + O_WAKES, 1)
        descriptor = load_unordered(bell + O_DESCRIPTOR)
        if descriptor > 0:
            store_unordered(bell + O_ONE, 1)
            write_descriptor(descriptor, bell + O_ONE, 8)
        else:
            futex_wake(bell + O_ASLEEP, 1)


@kernel
def lie_down(bell: int) -> None:
    """Say "I sleep". Look at every ring once more before sleeping in earnest."""
    exchange(bell + O_ASLEEP, 1)


@kernel
def get_up(bell: int) -> None:
    """Say "I am awake"."""
    store_unordered(bell + O_ASLEEP, 0)


@kernel
def sleep(bell: int, timeout_ns: int) -> None:
    """Sleep until rung or until ``timeout_ns`` has passed, which also bounds the cost of a writer that died ringing."""
    futex_wait(bell + O_ASLEEP, 1, timeout_ns)
    get_up(bell)
