"""
The displayed book: background and users' orders of one price are one level.

In      a BOOK.
Out     rows (px_ticks, lots, count), best first.
Source  the venue's l2Book: levels sum all orders at a price.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.levels import better
from mmfast.units import ASK, BID


@kernel
def display(book: Any, levels: int, out: Any) -> int:
    """
    Write ``levels`` levels of both sides to ``out`` (2, levels, 3), rows without a level as 0 lots.

    Returns how many rows the longer side has.
    """
    shown = 0
    for side in (BID, ASK):
        row, user = 0, 0
        for k in range(levels):
            px, lots, count = 0, 0, 0
            if row < book["level_count"][side]:
                px = book["px_ticks"][side, row]
            if user < book["user_count"][side]:
                user_px = book["user_px"][side, user]
                if px == 0 or better(side, user_px, px):
                    px = user_px
            if row < book["level_count"][side] and book["px_ticks"][side, row] == px:
                lots += book["lots"][side, row]
                count += book["count"][side, row]
                row += 1
            while user < book["user_count"][side] and book["user_px"][side, user] == px:
                lots += book["user_lots"][side, user]
                count += 1
                user += 1
            out[side, k, 0] = px
            out[side, k, 1] = lots
            out[side, k, 2] = count
            if lots > 0:
                shown = max(shown, k + 1)
    return shown


@kernel
def background_mid(book: Any) -> float:
    """Mid of the background touch [ticks], which no user can move by quoting; NaN if a side is empty."""
    if book["level_count"][BID] == 0 or book["level_count"][ASK] == 0:
        return float("nan")
    return 0.5 * (book["px_ticks"][BID, 0] + book["px_ticks"][ASK, 0])
