"""Changepoint: silent on a filter that is right, loud on one that is not."""

from __future__ import annotations

import numpy as np
import pytest
from support.stages import one

from mmfast.filter.changepoint import watch
from mmfast.filter.state import FILTER, MODE


def test_a_filter_that_is_right_is_hardly_ever_disturbed() -> None:
    state = one(FILTER)
    alarms = sum(watch(state, x, 0.1) for x in np.random.default_rng(3).chisquare(1, 20_000))
    assert alarms <= 5


def test_one_gross_outlier_makes_it_four_times_as_unsure() -> None:
    state = one(FILTER)
    for r in range(3):
        state["modes"][r] = one(MODE, v_var=1.0, vmu_cov=0.1, mu_var=0.01, log_sigma_var=0.1)
    assert watch(state, 1e9, 0.1225)
    for mode in state["modes"]:
        assert (mode["v_var"], mode["vmu_cov"], mode["mu_var"]) == (4.0, 0.4, 0.04)
        assert mode["log_sigma_var"] == pytest.approx(0.1225)


def test_misfits_that_are_too_large_on_average_add_up() -> None:
    state = one(FILTER)
    assert [watch(state, 6.0, 0.1) for _ in range(7)] == [False] * 6 + [True]
