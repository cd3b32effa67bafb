"""
Latency: how long an order is on its way before the exchange can see it.

In      a profile's name and a seed.
Out     delays [ns], deterministic in the seed.
Source  `hl`: the venue publishes a median of 0.2 s and a 99th percentile of 0.9 s end to end for a co-located
        client; a remote one was measured at 0.3 s and 1 s. Log-normal, as usual for network and queueing
        delay.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.sim.mrg32k3a import normal, seed_streams

LATENCY = bare(("rng", "i8", (1, 6)), ("floor_ns", "f8"), ("median_ns", "f8"), ("log_sd", "f8"), size=128)

Z_99 = 2.3263478740408408  # 99th percentile of a standard normal
# floor, median above the floor, 99th percentile above the floor [s]
PROFILES = {"none": (0.0, 0.0, 0.0), "lan": (0.0005, 0.0005, 0.0015), "hl": (0.0, 0.3, 1.0)}


def new_latency(profile: str, seed: int = 0) -> Any:
    """
    A LATENCY record of a profile.

    Raises
    ------
    ValueError
        If there is no such profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"unknown latency profile {profile!r}; known: {', '.join(PROFILES)}")
    floor_s, median_s, p99_s = PROFILES[profile]
    state = np.zeros(1, LATENCY)
    seed_streams(state["rng"][0], seed)
    state["floor_ns"], state["median_ns"] = floor_s * 1e9, median_s * 1e9
    state["log_sd"] = math.log(p99_s / median_s) / Z_99 if median_s > 0.0 else 0.0
    return state[0]


@kernel
def draw_delay_ns(state: Any) -> int:
    """The next delay: floor plus a log-normal."""
    return int(state["floor_ns"] + state["median_ns"] * math.exp(state["log_sd"] * normal(state, 0)))
