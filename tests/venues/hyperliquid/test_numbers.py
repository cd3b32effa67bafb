"""Decimal text against Decimal, and written numbers against the official SDK."""

import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.codes import ERR_NUMBER, ERR_OVERFLOW, ERR_PRECISION, ERR_TRUNCATED
from mmfast.venues.hyperliquid.numbers import (
    parse_decimal,
    parse_float,
    quick_decimal,
    read_decimal,
    read_float,
)

decimal_texts = st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,12})?", fullmatch=True)
any_text = st.text(st.sampled_from("0123456789.-+eE \","), max_size=24)


def twin(text: str, decimals: int) -> int | None:
    """The scaled integer by Decimal; None if the text must be refused."""
    value = Decimal(text).scaleb(decimals)
    return int(value) if value == value.to_integral_value() and abs(value) < 10**18 else None


@settings(max_examples=300, deadline=None)
@given(decimal_texts, st.integers(0, 8))
def test_decimal_text_becomes_the_exact_scaled_integer(text, decimals):
    value, end = parse_decimal(text.encode() + b'"', 0, decimals)
    expected = twin(text, decimals)
    if expected is None:
        assert end in (ERR_PRECISION, ERR_OVERFLOW)
    else:
        assert (value, end) == (expected, len(text))


@settings(max_examples=300, deadline=None)
@given(any_text, st.integers(0, 6))
def test_the_quick_way_never_differs_from_the_strict_one(text, decimals):
    payload = text.encode() + b'"'
    value, end = quick_decimal(payload, 0, decimals)
    if end != 0:
        assert (value, end) == parse_decimal(payload, 0, decimals)


@pytest.mark.parametrize(("text", "code"), [
    (b'x"', ERR_NUMBER), (b'-"', ERR_NUMBER), (b'.5"', ERR_NUMBER), (b'5."', ERR_NUMBER), (b'"', ERR_NUMBER),
    (b"-", ERR_TRUNCATED), (b"5.", ERR_TRUNCATED), (b'1.25"', ERR_PRECISION), (b'1.05"', ERR_PRECISION),
    (b'1000000000000000000"', ERR_OVERFLOW), (b'100000000000000000.0"', ERR_OVERFLOW),
])
def test_text_that_is_no_number_is_refused_by_name(text, code):
    assert parse_decimal(text, 0, 1)[1] == code


@pytest.mark.parametrize(("text", "expected"), [
    (b'"84143.0",', (841430, 9)), (b"84143.0,", (841430, 7)), (b'"0.1"}', (1, 5)), (b"12]", (120, 2)),
])
def test_numbers_may_be_quoted_or_bare(text, expected):
    assert read_decimal(text, 0, 1) == expected


@pytest.mark.parametrize("text", [b'"12', b"12x", b"12e3,", b'"12e3"', b'"1 2"', b'12"'])
def test_numbers_must_end_where_they_should(text):
    assert read_decimal(text, 0, 1)[1] < 0


def test_zeros_beyond_the_decimals_are_no_loss():
    assert parse_decimal(b'100.000"', 0, 1) == (1000, 7)


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,10})?", fullmatch=True))
def test_floats_are_right_to_the_last_place(text):
    value, end = parse_float(text.encode() + b'"', 0)
    exact = len(text.replace("-", "").replace(".", "").lstrip("0")) <= 15
    assert end == len(text)
    assert value == float(text) if exact else math.isclose(value, float(text), rel_tol=4e-16)


@pytest.mark.parametrize("text", [b'"4161029539.6949653625"', b'"0.00000000000000000000125"', b'"9' + b"9" * 30 + b'"'])
def test_long_floats_keep_their_leading_digits(text):
    assert math.isclose(read_float(text, 0)[0], float(text[1:-1]), rel_tol=1e-15)


def test_null_is_not_a_number():
    value, end = read_float(b"null,", 0)
    assert math.isnan(value)
    assert end == 4
