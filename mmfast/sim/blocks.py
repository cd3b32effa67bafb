"""
Blocks: when the next block comes, and in which order a block executes what waits for it.

In      a seed, the wall clock in milliseconds, actions that have arrived.
Out     strictly increasing block times about 70 ms apart; actions in the order of execution.
Source  block spacing measured from the venue's bbo times (median 65 to 70 ms); its page on the order book:
        actions without GTC or IOC first, then cancels, then actions with a GTC or IOC.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

MAKERS, CANCELS, TAKERS = 0, 1, 2  # the classes of a block, in order of execution

CANCEL_TYPES = ("cancel", "cancelByCloid")


class BlockClock:
    """A seeded clock of blocks: spacing is normal about ``spacing_ms`` and cut to [40 %, 250 %] of it."""

    def __init__(self, seed: int = 0, spacing_ms: float = 70.0, jitter_ms: float = 9.0) -> None:
        self._random = random.Random(seed ^ 0xB10C)
        self._spacing_ms = spacing_ms
        self._jitter_ms = jitter_ms
        self.height = 0

    def spacing_s(self) -> float:
        """Draw the time to the next block, in seconds."""
        drawn = self._random.gauss(self._spacing_ms, self._jitter_ms)
        self.height += 1
        return min(max(drawn, 0.4 * self._spacing_ms), 2.5 * self._spacing_ms) / 1000.0


def order_class(wire: Any) -> int:
    """The class of one order on the wire: TAKERS for GTC and IOC, else MAKERS."""
    limit = wire.get("t", {}).get("limit") if isinstance(wire, dict) else None
    return MAKERS if not limit or limit.get("tif") == "Alo" else TAKERS


def action_class(action: dict[str, Any]) -> int:
    """
    The class in which a block executes an action.

    A batch with one GTC or IOC order in it is a taker as a whole; a modify counts as the new order it places.
    """
    kind = action.get("type")
    if kind in CANCEL_TYPES:
        return CANCELS
    if kind == "order":
        wires: Iterable[Any] = action.get("orders", ())
    elif not action.get("a"):
        return MAKERS  # a modify without always_place is made an ALO, whatever it asks for
    elif kind == "batchModify":
        wires = (modify.get("order", {}) for modify in action.get("modifies", ()))
    elif kind == "modify":
        wires = (action.get("order", {}),)
    else:
        return MAKERS
    return max(map(order_class, wires), default=MAKERS)
