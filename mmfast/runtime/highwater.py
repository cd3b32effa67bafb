"""
High-water mark of a key's nonces, on disk: no nonce is used twice, whatever the clock does between two runs.

In      the nonces that are used; the folder of the engine's state.
Out     a file with a nonce that none of this key has reached yet; what a restart begins above.
Source  the venue keeps the hundred highest nonces of a key. Blocks of numbers are reserved ahead (Lamport's "hi/lo"),
        so that nothing is written when an order is signed.

The file is replaced in one step. It is not synced to the disk: a process that dies loses nothing, and a host that
loses power needs longer to boot than the mark is ahead.
"""

from __future__ import annotations

import os
from pathlib import Path

from mmfast.venues.hyperliquid.nonce import AHEAD_MS_MAX, is_acceptable

AHEAD_MS = 60_000  # the mark is at least half of this ahead of the clock
SPARE = 1_000  # and half as many nonces ahead of the last one, which a clock that was set back leaves behind


class HighWater:
    """The mark of one key. ``mark`` and all below may have been used."""

    def __init__(self, path: Path, address: str) -> None:
        self.path, self.address = path, address.lower()
        self.mark = 0

    def begin(self, now_ms: int) -> int:
        """
        What the run begins above: the mark of the run before, 0 for a key that was never used here.

        Raises
        ------
        ValueError
            If the file cannot be understood, or its mark is so far ahead of the clock that the venue would refuse.
        """
        used = self._read()
        if used > now_ms and not is_acceptable(used + SPARE, now_ms):
            raise ValueError(f"{self.path}: nonces up to {used} may be used, {used - now_ms} ms ahead of this clock, "
                             f"and the venue takes {AHEAD_MS_MAX} ms: set the clock right or approve another agent key")
        self.keep(used, now_ms)
        return used

    def _read(self) -> int:
        try:
            address, _, mark = self.path.read_text("ascii").strip().partition(" ")
        except FileNotFoundError:
            return 0
        except (OSError, UnicodeDecodeError) as error:
            problem = f"{self.path} cannot be read ({error}): repair it, or remove it if the clock is right"
            raise ValueError(problem) from error
        if not mark.isdigit() or len(mark) > 18:
            raise ValueError(f"{self.path} holds {mark[:40]!r} instead of a nonce: remove it if the clock is right")
        return int(mark) if address == self.address else 0

    def keep(self, nonce: int, now_ms: int) -> str:
        """
        Have the mark well above ``nonce`` and the clock; what went wrong, empty if nothing did.

        A disk that is full stops nobody from trading: only a restart with a wrong clock would suffer.
        """
        if self.mark >= max(now_ms + AHEAD_MS // 2, nonce + SPARE // 2):
            return ""
        mark = max(now_ms + AHEAD_MS, nonce + SPARE)
        try:
            self._write(mark)
        except OSError as error:
            return f"the high-water mark of our nonces cannot be written: {error}"
        self.mark = mark
        return ""

    def _write(self, mark: int) -> None:
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"{self.address} {mark}\n".encode())
        finally:
            os.close(descriptor)
        os.replace(scratch, self.path)
