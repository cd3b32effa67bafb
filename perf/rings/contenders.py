"""
The rings that are compared: mmfast's from nopython code, the same in C++, and mmfast's from interpreted Python.

In      the size of a record.
Out     ping, pong, produce and consume for each, over a house of two rings that nobody else can see.
Source  loops.py and limit.cpp.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from mmfast.records.header import record
from mmfast.rings.layout import BROADCAST, CELLS, KIND_NAMES, SPSC
from mmfast.rings.region import House, Region
from mmfast.rings.seqlock import cell_address
from perf.rings import loops

CAPACITY = 1024
LARGE, SMALL = loops.LARGE, loops.SMALL
LIMIT = Path(__file__).with_name("limit.cpp")


def aligned(size: int) -> np.ndarray[Any, Any]:
    """Private bytes that start on a line."""
    raw = np.zeros(size + 64, np.uint8)
    start = -int(raw.ctypes.data) % 64
    return raw[start : start + size]


def address(array: np.ndarray[Any, Any]) -> int:
    """Address of an array."""
    return int(array.ctypes.data)


class Gate:
    """The writer starts when the reader is there."""

    def __init__(self) -> None:
        self.word = np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.int64)

    def open(self) -> None:
        """The reader is there."""
        self.word[0] = 1

    def start(self) -> int:
        """Wait for the reader; returns the time then [ns]."""
        while self.word[0] == 0:
            pass
        return time.monotonic_ns()


class Rings:
    """Two rings of one kind in shared memory without a name: there and back."""

    def __init__(self, kind: int, size: int) -> None:
        payload = record(size=size)
        slots = 1 if kind == CELLS else CAPACITY
        name = f"/mmfast-perf-{os.getpid()}-{time.monotonic_ns()}"
        self.house = House.create(name, "perf", [Region("there", kind, payload, slots),
                                                 Region("back", kind, payload, slots)])
        self.house.segment.unlink()
        self.house.segment.disown()
        self.there, self.back = self.house.address["there"], self.house.address["back"]


class Compiled:
    """mmfast's ring of a kind, driven by nopython loops."""

    def __init__(self, kind: int, size: int) -> None:
        self.kind, self.size, self.name = kind, size, f"mmfast {KIND_NAMES[kind]}"

    def setup(self) -> None:
        """New rings."""
        self.gate = Gate()
        self.rings = Rings(self.kind, self.size)
        self.at = [cell_address(r, 0) if self.kind == CELLS else r for r in (self.rings.there, self.rings.back)]

    def warm(self) -> None:
        """Compile, or load from the cache, before forking."""
        self.setup()
        self.ping(0)
        self.pong(0)
        self.gate.open()
        self.produce(1)
        self.consume(1)

    def close(self) -> None:
        """The mapping goes with its house."""

    def ping(self, count: int) -> np.ndarray[Any, Any]:
        """Round trips [ns]."""
        stamps, prepared, target = np.zeros(count, np.int64), aligned(self.size), aligned(self.size)
        wrong = loops.ping(self.kind, *self.at, self.size, count, address(prepared), address(target), address(stamps))
        return checked(wrong, stamps)

    def pong(self, count: int) -> None:
        """The other side."""
        loops.pong(self.kind, *self.at, self.size, count, address(aligned(self.size)))

    def produce(self, count: int) -> int:
        """Publish; returns when that began [ns]."""
        prepared, start = aligned(self.size), self.gate.start()
        loops.produce(self.kind, self.at[0], self.size, count, address(prepared))
        return start

    def consume(self, count: int) -> tuple[int, int]:
        """How many were received, and when the last of them was [ns]."""
        target = aligned(self.size)
        self.gate.open()
        received = loops.consume(self.kind, self.at[0], self.size, count, address(target))
        return received, time.monotonic_ns()


class Native(Compiled):
    """The same in C++."""

    def __init__(self, library: ctypes.CDLL, loop: str, kind: int, name: str, size: int) -> None:
        super().__init__(kind, size)
        self.name = name
        verbs = ("ping", "pong", "produce", "consume")
        self.calls = {verb: getattr(library, f"{verb}_{loop}_{size}") for verb in verbs}
        for call in self.calls.values():
            call.restype = ctypes.c_int64

    def setup(self) -> None:
        """New rings."""
        self.gate = Gate()
        self.rings = Rings(self.kind, self.size)
        self.at = [self.rings.there, self.rings.back]

    def warm(self) -> None:
        """Nothing to compile."""

    def ping(self, count: int) -> np.ndarray[Any, Any]:
        """Round trips [ns]."""
        stamps = np.zeros(count, np.int64)
        return checked(self._call("ping", *self.at, count, address(stamps)), stamps)

    def pong(self, count: int) -> None:
        """The other side."""
        self._call("pong", *self.at, count)

    def produce(self, count: int) -> int:
        """Publish; returns when that began [ns]."""
        start = self.gate.start()
        self._call("produce", self.at[0], count)
        return start

    def consume(self, count: int) -> tuple[int, int]:
        """How many were received, and when the last of them was [ns]."""
        self.gate.open()
        received = self._call("consume", self.at[0], count)
        return received, time.monotonic_ns()

    def _call(self, verb: str, *words: int) -> int:
        return int(self.calls[verb](*(ctypes.c_int64(word) for word in words)))


class Base(Compiled):
    """The same loops with the ring removed: two bare lines for the hop, copies in one process for the rate."""

    def __init__(self, size: int) -> None:
        super().__init__(SPSC, size)
        self.name = "base: no ring"

    def warm(self) -> None:
        """Compile."""
        self.setup()
        self.ping(0)
        self.pong(0)
        self.consume(1)

    def ping(self, count: int) -> np.ndarray[Any, Any]:
        """Round trips [ns]."""
        stamps = np.zeros(count, np.int64)
        return checked(loops.ping_base(*self.at, count, address(stamps)), stamps)

    def pong(self, count: int) -> None:
        """The other side."""
        loops.pong_base(*self.at, count)

    def produce(self, count: int) -> int:
        """Nothing: `consume` does both sides and begins at 0."""
        return 0

    def consume(self, count: int) -> tuple[int, int]:
        """How many were copied and how long it took [ns]."""
        blocks = [address(aligned(self.size)) for _ in range(3)]
        return count, loops.copy_base(blocks[0], self.size, count, blocks[1], blocks[2])


def checked(wrong: int, stamps: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Round trips from stamps, without the first tenth; a wrong answer is an error."""
    if wrong:
        raise RuntimeError(f"{wrong} answers were wrong")
    return np.diff(stamps)[len(stamps) // 10 :]


def compile_limit(quick: bool) -> tuple[ctypes.CDLL | None, str]:
    """limit.cpp as a library, or None and the reason."""
    compiler = shutil.which("g++")
    if compiler is None:
        return None, "g++ is not installed"
    options = ["-O1"] if quick else ["-O3", "-march=native"]
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/limit.so"
        done = subprocess.run([compiler, *options, "-std=c++17", "-fPIC", "-shared", str(LIMIT), "-o", library],
                              capture_output=True, text=True)
        if done.returncode:
            return None, f"g++ failed: {done.stderr.strip().splitlines()[0]}"
        return ctypes.CDLL(library), ""


def natives(library: ctypes.CDLL, size: int) -> list[Native]:
    """Every ring of limit.cpp; the first is what the others are compared with."""
    kinds = (("CachedIndex", SPSC, "C++ cached index"), ("NumberInSlot", SPSC, "C++ number in slot"),
             ("Broadcast", BROADCAST, "C++ broadcast"), ("Cell", CELLS, "C++ cells"))
    return [Native(library, loop, kind, name, size) for loop, kind, name in kinds]


def compiled(size: int) -> list[Compiled]:
    """Every ring of mmfast."""
    return [Compiled(kind, size) for kind in (SPSC, BROADCAST, CELLS)]
