"""Book error: no look at the book makes the fair value surer than the book itself can be."""

from __future__ import annotations

import math

import pytest
from support.parameters import default_parameters
from support.stages import Desk

from mmfast.filter import bookerror


def test_it_is_a_constant_and_what_the_value_moves_within_the_lag() -> None:
    params = default_parameters(value_error_bps=0.6, value_lag_s=0.5)
    assert bookerror.variance(math.log(2.0), params) == pytest.approx(0.36 + 4.0 * 0.5)
    assert bookerror.variance(-800.0, params) == pytest.approx(0.36)
    assert math.isfinite(bookerror.variance(800.0, params))


def test_a_thousand_looks_at_one_book_do_not_beat_it() -> None:
    desk = Desk(value_error_bps=1.0, value_lag_s=0.0)
    for k in range(1000):
        desk.bbo(0.1 * k, 999_990, 1_000_010)
    assert desk.belief["v_var"] >= 1.0
    assert desk.filter["v_var"] < 0.05
