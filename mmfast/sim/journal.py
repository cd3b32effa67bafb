"""
Journal: what has gone into the exchange since its state was put away, so that a sudden end takes nothing with it.

In      the requests of each block before the block executes them, and what a mirror was told; a state and its journal.
Out     a file of one JSON line for each; the exchange as it was when its process died.
Source  write-ahead logging (Gray 1978): a block is a function of the state and of what goes into it, so the same
        blocks executed again end in the same state. The file outlives the process, not a loss of power.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import orjson

from mmfast.sim.admission import Envelope
from mmfast.sim.exchange import Exchange, Pending

Json = dict[str, Any]


def beside(state: Path) -> Path:
    """The journal that belongs to a state."""
    return state.with_name(state.name + ".journal")


class Journal:
    """Writes what follows a state whose last block was at ``base_ms``; an older journal at ``path`` is replaced."""

    def __init__(self, path: Path, base_ms: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self._write({"base_ms": base_ms})

    def _write(self, line: Json) -> None:
        """One line with one call: what becomes of this process later does not touch it. OSError on a full disk."""
        text = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        if os.write(self._file, text) < len(text):
            raise OSError(errno.ENOSPC, "the journal of the exchange's state cannot be written")

    def block(self, exchange: Exchange, now_ns: int, taken: list[Pending]) -> None:
        """A block that is about to execute ``taken``, and what the faults have set since the last one."""
        self._write({
            "ms": exchange.now_ms,
            "ns": now_ns,
            "post_only_ms": exchange.ledger.post_only_until_ms,
            "guards": [sorted(one.guards) for one in exchange.instruments],
            "taken": [[one.arrival_ns, one.number, *one.request] for one in taken],
        })

    def heard(self, coin: str, channel: str, data: Any) -> None:
        """A mirror was told something of a coin."""
        self._write({"coin": coin, "channel": channel, "data": data})

    def close(self) -> None:
        """Nothing follows."""
        os.close(self._file)


def replay(exchange: Exchange, path: Path) -> int:
    """
    Bring a state forward to where its journal ends; the number of blocks. Answers go nowhere: who waited is gone.

    Raises
    ------
    ValueError
        If the journal follows another state; the message says what to do.
    """
    if not path.exists():
        return 0
    lines = path.read_bytes().split(b"\n")[:-1]  # a last line without its end was cut short
    base_ms = orjson.loads(lines[0])["base_ms"] if lines else 0
    if base_ms > exchange.now_ms:
        raise ValueError(f"journal {path}: follows a newer state than the one beside it; remove it to go on without")
    if base_ms < exchange.now_ms:
        return 0  # the state was put away, and its journal not yet begun: nothing has followed
    blocks = 0
    for line in map(orjson.loads, lines[1:]):
        if "coin" in line:
            exchange.by_name[line["coin"]].market.source.take(line["channel"], line["data"])
        else:
            _again(exchange, line)
            blocks += 1
    return blocks


def _again(exchange: Exchange, line: Json) -> None:
    """Execute one block a second time."""
    exchange.ledger.post_only_until_ms = line["post_only_ms"]
    for instrument, guards in zip(exchange.instruments, line["guards"]):
        instrument.guards = frozenset(guards)
    exchange.queue(Pending(arrival_ns, number, Envelope(*request), lambda answer: None)
                   for arrival_ns, number, *request in line["taken"])
    exchange.step(line["ms"], line["ns"])
