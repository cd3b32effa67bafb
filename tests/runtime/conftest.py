"""Engines' names and houses for the tests of the runtime: gone afterwards."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from support.house import a_house

SERIAL = itertools.count()


@pytest.fixture
def engine():
    """A name that no other engine has; its shared memory is removed afterwards."""
    name = f"rt-{os.getpid()}-{next(SERIAL)}"
    yield name
    Path(f"/dev/shm/mmfast-{name}").unlink(missing_ok=True)


@pytest.fixture
def house(engine):
    """The house of a healthy engine with BTC and ETH."""
    made = a_house(engine)
    yield made
    made.segment.disown()
