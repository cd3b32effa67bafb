"""Claims about the reference's frames: every captured one decodes to what a JSON parser reads in it."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.market import BBO, BOOK, KIND_REFERENCE_BBO, KIND_REFERENCE_BOOK, KIND_REFERENCE_TRADE, TRADE
from mmfast.records.parameters import INSTRUMENT
from mmfast.units import ASK, BID
from mmfast.venues.binance import decode
from mmfast.venues.hyperliquid.codes import ERR_MISSING, ERR_NUMBER, ERR_SIGN, OK

SHARED = Path(__file__).parents[3].parent / "shared"
SAMPLES = SHARED / "hyperliquid" / "samples" / "binance"
DATA = SHARED / "data"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not beside this checkout")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside this checkout")
DECIMALS = 3  # of sizes; prices have the rest of six
KINDS = {"bookTicker": decode.TICKER, "aggTrade": decode.TRADE, "trade": decode.TRADE, "depthUpdate": decode.DEPTH}
TICKER = (b'{"e":"bookTicker","u":11139947831981,"s":"ETHUSDT","ps":"ETHUSDT","b":"1943.64","B":"113.445",'
          b'"a":"1943.65","A":"182.433","T":1785121247583,"E":1785121247584,"st":1}')
FRAMES_PER_FILE = 3000


def records() -> dict[int, Any]:
    return {decode.TICKER: np.zeros(1, BBO)[0], decode.TRADE: np.zeros(1, TRADE)[0],
            decode.DEPTH: np.zeros(1, BOOK)[0]}


DECODERS = {decode.TICKER: decode.decode_ticker, decode.TRADE: decode.decode_trade, decode.DEPTH: decode.decode_depth}


def cut(text: str, decimals: int) -> int:
    """The oracle of a number: its digits as text."""
    whole, _, part = text.partition(".")
    return int(whole + (part + "0" * decimals)[:decimals])


def check(payload: bytes, made: dict[int, Any], decimals: int = DECIMALS) -> str:
    """Decode a frame and compare it with what the standard library reads; the name of the event."""
    frame = json.loads(payload)
    data = frame.get("data", frame)
    start = decode.body(payload)
    code = decode.event(payload, start)
    assert code == KINDS.get(data["e"], decode.OTHER), payload
    if code == decode.OTHER:
        return str(data["e"])
    record, places = made[code], 6 - decimals
    result = DECODERS[code](payload, start, record, decimals)
    if code == decode.TRADE and float(data["p"]) == 0.0:  # a transfer of the insurance fund
        assert result == ERR_SIGN
        return "no trade"
    assert result == OK, payload
    assert record["ts_exch_ns"] == data["T"] * 1_000_000
    if code == decode.TICKER:
        assert record["px_ticks"].tolist() == [cut(data["b"], places), cut(data["a"], places)]
        assert record["lots"].tolist() == [cut(data["B"], decimals), cut(data["A"], decimals)]
        assert record["kind"] == KIND_REFERENCE_BBO
    elif code == decode.TRADE:
        assert (record["px_ticks"], record["lots"]) == (cut(data["p"], places), cut(data["q"], decimals))
        assert (record["side"], record["tid"]) == (ASK if data["m"] else BID, data.get("a", data.get("t")))
        assert record["kind"] == KIND_REFERENCE_TRADE
    else:
        for side, key in ((BID, "b"), (ASK, "a")):
            told = [(cut(px, places), cut(size, decimals)) for px, size in data[key]]
            levels = sorted((level for level in told if level[1] > 0), reverse=side == BID)[:20]
            assert record["level_count"][side] == len(levels)
            assert list(zip(record["px_ticks"][side].tolist(), record["lots"][side].tolist()))[: len(levels)] == levels
            assert not record["lots"][side, len(levels):].any()
        assert record["kind"] == KIND_REFERENCE_BOOK
    return str(data["e"])


@needs_samples
def test_every_sample_decodes() -> None:
    made, seen = records(), Counter[str]()
    lines = (SAMPLES / "captured_lines.jsonl").read_bytes().splitlines()
    for payload in [*lines, *(path.read_bytes() for path in sorted(SAMPLES.glob("*_stream*.json")))]:
        seen[check(payload, made)] += 1
    assert seen["bookTicker"] == 2
    assert seen["aggTrade"] == 4
    assert seen["depthUpdate"] == 1
    assert seen["forceOrder"] == 2


def frames(path: Path) -> Iterator[bytes]:
    """JSON texts of a recording whose lines are a local time and a frame."""
    if path.suffix == ".zst":
        lines = subprocess.run(["zstdcat", path], capture_output=True, check=True).stdout.splitlines()
    else:
        with gzip.open(path) as file:
            lines = [line for line, _ in zip(file, range(FRAMES_PER_FILE))]
    for line in lines:
        text = line[line.find(b" ") + 1:].strip()
        if text.startswith(b'{"') and (b'"stream"' in text or b'"e"' in text):
            yield text


@needs_data
@pytest.mark.parametrize("path", [*sorted((DATA / "binance_raw" / "usdm").glob("*.gz")),
                                  DATA / "cryptofeed_ws" / "BINANCE_FUTURES.ws.1.0.zst"], ids=lambda p: p.name)
def test_every_captured_frame_decodes(path: Path) -> None:
    made, seen = records(), Counter[str]()
    for payload in frames(path):
        seen[check(payload, made, 0 if path.suffix == ".zst" else DECIMALS)] += 1
    assert seen["bookTicker"] > 500
    assert seen["depthUpdate"] > 100


def test_a_symbol_is_found_and_its_neighbours_are_not() -> None:
    symbols = np.zeros(3, INSTRUMENT)
    for row, name in zip(symbols, (b"ETHUSD", b"ETHUSDTX", b"ETHUSDT")):
        row["name"][: len(name)] = np.frombuffer(name, np.uint8)
    wrapped = b'{"stream":"ethusdt@bookTicker","data":' + TICKER + b"}"
    for payload in (TICKER, wrapped):
        assert decode.instrument(payload, decode.body(payload), symbols) == 2
    assert decode.instrument(TICKER, 0, symbols[:2]) == -1


def test_answers_are_no_events() -> None:
    assert decode.event(b'{"result":null,"id":1}', 0) == decode.OTHER
    assert decode.event(b'{"error":{"code":2,"msg":"Invalid request"}}', 0) == decode.ERROR
    assert decode.event(b'{"code":3,"msg":"Invalid JSON"}', 0) == decode.ERROR
    assert decode.event(b"[]", 0) == decode.MALFORMED


def test_what_is_finer_than_our_ticks_is_cut_off_and_nonsense_is_refused() -> None:
    assert decode.read_cut(b'"1943.6499"', 0, 2) == (194364, 11)
    assert decode.read_cut(b'"0.00000019"', 0, 6) == (0, 12)
    assert decode.read_cut(b'"7.6110"', 0, 0) == (7, 8)
    for text in (b'"1.2.3"', b'"12x"', b'"1.23e5"', b'"' + b"9" * 30 + b'.5"'):
        assert decode.read_cut(text, 0, 1)[1] < 0
    assert decode.read_cut(b'"1.99x"', 0, 1)[1] == ERR_NUMBER


def test_a_frame_without_its_time_is_refused() -> None:
    assert decode.decode_ticker(TICKER.replace(b'"T":1785121247583,', b""), 0, records()[decode.TICKER],
                                DECIMALS) == ERR_MISSING


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TICKER)), st.binary(max_size=3), st.integers(0, 4))
def test_a_damaged_frame_is_a_record_or_a_named_error(at: int, put: bytes, dropped: int) -> None:
    payload = TICKER[:at] + put + TICKER[at + dropped:]
    start = decode.body(payload)
    code = decode.event(payload, start)
    assert code in (decode.TICKER, decode.OTHER, decode.ERROR, decode.MALFORMED)
    if start >= 0:
        for kind, record in records().items():
            assert -9 <= DECODERS[kind](payload, start, record, DECIMALS) <= OK
