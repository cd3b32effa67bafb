"""The generator of random numbers against its published first value and scipy's distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from mmfast.sim.mrg32k3a import exponential, normal, seed_streams, uniform

STATE = np.dtype([("rng", "i8", (2, 6))])


def state(seed: int) -> Any:
    made = np.zeros(1, STATE)
    seed_streams(made["rng"][0], seed)
    return made[0]


def test_first_value_of_the_published_default_seed() -> None:
    made = np.zeros(1, STATE)
    made["rng"] = 12345
    assert abs(uniform(made[0], 0) - 0.1270111220) < 1e-10
    assert abs(uniform(made[0], 0) - 0.3185275653) < 1e-10


def test_streams_and_seeds_differ_and_repeat() -> None:
    a, b, c = state(1), state(1), state(2)
    assert [uniform(a, 0) for _ in range(5)] == [uniform(b, 0) for _ in range(5)]
    assert uniform(a, 1) != uniform(a, 0)
    assert uniform(b, 0) != uniform(c, 0)


def test_draws_have_their_distributions() -> None:
    s = state(3)
    assert stats.kstest([uniform(s, 0) for _ in range(4000)], "uniform").pvalue > 1e-3
    assert stats.kstest([normal(s, 0) for _ in range(4000)], "norm").pvalue > 1e-3
    assert stats.kstest([exponential(s, 1) for _ in range(4000)], "expon").pvalue > 1e-3
