"""msgpack words against the msgpack package, which the official SDK hashes with."""

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.packing import array_head, pack_action, pack_text, pack_uint


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 63).flatmap(lambda bits: st.integers(0, max(0, 2**bits - 1))))
def test_integers_take_the_shortest_form(value):
    assert pack_uint(value) == msgpack.packb(value)


@pytest.mark.parametrize("bits", [7, 8, 16, 32])
def test_integers_at_the_edge_of_a_form(bits):
    for value in (2**bits - 1, 2**bits):
        assert pack_uint(value) == msgpack.packb(value)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 34, 255])
def test_texts_of_any_length(length):
    assert pack_text(b"x" * length) == msgpack.packb("x" * length)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 200])
def test_arrays_of_any_length(count):
    assert array_head(count) + b"\x01" * count == msgpack.packb([1] * count)


def test_actions_off_the_wire_pack_as_their_sender_packed_them(vectors):
    packed = {v["name"]: v for v in vectors["generated_with_sdk_0.24.0"]["vectors"]}
    assert len(packed) == 19
    for vector in packed.values():
        assert pack_action(vector["action"]).hex() == vector["msgpack_hex"]
        assert pack_action(vector["action"]) == msgpack.packb(vector["action"])
