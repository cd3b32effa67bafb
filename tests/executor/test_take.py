"""Take: only what reduces the position as the quote knew it, once, and past no order of ours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters

from mmfast.executor import budget as budgets
from mmfast.executor.diff import ACTION, TAKE, TAKEN
from mmfast.executor.limits import EXPOSURE, new_limits
from mmfast.executor.take import take
from mmfast.executor.unwind import COOLDOWN_NS
from mmfast.records.order import (
    AMBIGUOUS,
    CANCELED,
    CANCELING,
    FILLED,
    OPEN,
    ORDER,
    PENDING,
    REJECTED,
    SENT,
    TAKER,
    TIF_IOC,
)
from mmfast.records.quote import QUOTE, TAKE_NOT_WORTH, TAKE_WANTED
from mmfast.units import ASK, BID, NS_PER_S

NOW, FAIR, PX = 10**12, 100_000.0, {BID: 1_000_100, ASK: 999_900}
MAX_LOTS = 50_000


class Scene:
    """A position, a wish to take against it, and orders."""

    def __init__(self, position_lots: int = 40_000, lots: int = 4_000) -> None:
        self.position = position_lots
        self.side = ASK if position_lots > 0 else BID
        self.quote = np.zeros(1, QUOTE)[0]
        self.quote["fair_px"], self.quote["position_lots"] = FAIR, position_lots
        self.quote["take_reason"], self.quote["take_side"] = TAKE_WANTED, self.side
        self.quote["take_lots"], self.quote["take_px_ticks"] = lots, PX[self.side]
        self.orders, self.used = np.zeros(8, ORDER), 0
        self.budget, self.limits = budgets.new_budget(NOW), new_limits(MAX_LOTS, 5_000_000_000, 100.0)
        self.exposure, self.action = np.zeros(1, EXPOSURE)[0], np.zeros(1, ACTION)[0]

    def order(self, side: int, lots: int = 2_000, state: int = OPEN, **fields: int) -> None:
        """Put an order into the table."""
        order = self.orders[self.used]
        order["side"], order["lots"], order["state"], order["px_ticks"] = side, lots, state, 995_000
        order["px_ticks"] = 1_005_000 if side == ASK else 995_000
        for name, value in fields.items():
            order[name] = value
        self.used += 1

    def lots(self, now_ns: int = NOW) -> int:
        """Lots taken, 0 for nothing."""
        taken = take(self.quote, self.orders, 0, now_ns, default_parameters(), self.budget[0], self.limits[0],
                     self.position, 0, self.exposure, self.action)
        return int(self.action["lots"]) if taken else 0


@pytest.mark.parametrize("position", [40_000, -40_000])
def test_what_the_quote_wants_is_taken_against_the_position(position: int) -> None:
    scene = Scene(position)
    assert scene.lots() == 4_000
    action = scene.action
    assert (action["kind"], action["slot"], action["reason"]) == (TAKE, -1, TAKEN)
    assert (action["side"], action["px_ticks"]) == (scene.side, PX[scene.side])


@pytest.mark.parametrize("change", [
    {"pull": 1}, {"take_reason": TAKE_NOT_WORTH}, {"take_lots": 0}, {"take_side": BID}, {"take_side": 2},
    {"take_px_ticks": 0}, {"position_lots": 39_999}, {"fair_px": np.nan}, {"take_px_ticks": 980_000},
])
def test_nothing_is_taken_without_a_whole_wish_for_this_position(change: dict[str, float]) -> None:
    scene = Scene()
    for name, value in change.items():
        scene.quote[name] = value
    assert scene.lots() == 0


def test_nothing_is_taken_while_the_venue_refuses_it_whatever_it_does_with_what_rests() -> None:
    scene = Scene()
    scene.limits["until_ns"][0, :TAKER] = NOW + NS_PER_S
    assert scene.lots() == 4_000
    scene.limits["until_ns"][0, TAKER] = NOW + 1
    assert scene.lots() == 0
    assert scene.lots(NOW + 1) == 4_000


def test_with_nothing_held_nothing_is_taken() -> None:
    scene = Scene()
    scene.position = scene.quote["position_lots"] = 0
    assert scene.lots() == 0


@pytest.mark.parametrize("state", [PENDING, SENT, OPEN, CANCELING, AMBIGUOUS, CANCELED, FILLED])
def test_all_that_may_still_trade_on_the_side_counts(state: int) -> None:
    scene = Scene(5_000)
    scene.order(ASK, 3_000, state)
    assert scene.lots() == 2_000
    scene.order(ASK, 2_000, state)
    assert scene.lots() == 0


def test_an_order_that_traded_nothing_does_not_count() -> None:
    scene = Scene(5_000)
    scene.order(ASK, 3_000, REJECTED)
    assert scene.lots() == 4_000


def test_a_last_one_must_be_booked_and_a_second_old() -> None:
    scene = Scene()
    scene.order(ASK, 4_000, SENT, tif=TIF_IOC, ts_ns=NOW)
    assert scene.lots(NOW + 10 * COOLDOWN_NS) == 0
    scene.orders[0]["state"] = FILLED
    assert scene.lots(NOW + 10 * COOLDOWN_NS) == 0  # its fill is on its way
    scene.orders[0]["filled_lots"] = 4_000
    assert scene.lots(NOW + COOLDOWN_NS - 1) == 0
    assert scene.lots(NOW + COOLDOWN_NS) == 4_000


@pytest.mark.parametrize(("px", "lots"), [(999_890, 4_000), (999_900, 0), (999_910, 0)])
def test_it_meets_no_order_of_ours(px: int, lots: int) -> None:
    scene = Scene()
    scene.order(BID, 2_000, CANCELING, px_ticks=px)
    assert scene.lots() == lots


def test_an_order_of_another_coin_is_not_in_the_way() -> None:
    scene = Scene()
    scene.order(BID, 2_000, OPEN, px_ticks=2_000_000, inst=1)
    assert scene.lots() == 4_000


def test_a_large_one_goes_in_pieces_below_the_order_limit() -> None:
    assert Scene(40_000, 30_000).lots() == 5_000_000_000 // PX[ASK]


def test_an_empty_budget_takes_nothing() -> None:
    scene = Scene()
    scene.budget["address_used"] = scene.budget["address_cap"]
    assert scene.lots() == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(-MAX_LOTS, MAX_LOTS).filter(bool), st.integers(0, MAX_LOTS),
       st.lists(st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 20_000), st.integers(PENDING, REJECTED)),
                max_size=8))
def test_whatever_else_trades_the_position_never_turns_over(position: int, wish: int, orders: list) -> None:
    scene = Scene(position, wish)
    for side, lots, state in orders:
        scene.order(side, lots, state)
    live = sum(lots for side, lots, state in orders if side == scene.side and state != REJECTED)
    assert 0 <= scene.lots() <= max(abs(position) - live, 0)
