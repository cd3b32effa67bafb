"""
Truth: an append-only log of all that really happened at the exchange, for tests to compare a client with.

In      one call for each action, order state, fill, payment and transfer.
Out     one JSON object a line: ``k`` kind, ``n`` line number, ``ns`` monotonic, ``wall_ns`` wall clock,
        facts.
Source  none: facts are in integer ticks, lots and micro-dollars, never in the venue's strings.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, BinaryIO

import orjson

FLUSH_NS = 1_000_000_000
BUFFER_BYTES = 1 << 18


class Truth:
    """Writes to ``path`` through a buffer that `beat` flushes each second; with no path it only counts."""

    def __init__(self, path: Path | None = None) -> None:
        """Open ``path`` for appending; raises OSError naming the file where that is impossible."""
        self.count = 0
        self._flushed_ns = time.monotonic_ns()
        self._file: BinaryIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(path, "ab", buffering=BUFFER_BYTES)  # noqa: SIM115 (closed in close)

    def __getstate__(self) -> dict[str, Any]:
        """Only the count: an open file goes nowhere."""
        return {"count": self.count, "_flushed_ns": 0, "_file": None}

    def write(self, kind: str, facts: dict[str, Any]) -> None:
        """Append one line; the kinds are named where it is written."""
        self.count += 1
        if self._file is None:
            return
        line = {"k": kind, "n": self.count, "ns": time.monotonic_ns(), "wall_ns": time.time_ns(), **facts}
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

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


def read(path: Path) -> list[dict[str, Any]]:
    """All lines of a log, in order; a last line cut short by a crash is left out."""
    lines = path.read_bytes().split(b"\n")
    return [orjson.loads(line) for line in lines[:-1] if line]
