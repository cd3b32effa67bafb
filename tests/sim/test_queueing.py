"""The queue rule for level-2 data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.sim.book import LEVELS, UNSEEN, USERS, new_book
from mmfast.sim.queueing import consume_ahead, drop_level, join, move_user, remove_user, set_level, user_row
from mmfast.units import ASK, BID


def joined(ahead: int, behind: int) -> Any:
    book = new_book("T")[0]
    set_level(book, BID, 100, ahead, 1)
    join(book, BID, 1, 7, 100, 5)
    set_level(book, BID, 100, ahead + behind, 2)
    return book


def test_joining_puts_all_displayed_volume_ahead_and_later_volume_behind() -> None:
    assert joined(30, 20)["user_ahead"][BID, 0] == 30


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.floats(0.0, 1.0))
def test_cancels_fall_in_proportion_to_volume_ahead_and_behind(ahead: int, behind: int, share: float) -> None:
    book = joined(ahead, behind)
    total = ahead + behind
    cancelled = int(total * share)
    set_level(book, BID, 100, total - cancelled, 1)
    now = int(book["user_ahead"][BID, 0])
    assert 0 <= now <= total - cancelled
    if total:
        exact = ahead - cancelled * (ahead / total)
        assert now == pytest.approx(exact, abs=1.0, rel=1e-9)


def test_trades_consume_from_the_front() -> None:
    book = joined(30, 20)
    consume_ahead(book, BID, 100, 12)
    assert book["user_ahead"][BID, 0] == 18
    consume_ahead(book, BID, 100, 40)
    assert book["user_ahead"][BID, 0] == 0


def test_an_order_beyond_the_shown_depth_stands_behind_whatever_appears_there() -> None:
    book = new_book("T")[0]
    book["view_px"][BID] = 100
    join(book, BID, 1, 7, 99, 5)
    assert book["user_ahead"][BID, 0] == UNSEEN
    set_level(book, BID, 99, 40, 1)
    assert book["user_ahead"][BID, 0] == 40


def test_an_order_at_an_empty_shown_price_is_first() -> None:
    book = new_book("T")[0]
    join(book, ASK, 1, 7, 99, 5)
    set_level(book, ASK, 99, 40, 1)
    assert book["user_ahead"][ASK, 0] == 0


def test_a_level_that_vanishes_leaves_nobody_ahead() -> None:
    book = joined(30, 20)
    drop_level(book, BID, 0)
    assert book["user_ahead"][BID, 0] == 0
    assert book["level_count"][BID] == 0


def test_orders_stand_by_price_then_time() -> None:
    book = new_book("T")[0]
    for number, px in enumerate((100, 102, 101, 102, 100)):
        join(book, ASK, number, 7, px, 1)
    assert book["user_id"][ASK, :5].tolist() == [0, 4, 2, 1, 3]
    remove_user(book, ASK, user_row(book, ASK, 2))
    assert book["user_id"][ASK, :4].tolist() == [0, 4, 1, 3]
    move_user(book, ASK, 0, 3)
    assert book["user_px"][ASK, 0] == 102


def test_a_full_side_drops_its_worst_level_and_refuses_orders() -> None:
    book = new_book("T")[0]
    for px in range(1000, 1000 + LEVELS):
        set_level(book, ASK, px, 1, 1)
    set_level(book, ASK, 999, 7, 1)
    set_level(book, ASK, 5000, 7, 1)
    assert book["level_count"][ASK] == LEVELS
    assert book["px_ticks"][ASK, [0, LEVELS - 1]].tolist() == [999, 1000 + LEVELS - 2]
    assert all(join(book, BID, k, 7, 10, 1) for k in range(USERS))
    assert not join(book, BID, USERS, 7, 10, 1)
