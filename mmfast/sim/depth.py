"""
Depth: the l2Book channel, whole or rounded to significant figures.

In      a market's levels, ``nSigFigs`` of 2 to 5 or none, ``mantissa`` of 2 or 5 with 5 figures.
Out     the payload of an l2Book frame and of the l2Book request.
Source  the venue's l2Book page and captured frames: 20 levels, or 5 with ``fast``; ``spread`` only when
        rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mmfast.sim import wire
from mmfast.sim.universe import Instrument
from mmfast.units import ASK, BID

SLOW_LEVELS, FAST_LEVELS = 20, 5
SCAN_LEVELS = 1000  # of the book, when levels are merged
Level = tuple[int, int, int]


def are_numbers(figures: Any, mantissa: Any) -> bool:
    """True where both are of a type that the venue can read."""
    return all(one is None or (type(one) is int and one >= 0) for one in (figures, mantissa))


def is_precision(figures: int | None, mantissa: int | None) -> bool:
    """True for the precisions that the venue serves; it drops the connection for others."""
    if figures is None:
        return mantissa is None
    return figures in (2, 3, 4, 5) and (mantissa is None or (figures == 5 and mantissa in (2, 5)))


def step_ticks(px_ticks: int, figures: int, mantissa: int | None) -> int:
    """Width in ticks of one merged level at a price; at least one tick."""
    return max(10 ** (len(str(px_ticks)) - figures), 1) * (mantissa or 1)


def merge(levels: Iterable[Level], side: int, figures: int, mantissa: int | None, limit: int) -> list[Level]:
    """Levels rounded away from the touch and added up, best first, at most ``limit``."""
    merged: dict[int, list[int]] = {}
    for px_ticks, lots, count in levels:
        step = step_ticks(px_ticks, figures, mantissa)
        key = px_ticks // step * step if side == BID else -(-px_ticks // step) * step
        if key not in merged and len(merged) == limit:
            break
        entry = merged.setdefault(key, [0, 0])
        entry[0] += lots
        entry[1] += count
    return [(px, lots, count) for px, (lots, count) in merged.items()]


def book(
    instrument: Instrument,
    time_ms: int,
    figures: int | None = None,
    mantissa: int | None = None,
    fast: bool = False,
) -> dict[str, Any]:
    """The data of an l2Book frame."""
    limit = FAST_LEVELS if fast else SLOW_LEVELS
    bids, asks = instrument.market.depth(SCAN_LEVELS if figures else limit)
    if figures:
        bids = merge(bids, BID, figures, mantissa, limit)
        asks = merge(asks, ASK, figures, mantissa, limit)
    data: dict[str, Any] = {
        "coin": instrument.name,
        "time": time_ms,
        "levels": [[wire.level(instrument, entry) for entry in side] for side in (bids, asks)],
    }
    if figures and bids and asks:
        data["spread"] = wire.decimal(asks[0][0] - bids[0][0], instrument.px_decimals)
    if fast:
        data["fast"] = True
    return data
