"""State of the filter: begin is a beginning."""

from __future__ import annotations

import numpy as np
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
    assert fresh[0]["sigma_bps"] == params["sigma_ref_bps"]
