"""The kept sponge against the package's own interface and known hashes."""

import random

from mmfast.venues.hyperliquid.keccak import EMPTY, Sponge, keccak256


def test_known_hashes_are_met():
    assert keccak256(b"") == EMPTY
    assert keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"


def test_a_kept_sponge_equals_a_new_one_for_every_length():
    sponge, rng = Sponge(), random.Random(3)
    for size in [*range(300), 1000, 5000]:
        data = rng.randbytes(size)
        assert sponge.hash(data) == keccak256(data)


def test_sponges_do_not_share_their_state():
    first, second = Sponge(), Sponge()
    kept = first.hash(b"one")
    assert second.hash(b"two") == keccak256(b"two")
    assert kept == first.hash(b"one") == keccak256(b"one")
