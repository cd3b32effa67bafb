"""
Predict: the core on recorded data, and its one-step forecasts against simple ones.

In      a folder of recordings (formats.py).
Out     how many numbers were not finite (none); a table of forecasts as measured, also where we lose (forecasts.py).
Source  the kernels of the engine's cycle, one record after the other, as in virtual time; nothing is traded.

`bin/predict FOLDER [--only WORD] [--json]` prints it; exit code 1 if a number was not finite or a set is missing.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mmfast.backtest import forecasts, formats
from mmfast.backtest.captures import Capture, wide
from mmfast.backtest.forecasts import Score
from mmfast.backtest.publish import RECORD_BYTES
from mmfast.backtest.trader import hear
from mmfast.backtest.world import MAX_LEVERAGE, Room, World, restart, synthetic
from mmfast.config import EngineConfig, load
from mmfast.kernel import kernel
from mmfast.records.belief import BELIEF, BELIEF_OK
from mmfast.records.header import bare
from mmfast.records.market import BBO, BOOK, KIND_BBO, KIND_BOOK, KIND_TIMER, KIND_TRADE, TRADE
from mmfast.records.quote import QUOTE
from mmfast.rings.atomics import as_record
from mmfast.runtime.parameters import parameters
from mmfast.units import NS_PER_S, ticks_per_usd

Array = np.ndarray[Any, Any]
NAMED = {"BTC": "BTC", "ETH": "ETH", "SOL": "SOL", "BTCUSDT": "BTC", "ETHUSDT": "ETH"}  # others: as BTC

SEEN = bare(("ts_ns", "i8"), ("status", "i8"), ("mid_px", "f8"), ("fair_px", "f8"), ("mu_bps_s", "f8"), ("theta", "f8"),
            ("sigma_bps", "f8"), ("kappa", "f8", (2,)), ("intensity", "f8", (2,)), size=128)


@kernel
def attend(runs: Any, rows: Any, seen: Any) -> tuple[int, int]:
    """Hear every row; ``seen`` gets one each second. Returns how many, and how often a number was not finite."""
    me, count, wrong = runs[0], 0, 0
    base = rows.ctypes.data
    for k in range(len(rows)):
        if not hear(me, base + k * RECORD_BYTES):
            continue
        belief, quote = as_record(me["beliefs_at"], BELIEF), as_record(me["quotes_at"], QUOTE)
        if not is_finite(belief, quote):
            wrong += 1
        if rows[k]["kind"] == KIND_TIMER and rows[k]["ts_recv_ns"] % NS_PER_S == 0 and count < len(seen):
            _note(belief, quote, rows[k]["ts_recv_ns"], seen[count])
            count += 1
    return count, wrong


@kernel
def is_finite(belief: Any, quote: Any) -> bool:
    """True unless a usable belief, or a quote, has a number in it that is none."""
    total = 0.0
    for side in range(2):
        for level in range(quote["level_count"][side]):
            total += quote["edge_bps"][side, level] + quote["fill_rate"][side, level]
            total += quote["value_usd_h"][side, level]
    if belief["status"] == BELIEF_OK:
        total += belief["fair_px"] + belief["v_bps"] + belief["v_var"] + belief["mu_bps_s"] + belief["mu_var"]
        total += belief["vmu_cov"] + belief["sigma_bps"] + belief["log_sigma_var"] + belief["theta"]
        total += belief["mode_p"][0] + belief["mode_p"][1] + belief["mode_p"][2]
        total += quote["gamma"] + quote["sigma_bps"] + quote["a_bps"] + quote["reservation_px"]
    return math.isfinite(total)


@kernel
def _note(belief: Any, quote: Any, ts_ns: int, row: Any) -> None:
    row["ts_ns"], row["status"], row["fair_px"] = ts_ns, belief["status"], belief["fair_px"]
    row["mu_bps_s"], row["theta"], row["sigma_bps"] = belief["mu_bps_s"], belief["theta"], belief["sigma_bps"]
    for side in range(2):
        row["kappa"][side], row["intensity"][side] = quote["kappa"][side], quote["intensity"][side]


def trader(config: EngineConfig, capture: Capture) -> World:
    """A world whose trader holds the parameters of the capture's coin and knows nothing."""
    coin = NAMED.get(capture.coin, "BTC")
    world = synthetic(config, [coin], 1, 1.0, room=Room(fills=0, samples=0))
    world["parameters"][0] = parameters(config, coin, sz_decimals=capture.sz_decimals, max_leverage=MAX_LEVERAGE,
                                        mark_px=first_px(capture))
    restart(world)
    return world


def first_px(capture: Capture) -> float:
    """A price of the capture to size orders with [USD]; 1 where it has none."""
    for kind, dtype in ((KIND_BBO, BBO), (KIND_TRADE, TRADE), (KIND_BOOK, BOOK)):
        found = capture.rows.view(wide(dtype))["px_ticks"][np.flatnonzero(capture.rows["kind"] == kind)[:1]].ravel()
        if len(found) and found[0] > 0:
            return float(found[0]) / ticks_per_usd(capture.sz_decimals)
    return 1.0


class Heard(NamedTuple):
    """One set: how much was heard, how often a number was not finite, how often a reading of it was refused."""

    name: str
    coins: int
    records: int
    wrong: int
    refused: int


def follow(config: EngineConfig, capture: Capture) -> tuple[Array, Heard]:
    """What the core believed each second of the capture (rows of SEEN), and how it went."""
    world = trader(config, capture)
    ticks = capture.rows["ts_recv_ns"][capture.rows["kind"] == KIND_TIMER]
    seen = np.zeros(int((ticks % NS_PER_S == 0).sum()), SEEN)
    count, wrong = attend(world.run, capture.rows, seen)
    seen = seen[:count]
    seen["mid_px"] = forecasts.mids(capture, seen["ts_ns"])
    return seen, Heard(capture.name, 1, len(capture.rows), wrong, int(world["filters"][0]["reject_count"]))


def hear_set(config: EngineConfig, folder: Path, name: str, pattern: str, reader: formats.Reader,
             ) -> tuple[Heard, list[Score]]:
    """One set: what was heard, and the forecasts on each of its captures."""
    whole, rows = Heard(name, 0, 0, 0, 0), []
    for capture in formats.read(folder, name, pattern, reader):
        seen, heard = follow(config, capture)
        whole = Heard(name, *(a + b for a, b in zip(whole[1:], heard[1:], strict=True)))
        rows += forecasts.scored(capture, seen)
    return whole, rows


def lines(heard: list[Heard], rows: list[Score]) -> list[str]:
    """What was heard and the table, as text."""
    text = [f"{one.name:44s} {one.coins:4d} coins {one.records:9,d} records {one.wrong:3d} not finite "
            f"{one.refused:5d} readings refused" for one in heard]
    last = ""
    for name, what, gain in rows:
        if name != last:
            text += ["", f"{name:52s} {'seconds':>8s} {'ours':>9s} {'simple':>9s} {'gain':>9s} {'95 % interval':>19s}"]
            last = name
        text.append(f"  {what:50s} {gain.seconds:8d} {gain.ours:9.4f} {gain.baseline:9.4f} {gain.gain:9.4f} "
                    f"{gain.low:9.4f} {gain.high:9.4f}  {gain.verdict}")
    return text


def main(arguments: list[str]) -> int:
    """Hear everything, score what can be scored, print."""
    parser = argparse.ArgumentParser("bin/predict", description="The core on recorded data, and its forecasts.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="sets whose name has this in it, such as 'Binance'")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    asked = parser.parse_args(arguments)
    chosen = [one for one in formats.SETS if asked.only in one[0]]
    if not asked.folder.is_dir() or not chosen:
        parser.error(f"{asked.folder} is no folder: name that of the recordings" if chosen else
                     f"no set has {asked.only!r} in its name: {', '.join(one[0] for one in formats.SETS)}")
    heard, rows = hear_sets(load(coins=sorted(set(NAMED.values()))), asked.folder, chosen)
    if asked.json:
        sys.stdout.write(json.dumps({"heard": [one._asdict() for one in heard], "scores": [
            {"capture": s.name, "what": s.what, **s.gain._asdict(), "verdict": s.gain.verdict} for s in rows]}) + "\n")
    else:
        sys.stdout.write("\n".join(lines(heard, rows)) + "\n")
    if not any(one.records for one in heard):
        sys.stderr.write(f"nothing was heard: {asked.folder} has none of the sets\n")
    return 1 if any(one.wrong or not one.records for one in heard) else 0


def hear_sets(config: EngineConfig, folder: Path, chosen: list[formats.Set]) -> tuple[list[Heard], list[Score]]:
    """One set after the other, with a bar on standard error."""
    heard, rows = [], []
    with Progress(TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                  console=Console(stderr=True)) as bars:
        bar = bars.add_task("sets", total=len(chosen))
        for one in chosen:
            bars.update(bar, description=one[0])
            whole, scored = hear_set(config, folder, *one)
            heard.append(whole)
            rows += scored
            bars.advance(bar)
    return heard, rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
