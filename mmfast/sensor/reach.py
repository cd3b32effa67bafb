"""
Reach: how far prints have gone in each second.

In      prints, the time.
Out     of the last whole second: the lowest price that was sold at, the highest that was bought at.
Source  what a quote at some depth would have been filled by; the filter knows the fair value and turns it into rates.
        Prints of our own fills count, too: they went at least as far as our order.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import ASK, BID, NS_PER_S


@kernel
def restart(sensor: np.void) -> None:
    """No second is running."""
    sensor["reach_second"], sensor["reach_ticks"][BID], sensor["reach_ticks"][ASK] = 0, 0, 0


@kernel
def advance(sensor: np.void, features: np.void, now_ns: int) -> None:
    """Tell a second that is over; one that was not watched to its end is not told."""
    second = now_ns // NS_PER_S
    last = sensor["reach_second"]
    if second <= last:
        return
    if last > 0:
        features["reach_ns"] = last * NS_PER_S if second == last + 1 else 0
        for side in range(2):
            features["reach_ticks"][side] = sensor["reach_ticks"][side]
    sensor["reach_second"], sensor["reach_ticks"][BID], sensor["reach_ticks"][ASK] = second, 0, 0


@kernel
def take(sensor: np.void, taker_side: int, px_ticks: int) -> None:
    """A print: sellers go down our bids, buyers up our asks."""
    if taker_side == BID:
        sensor["reach_ticks"][ASK] = max(sensor["reach_ticks"][ASK], px_ticks)
    elif sensor["reach_ticks"][BID] == 0 or px_ticks < sensor["reach_ticks"][BID]:
        sensor["reach_ticks"][BID] = px_ticks
