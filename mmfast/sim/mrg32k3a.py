"""
Random numbers whose state is a field of a record: MRG32k3a, in integers that never overflow.

In      a record with a field ``rng`` of shape (streams, 6), and a stream.
Out     uniforms in (0, 1), normals, exponentials.
Source  L'Ecuyer (1999), "Good parameters and implementations for combined multiple recursive random number
        generators", Operations Research 47(1); period 2^191. Box and Muller (1958) for normals.

Streams are seeded apart so that, for example, the value of a coin does not depend on who traded it.
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.kernel import kernel

M1, M2 = 4294967087, 4294944443
A12, A13, A21, A23 = 1403580, 810728, 527612, 1370589
MASK = (1 << 64) - 1


def seed_streams(rng: Any, seed: int) -> None:
    """
    Fill ``rng`` (streams, 6) from one integer, by splitmix64 (Steele, Lea & Flood 2014).

    No state is all zero: each word is in 1 .. M2 - 1.
    """
    word = seed & MASK
    for stream in range(rng.shape[0]):
        for k in range(6):
            word = (word + 0x9E3779B97F4A7C15) & MASK
            mixed = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
            rng[stream, k] = 1 + (mixed ^ (mixed >> 31)) % (M2 - 1)


@kernel
def uniform(state: Any, stream: int) -> float:
    """A uniform draw from the open interval (0, 1)."""
    rng = state["rng"]
    first = (A12 * rng[stream, 1] - A13 * rng[stream, 0]) % M1
    rng[stream, 0] = rng[stream, 1]
    rng[stream, 1] = rng[stream, 2]
    rng[stream, 2] = first
    second = (A21 * rng[stream, 5] - A23 * rng[stream, 3]) % M2
    rng[stream, 3] = rng[stream, 4]
    rng[stream, 4] = rng[stream, 5]
    rng[stream, 5] = second
    mixed = first - second
    return (mixed if mixed > 0 else mixed + M1) / (M1 + 1.0)


@kernel
def normal(state: Any, stream: int) -> float:
    """A standard normal draw; always two uniforms."""
    radius = math.sqrt(-2.0 * math.log(uniform(state, stream)))
    return radius * math.cos(2.0 * math.pi * uniform(state, stream))


@kernel
def exponential(state: Any, stream: int) -> float:
    """An exponential draw with mean 1."""
    return -math.log(uniform(state, stream))
