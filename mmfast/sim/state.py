"""
State: an exchange put away in a file and taken out again, so that a restart loses nothing but what was on its way.

In      an exchange between two blocks; a file, and the journal beside it.
Out     the file; the exchange as it was, without the requests that waited for a block: their senders never learn
        what became of them, as at the venue. After a sudden end the journal tells what has followed.
Source  none. The file is Python's own serialisation, which runs code: only one's own file is read, and only by the
        version that wrote it.
"""

from __future__ import annotations

import os
import pickle
import stat
import zlib
from pathlib import Path
from typing import Any

from mmfast.sim.exchange import Exchange
from mmfast.sim.journal import Journal, beside, replay
from mmfast.sim.truth import Truth

MAGIC = b"mmfast exchange "


def version() -> bytes:
    """A checksum of this folder's sources: what another version wrote has another meaning."""
    sums = 0
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sums = zlib.crc32(path.read_bytes(), sums)
    return b"%08x\n" % sums


def save(exchange: Exchange, path: Path) -> None:
    """Write the exchange to ``path``, readable by its owner alone; whole or not at all. OSError names the file."""
    body = MAGIC + version() + zlib.compress(pickle.dumps(exchange), 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(body)
    partial.replace(path)


def load(path: Path, truth: Truth) -> Exchange:
    """
    The exchange in ``path``, which goes on writing to ``truth``.

    Raises
    ------
    ValueError
        If others may have written the file, or another version did; the message says what to do.
    """
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ValueError(f"state {path}: others could have written it; it must be a file of mode 0600 of your own")
    body = path.read_bytes()
    head = MAGIC + version()
    if not body.startswith(head):
        raise ValueError(f"state {path}: no state of this version of the exchange; remove it to start afresh")
    try:
        exchange = pickle.loads(zlib.decompress(body[len(head):]))
    except (zlib.error, pickle.UnpicklingError, EOFError) as error:
        raise ValueError(f"state {path}: damaged ({error}); remove it to start afresh") from error
    if not isinstance(exchange, Exchange):
        raise ValueError(f"state {path}: holds no exchange; remove it to start afresh")
    truth.resume(exchange.truth.count)
    exchange.truth = exchange.ledger.truth = truth
    replay(exchange, beside(path))
    truth.resumed()
    truth.write("start", {"time_ms": exchange.now_ms})
    return exchange


class Keeper:
    """Keeps the state of a running exchange: a file now and then, and a journal of what follows it."""

    def __init__(self, exchange: Exchange, path: Path) -> None:
        self.exchange, self.path = exchange, path
        self._begin()

    def _begin(self) -> None:
        save(self.exchange, self.path)
        self._journal = Journal(beside(self.path), self.exchange.now_ms)
        self.exchange.log = self._journal

    def keep(self) -> None:
        """Put the exchange away, and begin its journal anew."""
        self._journal.close()
        self._begin()

    def heard(self, coin: str, channel: str, data: Any) -> None:
        """A mirror was told something: its next block is made of it."""
        self._journal.heard(coin, channel, data)

    def close(self) -> None:
        """The exchange has stopped."""
        self.exchange.truth.write("stop", {"time_ms": self.exchange.now_ms})
        self.keep()
        self._journal.close()
        self.exchange.log = None
