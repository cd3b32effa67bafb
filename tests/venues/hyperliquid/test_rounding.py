"""The grid of legal prices against the rule in words, by Decimal."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.sim.depth import step_ticks
from mmfast.units import ticks_per_usd
from mmfast.venues.hyperliquid.rounding import (
    is_legal,
    merged_books,
    merged_step,
    price_step,
    round_down,
    round_up,
)

prices = st.one_of(st.integers(1, 10**12), st.integers(0, 12).map(lambda k: 10**k),
                   st.builds(lambda k, d: max(1, 10**k + d), st.integers(1, 12), st.integers(-3, 3)))
sz_decimals = st.integers(0, 5)


def oracle(px_ticks: int, decimals: int) -> bool:
    """At most five significant figures, or whole dollars."""
    px = Decimal(px_ticks).scaleb(decimals - 6)
    figures = len(px.normalize().as_tuple().digits)
    return px > 0 and (figures <= 5 or px == px.to_integral_value())


@settings(max_examples=400, deadline=None)
@given(prices, sz_decimals)
def test_legal_prices_are_those_of_the_rule(px_ticks, decimals):
    assert is_legal(px_ticks, ticks_per_usd(decimals)) == oracle(px_ticks, decimals)


@settings(max_examples=400, deadline=None)
@given(prices, sz_decimals)
def test_rounded_prices_are_legal_and_nearest(px_ticks, decimals):
    scale = ticks_per_usd(decimals)
    low, high = round_down(px_ticks, scale), round_up(px_ticks, scale)
    assert low <= px_ticks <= high
    assert oracle(high, decimals)
    assert low == 0 or oracle(low, decimals)
    assert (low == high) == oracle(px_ticks, decimals)
    step = price_step(px_ticks, scale)
    assert high - low <= step
    assert not any(oracle(px, decimals) for px in range(low + 1, min(high, low + 50)))


@pytest.mark.parametrize("decimals", range(6))
def test_every_price_around_a_power_of_ten_follows_the_rule(decimals):
    scale = ticks_per_usd(decimals)
    for power in range(4, 9):
        legal = [px for px in range(10**power - 120, 10**power + 120) if oracle(px, decimals)]
        for px in range(legal[0], legal[-1]):
            assert round_down(px, scale) == max(x for x in legal if x <= px)
            assert round_up(px, scale) == min(x for x in legal if x >= px)


@pytest.mark.parametrize(("px_ticks", "scale", "step"), [
    (841430, 10, 10),  # BTC at 84143: one dollar
    (1234560, 10, 10),  # BTC at 123456: whole dollars stay legal
    (240010, 100, 10),  # ETH at 2400.1: ten cents
    (920010, 10**4, 10),  # HYPE at 92.001
    (12345, 10**6, 1),
    (0, 10, 1),
])
def test_steps_of_well_known_coins(px_ticks, scale, step):
    assert price_step(px_ticks, scale) == step


def test_a_price_of_nothing_is_not_legal():
    assert not is_legal(0, 10)
    assert not is_legal(-10, 10)


@given(st.integers(20_000, 10**10))
def test_merged_books_resolve_ten_bps_and_reach_fifty(px_ticks):
    steps = [1e4 * merged_step(px_ticks, *precision) / px_ticks for precision in merged_books(px_ticks)]
    assert 1 <= len(steps) <= 3
    assert min(steps) * 1.8 <= 10.0 <= min(steps) * 19
    assert any(step * 1.8 <= 50.0 and step * 19 >= 50.0 for step in steps)


@given(st.integers(1, 10**12), st.sampled_from([(2, None), (3, None), (4, None), (5, None), (5, 2), (5, 5)]))
def test_a_merged_step_is_that_of_the_local_exchange(px_ticks, precision):
    assert merged_step(px_ticks, precision[0], precision[1] or 1) == step_ticks(px_ticks, *precision)
