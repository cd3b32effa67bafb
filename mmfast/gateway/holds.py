"""
Holds: what the venue refuses for a reason that lasts is not asked for again at once, but later and later.

In      answers to placements.
Out     until when nothing is placed on a side of a coin, and nothing taken.
Source  the venue's rate limits: a refused order is an action like any other, one that expired on its way is five.

A quoter that wants an order asks for it with every quote. Refused for margin or at a cap of open interest, that would
be thirty actions a second, and the budget of a fresh address gone in six minutes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mmfast.records.order import TAKER, TIF_IOC
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid.errors import reject_reason
from mmfast.venues.hyperliquid.messages import FILLED, REFUSED, RESTING, OrderAnswer

FIRST_NS, MAX_NS, EXPIRED_MAX_NS = NS_PER_S, 15 * NS_PER_S, 60 * NS_PER_S
PASSING = ("post_only", "no_match")  # the market has moved, and the next quote knows it


class Holds:
    """``until_ns`` is int64 of shape (instruments, 3), the columns as in ORDER_KINDS; the last-hop limits' own."""

    def __init__(self, until_ns: np.ndarray) -> None:
        self.until_ns = until_ns
        self._wait_ns = np.full(until_ns.shape, FIRST_NS)

    def answered(self, batch: Iterable[tuple[np.void, OrderAnswer]], now_ns: int) -> dict[tuple[int, int], str]:
        """
        Orders and their answers; by instrument and column the words of refusals that a wait begins with.

        A wait grows until all of its kind that a batch asks for is taken.
        """
        refused: dict[tuple[int, int], str] = {}
        taken: set[tuple[int, int]] = set()
        for order, answer in batch:
            kind = int(order["inst"]), TAKER if order["tif"] == TIF_IOC else int(order["side"])
            if answer.kind == REFUSED and reject_reason(answer.text) not in PASSING:
                refused[kind] = answer.text
            elif answer.kind in (RESTING, FILLED):
                taken.add(kind)
        for kind in taken - set(refused):
            self._wait_ns[kind] = FIRST_NS
        return {kind: text for kind, text in refused.items() if self._begin(kind, text, now_ns)}

    def _begin(self, kind: tuple[int, int], text: str, now_ns: int) -> bool:
        """Hold a kind, or all if orders expire: that is the clock or the way. False if it is held already."""
        if now_ns < self.until_ns[kind]:
            return False
        expired = reject_reason(text) == "expired"
        wait_ns = int(self._wait_ns[kind])
        where = np.s_[:] if expired else kind
        self.until_ns[where] = now_ns + wait_ns
        self._wait_ns[where] = min(2 * wait_ns, EXPIRED_MAX_NS if expired else MAX_NS)
        return True
