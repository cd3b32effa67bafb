"""
Moves: what changing an order in one action would save, keep and risk, against canceling it and placing another.

In      a recording's folder, else a generated market; the whole engine's kernels in virtual time.
Out     one row for each latency: orders, moves, places in a queue that could be kept, races with a fill.
Source  an order and its cancel carry the time they were decided at. The venue makes a change of price, or a larger
        size, a new order at the end of the queue; of what traded meanwhile a change knows nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mmfast.backtest.world import Room, World, recorded, synthetic
from mmfast.config import load
from mmfast.records.order import CANCELED, FREE
from mmfast.units import NS_PER_S, UUSD_PER_USD
from perf.harness import arguments, show

COINS = ["BTC", "ETH", "SOL"]
SECONDS, SMOKE_SECONDS = 7200.0, 20.0
COLUMNS = ("latency", "minutes", "orders", "cancels", "moves", "of actions", "volume $", "smaller, same price",
           "moved though traded", "of them in part")
Orders = np.ndarray[Any, Any]


def orders_of(world: World) -> Orders:
    """Every order of a run in its last state: slots are read before they are used again."""
    seen: dict[int, Any] = {}
    end_ns = int(world.block_ns[-1])
    for until_ns in range(world.start_ns + NS_PER_S, end_ns + NS_PER_S, NS_PER_S):
        world.live(min(until_ns, end_ns))
        used = world["orders"][world["orders"]["state"] != FREE]
        seen.update(zip(used["cloid_lo"].tolist(), used.copy()))
    return np.array(list(seen.values()))


def side_of(orders: Orders, stamp: str) -> list[tuple[int, int, int]]:
    """Of each order the decision ``stamp`` of its coin and side."""
    return list(zip(orders[stamp].tolist(), orders["inst"].tolist(), orders["side"].tolist()))


def row(latency: str, world: World) -> list[Any]:
    """One row: a move is a cancel with a placement on its side in the same decision."""
    orders, fills = orders_of(world), world.log("fills")
    gone = orders[orders["ts_cancel_ns"] > 0]
    placed: dict[tuple[int, int, int], list[Any]] = {}
    for key, order in zip(side_of(orders, "ts_written_ns"), orders):
        placed.setdefault(key, []).append(order)
    moves = kept = raced = partly = 0
    for key, order in zip(side_of(gone, "ts_cancel_ns"), gone):
        if not placed.get(key):
            continue
        moves += 1
        new = placed[key].pop()
        kept += new["px_ticks"] == order["px_ticks"] and new["lots"] <= order["lots"]
        late = (fills["cloid_lo"] == order["cloid_lo"]) & (fills["ts_recv_ns"] > order["ts_cancel_ns"])
        raced += late.any()
        partly += late.any() and order["state"] == CANCELED
    actions = len(orders) + len(gone)
    volume = float((fills["px_ticks"] * fills["lots"]).sum()) / UUSD_PER_USD
    minutes = (world.block_ns[-1] - world.start_ns) / NS_PER_S / 60
    return [latency, minutes, len(orders), len(gone), moves, f"{moves / actions:.0%}", volume, kept, raced, partly]


def main() -> None:
    """Print the rows."""
    asked = arguments(__doc__, rounds=1)
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
    config, seconds = load(coins=COINS, environ={}), SMOKE_SECONDS if asked.smoke else SECONDS
    rows = []
    for latency in ("lan", "hl"):
        room = Room(samples=0)
        is_there = folder.is_dir() and not asked.smoke
        world = (recorded(config, folder, COINS, 1, seconds, latency, room) if is_there
                 else synthetic(config, COINS, 1, seconds, latency, room))
        rows.append(row(latency, world))
    show(asked, "Moves of orders", COLUMNS, rows, f"market: {folder.name if folder.is_dir() else 'generated'}. "
         "of actions: what would be saved where a change counts as one. moved though traded: the old order traded "
         "between its cancel and the venue's answer; a change would not have placed the new one where all of it did.")


if __name__ == "__main__":
    main()
