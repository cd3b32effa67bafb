"""Keccak-256: known answers, and the kernel against pycryptodome."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.keccak import LANES, RATE_BYTES, hash_into, keccak256, permute

ANSWERS = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
}
FIRST = ["f1258f7940e1dde7", "84d5ccf933c0478a", "d598261ea65aa9ee", "bd1547306f80494d"]


def hashed(data: bytes, start: int, size: int) -> bytes:
    """What the kernel gives, between bytes that it must not touch, with a state that is not clean."""
    out = np.full(40, 0xEE, np.uint8)
    hash_into(data, start, size, np.full(LANES, 77, np.uint64), out, 4)
    assert bytes(out[:4]) == bytes(out[36:]) == b"\xee" * 4
    return bytes(out[4:36])


@pytest.mark.parametrize(("data", "answer"), ANSWERS.items())
def test_known_answers(data, answer):
    assert keccak256(data).hex() == hashed(data, 0, len(data)).hex() == answer


def test_the_permutation_of_nothing_is_the_reference():
    state = np.zeros(LANES, np.uint64)
    permute(state)
    assert [f"{int(lane):016x}" for lane in state[:4]] == FIRST


@pytest.mark.parametrize("size", [1, 7, 8, RATE_BYTES - 1, RATE_BYTES, RATE_BYTES + 1, 2 * RATE_BYTES, 5000])
def test_every_way_to_end_a_block(size):
    data = bytes(range(251)) * 20
    assert hashed(data, 3, size) == keccak256(data[3 : 3 + size])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 600))
def test_the_kernel_equals_the_library(data, start):
    start = min(start, len(data))
    assert hashed(data, start, len(data) - start) == keccak256(data[start:])
