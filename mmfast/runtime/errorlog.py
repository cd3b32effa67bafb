"""
The distinct error log: a storm of one fault is one line with a count.

In      the text of an error.
Out     a few ERROR rows for each process in shared memory: text, count, first and last time.
Source  agrona's DistinctErrorLog. Two texts are one fault if they differ in digits only.

A row's hash is written last, so that a reader sees a row whole or not at all. Nothing that looks like a key
gets in: shared memory is read by dashboards and copied into reports.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import NamedTuple

import numpy as np

from mmfast.records.control import ERROR, ERROR_SLOTS
from mmfast.rings.region import House
from mmfast.topology import PROCESSES

TEXT_BYTES = ERROR["text"].itemsize
OVERFLOW = "other errors: the log of this process is full"
_DIGITS = re.compile(r"\d+")
_SECRET = re.compile(r"(?:0x)?[0-9a-fA-F]{64,}")


class ErrorLine(NamedTuple):
    """One distinct error of one process; times are on the monotonic clock [ns]."""

    process: str
    text: str
    times: int
    first_ns: int
    last_ns: int


class ErrorLog:
    """The error rows of one process, which alone writes them."""

    def __init__(self, house: House, process: str) -> None:
        row = PROCESSES.index(process) * ERROR_SLOTS
        self._rows = house.table("error")[row : row + ERROR_SLOTS]

    def record(self, text: str) -> None:
        """Count an error; the first of its kind gets a row, the last row counts whatever finds no room."""
        clean = redact(text)
        key = fault_hash(clean)
        for index in range(ERROR_SLOTS - 1):
            if self._rows["hash"][index] == key:
                return self._count(index)
            if self._rows["hash"][index] == 0:
                return self._open(index, key, clean)
        last = ERROR_SLOTS - 1
        return self._count(last) if self._rows["hash"][last] else self._open(last, fault_hash(OVERFLOW), OVERFLOW)

    def _count(self, index: int) -> None:
        self._rows["last_ns"][index] = time.monotonic_ns()
        self._rows["count"][index] += 1

    def _open(self, index: int, key: int, text: str) -> None:
        now = time.monotonic_ns()
        encoded = text.encode("utf-8", "replace")[:TEXT_BYTES]
        self._rows["text"][index] = np.frombuffer(encoded.ljust(TEXT_BYTES, b"\0"), np.uint8)
        self._rows["count"][index] = 1
        self._rows["first_ns"][index] = now
        self._rows["last_ns"][index] = now
        self._rows["hash"][index] = key


def redact(text: str) -> str:
    """``text`` without anything that could be a private key or a signature: 64 hex digits or more."""
    return _SECRET.sub("[redacted]", text)


def fault_hash(text: str) -> int:
    """63-bit name of a fault, never 0; digits do not count."""
    digest = hashlib.blake2b(_DIGITS.sub("#", text).encode("utf-8", "replace"), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 1) | 1


def read_errors(house: House) -> list[ErrorLine]:
    """Every distinct error of every process, in the order of processes and of first appearance."""
    rows = house.table("error").copy()
    return [ErrorLine(PROCESSES[index // ERROR_SLOTS], _text(row), int(row["count"]), int(row["first_ns"]),
                      int(row["last_ns"]))
            for index, row in enumerate(rows) if row["hash"]]


def _text(row: np.void) -> str:
    return row["text"].tobytes().rstrip(b"\0").decode("utf-8", "ignore")
