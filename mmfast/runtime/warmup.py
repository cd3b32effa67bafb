"""
Warm-up: every kernel is compiled, or loaded from disk, in one process before the others are forked from it.

In      named steps, each of which calls the kernels of one stage once.
Out     progress for the user; the time each step took.
Source  six processes compiling at once take four times as long as one; a first call takes seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Step(NamedTuple):
    """One part of the warm-up."""

    name: str
    run: Callable[[], object]


def warm(steps: list[Step], on_step: Callable[[str, int, int], None]) -> dict[str, float]:
    """Run every step in order and return seconds by step; ``on_step(name, index, count)`` is told before each."""
    seconds = {}
    for index, step in enumerate(steps):
        on_step(step.name, index, len(steps))
        start = time.perf_counter()
        step.run()
        seconds[step.name] = time.perf_counter() - start
    on_step("ready", len(steps), len(steps))
    return seconds
