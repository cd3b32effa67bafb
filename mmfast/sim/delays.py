"""
Delays: the way to the exchange and the way back, drawn from a named profile.

In      a profile's name and a seed.
Out     one-way times in nanoseconds: entry for each action, exit for each block.
Source  entry: latency.py. Exit of ``hl``: the venue's own state is about 0.2 s old when its API shows it. Its mempool
        holds takers back by what the greatest priority that saves time, 8 bp at 45 ms, would gain them: inferred.
"""

from __future__ import annotations

from mmfast.sim.latency import draw_delay_ns, new_latency

EXIT_NS = {"none": 0, "lan": 0, "hl": 200_000_000}
TAKERS_HELD_NS = {"none": 0, "lan": 0, "hl": 360_000_000}


class Delays:
    """Draws of one profile: ``none``, ``lan`` or ``hl``; ValueError for another name."""

    def __init__(self, profile: str = "none", seed: int = 0) -> None:
        self._state = new_latency(profile, seed)
        self._exit_ns = EXIT_NS[profile]
        self.takers_held_ns = TAKERS_HELD_NS[profile]

    def entry_ns(self) -> int:
        """From a client's send to the block's queue."""
        return int(draw_delay_ns(self._state))

    def exit_ns(self) -> int:
        """From a block to its clients."""
        return self._exit_ns
