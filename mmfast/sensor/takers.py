"""
Takers: prints put together to the taker orders that they are parts of.

In      prints, in the order of the feed.
Out     the running order: its side, lots, price levels.
Source  all prints of one order carry the hash of its transaction; 0 is an unknown hash, an order of its own.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import BID


@kernel
def restart(sensor: np.void) -> None:
    """No order is running."""
    sensor["taker"], sensor["taker_side"], sensor["taker_lots"] = 0, 0, 0.0
    sensor["taker_ticks"], sensor["taker_levels"], sensor["taker_imbalance"] = 0, 0, 0.0
    sensor["taker_weight"], sensor["taker_sweep"] = 0.0, 0.0


@kernel
def opens(sensor: np.void, taker: int, side: int) -> bool:
    """True if a print of this taker begins another order."""
    return bool(taker == 0 or taker != sensor["taker"] or side != sensor["taker_side"] or sensor["taker_lots"] <= 0.0)


@kernel
def open_order(sensor: np.void, taker: int, side: int, imbalance: float) -> None:
    """Begin an order; ``imbalance`` is that of the touch it met."""
    restart(sensor)
    sensor["taker"], sensor["taker_side"] = taker, side
    sensor["taker_imbalance"] = imbalance


@kernel
def extend(sensor: np.void, px_ticks: int, lots: float) -> None:
    """Add a print to the running order; a price other than the last one is a further level."""
    if sensor["taker_levels"] == 0 or px_ticks != sensor["taker_ticks"]:
        sensor["taker_levels"] += 1
    sensor["taker_ticks"] = px_ticks
    sensor["taker_lots"] += lots


@kernel
def sign(side: int) -> float:
    """1 for a taker who bought, -1 for one who sold."""
    return 1.0 if side == BID else -1.0
