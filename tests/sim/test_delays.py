"""Latency profiles as the server draws them."""

from __future__ import annotations

import pytest

from mmfast.sim.delays import EXIT_NS, Delays
from mmfast.sim.latency import PROFILES


def test_no_profile_takes_no_time():
    delays = Delays("none")
    assert (delays.entry_ns(), delays.exit_ns()) == (0, 0)


def test_lan_is_about_a_millisecond_and_repeats_with_its_seed():
    first, second = Delays("lan", 5), Delays("lan", 5)
    drawn = [first.entry_ns() for _ in range(500)]
    assert drawn == [second.entry_ns() for _ in range(500)]
    assert 5e5 <= sorted(drawn)[250] <= 3e6


def test_every_profile_has_a_way_back():
    assert set(EXIT_NS) == set(PROFILES)


def test_unknown_profile_is_named():
    with pytest.raises(ValueError, match="moon"):
        Delays("moon")
