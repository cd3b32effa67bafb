"""Latency profiles."""

from __future__ import annotations

import numpy as np
import pytest

from mmfast.sim.latency import PROFILES, draw_delay_ns, new_latency


def draws(profile: str, seed: int, count: int = 4000) -> np.ndarray:
    state = new_latency(profile, seed)
    return np.array([draw_delay_ns(state) for _ in range(count)])


@pytest.mark.parametrize("profile", ["lan", "hl"])
def test_median_and_tail_are_those_of_the_profile(profile: str) -> None:
    floor_s, median_s, p99_s = PROFILES[profile]
    delays_s = draws(profile, 1) * 1e-9 - floor_s
    assert np.median(delays_s) == pytest.approx(median_s, rel=0.06)
    assert np.percentile(delays_s, 99) == pytest.approx(p99_s, rel=0.2)


def test_delays_repeat_with_the_seed() -> None:
    assert (draws("hl", 5, 20) == draws("hl", 5, 20)).all()
    assert (draws("hl", 5, 20) != draws("hl", 6, 20)).any()


def test_no_latency_is_zero() -> None:
    assert (draws("none", 1, 10) == 0).all()


def test_an_unknown_profile_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"moon.*hl"):
        new_latency("moon")
