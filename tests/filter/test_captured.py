"""Half an hour of a recorded market through all stages: believed, quoted, and worth something as a forecast."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zstandard
from support.stages import Desk

from mmfast.records.belief import BELIEF_OK
from mmfast.units import ASK, BID

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recording in {FOLDER}")


def rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as plain:
        yield from csv.DictReader(io.TextIOWrapper(plain))


def events() -> list[tuple[float, str, tuple[int, ...]]]:
    """Touches and prints of BTC in order of arrival; prices in ticks of 0.1, sizes in lots of 1e-5."""
    sides: dict[float, dict[str, tuple[int, int]]] = {}
    for row in rows("prices_BTC.csv.zst"):
        level = (round(float(row["price"]) * 10), round(float(row["size"]) * 1e5))
        sides.setdefault(float(row["timestamp"]), {})[row["side"]] = level
    out: list[tuple[float, str, tuple[int, ...]]] = [
        (t, "bbo", (s["bid"][0], s["ask"][0], s["bid"][1], s["ask"][1])) for t, s in sides.items() if len(s) == 2]
    for row in rows("trades_BTC.csv.zst"):
        at_s = float(row["timestamp"])
        if at_s - float(row["exchange_timestamp"]) / 1e3 < 5.0:  # not a replayed print
            side = BID if row["side"] == "buy" else ASK
            out.append((at_s, "trade", (side, round(float(row["size"]) * 1e5), round(float(row["price"]) * 10))))
    return sorted(out)


def test_a_recorded_half_hour() -> None:
    desk, start_s, seen = Desk(theta=0.2), 0.0, []
    for at_s, what, arguments in events():
        start_s = start_s or at_s
        getattr(desk, what)(at_s - start_s, *arguments)
        belief, quote = desk.belief, desk.decide(0)
        assert quote["pull"] == (belief["status"] != BELIEF_OK)
        for side, sign in ((BID, 1), (ASK, -1)):
            if quote["level_count"][side]:
                assert sign * (belief["touch_ticks"][1 - side] - quote["px_ticks"][side, 0]) > 0
        if what == "bbo":
            seen.append((at_s, belief["status"], belief["mid_px"], belief["fair_px"], belief["sigma_bps"],
                         belief["mu_bps_s"], quote["level_count"].min()))
    t, status, mid, fair, sigma, mu, levels = np.array(seen).T
    assert (status == BELIEF_OK).mean() > 0.995
    assert np.quantile(np.abs(np.log(fair / mid)) * 1e4, 0.99) < 1.0
    later = np.searchsorted(t, t + 5.0)
    known = later < len(t)
    move = np.log(mid[np.minimum(later, len(t) - 1)] / mid)[known] * 1e4
    assert np.corrcoef(mu[known], move)[0, 1] > 0.05
    promised = mu[known] * (1.0 - np.exp(-0.2 * 5.0)) / 0.2
    assert 0.5 < np.polyfit(promised, move, 1)[0] < 2.0
    assert 0.5 < sigma.mean() / (move.std() / 5.0**0.5) < 2.0
    assert (levels > 0).mean() > 0.3
