"""Claims about connectedness: what is switched off alone changes the quotes, or is declared off."""

from pathlib import Path

import numpy as np
import pytest

from mmfast.backtest import connected
from mmfast.backtest.tape import WANTED
from mmfast.config import load
from mmfast.records.feature import SOURCE_NAMES
from mmfast.records.market import MARKET

RECORDING = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
needs_recording = pytest.mark.skipif(not RECORDING.is_dir(), reason="the recording is not beside this checkout")
SECONDS = 1800.0  # long enough for fills


@needs_recording
def test_no_part_of_the_model_is_disconnected_on_recorded_data():
    rows = connected.table(load(coins=["ETH"], environ={}), str(RECORDING), "ETH", SECONDS)
    assert connected.disconnected(rows) == []
    by_name = {row.name: row for row in rows}
    assert min(by_name["cost: maker fee"].depth_bps) > 0.5
    assert min(by_name["drift"].depth_bps) > 0.01
    assert by_name["source: microprice"].sides_changed > 0.9


def test_what_no_recording_has_is_connected_in_a_generated_market():
    rows = connected.table(load(coins=["BTC"], environ={}), connected.GENERATED, "BTC", SECONDS)
    assert connected.disconnected(rows, connected.DECLARED_OFF_GENERATED) == []


def wanted(depth, lots):
    rows = np.zeros(2, WANTED)
    rows["depth_bps"], rows["lots"] = depth, lots
    return rows


def test_a_row_is_zero_only_if_depth_size_and_presence_are_the_same():
    base = wanted(2.0, 10)
    assert connected.compare("x", base, base).is_zero
    deeper = connected.compare("x", base, wanted(2.5, 10))
    assert deeper.depth_bps == (0.5, 0.5)
    assert not deeper.is_zero
    assert connected.compare("x", base, wanted(2.0, 5)).size_share == (0.5, 0.5)
    gone = connected.compare("x", base, wanted(np.nan, 10))
    assert gone.sides_changed == 1.0
    assert not gone.is_zero


def test_a_zero_row_fails_unless_it_is_declared_off():
    zero = (0.0, 0.0)
    rows = [connected.Row(name, zero, zero, 0.0) for name in ("funding", "drift")]
    assert connected.disconnected(rows) == ["drift"]
    assert "declared off" in connected.lines(rows)[2]


def test_a_tape_that_was_stretched_and_stretched_back_is_the_same():
    tape = np.zeros(3, MARKET)
    tape["ts_recv_ns"], tape["ts_exch_ns"] = (1_000, 1_007, 1_033), (990, 0, 1_030)
    connected.stretch(tape, 8, 1)
    assert tape["ts_recv_ns"].tolist() == [1_000, 1_056, 1_264]
    assert tape["ts_exch_ns"].tolist() == [920, 0, 1_240]
    connected.stretch(tape, 1, 8)
    assert tape["ts_recv_ns"].tolist() == [1_000, 1_007, 1_033]
    assert tape["ts_exch_ns"].tolist() == [990, 0, 1_030]


def test_every_source_has_a_switch():
    assert {f"source: {name}" for name in SOURCE_NAMES} <= set(connected.switches())
    assert set(connected.DECLARED_OFF) | set(connected.DECLARED_OFF_GENERATED) <= set(connected.switches())
    assert not set(connected.DECLARED_OFF) & set(connected.DECLARED_OFF_GENERATED)  # each is on somewhere


def test_the_command_asks_for_a_recording(capsys):
    with pytest.raises(SystemExit) as ended:
        connected.main([])
    assert ended.value.code == 2
    assert "folder" in capsys.readouterr().err
