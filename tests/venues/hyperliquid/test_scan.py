"""Stepping through JSON against the json module; nothing is read outside a frame."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.codes import ERR_MISSING, ERR_SYNTAX, ERR_TRUNCATED
from mmfast.venues.hyperliquid.scan import byte_at, find, key_of, leave, read_text, skip_string, skip_value

leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.text(max_size=5), inner, max_size=3), max_leaves=8)


@settings(max_examples=200, deadline=None)
@given(values, st.sampled_from([None, 1]))
def test_a_value_ends_where_json_says(value, indent):
    text = json.dumps(value, indent=indent).encode()
    assert skip_value(text + b",", 0) == len(text)


@settings(max_examples=200, deadline=None)
@given(values)
def test_no_prefix_of_an_object_is_taken_for_the_whole(value):
    text = json.dumps({"key": value}).encode()
    for size in range(1, len(text)):
        assert skip_value(text[:size], 0) in (ERR_TRUNCATED, ERR_SYNTAX)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 80))
def test_any_bytes_give_a_position_or_a_code(payload, position):
    for step in (skip_value, skip_string, lambda p, q: find(p, q, 1), lambda p, q: read_text(p, q)[1], leave):
        if payload:
            assert ERR_MISSING <= step(payload, position) <= max(len(payload), position)


@pytest.mark.parametrize("text", ["data", "channel", "openInterest", "é", "x"])
def test_keys_are_found_by_their_number(text):
    payload = json.dumps({"other": [1, {"data": 2}], text: "value"}, ensure_ascii=False).encode()
    position = find(payload, 0, key_of(text))
    assert payload[position:].startswith(b'"value"')


def test_a_key_that_is_not_there_is_missing():
    assert find(b'{"a":1}', 0, key_of("b")) == ERR_MISSING
    assert find(b"", 0, key_of("b")) == ERR_TRUNCATED
    assert find(b"[]", 0, key_of("b")) == ERR_SYNTAX


def test_keys_that_share_seven_letters_differ_by_length():
    assert key_of("premium") != key_of("premiums") != key_of("premiumsX")


@pytest.mark.parametrize("text", [b'2"x', b'null"', b'0xab"', b'-"1"'])
def test_a_quote_is_no_part_of_a_number_or_a_word(text):
    payload = b'{"a":' + text + b',"b":1}'
    assert find(payload, 0, key_of("b")) == ERR_SYNTAX


def test_escaped_quotes_do_not_end_a_string():
    assert skip_string(rb'"a\"b\\"x', 0) == 8


@pytest.mark.parametrize("position", [-9, -1, 2, 99])
def test_bytes_outside_read_as_nothing_or_the_first(position):
    assert byte_at(b"ab", position) in (0, ord("a"))
