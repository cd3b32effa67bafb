"""
One decision for one coin, from a touch to quotes, in nopython code on one core.

        bbo ─▶ [ on_bbo ▶ believe ▶ govern ▶ price ▶ allocate ] ─▶ quote
                 ^------------------ timed ------------------^

In      a random walk of touches, fixed seed.
Out     nanoseconds for each stage and for the whole, and for the loop with the stages removed (base).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from mmfast.actuary.price import price
from mmfast.executor.allocate import allocate
from mmfast.filter import believe as belief_of
from mmfast.filter.state import FILTER
from mmfast.governor.govern import govern
from mmfast.kernel import kernel
from mmfast.records.belief import BELIEF
from mmfast.records.feature import FEATURES
from mmfast.records.market import BBO
from mmfast.records.quote import MANDATE, QUOTE, SURFACE
from mmfast.rings.atomics import monotonic_ns
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support.parameters import default_parameters

ROWS = ("base", "on_bbo", "believe", "govern", "price", "allocate", "cycle")
STEP_NS = 100_000_000
POSITION_LOTS = 15_000


@kernel
def spend(stages, steps, sizes, sensor, state, params, bbo, features, belief, mandate, surface, quote, took):
    """Run the first ``stages`` stages for every step; ``took`` gets the nanoseconds of each, returns a checksum."""
    checksum = 0
    for k in range(len(steps)):
        bbo["ts_recv_ns"] += STEP_NS
        bbo["ts_exch_ns"] += STEP_NS
        for side in range(2):
            bbo["px_ticks"][side] += steps[k]
            bbo["lots"][side] = sizes[k, side]
        start = monotonic_ns()
        if stages > 0:
            sense.on_bbo(sensor, bbo, features, params)
        if stages > 1:
            belief_of.believe(state, features, belief, params, bbo["ts_recv_ns"])
        if stages > 2:
            govern(belief, POSITION_LOTS, params, mandate)
        if stages > 3:
            price(belief, mandate, params, surface)
        if stages > 4:
            allocate(belief, mandate, surface, params, quote)
        took[k] = monotonic_ns() - start
        checksum += quote["px_ticks"][BID, 0] + quote["lots"][ASK, 0]
    return checksum


def measure(count: int, stages: int) -> tuple[np.ndarray, int]:
    """Nanoseconds of each of ``count`` runs of the first ``stages`` stages, and the checksum of the quotes."""
    random = np.random.default_rng(7)
    params = default_parameters()
    sensor, state = np.zeros(1, SENSOR)[0], np.zeros(1, FILTER)[0]
    sense.begin(sensor, params)
    belief_of.begin(state, params)
    bbo = np.zeros(1, BBO)[0]
    bbo["px_ticks"], bbo["ts_recv_ns"], bbo["ts_exch_ns"] = (999_990, 1_000_010), 10**12, 10**18
    records = [np.zeros(1, dtype)[0] for dtype in (FEATURES, BELIEF, MANDATE, SURFACE, QUOTE)]
    steps = 10 * random.integers(-3, 4, count)
    sizes = random.integers(1, 2_000_000, (count, 2))
    took = np.zeros(count, np.int64)
    return took, spend(stages, steps, sizes, sensor, state, params, bbo, *records, took)


def main() -> None:
    """Print one row for each stage (by difference of medians) and one for the whole cycle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a short run that prints one line")
    count = 2_000 if parser.parse_args().smoke else 200_000
    measure(10, 5)
    runs = [measure(count, stages) for stages in range(6)]
    medians = [float(np.median(took)) for took, _ in runs]
    took, checksum = runs[-1]
    spread = " ".join(f"p{q:g} {np.percentile(took, q):.0f}" for q in (50, 99, 99.9))
    if len(took) > 2_000:
        for name, here, before in zip(ROWS[1:6], medians[1:], medians[:-1]):
            sys.stdout.write(f"{name:10s} {here - before:8.0f} ns\n")
        sys.stdout.write(f"{ROWS[0]:10s} {medians[0]:8.0f} ns\n")
    sys.stdout.write(f"{ROWS[6]:10s} {spread} max {took.max()} ns, n {len(took)}, checksum {checksum}\n")


if __name__ == "__main__":
    main()
