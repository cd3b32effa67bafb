"""Nothing beyond a limit passes, whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.executor import limits as lim
from mmfast.records.order import CANCELED, CANCELING, FILLED, LIVE_STATES, OPEN, ORDER, REJECTED
from mmfast.units import ASK, BID

I64 = st.integers(-(2**63), 2**63 - 1)


def exposure(position=0, buys=0, sells=0, count=0):
    e = np.zeros(1, lim.EXPOSURE)[0]
    e["position_lots"], e["live_lots"], e["open_count"] = position, (buys, sells), count
    return e


def limits(position=1_000, notional=10**12, collar=100.0, orders=10):
    return lim.new_limits(position, notional, collar, open_order_max=orders)[0]


def check(side=BID, px=1_000_000, lots=100, fair=1_000_000.0, e=None, li=None):
    return lim.check(side, px, lots, fair, exposure() if e is None else e, limits() if li is None else li)


def test_ordinary_order_passes():
    assert check() == lim.OK


@pytest.mark.parametrize(("code", "kwargs"), [
    (lim.BAD_SIDE, {"side": 2}), (lim.BAD_SIDE, {"side": -1}),
    (lim.BAD_PRICE, {"px": 0}), (lim.BAD_PRICE, {"px": -1}), (lim.BAD_PRICE, {"px": 2**60}),
    (lim.BAD_SIZE, {"lots": 0}), (lim.BAD_SIZE, {"lots": -5}), (lim.BAD_SIZE, {"lots": 2**60}),
    (lim.NO_FAIR, {"fair": np.nan}), (lim.NO_FAIR, {"fair": np.inf}), (lim.NO_FAIR, {"fair": 0.0}),
    (lim.BELOW_NOTIONAL, {"lots": 9}), (lim.OUTSIDE_COLLAR, {"px": 1_010_001}), (lim.OUTSIDE_COLLAR, {"px": 989_999}),
    (lim.ABOVE_NOTIONAL, {"li": limits(notional=99_999_999)}), (lim.TOO_MANY_ORDERS, {"e": exposure(count=10)}),
    (lim.ABOVE_POSITION, {"lots": 1_001}), (lim.ABOVE_POSITION, {"e": exposure(buys=901)}),
    (lim.ABOVE_POSITION, {"e": exposure(position=901)}), (lim.BAD_LIMITS, {"li": np.zeros(1, lim.LIMITS)[0]}),
])
def test_each_limit_has_its_code(code, kwargs):
    assert check(**kwargs) == code


def test_limits_are_inclusive():
    assert check(lots=1_000) == lim.OK
    assert check(lots=10) == lim.OK
    assert check(px=1_010_000) == lim.OK
    assert check(e=exposure(position=900)) == lim.OK
    assert check(li=limits(notional=100_000_000)) == lim.OK


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 10_000))
@settings(max_examples=80, deadline=None)
def test_way_to_flat_is_never_blocked_by_the_position_limit(short, live, lots):
    e = exposure(position=-short, buys=live)
    if live + lots <= short and lots >= 10:
        assert check(lots=lots, e=e, li=limits(position=1)) == lim.OK


def naive(side, px, lots, fair, position, live, count, li):
    """The same limits in exact integers, as a yes or no."""
    sign = 1 if side == 0 else -1
    return (side in (0, 1) and px > 0 and lots > 0 and np.isfinite(fair) and fair > 0
            and 10_000_000 <= px * lots <= int(li["order_max_uusd"]) and abs(px - fair) <= fair * 0.01
            and count < int(li["open_order_max"])
            and sign * position + live[side] + lots <= int(li["position_max_lots"]))


SIZES = st.one_of(I64, st.integers(-5, 3_000), st.sampled_from([2**31, 2**50, 2**50 + 1, 2**62]))


@given(st.one_of(st.integers(-3, 4), I64), st.one_of(SIZES, st.integers(980_000, 1_020_000)), SIZES,
       st.one_of(st.floats(), st.just(1_000_000.0)), st.integers(-2_000, 2_000),
       st.tuples(*[st.integers(0, 2_000)] * 2), st.integers(0, 12))
@settings(max_examples=500, deadline=None)
def test_nothing_passes_that_exact_arithmetic_refuses(side, px, lots, fair, position, live, count):
    e, li = exposure(position, *live, count), limits()
    passed = lim.check(side, px, lots, fair, e, li) == lim.OK
    assert passed == bool(naive(side, px, lots, fair, position, live, count, li))


@given(I64, I64, I64)
@settings(max_examples=100, deadline=None)
def test_absurd_exposure_never_passes(position, buys, sells):
    e = exposure(position, buys, sells)
    if not -(2**51) < position < 2**51 or not 0 <= buys < 2**51:
        assert check(e=e) == lim.ABOVE_POSITION


def test_exposure_counts_all_that_may_trade():
    orders = np.zeros(12, ORDER)
    orders["lots"], orders["filled_lots"] = 10, 3
    for slot, state in enumerate([*LIVE_STATES, FILLED, CANCELED, REJECTED]):
        orders[slot]["state"] = state
    orders[8]["state"], orders[8]["inst"] = OPEN, 1
    orders[9]["state"], orders[9]["side"] = CANCELING, ASK
    e = exposure()
    lim.expose(orders, 0, -5, e)
    assert (e["position_lots"], *e["live_lots"], e["open_count"]) == (-5, 7 * 7, 7, 7)


@pytest.mark.parametrize("kwargs", [{"position_max_lots": 0}, {"collar_bps": np.nan}, {"order_max_uusd": -1},
                                    {"collar_bps": np.inf}, {"open_order_max": 0}])
def test_missing_limit_is_refused_by_name(kwargs):
    given_ = {"position_max_lots": 1, "order_max_uusd": 1, "collar_bps": 1.0} | kwargs
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        lim.new_limits(**given_)
