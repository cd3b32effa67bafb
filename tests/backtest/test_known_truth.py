"""Claims about the belief in a market whose truth is known: innovations, value and drift are as far off as it says."""

import json

import numpy as np
import pytest

from mmfast.backtest import known_truth, witness
from mmfast.backtest.calibration import Mean
from mmfast.backtest.known_truth import Line
from mmfast.config import load

SEEDS, SECONDS = range(11, 15), 3600.0


@pytest.fixture(scope="module")
def rows():
    config = load(coins=["BTC"], environ={})
    return np.concatenate([witness.observe(config, "BTC", seed, SECONDS, "matched") for seed in SEEDS])


@pytest.fixture(scope="module")
def table(rows):
    return {line.name: line for line in known_truth.table(rows, np.array([0.85, 0.13, 0.02]))}


# Sampling error: 24 blocks of ten minutes; half of a 95 % interval is near 0.02 for the value, 0.04 for the drift and
# larger than a band of three points for a mode that four hours hardly show. A line fails if all of it is outside.
@pytest.mark.parametrize("level", ["50%", "90%", "99%"])
@pytest.mark.parametrize("what", ["value", "drift"])
def test_intervals_hold_the_truth_as_often_as_they_say(table, what, level):
    line = table[f"coverage of {what}, {level}"]
    assert line.mean.error < 0.08
    assert line.in_band, line


@pytest.mark.parametrize("mode", ["quiet", "trending"])
def test_innovations_are_within_their_95_percent_band_in_a_mode(table, mode):
    line = table[f"innovations, {mode}: within 95 %"]
    assert line.mean.value == pytest.approx(0.95, abs=0.04)
    assert line.in_band, line


def test_the_modes_score_better_than_always_quiet_and_not_much_worse_than_base_rates(table):
    assert table["log score over always quiet"].mean.value > 0.1
    # Four hours with little to detect; readings that lag, taken at their word, lose 0.13 here.
    assert table["log score over base rates"].mean.value > -0.1


def test_the_informed_share_is_that_of_the_flow_within_a_third(table):
    true, believed = table["informed takers: share of the flow"].mean, table["informed takers: believed"].mean
    assert believed.value == pytest.approx(true.value, rel=1.0 / 3.0)


def test_a_belief_that_is_surer_than_it_may_be_fails(rows):
    sure = rows.copy()
    sure["v_var"] *= 0.25
    sure["mu_var"] *= 0.25
    failed = {line.name for line in known_truth.coverage(sure) if not line.in_band}
    assert {"coverage of value, 90%", "coverage of drift, 90%"} <= failed


def test_a_line_without_a_band_is_only_told():
    assert Line("x", Mean(5.0, 0.1)).in_band
    assert not Line("x", Mean(5.0, 0.1), 0.0, 1.0).in_band


def test_the_command_prints_one_number_a_line_or_one_object(capsys):
    known_truth.main(["--seeds", "1", "--hours", "0.1"])
    assert "coverage of value, 50%" in capsys.readouterr().out
    known_truth.main(["--seeds", "1", "--hours", "0.1", "--market", "shipped", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert set(told["coverage of drift, 99%"]) == {"name", "mean", "error", "low", "high", "in_band"}
