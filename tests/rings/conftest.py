"""Shared memory for the tests of the rings: named uniquely, gone afterwards."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest

from mmfast.records.header import record
from mmfast.rings.region import House, Region

SERIAL = itertools.count()
MESSAGE = record(("payload", "i8", (10,)), size=128)


@pytest.fixture
def name():
    """A name for shared memory that nobody else has; removed afterwards."""
    unique = f"/mmfast-test-{os.getpid()}-{next(SERIAL)}"
    yield unique
    path = f"/dev/shm{unique}"
    if os.path.lexists(path):
        os.unlink(path)


@pytest.fixture
def make_ring(name):
    """``make_ring(kind, capacity)``: a house with one ring of MESSAGE, its address, and a view of its header."""
    kept = []  # the mapping lives as long as its house

    def make(kind, capacity, dtype=MESSAGE):
        house = House.create(name, "test", [Region("ring", kind, dtype, capacity)])
        house.ready()
        kept.append(house)
        return house, house.address["ring"], house.words("ring")
    yield make
    kept.clear()


@pytest.fixture
def message():
    """A record of our own to receive into, and its address."""
    own = np.zeros(1, MESSAGE)
    return own[0], int(own.ctypes.data)
