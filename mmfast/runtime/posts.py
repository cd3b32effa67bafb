"""
Posts: questions and actions sent over a WebSocket, and the answers that belong to them.

In      request frames with an id of ours.
Out     each answer to the callback of its request, once; silence to the same callback, as LOST.
Source  the venue's `post` requests: answers carry the id, errors may not, so every request has a deadline.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

# What a callback gets instead of an answer: the connection ended or the deadline passed.
LOST = None
Callback = Callable[[Any, int], None]


class Waiting(NamedTuple):
    """A request that has no answer yet."""

    callback: Callback
    deadline_ns: int


class Posts:
    """Requests in flight on one connection. The venue allows 100 at once over all of an address's connections."""

    def __init__(self, first_id: int = 1) -> None:
        self._ids = itertools.count(first_id)
        self._waiting: dict[int, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self, callback: Callback, deadline_ns: int) -> int:
        """A new id; ``callback(answer, now_ns)`` is called exactly once."""
        number = next(self._ids)
        self._waiting[number] = Waiting(callback, deadline_ns)
        return number

    def answer(self, number: int, answer: Any, now_ns: int) -> bool:
        """Hand an answer over; False if nobody waits for it (any more)."""
        waiting = self._waiting.pop(number, None)
        if waiting is None:
            return False
        waiting.callback(answer, now_ns)
        return True

    def expire(self, now_ns: int) -> int:
        """Give up on requests whose deadline has passed; how many."""
        late = [number for number, waiting in self._waiting.items() if now_ns > waiting.deadline_ns]
        return sum(self.answer(number, LOST, now_ns) for number in late)

    def abandon(self, now_ns: int) -> int:
        """The connection is gone: give up on all; how many."""
        waiting, self._waiting = self._waiting, {}
        for request in waiting.values():
            request.callback(LOST, now_ns)
        return len(waiting)
