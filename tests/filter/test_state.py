"""State of the filter: begin is a beginning."""

from __future__ import annotations

import numpy as np
import pytest
from support.parameters import default_parameters

from mmfast.filter.believe import begin
from mmfast.filter.state import FILTER
from mmfast.records.belief import BELIEF_NO_BOOK


def test_begin_leaves_nothing_of_the_past() -> None:
    params = default_parameters()
    fresh, used = np.zeros(1, FILTER), np.zeros(1, FILTER)
    for name in FILTER.names or ():
        used[name] = 77
    begin(fresh[0], params)
    begin(used[0], params)
    np.testing.assert_array_equal(used, fresh)
    assert fresh[0]["status"] == BELIEF_NO_BOOK
    assert fresh[0]["sigma_bps"] == pytest.approx(0.89 * 1.5**0.13 * 4.0**0.02)
    assert tuple(fresh[0]["mode_p"]) == pytest.approx((0.85, 0.13, 0.02))
