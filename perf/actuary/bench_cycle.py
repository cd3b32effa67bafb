"""
One decision for one coin, from a market record to quotes, with every source speaking, in nopython code on one core.

        record ─▶ [ observe ▶ believe ▶ govern ▶ confine ▶ price ▶ allocate ] ─▶ quote
                    ^----------------------- timed -----------------------^

In      what our maker hears in a generated market (bbo, trades, books, contexts, its own clock), after six minutes:
        all sources speak by then but funding, which needs three hours. The same tape for every one of many coins,
        which take turns and share one portfolio: each has its own state and finds its caches cold.
Out     nanoseconds for each stage and each kind of record, and for the whole cycle of 1, 10 and 50 coins; what the
        compiled code allocated, which must be nothing.
Source  clock_gettime between the stages; what two calls in a row take is taken off each figure of a stage.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from mmfast.actuary.price import price
from mmfast.backtest.world import Room, synthetic
from mmfast.config import load
from mmfast.executor.allocate import allocate
from mmfast.filter import believe as belief_of
from mmfast.filter.state import FILTER
from mmfast.governor import portfolio
from mmfast.governor.govern import govern
from mmfast.hosts.cycle import decide, observe
from mmfast.kernel import kernel
from mmfast.records.belief import BELIEF
from mmfast.records.feature import FEATURES, SOURCE_NAMES
from mmfast.records.market import KIND_GAP, KIND_NAMES, MARKET
from mmfast.records.quote import MANDATE, QUOTE, SURFACE
from mmfast.rings.atomics import monotonic_ns
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR

sys.path.insert(0, str(Path(__file__).parents[2]))
from perf.harness import PERCENTILE_COLUMNS, arguments, environment, percentiles, show

COINS = (1, 10, 50)
WARM_S, TIMED_S = 360.0, 120.0
RECORD_BYTES = MARKET.itemsize
POSITION_LOTS = 2_000
STAGES = ("observe", "believe", "govern", "price", "allocate")
STATE = (SENSOR, FILTER, FEATURES, BELIEF, MANDATE, SURFACE, QUOTE)


@kernel
def run(tape, begin, sensors, states, features, beliefs, mandates, surfaces, quotes, params, book, took):
    """The whole cycle of every coin for every row of ``tape``; from row ``begin`` on, ``took`` gets its time."""
    count, done, base = len(sensors), 0, tape.ctypes.data
    for row in range(len(tape)):
        now_ns = tape[row]["ts_recv_ns"]
        for inst in range(count):
            start = monotonic_ns()
            if not observe(base + row * RECORD_BYTES, sensors[inst], features[inst], params):
                continue
            belief_of.believe(states[inst], features[inst], beliefs[inst], params, now_ns)
            beliefs[inst]["ts_recv_ns"] = now_ns
            decide(book, count, inst, beliefs[inst], POSITION_LOTS, params, mandates[inst], surfaces[inst],
                   quotes[inst])
            if row >= begin and done < len(took):
                took[done] = monotonic_ns() - start
                done += 1
    return done


@kernel
def run_stages(tape, begin, sensors, states, features, beliefs, mandates, surfaces, quotes, params, book, took):
    """One coin; ``took`` (rows, stages + 1) gets the time of each stage and of nothing, for rows with a decision."""
    done, base = 0, tape.ctypes.data
    for row in range(len(tape)):
        start = monotonic_ns()
        decides = observe(base + row * RECORD_BYTES, sensors[0], features[0], params)
        observed = monotonic_ns()
        if not decides:
            continue
        belief_of.believe(states[0], features[0], beliefs[0], params, tape[row]["ts_recv_ns"])
        believed = monotonic_ns()
        govern(beliefs[0], POSITION_LOTS, params, mandates[0])
        governed = monotonic_ns()
        price(beliefs[0], mandates[0], params, surfaces[0])
        priced = monotonic_ns()
        allocate(beliefs[0], mandates[0], surfaces[0], params, quotes[0])
        allocated = monotonic_ns()
        nothing = monotonic_ns()
        if row >= begin:
            took[row, 0], took[row, 1], took[row, 2] = observed - start, believed - observed, governed - believed
            took[row, 3], took[row, 4], took[row, 5] = priced - governed, allocated - priced, nothing - allocated
            done += 1
    return done


@kernel
def run_allocate(belief, mandate, surface, params, quote, took):
    """The same allocation again and again; ``took`` gets the time of each."""
    for k in range(len(took)):
        start = monotonic_ns()
        allocate(belief, mandate, surface, params, quote)
        took[k] = monotonic_ns() - start


def tight(kept: Any, count: int) -> list[list[Any]]:
    """Rows of the hardest allocation: eight levels a side, with the room, the budget, and both used up."""
    beliefs, mandates, surfaces, quotes, params = kept[3].copy(), kept[4].copy(), kept[5].copy(), kept[6], kept[7]
    params = np.array([params])[0]
    params["level_max"], params["depth_max_bps"] = 8, 50.0
    rows = []
    for name, room, share in (("nothing binds", 100.0, 1.0), ("the room binds", 1.5, 1.0),
                              ("the budget binds", 100.0, 0.05), ("both bind", 1.5, 0.005)):
        mandate, took = mandates.copy(), np.zeros(count, np.int64)
        mandate["room_lots"] = round(room * int(params["clip_lots"]))
        mandate["gamma_budget_usd_h"] *= share
        run_allocate(beliefs[0], mandate[0], surfaces[0], params, quotes[0], took)
        rows.append([name, int(quotes[0]["lots"].sum()), *percentiles(took)])
    return rows


def tape_of(seconds: float) -> tuple[Any, Any]:
    """What a maker hears in ``seconds`` of a generated market without its fills, and its parameters."""
    world = synthetic(load(coins=["BTC"], environ={}), ["BTC"], 3, seconds, room=Room(0, 0, round(seconds * 120)))
    world.live(1 << 62)
    tape = world.log("tape")
    raw = tape.view(np.uint8).reshape(len(tape), RECORD_BYTES)  # what a tape holds is in the padding of its dtype
    return raw[tape["kind"] <= KIND_GAP].reshape(-1).view(MARKET), world["parameters"][0]


def states(coins: int, params: Any) -> list[Any]:
    """Fresh records of ``coins`` coins, their parameters and their portfolio, in the order of `run`."""
    arrays: list[Any] = [np.zeros(coins, dtype) for dtype in STATE]
    for inst in range(coins):
        sense.begin(arrays[0][inst], params)
        belief_of.begin(arrays[1][inst], params)
    book = np.zeros(1, portfolio.PORTFOLIO)[0]
    portfolio.begin(book, coins)
    return [*arrays, params, book]


def cycles(tape: Any, begin: int, params: Any, coins: int) -> tuple[Any, int]:
    """Nanoseconds of each cycle of ``coins`` coins, and how often the compiled code allocated."""
    from numba.core.runtime import _nrt_python, rtsys  # after mmfast, which says where numba keeps what it compiles

    took = np.zeros((len(tape) - begin) * coins, np.int64)
    _nrt_python.memsys_enable_stats()
    made, done = [rtsys.get_allocation_stats().alloc], 0
    for rows in (tape[:0], tape):  # the call itself allocates for its arguments: less what a call without rows does
        done = run(rows, begin, *states(coins, params), took)
        made.append(rtsys.get_allocation_stats().alloc)
    return took[:done], made[2] - made[1] - (made[1] - made[0])


def main() -> None:
    """Print the tables: stages, kinds of records, whole cycles by the number of coins."""
    asked = arguments(__doc__, rounds=1)
    environment(asked)
    warm_s, timed_s = (5.0, 5.0) if asked.smoke else (WARM_S, TIMED_S)
    tape, params = tape_of(warm_s + timed_s)
    begin = int(np.searchsorted(tape["ts_recv_ns"], tape["ts_recv_ns"][0] + warm_s * 1e9))
    cycles(tape[:10], 0, params, 2)

    took = np.zeros((len(tape), len(STAGES) + 1), np.int64)
    kept = states(1, params)
    run_stages(tape, begin, *kept, took)
    kinds, decided = tape["kind"], took[:, 1] > 0
    nothing = float(np.median(took[decided, -1]))
    less = took[:, :-1] - nothing
    features = kept[STATE.index(FEATURES)]
    silent = [name for k, name in enumerate(SOURCE_NAMES) if not int(features["valid_mask"][0]) >> k & 1]
    show(asked, "each stage", ("stage", *PERCENTILE_COLUMNS),
         [[name, *percentiles(less[decided, k])] for k, name in enumerate(STAGES)],
         f"less {nothing:.0f} ns for the clock; silent sources: {', '.join(silent) or 'none'}")
    show(asked, "each kind of record: observe", ("kind", "records", *PERCENTILE_COLUMNS),
         [[KIND_NAMES[kind], int((decided & (kinds == kind)).sum()), *percentiles(less[decided & (kinds == kind), 0])]
          for kind in sorted(set(kinds[decided].tolist()))])
    show(asked, "allocation of eight levels a side", ("case", "lots", *PERCENTILE_COLUMNS),
         tight(kept, 100 if asked.smoke else 20_000))
    rows = []
    for coins in (2,) if asked.smoke else COINS:
        figures, allocated = cycles(tape, begin, params, coins)
        rows.append([f"{coins} coins", len(figures), *percentiles(figures), float(figures.mean()), allocated])
    show(asked, "whole cycle of one coin", ("coins", "cycles", *PERCENTILE_COLUMNS, "mean ns", "allocated"), rows,
         "linear in coins: the mean of a cycle does not grow, but for what the caches no longer hold")


if __name__ == "__main__":
    main()
