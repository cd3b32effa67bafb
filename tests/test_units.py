"""Claims about units."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast import units
from mmfast.units import (
    lots_per_coin,
    notional_uusd,
    sigma_annual_from_bps,
    sigma_bps_from_annual,
    ticks_per_usd,
)


@given(st.integers(0, 6), st.integers(0, 10**9), st.integers(0, 10**9))
def test_ticks_times_lots_are_micro_dollars_exactly(sz_decimals, px_ticks, lots):
    px = Decimal(px_ticks) / ticks_per_usd(sz_decimals)
    size = Decimal(lots) / lots_per_coin(sz_decimals)
    assert notional_uusd(px_ticks, lots) == px * size * units.UUSD_PER_USD


@pytest.mark.parametrize(("sz_decimals", "ticks", "lots"), [(0, 10**6, 1), (5, 10, 10**5), (6, 1, 10**6)])
def test_the_scale_of_price_and_size_add_up_to_six_decimals(sz_decimals, ticks, lots):
    assert (ticks_per_usd(sz_decimals), lots_per_coin(sz_decimals)) == (ticks, lots)
    assert ticks * lots == 10**units.PX_DECIMALS


@given(st.floats(1e-6, 1e3))
def test_volatility_survives_the_way_to_bps_and_back(sigma_annual):
    assert sigma_annual_from_bps(sigma_bps_from_annual(sigma_annual)) == pytest.approx(sigma_annual, rel=1e-12)


def test_fifty_percent_a_year_is_0_89_bps_a_root_second():
    """The variance of a year is that of its seconds added up."""
    sigma_bps = sigma_bps_from_annual(0.5)
    assert sigma_bps == pytest.approx(0.890, abs=5e-4)
    assert sigma_bps * math.sqrt(units.SECONDS_PER_YEAR) * units.BPS == pytest.approx(0.5)


def test_sides_and_times():
    assert (units.BID, units.ASK, units.SIDE_NAMES) == (0, 1, ("bid", "ask"))
    assert units.NS_PER_S == 1000 * units.NS_PER_MS == 10**6 * units.NS_PER_US
