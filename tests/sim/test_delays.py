"""Latency profiles as the server draws them."""

from __future__ import annotations

import pytest

from mmfast.sim.delays import EXIT_NS, TAKERS_HELD_NS, Delays
from mmfast.sim.latency import PROFILES
from mmfast.sim.priority import GAIN_NS, STEEP


def test_no_profile_takes_no_time():
    delays = Delays("none")
    assert (delays.entry_ns(), delays.exit_ns()) == (0, 0)


def test_lan_is_about_a_millisecond_and_repeats_with_its_seed():
    first, second = Delays("lan", 5), Delays("lan", 5)
    drawn = [first.entry_ns() for _ in range(500)]
    assert drawn == [second.entry_ns() for _ in range(500)]
    assert 5e5 <= sorted(drawn)[250] <= 3e6


def test_every_profile_has_a_way_back():
    assert set(EXIT_NS) == set(PROFILES) == set(TAKERS_HELD_NS)


def test_far_exchange_holds_takers_back_by_all_that_priority_can_gain_them():
    assert Delays("hl").takers_held_ns == GAIN_NS * STEEP
    assert Delays("lan").takers_held_ns == 0


def test_unknown_profile_is_named():
    with pytest.raises(ValueError, match="moon"):
        Delays("moon")
