"""The pen against the official SDK, msgpack and Python's own formatting."""

from __future__ import annotations

from collections.abc import Callable

import msgpack
import numpy as np
import pytest
from hyperliquid.utils.signing import float_to_wire
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid import pen
from mmfast.venues.hyperliquid.numbers import parse_decimal


def written(kernel: Callable[..., int], *what: object) -> bytes:
    """What a kernel writes, from the third byte on, touching nothing else."""
    out = np.full(64, 0xEE, np.uint8)
    end = kernel(out, 2, *what)
    assert bytes(out[:2]) == b"\xee" * 2
    assert set(out[end:].tolist()) == {0xEE}
    return bytes(out[2:end])


def decimal(value: int, decimals: int) -> bytes:
    return written(pen.put_decimal, value, decimals)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**11), st.integers(0, 8))
def test_decimals_equal_those_of_the_sdk(value, decimals):
    assume(value < 10 ** (decimals + 6))  # beyond, the SDK's floats have no room for its eight decimals
    assert decimal(value, decimals).decode() == float_to_wire(value / 10**decimals)


@pytest.mark.parametrize(("value", "decimals", "text"), [
    (841430, 1, b"84143"), (12, 5, b"0.00012"), (0, 5, b"0"), (-1250, 3, b"-1.25"), (100, 0, b"100"),
    (10**17 + 1, 6, b"100000000000.000001"),
])
def test_decimals_are_written_without_exponent_or_trailing_zeros(value, decimals, text):
    assert decimal(value, decimals) == text


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 8))
def test_what_is_written_reads_back(value, decimals):
    text = decimal(value, decimals)
    assert parse_decimal(text + b'"', 0, decimals) == (value, len(text))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 31).flatmap(lambda count: st.integers(0, 2**63 - 1)), st.integers(0, 8))
def test_packed_decimals_are_texts(value, decimals):
    assert written(pen.pack_decimal, value, decimals) == msgpack.packb(decimal(value, decimals).decode())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(0, 19))
def test_digits_have_a_least_number(value, least):
    assert written(pen.put_digits, value, least) == b"%0*d" % (least, value)


@settings(max_examples=200, deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_ids_are_the_bit_patterns_of_both_halves(hi, lo):
    assert written(pen.put_cloid, hi, lo) == b"0x%016x%016x" % (hi % 2**64, lo % 2**64)


def test_a_piece_is_written_as_it_is():
    assert written(pen.put, b'{"type":') == b'{"type":'
    assert written(pen.put, b"") == b""
