"""Costs: three estimates of one loss, of which the largest counts."""

from __future__ import annotations

import math

import pytest
from support.parameters import default_parameters
from support.stages import a_belief

from mmfast.actuary.costs import adverse_selection, impact, informed_cost, markout_cost, option_cost

SIGMA = 0.8900574


def test_estimates_of_the_worked_example() -> None:
    assert markout_cost(0.5, 1.0, 1.105, 1.0 + 0.3 * math.log(2.0)) == pytest.approx(0.667, abs=5e-4)
    assert informed_cost(0.15, SIGMA, 10.0) == pytest.approx(0.337, abs=5e-4)
    assert option_cost(SIGMA, 0.6) == pytest.approx(0.275, abs=5e-4)


def test_the_largest_counts_and_not_the_sum() -> None:
    params, belief = default_parameters(sigma_ref_bps=SIGMA), a_belief(sigma_bps=SIGMA, tail=1.0 + 0.3 * math.log(2.0))
    assert adverse_selection(belief, params, 1.105, 0) == pytest.approx(0.667, abs=5e-4)
    belief["informed_p"] = (0.6, 0.15)
    assert adverse_selection(belief, params, 1.105, 0) == pytest.approx(4 * 0.337, abs=2e-3)
    assert adverse_selection(belief, params, 1.105, 1) == pytest.approx(0.667, abs=5e-4)


def test_five_times_the_volatility_in_a_crisis() -> None:
    params = default_parameters(sigma_ref_bps=SIGMA)
    belief = a_belief(sigma_bps=5 * SIGMA, tail=1.0 + 0.3 * math.log(2.0))
    assert adverse_selection(belief, params, 3.0, 0) == pytest.approx(9.06, abs=5e-3)


@pytest.mark.parametrize(("ratio", "touch", "impact_bps"), [
    (1.0, 600_000, 0.05), (2.0, 600_000, 0.10), (1.0, 0, 0.05), (1.0, 20_000, 0.10), (1.0, 1, 0.5)])
def test_impact_grows_with_volatility_and_with_a_thin_touch(ratio: float, touch: int, impact_bps: float) -> None:
    assert impact(0.05, ratio, touch, 2000) == pytest.approx(impact_bps)
