"""
Writers and readers for the stress runs: every word of every message is a function of its number.

In      the address of a ring or cell, how many messages, how often and how long to stall.
Out     what happened, counted in a table in shared memory that the parent watches.
Source  the outcomes are those of drive.py. Payloads are written with plain stores and read with plain loads,
        as stages do: the compiler is free to move them unless the rings forbid it.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.rings import broadcast, seqlock, spsc
from mmfast.rings.atomics import (
    as_record,
    copy,
    fence_acquire,
    load_acquire,
    load_unordered,
    monotonic_ns,
    pause,
    store_unordered,
)

LINE = np.dtype([("word", "i8", (8,))])
LINE_BYTES = 64
# What a reader counts; one writer, so stores in no order are enough.
O_POSITION, O_RECEIVED, O_LOST, O_TORN, O_DISORDER, O_LAPS, O_GAVE_UP, O_STALLS = range(0, 64, 8)
NEVER = 0


@kernel
def mix(number: int) -> int:
    """What the words of message ``number`` are made from: neighbours share no bytes."""
    x = (number + 1) * -7046029254386353131
    x ^= (x >> 29) & 0x7FFFFFFFF
    return x * -4658895280553007687


@kernel
def fill(slot: int, size: int, number: int) -> None:
    """Write every word but the first, which is the ring's, with plain stores."""
    base = mix(number)
    for line in range(size // LINE_BYTES):
        words = as_record(slot + line * LINE_BYTES, LINE)
        for i in range(1 if line == 0 else 0, 8):
            words["word"][i] = base + 8 * line + i


@kernel
def torn(message: int, size: int, base: int) -> int:
    """1 if any word but the first is not that of the message whose words start at ``base``."""
    wrong = 0
    for line in range(size // LINE_BYTES):
        words = as_record(message + line * LINE_BYTES, LINE)
        for i in range(1 if line == 0 else 0, 8):
            wrong |= words["word"][i] ^ (base + 8 * line + i)
    return 1 if wrong != 0 else 0


@kernel
def count(word: int, amount: int) -> None:
    """Add to a counter that only we write."""
    store_unordered(word, load_unordered(word) + amount)


@kernel
def stall(dice: int, every: int, longest_ns: int) -> int:
    """About once in ``every`` calls burn a random time; ``dice`` is the address of the generator's state."""
    if every == NEVER:
        return 0
    x = load_unordered(dice) * 6364136223846793005 + 1442695040888963407
    store_unordered(dice, x)
    if ((x >> 33) & 0x7FFFFFFF) % every != 0:
        return 0
    until = monotonic_ns() + ((x >> 13) & 0xFFFFF) * longest_ns // 0x100000
    while monotonic_ns() < until:
        pause()
    return 1


@kernel
def breathe(dice: int, most: int) -> None:
    """Pause up to ``most`` times at random: a writer that never breathes starves whoever needs a whole record."""
    if most == NEVER:
        return
    x = load_unordered(dice) * 6364136223846793005 + 1442695040888963407
    store_unordered(dice, x)
    for _ in range(((x >> 33) & 0x7FFFFFFF) % (most + 1)):
        pause()


@kernel
def write_spsc(ring: int, size: int, end: int, dice: int, every: int, longest_ns: int) -> int:
    """Publish messages from the head on until ``end``; returns how often the ring was full."""
    full = 0
    number = load_unordered(ring + spsc.O_HEAD)
    while number < end:
        slot = spsc.claim(ring)
        if slot == 0:
            full += 1
            pause()
            continue
        fill(slot, size, number)
        spsc.publish(ring, slot)
        number += 1
        stall(dice, every, longest_ns)
    return full


@kernel
def read_spsc(ring: int, size: int, end: int, result: int, dice: int, every: int, longest_ns: int) -> int:
    """Check messages where they lie, from the tail on until ``end``; returns how often the ring was empty."""
    empty = 0
    number = load_unordered(ring + spsc.O_TAIL)
    while number < end:
        slot = spsc.peek(ring)
        if slot == 0:
            empty += 1
            pause()
            continue
        count(result + O_TORN, torn(slot, size, mix(number)))
        count(result + O_DISORDER, 1 if load_unordered(slot) != number else 0)
        spsc.release(ring)
        number += 1
        count(result + O_RECEIVED, 1)
        store_unordered(result + O_POSITION, number)
        count(result + O_STALLS, stall(dice, every, longest_ns))
    return empty


@kernel
def write_broadcast(ring: int, size: int, end: int, breath: int, dice: int, every: int, longest_ns: int) -> int:
    """Publish messages from the head on until ``end``; never waits."""
    for number in range(load_unordered(ring + spsc.O_HEAD), end):
        slot = broadcast.claim(ring)
        fill(slot, size, number)
        broadcast.publish(ring, slot)
        breathe(dice, breath)
        stall(dice, every, longest_ns)
    return 0


@kernel
def read_broadcast(ring: int, size: int, end: int, message: int, result: int, dice: int, every: int,
                   longest_ns: int) -> int:
    """Check what can be had from the position on until ``end``; what was lost is counted by `resync`."""
    empty = 0
    position = load_unordered(result + O_POSITION)
    while position < end:
        state = broadcast.receive(ring, position, message, size)
        if state == broadcast.EMPTY:
            empty += 1
            pause()
            continue
        if state == broadcast.LAPPED:
            after = broadcast.resync(ring, position)
            count(result + O_LOST, after - position)
            count(result + O_LAPS, 1)
            position = after
        else:
            count(result + O_TORN, torn(message, size, mix(position)))
            count(result + O_DISORDER, 1 if load_unordered(message) != position else 0)
            count(result + O_RECEIVED, 1)
            position += 1
            count(result + O_STALLS, stall(dice, every, longest_ns))
        store_unordered(result + O_POSITION, position)
    return empty


@kernel
def write_cell(cell: int, size: int, end: int, breath: int, dice: int, every: int, longest_ns: int) -> int:
    """Publish versions until message ``end`` - 1; message n is version 2 (n + 1)."""
    for number in range(seqlock.version(cell) // 2, end):
        record = seqlock.begin(cell)
        store_unordered(record, number)
        fill(record, size, number)
        seqlock.end(cell)
        breathe(dice, breath)
        stall(dice, every, longest_ns)
    return 0


@kernel
def read_cell(cell: int, size: int, end: int, message: int, result: int, dice: int, every: int,
              longest_ns: int) -> int:
    """Check each newer version until message ``end`` - 1; what was skipped is the nature of a cell."""
    same = 0
    position = load_unordered(result + O_POSITION)
    while position < end:
        version = seqlock.load(cell, message, size)
        if version == seqlock.GAVE_UP:
            count(result + O_GAVE_UP, 1)
            continue
        number = version // 2 - 1
        if number < position:
            # The same again is expected, an older one is not.
            count(result + O_DISORDER, 1 if number < position - 1 else 0)
            same += 1
            pause()
            continue
        count(result + O_TORN, torn(message, size, mix(number)))
        count(result + O_DISORDER, 1 if load_unordered(message) != number else 0)
        count(result + O_RECEIVED, 1)
        count(result + O_LOST, number - position)
        position = number + 1
        store_unordered(result + O_POSITION, position)
        count(result + O_STALLS, stall(dice, every, longest_ns))
    return same


@kernel
def read_broadcast_unguarded(ring: int, size: int, message: int, result: int, tries: int) -> None:
    """A broken reader, to show that a tear would be seen: it copies the newest slot and does not look again."""
    for _ in range(tries):
        newest = broadcast.head(ring) - 1
        if newest < 0:
            continue
        copy(message, spsc.slot_address(ring, newest), size)
        count(result + O_TORN, torn(message, size, load_unordered(message + 8) - 1))


@kernel
def read_cell_unguarded(cell: int, size: int, message: int, result: int, tries: int) -> None:
    """A broken reader, to show that a tear would be seen: it copies the record and ignores the version."""
    for _ in range(tries):
        if seqlock.version(cell) < 2:
            continue
        copy(message, cell + seqlock.CELL_HEADER_BYTES, size)
        fence_acquire()
        count(result + O_TORN, torn(message, size, load_unordered(message + 8) - 1))


@kernel
def tail(ring: int) -> int:
    """Number of the message that the reader of a lossless ring takes next."""
    return load_acquire(ring + spsc.O_TAIL)
