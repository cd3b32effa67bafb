"""
Attach: how someone outside finds the house of an engine by its name alone.

In      the name of an engine.
Out     its House; whether its owner lives.
Source  the layout depends on the number of coins only, and the segment's first page tells its size and layout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmfast.rings.region import House, house_bytes, house_hash
from mmfast.rings.segment import (
    PAGE,
    READY,
    SHM_FOLDER,
    WORD_LAYOUT,
    WORD_READY,
    WORD_SIZE,
    SegmentError,
    owner_lives,
)
from mmfast.topology import MAX_INSTRUMENTS, house_name, regions

RUNNING, STARTING, DEAD, ABSENT = "running", "starting", "dead", "absent"


def engine_state(engine: str) -> str:
    """RUNNING, STARTING, DEAD (its memory is left, its owner is not) or ABSENT, by the owner's lock."""
    lives = owner_lives(house_name(engine))
    if lives is None:
        return ABSENT
    if not lives:
        return DEAD
    return RUNNING if _first_words(engine)[WORD_READY] == READY else STARTING


def attach(engine: str, writable: bool = False) -> House:
    """
    The house of ``engine``, whatever its number of coins.

    Raises
    ------
    SegmentError
        If there is none, if it is not ready, not ours, or of another version.
    """
    name = house_name(engine)
    words = _first_words(engine)
    for count in range(1, MAX_INSTRUMENTS + 1):
        plan = regions(count)
        size = -(-house_bytes(plan) // PAGE) * PAGE
        if size == words[WORD_SIZE] and house_hash(plan) == words[WORD_LAYOUT]:
            return House.attach(name, plan, writable)
    return House.attach(name, regions(1), writable)  # says what is wrong with it


def engines() -> list[str]:
    """Names of all engines that have shared memory on this host, living or dead."""
    prefix = house_name("").lstrip("/")
    names = (path.name.removeprefix(prefix) for path in SHM_FOLDER.glob(f"{prefix}*"))
    return sorted(name for name in names if not name.startswith("warm-"))


def _first_words(engine: str) -> np.ndarray:
    path = Path(SHM_FOLDER / house_name(engine).lstrip("/"))
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except FileNotFoundError:
        raise SegmentError(f"no shared memory {house_name(engine)}: no engine of that name runs") from None
    except OSError as error:
        raise SegmentError(f"shared memory {house_name(engine)} cannot be opened: {error.strerror}") from None
    return np.frombuffer(head.ljust(64, b"\0"), np.int64)
