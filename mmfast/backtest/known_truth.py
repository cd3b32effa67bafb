"""
Known truth: the belief against the generator that made the market.

In      seeds, hours, a coin.
Out     a table: squared innovations by mode, coverage of value and drift, detection of modes, the informed share.
Source  Bar-Shalom, Li & Kirubarajan (2001), ch. 5, for consistency of a filter; calibration.py for the statistics.

`bin/truth [--seeds 8] [--hours 2] [--coin BTC] [--market matched|shipped] [--json]` prints it; exit code 1 if a band
is left. The matched market has the levels of volatility, drift and jumps that the engine's parameters name; the
shipped one has its own.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import NamedTuple

import numpy as np

from mmfast.backtest import calibration, lead_lag_truth, progress
from mmfast.backtest.calibration import LEVELS, Array, Mean, mean_by_block
from mmfast.backtest.witness import EXACT_STEPS, MARKETS, STEP_S, observe
from mmfast.config import EngineConfig, load
from mmfast.filter.adapt import INSIDE
from mmfast.filter.state import MODES, QUIET
from mmfast.sim.generator import REGIME_NAMES

BLOCK_S = 600.0
FORGET_S = 120.0  # an alarm this soon after an episode is its echo, not a false one
LAG_MS, LAG_SEEDS = 20.0, 4  # one bin of the estimate
POINTS = 0.03  # coverage may be off by this
NIS_BAND = (0.92, 0.98)  # of innovations within the 95 % band of a chi-square


class Line(NamedTuple):
    """One number of the table; ``low`` and ``high`` bound what is right, None where it is only told."""

    name: str
    mean: Mean
    low: float | None = None
    high: float | None = None

    @property
    def in_band(self) -> bool:
        """False if the number, with its sampling error, is outside of what is right."""
        return self.low is None or self.high is None or self.mean.holds(self.low, self.high)


def blocks(rows: Array) -> Array:
    """A label for each ten minutes of each seed."""
    return np.asarray(rows["seed"] * 1_000_000 + (rows["at_s"] // BLOCK_S).astype(int))


def increments(rows: Array, name: str) -> Array:
    """By how much a counter grew since the row before; 0 in the first row of a seed."""
    grown = np.diff(rows[name], prepend=rows[name][:1])
    grown[np.diff(rows["seed"], prepend=rows["seed"][:1]) != 0] = 0.0
    return np.asarray(grown)


def innovations(rows: Array) -> list[Line]:
    """
    Squared innovations of the value, by the mode that the market really was in.

    A mode that begins unannounced is seen late by anybody: where exact inference on the value itself leaves the band,
    the belief may leave it as far, and POINTS further.
    """
    out = []
    for regime, name in enumerate(REGIME_NAMES):
        here = rows["regime"] == regime
        exact = mean_by_block(_inside(rows["exact_squared"][here]), blocks(rows)[here])
        low = NIS_BAND[0] if np.isnan(exact.value) else min(NIS_BAND[0], exact.value - POINTS)
        count = increments(rows, "nis_count")[here]
        label = np.repeat(blocks(rows)[here], count.astype(int))
        for title, counter, band in (("mean", "nis_sum", (None, None)),
                                     ("within 95 %", "nis_inside", (low, NIS_BAND[1]))):
            share = np.divide(increments(rows, counter)[here], count, out=np.zeros(len(count)), where=count > 0)
            mean = mean_by_block(np.repeat(share, count.astype(int)), label)
            out.append(Line(f"innovations, {name}: {title}", mean, *band))
        out.append(Line(f"innovations, {name}: by exact inference", exact))
    return out


def _inside(squared: Array) -> Array:
    """1 where a squared innovation is within the 95 % band, 0 where not, NaN where there is none."""
    return np.where(np.isfinite(squared), squared < INSIDE, np.nan)


def coverage(rows: Array) -> list[Line]:
    """How often the intervals of value and drift hold the truth."""
    out = []
    for title, truth, mean, variance in (("value", "value", "v", "v_var"), ("drift", "drift", "mu", "mu_var")):
        rank = calibration.mixture_rank(rows[truth], rows["mode_p"], rows[mean], rows[variance])
        for level in LEVELS:
            share = mean_by_block(calibration.covered(rank, level), blocks(rows))
            out.append(Line(f"coverage of {title}, {level:.0%}", share, level - POINTS, min(level + POINTS, 1.0)))
        best = (rows["mode_p"] * rows[mean]).sum(axis=1)
        out.append(Line(f"mean square error of {title}", mean_by_block((rows[truth] - best) ** 2, blocks(rows))))
    return out


def detection(rows: Array, p: Array, prior: Array, step_s: float, who: str = "") -> list[Line]:
    """Modes: probability given to the true one against always quiet, delays, false alarms; ``p`` is (n, modes)."""
    regime = rows["regime"]
    score = calibration.log_score(p, regime)
    always = np.zeros((len(rows), MODES))
    always[:, QUIET] = 1.0
    usual = np.tile(prior, (len(rows), 1))
    out = [Line(f"{who}log score of modes", mean_by_block(score, blocks(rows))),
           Line(f"{who}log score over always quiet", mean_by_block(score - calibration.log_score(always, regime),
                                                                   blocks(rows)), 0.0, np.inf),
           Line(f"{who}log score over base rates", mean_by_block(score - calibration.log_score(usual, regime),
                                                                 blocks(rows)))]
    for name, active, alarm in (("not quiet", regime != QUIET, p[:, QUIET] < 0.5),
                                ("crisis", regime == MODES - 1, p[:, MODES - 1] > 0.5)):
        late = calibration.delays(alarm, active) * step_s
        hours = float((~active).sum()) * step_s / 3600.0
        false = calibration.false_alarms(alarm, active, round(FORGET_S / step_s))
        found = np.isfinite(late)
        out += [Line(f"{who}{name}: episodes", Mean(float(len(late)), 0.0)),
                Line(f"{who}{name}: found", Mean(float(found.mean()) if len(late) else np.nan, np.nan)),
                Line(f"{who}{name}: median delay [s]", Mean(float(np.median(late)) if len(late) else np.nan, np.nan)),
                Line(f"{who}{name}: false alarms per hour", Mean(false / hours, np.nan))]
    return out


def informed(rows: Array) -> list[Line]:
    """The believed share of informed takers against that of the flow."""
    takers, knew = increments(rows, "takers"), increments(rows, "informed")
    label = np.repeat(blocks(rows), takers.astype(int))
    share = np.divide(knew, takers, out=np.zeros(len(rows)), where=takers > 0)
    return [Line("informed takers: share of the flow", mean_by_block(np.repeat(share, takers.astype(int)), label)),
            Line("informed takers: believed", mean_by_block(rows["informed_p"].mean(axis=1), blocks(rows)))]


def leads(config: EngineConfig, coin: str, seeds: range) -> list[Line]:
    """The estimated lag behind a reference against the true one [ms]."""
    found = [(lead_lag_truth.touches(config, coin, seed), seed) for seed in seeds]
    out = []
    for lag_ms in lead_lag_truth.LAGS_MS:
        told = np.array([lead_lag_truth.estimated_ms(*touches, lag_ms, seed) for touches, seed in found])
        error = float(np.nanstd(told, ddof=1) / np.sqrt(len(told)) * calibration.NORMAL_95) if len(told) > 1 else np.nan
        out.append(Line(f"lag behind a reference of {lag_ms:g} ms", Mean(float(np.nanmean(told)), error),
                        lag_ms - LAG_MS, lag_ms + LAG_MS))
    return out


def table(rows: Array, prior: Array) -> list[Line]:
    """Everything that is checked, from the rows of all seeds."""
    told = rows[np.isfinite(rows["exact_squared"])]
    return [*innovations(rows), *coverage(rows), *detection(rows, rows["mode_p"], prior, STEP_S),
            *detection(told, told["exact_p"], prior, EXACT_STEPS * STEP_S, "exact inference: "), *informed(rows)]


def lines(rows: list[Line]) -> list[str]:
    """The table as text."""
    text = [f"{'':44s} {'measured':>10s} {'± 95 %':>8s} {'from':>8s} {'to':>8s}"]
    for name, mean, low, high in rows:
        band = f"{low:8.3f} {high:8.3f}" if low is not None else f"{'':17s}"
        verdict = "" if Line(name, mean, low, high).in_band else "  OUT"
        text.append(f"{name:44s} {mean.value:10.4f} {mean.error:8.4f} {band}{verdict}")
    return text


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser("bin/truth", description="The belief against the generator.")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=1, help="the first of the seeds")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--coin", default="BTC")
    parser.add_argument("--market", choices=MARKETS, default=MARKETS[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    asked = parser.parse_args(arguments)
    config, parts = load(coins=[asked.coin]), []
    with progress.bars() as bars:
        for seed in bars.track(range(asked.first, asked.first + asked.seeds), description="seeds"):
            parts.append(observe(config, asked.coin, seed, asked.hours * 3600.0, asked.market))
    rows = table(np.concatenate(parts), np.array(config.coins[asked.coin].mode_prior))
    rows += leads(config, asked.coin, range(asked.first, asked.first + min(asked.seeds, LAG_SEEDS)))
    if asked.json:
        sys.stdout.write(json.dumps({row.name: {**row._asdict(), "mean": row.mean.value, "error": row.mean.error,
                                                "in_band": row.in_band} for row in rows}, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(lines(rows)) + "\n")
    return 0 if all(row.in_band for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
