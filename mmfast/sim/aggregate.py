"""
Aggregation: the fills of one crossing order in one block as one fill.

In      fills as the exchange keeps them, in any one order of time.
Out     fills where those with the same order, time and role of taker are merged.
Source  the venue's userFills page: partial fills are combined when a crossing order is filled by several resting
        ones; a resting order filled by several crossing ones is not combined.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Json = dict[str, Any]


def plain(value: Decimal) -> str:
    """A decimal as the venue writes it."""
    text = f"{value:f}"
    return (text.rstrip("0") + "0" if text.rstrip("0").endswith(".") else text.rstrip("0")) if "." in text \
        else text + ".0"


def merge(first: Json, then: Json) -> Json:
    """One fill out of two, at their mean price; position, direction and tid are those of the first."""
    sizes = Decimal(first["sz"]), Decimal(then["sz"])
    size = sum(sizes)
    px = (Decimal(first["px"]) * sizes[0] + Decimal(then["px"]) * sizes[1]) / size
    sums = {key: plain(Decimal(first[key]) + Decimal(then[key])) for key in ("closedPnl", "fee")}
    return {**first, "px": plain(round(px, 8)), "sz": plain(Decimal(size)), **sums}


def aggregated(fills: list[Json]) -> list[Json]:
    """``fills``, oldest first, with those of one crossing order and block merged."""
    made: list[Json] = []
    for fill in fills:
        last = made[-1] if made else None
        if last and fill["crossed"] and last["crossed"] and (last["oid"], last["time"]) == (fill["oid"], fill["time"]):
            made[-1] = merge(last, fill)
        else:
            made.append(fill)
    return made
