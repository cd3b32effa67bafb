"""Decimal text to exact integers, against Python's Decimal."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.sim.decimal_table import read_table
from mmfast.units import ASK, BID


def one(text: str, scale: int) -> int:
    return int(read_table("t.csv", f"a\n{text}\n".encode(), ["a"], [scale])[0][0, 0])


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 5))
def test_decimals_become_exact_integers(value: int, places: int) -> None:
    text = format(Decimal(value).scaleb(-places), "f")
    assert one(text, 5) == value * 10 ** (5 - places)


@settings(deadline=None)
@given(st.floats(1e-5, 1e6))
def test_whatever_python_prints_for_a_float_is_read(x: float) -> None:
    assert abs(one(repr(x), 5) - Decimal(repr(x)).scaleb(5)) <= Decimal("0.5")


def test_exponents_words_and_line_ends() -> None:
    assert one("1e-05", 5) == 1
    assert one("1.5e3", 2) == 150000
    table, places = read_table("t.csv", b"a,b\r\nbuy,1.50\r\nask,2.25\r\n", ["a", "b"], [0, 2])
    assert table.tolist() == [[BID, 150], [ASK, 225]]
    assert places.tolist() == [0, 2]


def test_a_short_line_is_named() -> None:
    with pytest.raises(ValueError, match=r"t\.csv: line 3"):
        read_table("t.csv", b"a,b\n1,2\n3\n", ["a", "b"], [0, 0])


def test_other_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="columns are x"):
        read_table("t.csv", b"x\n1\n", ["a"], [0])


def test_a_table_without_rows_is_empty() -> None:
    assert read_table("t.csv", b"a\n", ["a"], [0])[0].shape == (0, 1)
