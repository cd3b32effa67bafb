"""State of the sensor: begin is a beginning."""

from __future__ import annotations

import numpy as np
from support.parameters import default_parameters

from mmfast.sensor.sense import begin
from mmfast.sensor.state import SENSOR

# Read only where written since.
MEMORIES = {"return_bps", "grid_log_px_bps", "recent_size", "sorted_size", "bucket_gap", "bucket_volume", "mark_ns",
            "mark_side", "mark_log_px_bps", "print_ns", "print_side", "print_lots", "print_weight", "print_sweep",
            "print_opened", "layer_ns", "layer_log_px_bps", "book_ticks", "interest_ns", "interest",
            "interest_log_px_bps", "lead"}


def test_begin_leaves_nothing_of_the_past() -> None:
    params = default_parameters()
    fresh, used = np.zeros(1, SENSOR), np.zeros(1, SENSOR)
    for name in SENSOR.names or ():
        used[name] = 77
    begin(fresh[0], params)
    begin(used[0], params)
    for name in set(SENSOR.names or ()) - MEMORIES:
        np.testing.assert_array_equal(used[name], fresh[name], err_msg=name)
