"""The table of the micro-price: against simulation, and against a chain whose answer is known."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import zstandard

from mmfast.sensor.stoikov import BINS, SPREADS
from mmfast.sensor.stoikov_table import adjustment, micro_table

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "hl_btc_bbo_20250901_04" / "prices_BTC.csv.zst"


def stream(random: np.random.Generator, count: int, pull: float) -> tuple[np.ndarray, ...]:
    """Touches one step wide; the heavier side pushes the mid by a step with odds that depend on its share."""
    share = np.clip(random.uniform(0.0, 1.0, count), 0.01, 0.99)
    move = np.where(random.uniform(size=count) < 0.3,
                    np.where(random.uniform(size=count) < 0.5 + pull * (share - 0.5), 1.0, -1.0), 0.0)
    bid = 1000.0 + np.concatenate([[0.0], np.cumsum(move[:-1])])
    return bid, bid + 1.0, share * 100.0, (1.0 - share) * 100.0


def test_the_first_move_of_a_stream_without_memory_is_found() -> None:
    """With sizes drawn anew each time, P = m + 0.6 pull (share - 1/2) and later terms vanish by symmetry."""
    table = micro_table(*stream(np.random.default_rng(1), 200_000, 0.8), step=1.0)
    middle = (np.arange(BINS) + 0.5) / BINS
    assert table.shape == (SPREADS, BINS)
    assert table[0] == pytest.approx(0.6 * 0.8 * (middle - 0.5), abs=0.02)


def test_it_is_antisymmetric() -> None:
    table = micro_table(*stream(np.random.default_rng(2), 20_000, 0.5), step=1.0)
    assert table == pytest.approx(-table[:, ::-1], abs=1e-9)


def test_a_chain_of_two_states_has_the_sum_of_its_series() -> None:
    """From state 0 the mid rises by one and leads to state 1, from which it falls by a half and leads to 0, ..."""
    came, went, move = np.array([0, 1]), np.array([1, 0]), np.array([1.0, -0.5])
    result = adjustment(came, went, move)
    assert result[0] == pytest.approx(3 * (1.0 - 0.5))
    assert result[1] == pytest.approx(3 * (-0.5 + 1.0))


def test_streams_that_cannot_be_used_are_refused() -> None:
    bid, ask, bid_lots, ask_lots = stream(np.random.default_rng(3), 1000, 0.5)
    with pytest.raises(ValueError, match="not below its ask"):
        micro_table(ask, bid, bid_lots, ask_lots, 1.0)
    with pytest.raises(ValueError, match="too few"):
        micro_table(bid[:50], ask[:50], bid_lots[:50], ask_lots[:50], 1.0)


@pytest.mark.skipif(not RECORDED.is_file(), reason=f"no recording in {RECORDED.parent}")
def test_recorded_touches_make_a_table_that_rises_with_the_bid() -> None:
    sides: dict[float, dict[str, tuple[float, float]]] = {}
    with RECORDED.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as plain:
        for row in csv.DictReader(io.TextIOWrapper(plain)):
            sides.setdefault(float(row["timestamp"]), {})[row["side"]] = (float(row["price"]), float(row["size"]))
    touches = np.array([(*s["bid"], *s["ask"]) for s in sides.values() if len(s) == 2 and s["bid"][0] < s["ask"][0]])
    bid, bid_lots, ask, ask_lots = touches.T
    table = micro_table(bid, ask, bid_lots, ask_lots, 1.0)
    assert np.isfinite(table).all()
    assert (np.diff(table[0]) > -0.02).all()
    assert 0.1 < table[0, -1] < 5.0
