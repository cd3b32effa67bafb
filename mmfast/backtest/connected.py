"""
No disconnected model: every source and every part of the model, switched off alone, must change the quotes.

In      a recorded market and the fills of our maker in it.
Out     a table: what is switched off, and how much depth and size of bid and ask change.
Source  ablation, one at a time (Meyes et al. 2019): a part whose absence changes nothing is not part of it.

`bin/connected FOLDER [--coin COIN] [--seconds S] [--json]` prints it; exit code 1 if a row is zero that is not
declared off. With the word `generated` for FOLDER the market is generated: it has what no recording has.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

import numpy as np

from mmfast.backtest.tape import replay
from mmfast.backtest.world import Room, World, recorded, synthetic
from mmfast.config import EngineConfig, load
from mmfast.records.feature import SOURCE_NAMES
from mmfast.units import ASK, BID

Array = np.ndarray[Any, Any]
GENERATED = "generated"
ROWS_PER_S = 80  # of a tape, at most
SAME_BPS = 1e-6  # less than this is no change

# Nothing to see in a recording, and why. A generated market has all of it.
NOT_RECORDED = "no context was recorded"
TOO_SHALLOW = "the twenty recorded levels end before 10 bps"
DECLARED_OFF = {"funding": NOT_RECORDED, "source: basis": NOT_RECORDED, "source: funding": NOT_RECORDED,
                "source: open interest": NOT_RECORDED, "source: oracle": NOT_RECORDED,
                "source: book gradient": TOO_SHALLOW, "source: deep book imbalance": TOO_SHALLOW,
                "source: lead-lag": "no other venue was recorded beside it",
                "toxicity: VPIN": "fifty buckets of volume are more than half an hour of it",
                "context: forced orders": NOT_RECORDED, "context: fragile book": TOO_SHALLOW}
# In the generated market nothing is missing, but it is calm, and of the layers of the micro-price one speaks.
DECLARED_OFF_GENERATED = {
    "micro-price: Stoikov's table": "another layer has lately been nearer to the mid of two seconds later",
    "modes of the limit": "positions stay far from their limit in this market"}
# What takes hours to have something to say is heard on the same tape played so many times slower.
SLOWER = {"source: funding": 8, "toxicity: VPIN": 8}


class Row(NamedTuple):
    """Mean absolute change of depth [bps] and size [share of the usual size] of bid and ask."""

    name: str
    depth_bps: tuple[float, float]
    size_share: tuple[float, float]
    sides_changed: float  # share of decisions in which a side appeared or vanished

    @property
    def is_zero(self) -> bool:
        """True if nothing changed at all."""
        return max(*self.depth_bps, *self.size_share, self.sides_changed) < SAME_BPS


def _switch(name: str, value: int = 1) -> Callable[[World], None]:
    def apply(world: World) -> None:
        world["switches"][name] = value
    return apply


def _set(**values: Any) -> Callable[[World], None]:
    def apply(world: World) -> None:
        for name, value in values.items():
            world["parameters"][name] = value
    return apply


def switches() -> dict[str, Callable[[World], None]]:
    """Everything that can be switched off: sources of observations, context, parts of the model."""
    table = {f"source: {name}": _switch("sources", 1 << k) for k, name in enumerate(SOURCE_NAMES)}
    table.update({name: _switch(key) for name, key in (
        ("context: flow imbalance", "flow_imbalance"), ("context: activity", "activity"), ("context: tail", "tail"),
        ("context: forced orders", "liquidations"), ("context: fragile book", "fragile_book"),
        ("context: realised volatility", "realised"), ("funding", "funding"), ("fills: Glosten-Milgrom", "fills"),
        ("toxicity: VPIN", "vpin"), ("toxicity: classes of takers", "classes"), ("toxicity: markouts", "markouts"))})
    one = (1.0, 1.0, 1.0)
    table.update({
        "drift": _set(drift_sd=1e-9),
        "drift: adaptation": _set(adapt_rate=0.0),
        "volatility: jumps": _set(jump_rate=(0.0, 0.0, 0.0)),
        "modes: their own stay": _set(mode_dwell_s=(1e9, 1e9, 1e9)),
        "micro-price: Stoikov's table": _set(micro_table=0.0),
        "modes of volatility": _set(mode_sigma=one),
        "modes of adverse selection": _set(mode_adverse=one),
        "modes of aversion": _set(mode_gamma=one),
        "rates: volatility": _set(kappa_sigma_power=0.0),
        "rates: what prints have shown": _set(rates_prior_s=1e12),
        "modes of the limit": _set(mode_limit=one, mode_kelly=(0.25, 0.25, 0.25)),
        "inventory: curve of aversion": _set(gamma_curve=0.0),
        "inventory: aversion": _set(gamma0=1e-12),
        "cost: adverse selection": _set(adverse_bps=0.0, informed_prior=0.0, quote_latency_s=0.0),
        "cost: maker fee": _set(maker_fee_bps=0.0),
        "impact": _set(impact_bps=0.0),
        "ladder: second level": _set(level_max=1),
    })
    return table


def tape_of(config: EngineConfig, folder: str, coin: str, seconds: float) -> tuple[Array, World]:
    """What our maker heard in a recording (or GENERATED), its own fills included, and the world in which it did."""
    room = Room(tape=round(seconds * ROWS_PER_S))
    world = (synthetic(config, [coin], 1, seconds, room=room, reference=True) if folder == GENERATED
             else recorded(config, folder, [coin], seconds=seconds, room=room))
    world.live(1 << 62)
    return world.log("tape"), world  # no copy: what a tape holds is in the padding of its dtype


def compare(name: str, base: Array, other: Array) -> Row:
    """How the quotes of ``other`` differ from those of ``base``, decision by decision."""
    depth, size = [], []
    shown = np.isfinite(base["depth_bps"]), np.isfinite(other["depth_bps"])
    for side in (BID, ASK):
        both = shown[0][:, side] & shown[1][:, side]
        gap = np.abs(other["depth_bps"][both, side] - base["depth_bps"][both, side])
        depth.append(float(gap.mean()) if len(gap) else 0.0)
        usual = max(float(base["lots"][:, side].mean()), 1.0)
        size.append(float(np.abs(other["lots"][:, side] - base["lots"][:, side]).mean()) / usual)
    return Row(name, (depth[0], depth[1]), (size[0], size[1]), float((shown[0] != shown[1]).any(axis=1).mean()))


def table(config: EngineConfig, folder: str, coin: str, seconds: float) -> list[Row]:
    """One row for each switch."""
    tape, world = tape_of(config, folder, coin, seconds)
    base = replay(world, tape)
    rows = []
    for name, apply in switches().items():
        if name in SLOWER and folder == GENERATED:
            stretch(tape, SLOWER[name], 1)
            rows.append(compare(name, replay(world, tape), _without(world, tape, apply)))
            stretch(tape, 1, SLOWER[name])
        else:
            rows.append(compare(name, base, _without(world, tape, apply)))
    return rows


def _without(world: World, tape: Array, apply: Callable[[World], None]) -> Array:
    """What the trader wants with something switched off; the switch is put back."""
    usual = world["parameters"].copy()
    apply(world)
    wanted = replay(world, tape)
    world["parameters"][:] = usual
    for field in world["switches"].dtype.names:
        world["switches"][field] = 0
    return wanted


def stretch(tape: Array, times: int, parts: int) -> None:
    """Let the tape take ``times / parts`` as long, from its first row on; stretching back restores every stamp."""
    for name in ("ts_exch_ns", "ts_recv_ns", "ts_ns"):
        known = tape[name] > 0
        start_ns = tape["ts_recv_ns"][0]
        tape[name] = np.where(known, start_ns + (tape[name] - start_ns) * times // parts, 0)


def disconnected(rows: list[Row], declared: Container[str] = DECLARED_OFF) -> list[str]:
    """Names of rows that are zero and not declared off."""
    return [row.name for row in rows if row.is_zero and row.name not in declared]


def lines(rows: list[Row], declared: Mapping[str, str] = DECLARED_OFF) -> list[str]:
    """The table as text."""
    head = f"{'switched off':34s} {'bid depth':>10s} {'ask depth':>10s} {'bid size':>9s} {'ask size':>9s} {'sides':>7s}"
    text = [head, f"{'':34s} {'bps':>10s} {'bps':>10s} {'%':>9s} {'%':>9s} {'%':>7s}"]
    for row in rows:
        note = f"  declared off: {declared[row.name]}" if row.is_zero and row.name in declared else ""
        text.append(f"{row.name:34s} {row.depth_bps[0]:10.4f} {row.depth_bps[1]:10.4f} {100 * row.size_share[0]:9.2f} "
                    f"{100 * row.size_share[1]:9.2f} {100 * row.sides_changed:7.2f}{note}")
    return text


def main(arguments: list[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser("bin/connected", description="What each part of the model does to the quotes.")
    parser.add_argument("folder", help=f"a recording, or the word {GENERATED}")
    parser.add_argument("--coin", default="BTC")
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    asked = parser.parse_args(arguments)
    rows = table(load(coins=[asked.coin]), asked.folder, asked.coin, asked.seconds)
    declared = DECLARED_OFF_GENERATED if asked.folder == GENERATED else DECLARED_OFF
    if asked.json:
        told = {row.name: {**row._asdict(), "declared_off": declared.get(row.name, "")} for row in rows}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        sys.stdout.write("\n".join(lines(rows, declared)) + "\n")
    missing = disconnected(rows, declared)
    if missing:
        sys.stderr.write(f"disconnected: {', '.join(missing)}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
