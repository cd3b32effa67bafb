"""Fees against real fills."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast.sim.fees import TIERS, fee_uusd, tier
from mmfast.units import UUSD_PER_USD


@pytest.mark.parametrize(("notional_uusd", "rate_ppm", "fee"), [
    (66_653_000, 150, 9_997),  # BTC 0.001 at 66653, maker tier 0: 0.00999795 was charged as 0.009997
    (79_146_000, 150, 11_871),  # BTC 0.001 at 79146: 0.019785 with a builder's 0.007914
    (33_209 * 730, 432, 10_472),  # HYPE 0.73 at 33.209, taker with 4 % off: 0.012896 with a builder's 0.002424
    (21_147 * 5200, 432, 47_504),  # HYPE 5.2 at 21.147, the same
])
def test_real_fee_is_truncated_toward_zero(notional_uusd, rate_ppm, fee):
    assert fee_uusd(notional_uusd, rate_ppm) == fee


@given(st.integers(0, 10**15), st.integers(0, 1000))
def test_rebate_is_the_negative_of_the_fee(notional, rate):
    assert fee_uusd(notional, -rate) == -fee_uusd(notional, rate)


def test_tier_holds_strictly_above_its_volume():
    assert tier(0) == TIERS[0]
    assert tier(5_000_000 * UUSD_PER_USD) == TIERS[0]
    assert tier(5_000_000 * UUSD_PER_USD + 1) == TIERS[1]
    assert tier(10**18) == TIERS[-1]


def test_rates_never_rise_with_volume():
    for lower, higher in itertools.pairwise(TIERS):
        assert higher.volume_usd > lower.volume_usd
        assert higher.taker_ppm <= lower.taker_ppm
        assert higher.maker_ppm <= lower.maker_ppm
