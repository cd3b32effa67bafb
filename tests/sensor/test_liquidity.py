"""Liquidity: densities, walls and moves of books that are known."""

from __future__ import annotations

import math

import pytest
from support.stages import Desk

from mmfast.records.feature import BOOK_COLLAPSING, BOOK_MIGRATING, BOOK_THICK, BOOK_THIN, BOOK_USUAL

Levels = list[tuple[int, int]]


def book(mid: int = 1_000_000, lots: int = 100, count: int = 10) -> tuple[Levels, Levels]:
    return ([(mid - 10 - 10 * k, lots) for k in range(count)], [(mid + 10 + 10 * k, lots) for k in range(count)])


def test_a_book_that_does_not_change_is_usual_and_at_rest() -> None:
    desk = Desk()
    for k in range(5):
        desk.book(1.0 + k, *book())
    assert desk.features["book_regime"] == BOOK_USUAL
    assert desk.features["flicker"] == 0.0
    assert desk.features["migration_bps_s"] == pytest.approx(0.0)
    assert desk.features["density"] == 0.0
    assert math.isnan(desk.features["wall_bps"][0])


@pytest.mark.parametrize(("lots", "regime"), [(200, BOOK_THICK), (55, BOOK_THIN), (40, BOOK_COLLAPSING)])
def test_size_against_the_usual_size_makes_the_regime(lots: int, regime: int) -> None:
    desk = Desk()
    for k in range(5):
        desk.book(1.0 + k, *book())
    desk.book(6.0, *book(lots=lots))
    assert desk.features["book_regime"] == regime


def test_a_price_that_moves_with_its_book_is_no_migration() -> None:
    desk = Desk()
    for k in range(5):
        desk.book(1.0 + k, *book(mid=1_000_000 + 10 * k))
    assert desk.features["migration_bps_s"] == pytest.approx(0.0, abs=1e-3)


def test_liquidity_that_moves_away_from_the_mid_is_migration() -> None:
    desk = Desk()
    bids, asks = book()
    desk.book(1.0, bids, asks)
    desk.book(2.0, bids, [(px + 400 * (k > 0), lots) for k, (px, lots) in enumerate(asks)])
    assert desk.features["migration_bps_s"] == pytest.approx(4.0 * 9 / 20, rel=0.01)
    assert desk.features["book_regime"] == BOOK_MIGRATING


def test_flicker_counts_prices_that_came_or_went_where_both_books_reach() -> None:
    desk = Desk()
    bids, asks = book()
    desk.book(1.0, bids, asks)
    desk.book(3.0, bids[:3] + bids[4:], [*asks[:2], (asks[2][0] + 5, 100), *asks[3:]])
    assert desk.features["flicker"] == pytest.approx(3 / 2.0)


def test_a_wall_has_a_distance_a_size_and_an_age() -> None:
    desk = Desk()
    bids, asks = book()
    bids[4] = (bids[4][0], 5_000)
    for k in range(4):
        desk.book(1.0 + k, bids, asks)
    assert desk.features["wall_bps"][0] == pytest.approx(0.5)
    assert desk.features["wall_lots"][0] == 5_000
    assert desk.features["wall_age_s"][0] == pytest.approx(3.0)
    assert math.isnan(desk.features["wall_bps"][1])
    assert desk.features["book_asymmetry"] == pytest.approx((5_900 - 1_000) / 6_900)
    desk.book(6.0, *book())
    assert math.isnan(desk.features["wall_bps"][0])
