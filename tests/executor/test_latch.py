"""Values of live orders against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.executor import latch
from mmfast.units import ASK, BID

FAIR = 1_000_000.0


@pytest.mark.parametrize(("side", "px"), [(BID, 999_600), (ASK, 1_000_400)])
def test_depth_is_positive_behind_fair_value(side, px):
    assert latch.depth_bps(side, px, FAIR) == pytest.approx(4.0)


@given(st.sampled_from([BID, ASK]), st.integers(900_000, 1_100_000), st.floats(0.1, 9.0), st.floats(-5, 5))
@settings(max_examples=50, deadline=None)
def test_order_at_the_wanted_price_has_exactly_its_edge_and_rate(side, px, clips, edge):
    assert latch.live_edge_bps(side, px, clips, px, clips, edge, 0.11, FAIR) == edge
    assert latch.live_fill_rate(side, px, px, 0.03, 0.5, FAIR) == 0.03
    assert latch.closeness(side, px, px, 0.5, FAIR) == 1.0


def test_deeper_order_has_more_edge_and_fewer_fills():
    edge = latch.live_edge_bps(BID, 999_500, 1.0, 999_600, 1.0, 2.0, 0.1, FAIR)
    rate = latch.live_fill_rate(BID, 999_500, 999_600, 0.03, 0.5, FAIR)
    assert edge == pytest.approx(3.0)
    assert rate == pytest.approx(0.03 * np.exp(-0.5))


def test_larger_order_pays_impact():
    assert latch.live_edge_bps(ASK, 1, 3.0, 1, 1.0, 2.0, 0.1, FAIR) == pytest.approx(1.8)


def test_value_of_the_worked_example():
    """0.04 coins at 99 954 USD, 1.76 bps, 0.0147 fills a second: 37 USD an hour for one clip of two."""
    usd = latch.value_usd(0.0147, 1.76, 4_000 * 999_540, 3600.0)
    assert usd == pytest.approx(37.2, abs=0.1)


@pytest.mark.parametrize("kappa", [0.1, 0.5, 2.0])
def test_closeness_is_the_loss_around_the_best_price(kappa):
    """exp(-kappa delta) (delta - c) is largest at c + 1/kappa; deeper, it falls as closeness says, exactly."""
    best = 1.0 / kappa
    for more in (0.1, 1.0, 3.0):
        ratio = np.exp(-kappa * more) * (best + more) / best
        for sign in (1, -1):
            px = round(FAIR * (1 + sign * more * 1e-4))
            assert latch.closeness(BID, px, FAIR, kappa, FAIR) == pytest.approx(ratio, rel=1e-6)


def test_lasting_share_gives_the_best_band_of_impulse_control():
    loss_rate, cost, sigma, life = 0.0011, 0.001, 0.89, 5.0
    band = (6 * cost * sigma**2 / loss_rate) ** 0.25
    gain = loss_rate * band**2 * life * latch.lasting_share(band, sigma, life)
    assert gain == pytest.approx(cost)


def test_best_band_beats_narrower_and_wider_ones():
    """Long-run cost of holding a random walk in a band: c b^2 / 6 + K sigma^2 / b^2 (renewal argument)."""
    loss_rate, cost, sigma = 0.0011, 0.001, 0.89
    band = (6 * cost * sigma**2 / loss_rate) ** 0.25
    total = lambda b: loss_rate * b**2 / 6 + cost * sigma**2 / b**2  # noqa: E731
    assert total(band) < total(0.9 * band)
    assert total(band) < total(1.1 * band)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan])
def test_unknown_volatility_counts_the_whole_life(sigma):
    assert latch.lasting_share(0.5, sigma, 5.0) == 1.0


def test_stale_beyond_half_the_depth_of_placement():
    px, placed = 999_600, 100_000.0
    assert not latch.is_stale(BID, px, placed, placed * (1 + 1.9e-4), 10, 1.0)
    assert latch.is_stale(BID, px, placed, placed * (1 + 2.1e-4), 10, 1.0)
    assert latch.is_stale(BID, px, placed, placed * (1 - 2.1e-4), 10, 1.0)
    assert not latch.is_stale(BID, px, placed, placed * (1 + 2.1e-4), 10, 4.0)  # scarce budget: more patience


@pytest.mark.parametrize(("placed", "fair"), [(0.0, 1.0), (np.nan, 1.0), (1.0, np.nan), (1.0, 0.0)])
def test_unknown_fair_value_is_not_stale(placed, fair):
    assert not latch.is_stale(BID, 1, placed, fair, 10, 1.0)


def test_move_costs_two_actions_at_the_going_price():
    assert latch.move_cost_usd(0.0005, 4.0) == pytest.approx(0.004)


def test_in_place_is_a_tenth_of_the_depth():
    assert latch.is_in_place(999_640, 999_600, 4.0, FAIR)
    assert not latch.is_in_place(999_641, 999_600, 4.0, FAIR)
