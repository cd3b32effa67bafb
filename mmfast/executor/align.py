"""
Alignment: which live order serves which wanted level, so that the fewest orders move for the most value.

In      live orders of one side and wanted levels, both from the touch outwards; what each pairing is worth.
Out     for each order the level that it serves (-1: none), for each level its order (-1: none).
Source  sequence alignment by dynamic programming (Needleman & Wunsch 1970), in dollars instead of letters.

When a ladder shifts by one step the orders change levels and stay where they are: one is canceled at the far end
and one placed at the near end. Orders never swap, so pairings keep their order and a table of sums is enough.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.records.quote import QUOTE_LEVELS

HOLD_MAX = 32  # live orders of one side that are looked at; more are a fault, and then nothing is placed
NEVER = -np.inf
PINNED = -1e9  # not serving a level is worse than anything for an order that may not be touched
_PAIR, _LEAVE, _PLACE = 1, 2, 3

# keep_usd[i, j]: worth of order i serving level j, NEVER if it must not. leave_usd[i]: worth of canceling it.
# place_usd[j]: worth of a new order at level j. level[i], order[j]: the answer.
ALIGNMENT = bare(
    ("order_count", "i8"),
    ("level_count", "i8"),
    ("keep_usd", "f8", (HOLD_MAX, QUOTE_LEVELS)),
    ("leave_usd", "f8", (HOLD_MAX,)),
    ("place_usd", "f8", (QUOTE_LEVELS,)),
    ("level", "i8", (HOLD_MAX,)),
    ("order", "i8", (QUOTE_LEVELS,)),
    ("best_usd", "f8", (HOLD_MAX + 1, QUOTE_LEVELS + 1)),
    ("choice", "i8", (HOLD_MAX + 1, QUOTE_LEVELS + 1)),
    size=7616,
)


@kernel
def _tabulate(a: np.void) -> None:
    """Best worth of the first i orders and first j levels, and the last step on the way there."""
    for i in range(a["order_count"] + 1):
        for j in range(a["level_count"] + 1):
            best, choice = (0.0, 0) if i + j == 0 else (NEVER, 0)
            # At equal worth a pairing wins: doing nothing is the cheaper of two equal things.
            if i > 0 and j > 0 and a["best_usd"][i - 1, j - 1] + a["keep_usd"][i - 1, j - 1] > best:
                best, choice = a["best_usd"][i - 1, j - 1] + a["keep_usd"][i - 1, j - 1], _PAIR
            if i > 0 and a["best_usd"][i - 1, j] + a["leave_usd"][i - 1] > best:
                best, choice = a["best_usd"][i - 1, j] + a["leave_usd"][i - 1], _LEAVE
            if j > 0 and a["best_usd"][i, j - 1] + a["place_usd"][j - 1] > best:
                best, choice = a["best_usd"][i, j - 1] + a["place_usd"][j - 1], _PLACE
            a["best_usd"][i, j] = best
            a["choice"][i, j] = choice


@kernel
def align(a: np.void) -> float:
    """Fill ``level`` and ``order`` of an ALIGNMENT; returns the worth of the best alignment [USD]."""
    _tabulate(a)
    i, j = a["order_count"], a["level_count"]
    for k in range(i):
        a["level"][k] = -1
    for k in range(j):
        a["order"][k] = -1
    while i + j > 0:
        choice = a["choice"][i, j]
        if choice == _PAIR:
            i, j = i - 1, j - 1
            a["level"][i], a["order"][j] = j, i
        elif choice == _LEAVE:
            i -= 1
        else:
            j -= 1
    return float(a["best_usd"][a["order_count"], a["level_count"]])
