"""
A wire on virtual time between gateway and venue, that loses, doubles, delays and reorders what it is told to.

In      payloads with the time at which they were written; fates for the next ones.
Out     payloads in the order of their arrival.
Source  everything that a connection, a proxy, a node of the venue and its rate limits have been seen to do.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import NamedTuple

from mmfast.units import NS_PER_MS

LATENCY_NS = NS_PER_MS
DROP, DOUBLE, LATE, SWAP = "drop", "double", "late", "swap"
FATES = (DROP, DOUBLE, LATE, SWAP)


class Flying(NamedTuple):
    """A payload under way."""

    due_ns: int
    number: int
    epoch: int
    payload: bytes


class Wire:
    """One direction. ``epoch`` counts connections: what an old one still carries to us is lost with it."""

    def __init__(self) -> None:
        self.flying: list[Flying] = []
        self.fates: deque[tuple[str, int]] = deque()
        self.count = 0

    def send(self, payload: bytes, now_ns: int, epoch: int) -> None:
        """Write a payload; the next fate happens to it."""
        fate, delay_ns = self.fates.popleft() if self.fates else ("", 0)
        if fate == DROP:
            return
        if fate == DOUBLE:
            self._push(now_ns + LATENCY_NS + delay_ns, epoch, payload)
        if fate == SWAP:  # behind what is written within the next milliseconds
            delay_ns = 3 * LATENCY_NS
        self._push(now_ns + LATENCY_NS + (delay_ns if fate in (LATE, SWAP) else 0), epoch, payload)

    def _push(self, due_ns: int, epoch: int, payload: bytes) -> None:
        self.count += 1
        heapq.heappush(self.flying, Flying(due_ns, self.count, epoch, payload))

    def arrived(self, now_ns: int) -> Flying | None:
        """The next payload that is due."""
        return heapq.heappop(self.flying) if self.flying and self.flying[0].due_ns <= now_ns else None

    @property
    def next_ns(self) -> int:
        """When the next payload arrives."""
        return self.flying[0].due_ns if self.flying else 1 << 62
