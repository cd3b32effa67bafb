"""Levels of one side against a dictionary."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.sim.book import new_book
from mmfast.sim.levels import better, insert_level, level_lots, level_row, remove_level, take_level
from mmfast.units import ASK, BID


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1), st.lists(st.tuples(st.integers(90, 110), st.integers(0, 9)), max_size=40))
def test_levels_are_a_sorted_map(side: int, changes: list[tuple[int, int]]) -> None:
    book, twin = new_book("T")[0], {}
    for px, lots in changes:
        row = level_row(book, side, px)
        if level_lots(book, side, px) > 0:
            remove_level(book, side, row)
            twin.pop(px)
        elif lots:
            insert_level(book, side, row, px, lots, 1)
            twin[px] = lots
    count = book["level_count"][side]
    rows = list(zip(book["px_ticks"][side, :count].tolist(), book["lots"][side, :count].tolist()))
    assert rows == sorted(twin.items(), reverse=side == BID)


def test_higher_bids_and_lower_asks_are_better() -> None:
    assert better(BID, 101, 100)
    assert better(ASK, 99, 100)
    assert not better(BID, 100, 100)


def test_taking_a_level_keeps_its_count_in_proportion_and_removes_it_when_empty() -> None:
    book = new_book("T")[0]
    insert_level(book, BID, 0, 100, 40, 8)
    take_level(book, BID, 0, 30)
    assert (book["lots"][BID, 0], book["count"][BID, 0]) == (10, 2)
    take_level(book, BID, 0, 10)
    assert book["level_count"][BID] == 0
