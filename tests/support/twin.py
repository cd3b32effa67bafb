"""
One story told to all stages, compiled or not: run as a script, it saves every record of the last moment.

In      the path to save to.
Out     an .npz with the records' fields after each of some moments.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from support.stages import Desk

ABSURD = (0, -1, 10**15, -(10**15), 2**62, 7)


def story(random: np.random.Generator) -> Desk:
    """A minute of a market, with all kinds of records, fills, and nonsense."""
    desk, px = Desk(gamma_budget_share_h=1e-3), 1_000_000
    for k in range(600):
        at_s, px = 0.1 * k, px + 10 * int(random.integers(-3, 4))
        desk.bbo(at_s, px - 10, px + 10, int(random.integers(1, 900_000)), int(random.integers(1, 900_000)))
        if k % 3 == 0:
            desk.trade(at_s, int(random.integers(0, 2)), int(random.integers(1, 90_000)), taker=k)
        if k % 20 == 0:
            desk.timer(at_s)
            desk.ctx(at_s, [1.25e-5, np.nan, np.inf, 1e300][k // 20 % 4])
            asks = [(px + 10 + 10 * j, 90) for j in range(k % 6)]
            desk.book(at_s, [(px - 10 - 10 * j, 100 + j) for j in range(5)], asks)
        if k % 50 == 25:
            desk.fill(at_s, k // 50 % 2, px + 30, 1500, exch_ns=k)
            desk.bbo(at_s, *random.choice(ABSURD, 4).tolist())
            desk.fill(at_s, int(random.integers(-1, 3)), *random.choice(ABSURD, 2).tolist())
            desk.trade(at_s, int(random.integers(-1, 3)), int(random.choice(ABSURD)))
        if k % 140 == 139:
            desk.gap(at_s)
        desk.decide((k - 300) * 150)
    return desk


def main(path: str) -> None:
    """Tell the story and save what it left."""
    warnings.simplefilter("error")
    desk = story(np.random.default_rng(20))
    records = {f"{name}_{field}": getattr(desk, name)[field]
               for name in ("sensor", "filter", "features", "belief", "mandate", "surface", "quote")
               for field in getattr(desk, name).dtype.names}
    flat = {name: np.atleast_1d(value).view("f8") if value.dtype.names else value for name, value in records.items()}
    np.savez(path, **flat)


if __name__ == "__main__":
    main(sys.argv[1])
