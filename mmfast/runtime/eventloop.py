"""
The event loop of a process: uvloop, with the garbage collector kept out of the way.

In      a coroutine function and the process's placement.
Out     its result; an interrupt ends it only where the process has not chosen to ignore signals.
Source  a full collection stops the loop for milliseconds: what exists at start is frozen, and what is made
        later is collected in small steps between deadlines.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

import uvloop

from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SPIN

COLLECT_S = 10.0


def run_loop(body: Callable[[], Awaitable[int]], placement: Placement) -> int:
    """Run ``body`` to its end on a fresh uvloop; a host that spins never lets the loop block."""
    gc.collect()
    gc.freeze()
    gc.disable()
    return uvloop.run(_run(body, placement))


async def _run(body: Callable[[], Awaitable[int]], placement: Placement) -> int:
    loop = asyncio.get_running_loop()
    loop.call_later(COLLECT_S, _collect, loop)
    if placement.idle == SPIN:
        loop.call_soon(_spin, loop)
    return await body()


def _collect(loop: asyncio.AbstractEventLoop) -> None:
    gc.collect(1)
    loop.call_later(COLLECT_S, _collect, loop)


def _spin(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(_spin, loop)
