"""
Warm-up by hand: every kernel compiled into the cache of this version.

In      nothing.
Out     seconds for each part.
Source  the first start of a version compiles for a while; after an update this can be done before trading.
"""

from __future__ import annotations

import time

from mmfast.cli.outcome import say
from mmfast.hosts.warm import steps
from mmfast.runtime.warmup import warm


def warmup() -> str:
    """Compile, or load what is compiled already; returns a sentence about it."""
    began = time.perf_counter()
    plan, done = steps()
    try:
        seconds = warm(plan, lambda name, index, count: say(f"  [{index}/{count}] {name}"))
    finally:
        done()
    slowest = max(seconds, key=lambda name: seconds[name])
    return f"kernels ready in {time.perf_counter() - began:.1f} s, longest {slowest} with {seconds[slowest]:.1f} s"
