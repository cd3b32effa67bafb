"""Claims about live parameters: taken over as a whole when they change, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from support.house import a_house, put

from mmfast.records.parameters import PARAMETERS
from mmfast.rings import seqlock
from mmfast.runtime.live import refresh


@pytest.fixture
def house():
    made = a_house("live-parameters")
    yield made
    made.segment.unlink()


def test_a_change_is_taken_over_once(house):
    cell = seqlock.cell_address(house.address["parameters"], 1)
    mine, spare, written = (np.zeros(1, PARAMETERS) for _ in range(3))
    addresses = spare.ctypes.data, mine.ctypes.data
    assert refresh(cell, 0, *addresses) == 0
    written["kappa"], written["version"] = 0.7, 2
    put(house, "parameters", 1, written)
    known = refresh(cell, 0, *addresses)
    assert known == 2
    assert mine.tobytes() == written.tobytes()
    mine["kappa"] = 0.1
    assert refresh(cell, known, *addresses) == known
    assert mine["kappa"] == 0.1


def test_a_write_that_is_not_finished_changes_nothing(house):
    cell = seqlock.cell_address(house.address["parameters"], 0)
    mine, spare, written = (np.zeros(1, PARAMETERS) for _ in range(3))
    written["kappa"] = 0.7
    put(house, "parameters", 0, written)
    seqlock.begin(cell)
    assert refresh(cell, 0, spare.ctypes.data, mine.ctypes.data) == 0
    assert mine["kappa"] == 0.0
    seqlock.end(cell)
    assert refresh(cell, 0, spare.ctypes.data, mine.ctypes.data) == 4
