"""Claims about recorded data: the core hears every set of both venues and no number of it is not finite."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmfast.backtest import formats, predict
from mmfast.config import load
from mmfast.records.belief import BELIEF, BELIEF_OK
from mmfast.records.quote import QUOTE
from mmfast.units import NS_PER_S

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside this checkout")
ROWS = 12_000  # of a coin; the command hears all of them
COINS = 4
ARCHIVE = "Hyperliquid archive, January 2024"


@pytest.fixture(scope="module")
def config():
    return load(coins=["BTC", "ETH", "SOL"], environ={})


@needs_data
@pytest.mark.parametrize("one", formats.SETS, ids=lambda one: one[0])
def test_the_core_is_finite_on_every_set_of_both_venues(config, one):
    coins = 0
    for capture in formats.read(DATA, *one):
        seen, heard = predict.follow(config, capture._replace(rows=capture.rows[:ROWS]))
        assert (heard.wrong, heard.refused) == (0, 0), capture.coin
        assert (np.diff(seen["ts_ns"]) >= NS_PER_S).all()
        usable = seen[(seen["status"] == BELIEF_OK) & np.isfinite(seen["mid_px"])]
        assert (np.abs(np.log(usable["fair_px"] / usable["mid_px"])) < 1e-3).all()
        coins += 1
        if coins == COINS:
            break
    assert coins > 0


@pytest.mark.parametrize("field", ["fair_px", "mu_var", "sigma_bps"])
def test_a_number_that_is_none_is_found(field):
    belief, quote = np.zeros(1, BELIEF), np.zeros(1, QUOTE)
    assert predict.is_finite(belief[0], quote[0])
    belief[field] = np.nan
    assert not predict.is_finite(belief[0], quote[0])
    belief["status"] = BELIEF_OK + 1
    assert predict.is_finite(belief[0], quote[0])
    quote["level_count"], quote["edge_bps"] = 1, np.inf
    assert not predict.is_finite(belief[0], quote[0])


@needs_data
def test_the_command_hears_a_set_and_tells_all_its_forecasts(capsys):
    assert predict.main([str(DATA), "--only", "archive", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["heard"] == [{"name": ARCHIVE, "coins": 1, "records": 19_981, "wrong": 0, "refused": 0}]
    assert {row["capture"] for row in told["scores"]} == {f"{ARCHIVE}: BTC"}
    assert all(row["low"] <= row["gain"] <= row["high"] for row in told["scores"] if row["verdict"] != "too short")


def test_a_set_that_is_missing_is_a_failure(tmp_path, capsys):
    assert predict.main([str(tmp_path), "--only", "archive"]) == 1
    told = capsys.readouterr()
    assert ARCHIVE in told.out
    assert "nothing was heard" in told.err


@pytest.mark.parametrize(("arguments", "reason"), [(["/no/such/folder"], "is no folder"),
                                                  ([".", "--only", "Nasdaq"], "no set has 'Nasdaq' in its name")])
def test_what_cannot_be_heard_is_refused_by_name(arguments, reason, capsys):
    with pytest.raises(SystemExit, match="2"):
        predict.main(arguments)
    assert reason in capsys.readouterr().err
