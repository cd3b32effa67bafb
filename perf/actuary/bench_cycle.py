"""
One decision for one coin, from a touch to quotes, in nopython code on one core.

        bbo ─▶ [ on_bbo ▶ believe ▶ govern ▶ price ▶ allocate ] ─▶ quote
                 ^------------------ timed ------------------^

In      a random walk of touches, fixed seed; one coin, and fifty that take turns and share one portfolio.
Out     nanoseconds for each stage and for the whole, and for the loop with the stages removed (base); for many coins
        also what the compiled code allocated, which must be nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numba.core.runtime import _nrt_python, rtsys

from mmfast.actuary.price import price
from mmfast.executor.allocate import allocate
from mmfast.filter import believe as belief_of
from mmfast.filter.state import FILTER
from mmfast.governor import portfolio
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
COINS = 50
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


@kernel
def spend_many(steps, sizes, sensors, states, params, bbos, features, beliefs, mandates, surfaces, quotes, book, took):
    """The whole cycle of every coin in turn for every step; ``took`` gets the nanoseconds of each turn."""
    count = len(sensors)
    for k in range(len(steps)):
        for inst in range(count):
            bbo, belief, mandate = bbos[inst], beliefs[inst], mandates[inst]
            bbo["ts_recv_ns"] += STEP_NS
            bbo["ts_exch_ns"] += STEP_NS
            for side in range(2):
                bbo["px_ticks"][side] += steps[(k + inst) % len(steps)]
                bbo["lots"][side] = sizes[k, side]
            start = monotonic_ns()
            sense.on_bbo(sensors[inst], bbo, features[inst], params)
            belief_of.believe(states[inst], features[inst], belief, params, bbo["ts_recv_ns"])
            govern(belief, POSITION_LOTS, params, mandate)
            px = belief["mid_px"]
            portfolio.see(book, inst, px, belief["sigma_bps"], POSITION_LOTS * 1e-5 * px, bbo["ts_recv_ns"])
            long_usd, short_usd = portfolio.caps_usd(book, inst, params["equity_usd"], params["leverage_max"])
            portfolio.confine(mandate, POSITION_LOTS, long_usd, short_usd, px, params)
            price(belief, mandate, params, surfaces[inst])
            allocate(belief, mandate, surfaces[inst], params, quotes[inst])
            took[k * count + inst] = monotonic_ns() - start


def measure_many(count: int, coins: int) -> tuple[np.ndarray, int]:
    """Nanoseconds of each turn of ``coins`` coins, and how often the compiled code allocated."""
    random = np.random.default_rng(7)
    params = default_parameters()
    arrays = {dtype: np.zeros(coins, dtype)
              for dtype in (SENSOR, FILTER, BBO, FEATURES, BELIEF, MANDATE, SURFACE, QUOTE)}
    book = np.zeros(1, portfolio.PORTFOLIO)[0]
    portfolio.begin(book, coins)
    for inst in range(coins):
        sense.begin(arrays[SENSOR][inst], params)
        belief_of.begin(arrays[FILTER][inst], params)
    bbos = arrays[BBO]
    bbos["px_ticks"], bbos["ts_recv_ns"], bbos["ts_exch_ns"] = (999_990, 1_000_010), 10**12, 10**18
    steps, sizes = 10 * random.integers(-3, 4, count), random.integers(1, 2_000_000, (count, 2))
    took = np.zeros(count * coins, np.int64)
    records = (arrays[SENSOR], arrays[FILTER], params, bbos, arrays[FEATURES], arrays[BELIEF], arrays[MANDATE],
               arrays[SURFACE], arrays[QUOTE], book, took)
    _nrt_python.memsys_enable_stats()
    made = [rtsys.get_allocation_stats().alloc]
    for upto in (0, count):  # the call itself allocates for its arguments: less what a call without steps does
        spend_many(steps[:upto], sizes, *records)
        made.append(rtsys.get_allocation_stats().alloc)
    return took, made[2] - made[1] - (made[1] - made[0])


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
        measure_many(2, COINS)
        for coins in (1, COINS):
            turns, allocated = measure_many(count // COINS, coins)
            many = " ".join(f"p{q:g} {np.percentile(turns, q):.0f}" for q in (50, 99, 99.9))
            sys.stdout.write(f"{coins:3d} coins  {many} max {turns.max()} ns, n {len(turns)}, allocated {allocated}\n")
        for name, here, before in zip(ROWS[1:6], medians[1:], medians[:-1]):
            sys.stdout.write(f"{name:10s} {here - before:8.0f} ns\n")
        sys.stdout.write(f"{ROWS[0]:10s} {medians[0]:8.0f} ns\n")
    sys.stdout.write(f"{ROWS[6]:10s} {spread} max {took.max()} ns, n {len(took)}, checksum {checksum}\n")


if __name__ == "__main__":
    main()
