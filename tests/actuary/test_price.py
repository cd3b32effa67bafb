"""Price: the surface of the worked example, and the signs of everything that moves a quote."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters
from support.stages import a_belief, surface_of

from mmfast.units import ASK, BID

SIGMA = 0.8900574
EXAMPLE = {"mode_limit": (1.0, 1.0, 1.0), "sigma_ref_bps": SIGMA}


def example() -> Any:
    """The belief of the worked example: mid 100 000, long 0.15 BTC, a slight drift up, buyers about."""
    return a_belief(fair_px=1e5 * (1 + 0.258e-4), sigma_bps=SIGMA, mu_bps_s=0.0110, imbalance=0.15,
                    tail=1.0 + 0.3 * math.log(2.0), funding_bps_s=1.25e-5 * 1e4 / 3600)


def test_surface_of_the_worked_example() -> None:
    surface = surface_of(example(), 15_000, default_parameters(**EXAMPLE))
    for name, value, digit in (
            ("shift_drift_bps", 0.455, 1e-3), ("shift_carry_bps", -0.008, 5e-4), ("shift_flow_bps", 0.163, 5e-4),
            ("shift_inventory_bps", -1.273, 1e-3), ("shift_bps", -0.664, 1e-3), ("reservation_px", 99_995.94, 0.02),
            ("tau_eff_s", 237.0, 1.0)):
        assert surface[name] == pytest.approx(value, abs=digit), name
    assert 2.0 * surface["a_bps"] == pytest.approx(0.1697, abs=1e-4)
    assert tuple(surface["cost_bps"]) == pytest.approx((2.167, 2.167), abs=5e-4)
    assert tuple(surface["kappa"]) == pytest.approx((0.5375, 0.4625))
    assert tuple(surface["width_bps"]) == pytest.approx((4.11, 4.41), abs=5e-3)
    assert tuple(surface["depth_bps"]) == pytest.approx((4.78, 3.75), abs=5e-3)


def test_equal_sides_get_equal_depths() -> None:
    surface = surface_of(a_belief(), 0, default_parameters())
    assert surface["depth_bps"][BID] == surface["depth_bps"][ASK]
    assert surface["shift_bps"] == 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(-50_000, 49_000), st.floats(0.2, 5.0), st.floats(-1.0, 1.0))
def test_inventory_pushes_the_bid_away_and_pulls_the_ask_in(position: int, sigma: float, imbalance: float) -> None:
    belief, params = a_belief(sigma_bps=sigma, imbalance=imbalance), default_parameters(edge_min_bps=-1e9)
    here, more = surface_of(belief, position, params), surface_of(belief, position + 1000, params)
    assert more["depth_bps"][BID] - more["width_bps"][BID] > here["depth_bps"][BID] - here["width_bps"][BID]
    assert more["depth_bps"][ASK] - more["width_bps"][ASK] < here["depth_bps"][ASK] - here["width_bps"][ASK]
    if position >= 0:
        assert more["depth_bps"][BID] > here["depth_bps"][BID]
    if 0 <= position <= 30_000:
        assert more["depth_bps"][ASK] < here["depth_bps"][ASK]


@pytest.mark.parametrize("position", [-20_000, 0, 20_000])
def test_drift_raises_both_quotes_and_funding_lowers_both_by_the_same_at_any_inventory(position: int) -> None:
    params = default_parameters(edge_min_bps=-1e9)
    base = surface_of(a_belief(), position, params)["depth_bps"]
    up = surface_of(a_belief(mu_bps_s=0.02), position, params)["depth_bps"]
    paid = surface_of(a_belief(funding_bps_s=1e-3), position, params)
    assert base[BID] - up[BID] == pytest.approx(up[ASK] - base[ASK])
    assert base[BID] - up[BID] > 0.0
    assert paid["depth_bps"][BID] - base[BID] == pytest.approx(base[ASK] - paid["depth_bps"][ASK])
    assert paid["shift_carry_bps"] == pytest.approx(-1e-3 * paid["tau_eff_s"])
    assert paid["shift_carry_bps"] < 0.0


def test_sell_pressure_widens_the_bid() -> None:
    params = default_parameters()
    calm, pressed = surface_of(a_belief(), 0, params), surface_of(a_belief(imbalance=-0.6), 0, params)
    assert pressed["width_bps"][BID] > calm["width_bps"][BID]
    assert pressed["depth_bps"][BID] > calm["depth_bps"][BID]


def test_quotes_at_opposite_inventory_are_mirror_images() -> None:
    params = default_parameters()
    long, short = surface_of(a_belief(), 12_000, params), surface_of(a_belief(), -12_000, params)
    assert long["depth_bps"][BID] == pytest.approx(short["depth_bps"][ASK])
    assert long["depth_bps"][ASK] == pytest.approx(short["depth_bps"][BID])


def test_only_the_reducing_side_may_quote_below_its_cost() -> None:
    belief, params = a_belief(mu_bps_s=0.2), default_parameters()
    long, short = surface_of(belief, 40_000, params), surface_of(belief, -40_000, params)
    floor = short["cost_bps"][ASK] + params["edge_min_bps"]
    assert short["depth_bps"][ASK] >= floor
    assert short["depth_bps"][BID] < 0.0
    assert long["depth_bps"][BID] >= floor


def test_a_learned_theta_replaces_the_configured_one() -> None:
    params = default_parameters(theta=0.02)
    configured = surface_of(a_belief(mu_bps_s=0.02), 0, params)
    learned = surface_of(a_belief(mu_bps_s=0.02, theta=0.2), 0, params)
    assert (configured["theta"], learned["theta"]) == (0.02, 0.2)
    assert learned["shift_drift_bps"] == pytest.approx(0.02 / (0.2 + 1.0 / learned["tau_eff_s"]))
    assert learned["shift_drift_bps"] < configured["shift_drift_bps"]


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_worse_modes_widen_both_sides(p: float, worse: float) -> None:
    params = default_parameters()
    calm = surface_of(a_belief(mode_p=(1.0, 0.0, 0.0)), 0, params)
    mixed = surface_of(a_belief(mode_p=(1.0 - p, p * (1.0 - worse), p * worse)), 0, params)
    for side in (BID, ASK):
        assert mixed["width_bps"][side] >= calm["width_bps"][side] - 1e-9
        assert mixed["cost_bps"][side] >= calm["cost_bps"][side] - 1e-9


def test_informed_takers_on_one_side_widen_that_side_alone() -> None:
    params = default_parameters()
    plain, feared = surface_of(a_belief(), 0, params), surface_of(a_belief(informed_p=(0.15, 0.6)), 0, params)
    assert feared["cost_bps"][ASK] > plain["cost_bps"][ASK]
    assert feared["cost_bps"][BID] == plain["cost_bps"][BID]
