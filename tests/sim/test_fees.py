"""Fees against real fills."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast.sim.fees import (
    DAY_MS,
    TIERS,
    UNITS_PER_HYPE,
    DailyVolume,
    fee_uusd,
    rates,
    referral_pct,
    staking_pct,
    tier,
)
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


MILLION = 1_000_000 * UUSD_PER_USD
TODAY_MS = 20_000 * DAY_MS + 12_345


def traded(*fills):
    """A volume of (days ago, notional, maker)."""
    made = DailyVolume()
    for ago, notional, maker in fills:
        made.add(TODAY_MS - ago * DAY_MS, notional, maker)
    return made


def test_the_fourteen_whole_days_before_today_count():
    volume = traded(*((ago, 1 << ago, ago % 2) for ago in range(16, -1, -1)))
    assert sum(volume.window(TODAY_MS)) == sum(1 << ago for ago in range(1, 15))
    assert volume.window(TODAY_MS)[1] == sum(1 << ago for ago in range(1, 15, 2))


def test_volumes_of_a_family_make_one_tier():
    family = [traded((1, 3 * MILLION, True)), traded((2, 3 * MILLION, False))]
    whole = traded((1, 10_000 * MILLION, True))
    assert rates(family, whole, TODAY_MS) == (400, 120)
    assert rates(family[:1], whole, TODAY_MS) == (450, 150)


@pytest.mark.parametrize(("share_bps", "maker_ppm"), [(50, 150), (51, -10), (151, -20), (301, -30)])
def test_share_of_the_makers_volume_earns_a_rebate(share_bps, maker_ppm):
    whole = traded((1, 100 * MILLION, True))
    mine = traded((1, share_bps * MILLION // 100, True))
    assert rates([mine], whole, TODAY_MS) == (450, maker_ppm)


def test_nothing_traded_is_the_first_tier():
    assert rates([DailyVolume()], DailyVolume(), TODAY_MS) == (450, 150)


@pytest.mark.parametrize(("hype", "pct"), [(0, 0), (10, 0), (10.1, 5), (100.1, 10), (1000.1, 15), (10_000.1, 20),
                                           (100_000.1, 30), (500_000.1, 40)])
def test_stake_takes_its_percentage_off_strictly_above_its_step(hype, pct):
    assert staking_pct(round(hype * UNITS_PER_HYPE)) == pct


def test_referral_counts_for_the_first_25_million():
    assert [referral_pct(True, volume * MILLION) for volume in (0, 24, 25)] == [4, 4, 0]
    assert referral_pct(False, 0) == 0


@given(st.integers(0, 10**15), st.sampled_from(TIERS), st.sampled_from([0, 5, 10, 15, 20, 30, 40]),
       st.sampled_from([0, 4]))
def test_discounts_multiply_and_the_fee_is_truncated_once(notional, row, staking, referral):
    kept = (100 - staking) * (100 - referral)
    exact = Fraction(notional * row.taker_ppm, 10**6) * (100 - staking) / 100 * (100 - referral) / 100
    assert fee_uusd(notional, row.taker_ppm, kept) == int(exact)
    assert fee_uusd(notional, -30, kept) == fee_uusd(notional, -30)


def test_two_real_fills_are_those_of_a_referred_account():
    for notional, fee in ((33_209 * 730, 10_472), (21_147 * 5200, 47_504)):
        assert fee_uusd(notional, 450, 100 * (100 - referral_pct(True, 0))) == fee
