"""Nonces never repeat and never fall."""

from hypothesis import given
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.nonce import Nonces, is_acceptable


@given(st.lists(st.integers(0, 2**45), min_size=1), st.integers(0, 2**45))
def test_nonces_strictly_increase_whatever_the_clock_does(clock, mark):
    nonces = Nonces(mark)
    taken = [nonces.take(now_ms) for now_ms in clock]
    assert all(b > a for a, b in zip([mark, *taken], taken))
    assert all(nonce >= now_ms for nonce, now_ms in zip(taken, clock))
    assert nonces.last == taken[-1]


def test_nonces_are_the_time_while_the_clock_runs():
    nonces = Nonces()
    assert [nonces.take(t) for t in (10, 20, 20, 15, 30)] == [10, 20, 21, 22, 30]


def test_a_restored_mark_only_raises():
    nonces = Nonces(100)
    nonces.raise_to(50)
    assert nonces.take(0) == 101
    nonces.raise_to(500)
    assert nonces.take(0) == 501


def test_the_window_of_the_venue():
    now = 1_791_300_000_000
    assert is_acceptable(now, now)
    assert not is_acceptable(now + 86_400_000, now)
    assert not is_acceptable(now - 2 * 86_400_000, now)
