"""
Truth: an append-only log of all that really happened at the exchange, for tests to compare a client with.

In      one call for each action, order state, fill, payment and transfer.
Out     one JSON object a line: ``k`` kind, ``n`` line number, ``ns`` monotonic, ``wall_ns`` wall clock,
        facts.
Source  none: facts are in integer ticks, lots and micro-dollars, never in the venue's strings.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, BinaryIO

import orjson

FLUSH_NS = 1_000_000_000
BUFFER_BYTES = 1 << 18
TAIL_BYTES = 1 << 16  # longer than any line


class Truth:
    """Writes to ``path`` through a buffer that `beat` flushes each second; with no path it only counts."""

    def __init__(self, path: Path | None = None) -> None:
        """Open ``path`` for appending; raises OSError naming the file where that is impossible."""
        self.count = self._known = 0
        self._flushed_ns = time.monotonic_ns()
        self._file: BinaryIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "ab", buffering=BUFFER_BYTES)  # noqa: SIM115 (closed in close)

    def __getstate__(self) -> dict[str, Any]:
        """Only the count: an open file goes nowhere."""
        return {"count": self.count, "_known": 0, "_flushed_ns": 0, "_file": None}

    def write(self, kind: str, facts: dict[str, Any]) -> None:
        """Append one line; the kinds are named where it is written. What the file has already is not written again."""
        self.count += 1
        if self._file is None or self.count <= self._known:
            return
        line = {"k": kind, "n": self.count, "ns": time.monotonic_ns(), "wall_ns": time.time_ns(), **facts}
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def resume(self, count: int) -> None:
        """
        Go on after ``count`` lines. What the file has beyond them is not written again, until `write` has said as much.
        """
        self.count = count
        if self._file is not None:
            self._known = _mend(Path(self._file.name))

    def resumed(self) -> None:
        """All has been said again: from now on every line is new."""
        self._known = 0

    def beat(self, now_ns: int) -> None:
        """Flush when a second has passed since the last flush; call it with each block."""
        if self._file is not None and now_ns - self._flushed_ns >= FLUSH_NS:
            self._file.flush()
            self._flushed_ns = now_ns

    def close(self) -> None:
        """Flush and close; further lines are only counted."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _mend(path: Path) -> int:
    """Take a last line that was cut short off a log; the number of the last whole line, 0 if there is none."""
    if not path.exists():
        return 0
    with open(path, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - TAIL_BYTES, 0))
        *lines, cut = file.read().split(b"\n")
        file.truncate(size - len(cut))
    return int(orjson.loads(lines[-1])["n"]) if lines else 0


def read(path: Path) -> list[dict[str, Any]]:
    """All lines of a log, in order; a last line cut short by a crash is left out."""
    lines = path.read_bytes().split(b"\n")
    return [orjson.loads(line) for line in lines[:-1] if line]
