"""
The incident: ten minutes of bearish drift, our maker against a symmetric one of constant risk aversion.

In      a number of seeds; a generated market whose drift is held at the incident's after a calm beginning.
Out     seconds until bids are gone or lie 3 bps further than asks, worst adverse inventory, P&L, and the ratios.
Source  the size: 6.94 coins bought evenly over ten minutes lost $0.84, so the price fell by 2 x 0.84 / 6.94 =
        $0.242 a coin, 84 bps of a price near $29: 0.14 bps/s. Guéant, Lehalle & Fernandez-Tapia (2013) for the
        other maker.

The other maker is the same kernels with parameters that switch off what it does not have: no drift (drift_sd),
no source of one and no flow (switches), no learning from fills, one mode, no curve of aversion in inventory. It
keeps fair value, volatility, costs, the linear inventory skew of a constant gamma, and the same limits.

`bin/incident [--seeds N] [--coin COIN] [--json]` prints it, by default for 200 seeds of BTC on two processes (two
minutes); levels and rates of the generator follow recordings of BTC, ETH and SOL only.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from mmfast.backtest import progress
from mmfast.backtest.world import START_MS, Room, World, synthetic
from mmfast.config import EngineConfig, load
from mmfast.records.feature import SOURCE_BIPOWER, SOURCE_MICROPRICE, SOURCE_NAMES
from mmfast.units import NS_PER_MS, NS_PER_S, UUSD_PER_USD

Array = np.ndarray[Any, Any]
DRIFT_BPS_S, DRIFT_S, CALM_S = -0.14, 600.0, 300.0
FURTHER_BPS = 3.0
KEPT_SOURCES = (1 << SOURCE_MICROPRICE) | (1 << SOURCE_BIPOWER)
ALL_SOURCES = (1 << len(SOURCE_NAMES)) - 1


class Outcome(NamedTuple):
    """One maker in one incident. ``reaction_s`` is infinite if it never reacted; P&L of the ten minutes."""

    reaction_s: float
    guarded_share: float  # of the ten minutes in which bids were gone or far
    worst_usd: float  # largest long position
    end_usd: float  # position at the end
    pnl_usd: float
    volume_usd: float


def symmetric(world: World) -> None:
    """Make the trader of ``world`` the symmetric one."""
    one = (1.0, 1.0, 1.0)
    for name, value in {"drift_sd": 1e-9, "gamma_curve": 0.0, "mode_gamma": one, "mode_adverse": one,
                        "kappa_sigma_power": 0.0, "mode_limit": one}.items():
        world["parameters"][name] = value
    world["switches"]["sources"] = ALL_SOURCES & ~KEPT_SOURCES
    for name in ("flow_imbalance", "activity", "tail", "funding", "fills"):
        world["switches"][name] = 1


def incident(config: EngineConfig, coin: str, seed: int, ours: bool) -> Outcome:
    """One seed: calm, then the drift."""
    world = synthetic(config, [coin], seed, CALM_S + DRIFT_S, "lan", Room(fills=0, samples=4000), sample_s=0.25)
    if not ours:
        symmetric(world)
    begin_ns = START_MS * NS_PER_MS + round(CALM_S * NS_PER_S)
    world.live(begin_ns)
    world["states"]["drift_rate"] = 0.0  # the drift stays what it is: no reversion, no noise
    world["states"]["drift_bps_s"] = DRIFT_BPS_S
    world.live(1 << 62)
    return measure(world, begin_ns)


def measure(world: World, begin_ns: int) -> Outcome:
    """What happened from ``begin_ns`` on."""
    samples = world.log("samples")
    before, rows = samples[samples["ts_ns"] < begin_ns][-1], samples[samples["ts_ns"] >= begin_ns]
    guarded = is_guarded(rows)
    reaction_s = float(rows["ts_ns"][guarded][0] - begin_ns) / NS_PER_S if guarded.any() else np.inf
    usd = rows["position_lots"] * rows["mid_ticks"] / UUSD_PER_USD
    return Outcome(reaction_s, float(guarded.mean()), float(max(usd.max(), 0.0)), float(usd[-1]),
                   float(rows["equity_uusd"][-1] - before["equity_uusd"]) / UUSD_PER_USD,
                   float(world["ledgers"][0]["volume_uusd"]) / UUSD_PER_USD)


def is_guarded(samples: Array) -> Array:
    """True where no bid is wanted, or the first bid lies FURTHER_BPS further from the mid than the first ask."""
    mid, bid, ask = samples["mid_ticks"], samples["bid_ticks"], samples["ask_ticks"]
    far = ((mid - bid) - (ask - mid)) / mid * 1e4 > FURTHER_BPS
    return np.asarray((bid == 0) | ((ask > 0) & far))


def pair(config: EngineConfig, coin: str, seed: int) -> tuple[Outcome, Outcome]:
    """Both makers on one seed: ours, the symmetric one."""
    return incident(config, coin, seed, True), incident(config, coin, seed, False)


def run(config: EngineConfig, coin: str, seeds: range, processes: int = 1,
        told: Callable[[int], None] = lambda done: None) -> dict[str, list[Outcome]]:
    """Both makers on the same seeds; ``told`` hears how many seeds are done. The result is that of one process."""
    if processes == 1:
        return _collect((pair(config, coin, seed) for seed in seeds), told)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return _collect(pool.map(pair, repeat(config), repeat(coin), seeds), told)


def _collect(pairs: Iterable[tuple[Outcome, Outcome]], told: Callable[[int], None]) -> dict[str, list[Outcome]]:
    done: list[tuple[Outcome, Outcome]] = []
    for both in pairs:
        done.append(both)
        told(len(done))
    return {"ours": [ours for ours, _ in done], "symmetric": [other for _, other in done]}


def columns(outcomes: list[Outcome]) -> dict[str, Array]:
    """The outcomes as arrays by name."""
    return {name: np.array([getattr(o, name) for o in outcomes]) for name in Outcome._fields}


def lines(results: dict[str, list[Outcome]]) -> list[str]:
    """Medians, tails and ratios as text."""
    ours, other = columns(results["ours"]), columns(results["symmetric"])
    text = [f"{len(ours['pnl_usd'])} seeds, drift {DRIFT_BPS_S} bps/s for {DRIFT_S:.0f} s",
            f"{'':44s} {'ours':>12s} {'symmetric':>12s} {'ratio':>8s}"]

    def row(name: str, a: float, b: float) -> None:
        ratio = a / b if b else float("nan")
        text.append(f"{name:44s} {a:12.2f} {b:12.2f} {ratio:8.3f}")

    for q in (50, 90):
        row(f"seconds until bids are gone or far, p{q}", _quantile(ours["reaction_s"], q),
            _quantile(other["reaction_s"], q))
    row("never reacted, % of seeds", 100 * float(np.isinf(ours["reaction_s"]).mean()),
        100 * float(np.isinf(other["reaction_s"]).mean()))
    row("bids gone or far, % of the time", 100 * float(ours["guarded_share"].mean()),
        100 * float(other["guarded_share"].mean()))
    for q in (50, 90, 100):
        row(f"largest long position, p{q} [USD]", _quantile(ours["worst_usd"], q), _quantile(other["worst_usd"], q))
    row("largest long position, mean [USD]", float(ours["worst_usd"].mean()), float(other["worst_usd"].mean()))
    row("P&L, mean [USD]", float(ours["pnl_usd"].mean()), float(other["pnl_usd"].mean()))
    for q in (1, 5, 25, 50, 75, 95):
        row(f"P&L, p{q} [USD]", _quantile(ours["pnl_usd"], q), _quantile(other["pnl_usd"], q))
    row("volume, mean [USD]", float(ours["volume_usd"].mean()), float(other["volume_usd"].mean()))
    better = float((ours["pnl_usd"] > other["pnl_usd"]).mean())
    text.append(f"ours earns more on {100 * better:.0f} % of seeds")
    return text


def _quantile(values: Array, percent: float) -> float:
    """A quantile of what may be infinite."""
    return float(np.percentile(values, percent, method="inverted_cdf"))


def main(arguments: list[str]) -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser("bin/incident", description="Ten minutes of drift: our maker and a symmetric one.")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--coin", default="BTC")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="every seed as one JSON object instead of the table")
    asked = parser.parse_args(arguments)
    with progress.bars() as bars:
        task = bars.add_task("seeds", total=asked.seeds)
        results = run(load(coins=[asked.coin]), asked.coin, range(asked.seeds), asked.processes,
                      lambda done: bars.update(task, completed=done))
    if asked.json:
        sys.stdout.write(json.dumps({maker: [{name: value if math.isfinite(value) else None
                                              for name, value in one._asdict().items()} for one in outcomes]
                                     for maker, outcomes in results.items()}) + "\n")
    else:
        sys.stdout.write("\n".join(lines(results)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
