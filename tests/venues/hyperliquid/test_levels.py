"""The quick reading of a level against the tolerant one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.levels import quick_level, read_level

LEVEL = b'{"px":"84143.0","sz":"10.25923","n":36}'


def test_a_level_as_the_venue_writes_it_is_read_quickly():
    assert quick_level(LEVEL + b"]", 0, 5) == read_level(LEVEL + b"]", 0, 5) == (841430, 1025923, 36, len(LEVEL))


@pytest.mark.parametrize("text", [
    b'{"sz":"10.25923","px":"84143.0","n":36}', b'{"px": "84143.0","sz":"10.25923","n":36}',
    b'{"px":84143.0,"sz":"10.25923","n":36}', b'{"px":"84143.00","sz":"10.25923","n":36}',
    b'{"px":"84143.0","sz":"10.25923","n":36,"x":{"px":"1"}}', b'{"n":36,"px":"84143","sz":10.25923}',
])
def test_a_level_in_any_other_shape_is_read_tolerantly(text):
    assert quick_level(text, 0, 5)[3] == 0
    assert read_level(text, 0, 5) == (841430, 1025923, 36, len(text))


def test_a_level_may_lack_the_number_of_orders():
    text = b'{"px":"84143.0","sz":"10.25923"}'
    assert read_level(text, 0, 5) == (841430, 1025923, 0, len(text))


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_the_quick_way_never_differs_from_the_tolerant_one(data):
    raw = bytearray(LEVEL)
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(st.sampled_from([b"", b"0", b".", b'"', b"9", b"-", b"}", b",", b"\x00", b"99999999999999"]))
        raw[place : place + data.draw(st.integers(0, 2))] = piece
    text, decimals = bytes(raw) or b"{", data.draw(st.integers(0, 6))
    quick = quick_level(text, 0, decimals)
    if quick[3] > 0:
        assert quick == read_level(text, 0, decimals)


def test_an_absurd_number_of_orders_is_capped():
    text = LEVEL.replace(b"36", b"99999999999")
    assert quick_level(text, 0, 5)[2] == read_level(text, 0, 5)[2] == 2**31 - 1
