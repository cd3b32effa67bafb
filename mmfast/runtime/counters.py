"""
Counters: one block of words for each process, written by that process alone, read by anyone.

In      the name of a counter in catalog.py.
Out     its address for kernels, or an `add` for event loops.
Source  agrona's CountersManager, with the allocation done by the catalogue.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.rings.atomics import load_unordered, store_unordered
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House
from mmfast.runtime.catalog import COUNTERS
from mmfast.topology import COUNTER_SLOTS, PROCESSES


@kernel
def count(block: int, index: int, amount: int) -> None:
    """Add ``amount`` to counter ``index`` of the block at address ``block``."""
    word = block + 8 * index
    store_unordered(word, load_unordered(word) + amount)


class Counters:
    """The counters of one process: ``address`` for its kernels, the rest by name for its event loop."""

    def __init__(self, house: House, process: str) -> None:
        row = PROCESSES.index(process)
        self.address = house.address["counter"] + HEADER_BYTES + row * 8 * COUNTER_SLOTS
        self._words = house.table("counter")["value"][row]
        self._index = {c.name: i for i, c in enumerate(COUNTERS[process])}

    def add(self, name: str, amount: int = 1) -> None:
        """Count ``amount`` more."""
        self._words[self._index[name]] += amount

    def put(self, name: str, value: int) -> None:
        """State a value that is not a running count."""
        self._words[self._index[name]] = value

    def get(self, name: str) -> int:
        """The value now."""
        return int(self._words[self._index[name]])
