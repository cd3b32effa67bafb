"""Claims about inference on the value itself: it is right on average, and nothing that sees less knows more."""

import numpy as np
import pytest
from scipy.linalg import expm

from mmfast.backtest import exact_inference
from mmfast.sim.generator import new_generator
from mmfast.sim.value import step_value

STEP_S, SECONDS = 1.0, 20_000


@pytest.fixture(scope="module")
def seen():
    """The true modes, and what is inferred about them."""
    law = new_generator("BTC", 5, 7, 0, dwell_s=(600.0, 300.0, 120.0))
    state = law.copy()
    value, regime = np.zeros(SECONDS), np.zeros(SECONDS, int)
    for k in range(1, SECONDS):
        step_value(state[0], STEP_S)
        value[k], regime[k] = state["value_bps"][0], state["regime"][0]
    mode_p, squared = exact_inference.infer(law[0], value, STEP_S)
    return regime[1:], mode_p, squared


def test_probabilities_of_the_modes_are_shares_of_the_time(seen):
    regime, mode_p, _ = seen
    assert mode_p.sum(axis=1) == pytest.approx(1.0)
    for mode in range(3):
        for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
            here = (mode_p[:, mode] >= low) & (mode_p[:, mode] <= high)
            if here.sum() > 1000:
                assert (regime[here] == mode).mean() == pytest.approx(mode_p[here, mode].mean(), abs=0.12)


def test_innovations_are_as_large_as_they_are_told(seen):
    _, _, squared = seen
    assert (squared < 3.841).mean() == pytest.approx(0.95, abs=0.02)


def test_it_knows_more_than_base_rates(seen):
    regime, mode_p, _ = seen
    usual = np.bincount(regime, minlength=3) / len(regime)
    gain = np.log(mode_p[np.arange(len(regime)), regime]).mean() - (usual * np.log(usual)).sum()
    assert gain > 0.1


def test_a_step_is_the_exponential_of_its_rates():
    rates = np.array([[0.0, 0.02, 0.01], [0.3, 0.0, 0.1], [0.05, 0.2, 0.0]])
    whole = rates - np.diag(rates.sum(axis=1))
    assert exact_inference._over(rates.copy(), 3.0) == pytest.approx(expm(3.0 * whole), abs=1e-3)


def test_the_lattice_forgets_and_spreads_as_the_volatility_does():
    points, rates = exact_inference._lattice(1.0 / 300.0, 0.35)
    p = np.zeros(len(points))
    p[30] = 1.0
    after = p @ exact_inference._over(rates, 60.0)
    assert after.sum() == pytest.approx(1.0)
    assert after @ points == pytest.approx(points[30] * np.exp(-60.0 / 300.0), rel=0.01)
    spread = after @ points**2 - (after @ points) ** 2
    assert spread == pytest.approx(0.35**2 * (1.0 - np.exp(-120.0 / 300.0)), rel=0.02)
