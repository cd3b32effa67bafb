"""Recorded market through the sensor: every source can be switched, and garbage leaves everything finite."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters
from support.stages import START_NS, one

from mmfast.records.feature import (
    FEATURES,
    SOURCE_DEEP_BOOK,
    SOURCE_FUNDING,
    SOURCE_GRADIENT,
    SOURCE_LEAD,
    SOURCE_NAMES,
)
from mmfast.records.header import HEADER
from mmfast.records.market import BBO, BOOK, CTX, TIMER, TRADE
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR
from mmfast.units import ASK, BID

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no recording in {FOLDER}")
SPAN_S = 480.0
# BTC's book is too narrow, the recording too short, and no other venue was recorded.
OUT_OF_REACH = {SOURCE_GRADIENT, SOURCE_DEEP_BOOK, SOURCE_FUNDING, SOURCE_LEAD}
BOOK_COLUMNS = [(f"{side}_price_{k}", f"{side}_size_{k}") for side in ("bid", "ask") for k in range(20)]


def rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / name).open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as plain:
        yield from csv.DictReader(io.TextIOWrapper(plain))


def early(name: str) -> list[dict[str, str]]:
    """Rows of the first minutes."""
    out: list[dict[str, str]] = []
    for row in rows(name):
        if out and float(row["timestamp"]) > float(out[0]["timestamp"]) + SPAN_S:
            break
        out.append(row)
    return out


def market() -> list[np.void]:
    """Records of the first minutes in order of arrival; open interest and the oracle, once a second, are made up."""
    sides: dict[str, dict[str, dict[str, str]]] = {}
    for row in early("prices_BTC.csv.zst"):
        sides.setdefault(row["timestamp"], {})[row["side"]] = row
    out = [one(BBO, px_ticks=[round(float(s[k]["price"]) * 10) for k in ("bid", "ask")],
               lots=[round(float(s[k]["size"]) * 1e5) for k in ("bid", "ask")], **times(s["bid"]))
           for s in sides.values() if len(s) == 2]
    for row in early("trades_BTC.csv.zst"):
        if float(row["timestamp"]) - float(row["exchange_timestamp"]) / 1e3 < 5.0:
            out.append(one(TRADE, side=BID if row["side"] == "buy" else ASK, lots=round(float(row["size"]) * 1e5),
                           px_ticks=round(float(row["price"]) * 10), tid=int(row["trade_id"]),
                           taker=int(row["exchange_timestamp"]), batch_count=1, **times(row)))
    for row in early("orderbooks_BTC.csv.zst"):
        numbers = np.array([(float(row[p]), float(row[s])) for p, s in BOOK_COLUMNS]).reshape(2, 20, 2)
        out.append(one(BOOK, level_count=(20, 20), px_ticks=np.rint(numbers[..., 0] * 10),
                       lots=np.rint(numbers[..., 1] * 1e5), **times(row)))
    random, interest = np.random.default_rng(1), 3e4
    for k in range(int(SPAN_S)):
        interest *= math.exp(random.normal(0.0, 1e-4))
        out.append(one(CTX, oracle_px=109_750.0, open_interest=interest, premium=1e-4, funding_rate_h=1.25e-5,
                       ts_recv_ns=out[0]["ts_recv_ns"] + k * 1_000_000_000))
    return sorted(out, key=lambda record: int(record["ts_recv_ns"]))


def times(row: dict[str, str]) -> dict[str, int]:
    exch_ns = int(row["exchange_timestamp"]) * 1_000_000
    return {"ts_recv_ns": round(float(row["timestamp"]) * 1e9), "ts_exch_ns": exch_ns}


HANDLERS = {"count": sense.on_bbo, "tid": sense.on_trade, "level_count": sense.on_book, "oracle_px": sense.on_ctx}


def feed(records: list[np.void], **changes: object) -> tuple[np.void, np.ndarray]:
    """Features after the records, and how often each source spoke."""
    sensor, features, params = one(SENSOR), one(FEATURES), default_parameters(**changes)
    sense.begin(sensor, params)
    spoken, serial = np.zeros(len(SOURCE_NAMES), int), features["obs_serial"].copy()
    for record in records:
        names = record.dtype.names or ()
        handler = next(on for field, on in HANDLERS.items() if field in names and not (
            field == "count" and "level_count" in names))
        handler(sensor, record, features, params)
        spoken += features["obs_serial"] != serial
        serial = features["obs_serial"].copy()
        for source in np.flatnonzero([features["valid_mask"] >> k & 1 for k in range(len(SOURCE_NAMES))]):
            assert math.isfinite(features["obs_z"][source])
            assert 0.0 < features["obs_r"][source] < math.inf
    return features, spoken


@pytest.fixture(scope="module")
def session() -> list[np.void]:
    return market()


@recorded
def test_every_source_that_can_speaks_on_recorded_data(session: list[np.void]) -> None:
    features, spoken = feed(session)
    silent = {source for source in range(len(SOURCE_NAMES)) if spoken[source] == 0}
    assert silent == OUT_OF_REACH, [SOURCE_NAMES[k] for k in silent]
    assert features["odd_price_count"] == features["odd_time_count"] == 0


@recorded
@pytest.mark.parametrize("source", sorted(set(range(len(SOURCE_NAMES))) - OUT_OF_REACH), ids=lambda k: SOURCE_NAMES[k])
def test_a_source_that_is_switched_off_changes_its_row_and_no_other(session: list[np.void], source: int) -> None:
    few = list(islice(session, 0, None)) if source in (13, 17) else session[: len(session) // 4]
    (_, spoken), (features, without) = feed(few), feed(few, source_mask=~(1 << source))
    assert spoken[source] > 0
    assert without[source] == 0
    assert features["valid_mask"] >> source & 1 == 0
    others = np.arange(len(SOURCE_NAMES)) != source
    np.testing.assert_array_equal(without[others], spoken[others])


whole = st.one_of(st.integers(-5, 2_000_000), st.sampled_from([0, -1, 2**62, -(2**62), 10**15]))
number = st.one_of(st.floats(-1e3, 1e9), st.sampled_from([math.nan, math.inf, -math.inf, 0.0]))
EVENTS = st.lists(st.tuples(st.integers(0, 4), st.lists(whole, min_size=12, max_size=12),
                            st.lists(number, min_size=5, max_size=5), st.integers(0, 5_000_000_000)), max_size=25)


def absurd(kind: int, w: list[int], x: list[float], now_ns: int) -> np.void:
    """A record of that kind with these numbers in it."""
    stamp = {"ts_recv_ns": now_ns, "ts_exch_ns": now_ns + w[11] % 7}
    if kind == 0:
        return one(BBO, px_ticks=w[:2], lots=w[2:4], **stamp)
    if kind == 1:
        return one(TRADE, side=w[0] % 4 - 1, lots=w[1], px_ticks=w[2], tid=w[3], taker=w[4] % 3, **stamp)
    if kind == 2:
        book = one(BOOK, level_count=(w[0] % 21, w[1] % 21), fast=w[2] % 2, **stamp)
        book["px_ticks"].flat[:] = np.resize(w[3:7], 40)
        book["lots"].flat[:] = np.resize(w[7:11], 40)
        return book
    if kind == 3:
        return one(CTX, oracle_px=x[0], open_interest=x[1], premium=x[2], funding_rate_h=x[3], **stamp)
    return one(TIMER, **stamp)


@settings(max_examples=80, deadline=None)
@given(EVENTS)
def test_no_record_makes_an_observation_or_a_state_that_is_not_finite(events: list[tuple]) -> None:
    sensor, features, params = one(SENSOR), one(FEATURES), default_parameters()
    sense.begin(sensor, params)
    handlers = (sense.on_bbo, sense.on_trade, sense.on_book, sense.on_ctx, sense.on_timer)
    now_ns = START_NS
    for kind, w, x, step_ns in events:
        now_ns += step_ns
        handlers[kind](sensor, absurd(kind, w, x, now_ns), features, params)
        for source in range(len(SOURCE_NAMES)):
            if features["valid_mask"] >> source & 1:
                assert math.isfinite(features["obs_z"][source]), SOURCE_NAMES[source]
                assert 0.0 < features["obs_r"][source] < math.inf, SOURCE_NAMES[source]
        for name in ("flow_imbalance", "hawkes", "sweep", "flow_horizon", "tail", "vol_term"):
            assert np.isfinite(features[name]).all(), name
        for name in ("activity", "liquidation_ratio", "funding_bps_s", "informed_p"):
            assert not np.isinf(features[name]).any(), name
        for name in ("score_mean", "score_var", "excitation", "volume_lots", "impact_bps", "layer_var"):
            assert np.isfinite(sensor[name]).all(), name
    assert {n for n, *_ in HEADER} <= set(FEATURES.names or ())
