"""
Virtual time: events a second and virtual seconds a second, in a generated market and in the whole engine's kernels.

In      --smoke for a short run that prints one line.
Out     one row for each number of coins: events/s, virtual seconds/s, decisions/s.
Source  wall-clock time of `World.live` after a first, untimed second that loads the kernels.
"""

from __future__ import annotations

import argparse
import sys
import time

from mmfast.backtest.world import Room, synthetic
from mmfast.config import load
from mmfast.units import NS_PER_S

COINS = ("BTC", "ETH", "SOL")


def measure(count: int, seconds: float) -> tuple[float, float, float]:
    """Events, virtual seconds and decisions for each second of ours, with ``count`` coins."""
    coins = list(COINS[:count])
    world = synthetic(load(coins=coins, environ={}), coins, 1, seconds + 1.0, room=Room(fills=0, samples=0))
    world.live(world.start_ns + NS_PER_S)
    decisions = int(world.run["quote_seq"][0])
    start = time.perf_counter()
    events = world.live(1 << 62)
    took = time.perf_counter() - start
    return events / took, seconds / took, (int(world.run["quote_seq"][0]) - decisions) / took


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a short run that prints one line")
    smoke = parser.parse_args().smoke
    for count in (1,) if smoke else (1, 2, 3):
        rates = [measure(count, 20.0 if smoke else 1800.0) for _ in range(1 if smoke else 3)]
        events, virtual, decisions = (sorted(column)[len(column) // 2] for column in zip(*rates))
        sys.stdout.write(f"{count} coin(s): {events:,.0f} events/s, {virtual:,.0f} virtual s/s, "
                         f"{decisions:,.0f} decisions/s\n")


if __name__ == "__main__":
    main()
