"""Optimal quotes: the closed form against the exact solution, and the documented table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigh_tridiagonal

from mmfast.actuary.glft import curvature, drift_shift, eta, flow_shift, horizon_s, monopoly_depth

KAPPA, INTENSITY, COST, GAMMA, SIGMA = 0.5, 0.2, 2.0, 4.92e-4, 0.8900574


def answer(gamma0: float = GAMMA) -> float:
    return 2.0 * KAPPA * eta(INTENSITY, KAPPA, COST, gamma0)


def exact_bid_depths(limit: int) -> np.ndarray:
    """Depth of the bid at q = -limit .. limit-1 from the ground state of the linear system of the paper."""
    q = np.arange(-limit, limit + 1)
    rate = eta(INTENSITY, KAPPA, COST, GAMMA)
    _, vectors = eigh_tridiagonal(0.5 * KAPPA * GAMMA * SIGMA**2 * q**2, np.full(2 * limit, -KAPPA * rate / KAPPA),
                                  select="i", select_range=(0, 0))
    f = np.abs(vectors[:, 0])
    return COST + monopoly_depth(KAPPA, GAMMA) + np.log(f[:-1] / f[1:]) / KAPPA


def test_closed_form_is_within_a_twentieth_of_a_bp_of_the_exact_solution() -> None:
    limit = 60
    exact = exact_bid_depths(limit)
    a = curvature(GAMMA, SIGMA, answer())
    width = COST + monopoly_depth(KAPPA, GAMMA) + a
    for q in range(-10, 11):
        assert width + 2.0 * a * q == pytest.approx(exact[q + limit], abs=0.05)


@pytest.mark.parametrize(("u", "two_a", "tau", "bid", "ask"), [
    (0.0, 0.120, 308, 4.06, 4.06), (0.3, 0.153, 241, 5.22, 2.93), (0.5, 0.199, 186, 6.59, 1.61),
    (0.7, 0.253, 146, 8.55, -0.29), (0.8, 0.281, 132, 9.76, -1.48)])
def test_table_of_depths_by_utilisation(u: float, two_a: float, tau: float, bid: float, ask: float) -> None:
    a = curvature(GAMMA * (1.0 + 7.0 * u * u), SIGMA, answer())
    width = COST + monopoly_depth(KAPPA, GAMMA) + a
    assert 2.0 * a == pytest.approx(two_a, abs=6e-4)
    assert horizon_s(a, answer()) == pytest.approx(tau, abs=1)
    assert width + 2.0 * a * 25 * u == pytest.approx(bid, abs=6e-3)
    assert width - 2.0 * a * 25 * u == pytest.approx(ask, abs=6e-3)


def test_symmetric_case_is_the_papers_formula() -> None:
    rate = INTENSITY * math.exp(-KAPPA * COST)
    paper = math.sqrt(GAMMA * SIGMA**2 / (2 * KAPPA * rate) * (1 + GAMMA / KAPPA) ** (1 + KAPPA / GAMMA))
    assert 2.0 * curvature(GAMMA, SIGMA, answer()) == pytest.approx(paper)


def test_equal_sides_have_no_flow_shift_and_exchanged_sides_the_opposite_one() -> None:
    assert flow_shift(0.08, 237.0, 0.03, 0.03, 0.5, 0.5) == 0.0
    assert flow_shift(0.08, 237.0, 0.03, 0.02, 0.5, 0.4) == -flow_shift(0.08, 237.0, 0.02, 0.03, 0.4, 0.5)


def test_drift_counts_until_it_reverts_or_the_inventory_is_gone() -> None:
    assert drift_shift(0.011, 0.02, 237.0) == pytest.approx(0.455, abs=2e-3)
    assert drift_shift(0.011, 1e9, 237.0) == pytest.approx(0.0, abs=1e-9)
    assert drift_shift(0.011, 0.0, 237.0) == pytest.approx(0.011 * 237.0)


@settings(max_examples=80, deadline=None)
@given(*[st.floats(0.0, 1e6)] * 3, st.floats(0.05, 5.0))
def test_everything_is_finite(gamma: float, sigma: float, cost: float, kappa: float) -> None:
    total = 2.0 * kappa * eta(0.2, kappa, cost, gamma)
    a = curvature(gamma, sigma, total)
    assert all(map(math.isfinite, (total, a, horizon_s(a, total), monopoly_depth(kappa, gamma))))
