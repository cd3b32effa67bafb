"""Claims about the incident: the drift is what it should be, and our maker gets out of the way sooner."""

import json

import numpy as np
import pytest

from mmfast.backtest import incident
from mmfast.backtest.layout import SAMPLE
from mmfast.backtest.world import Room, synthetic
from mmfast.config import load

SEEDS = range(16)


@pytest.fixture(scope="module")
def results():
    return incident.run(load(coins=["BTC"], environ={}), "BTC", SEEDS)


def test_our_maker_pulls_its_bids_long_before_the_symmetric_one(results):
    ours, other = incident.columns(results["ours"]), incident.columns(results["symmetric"])
    assert np.median(ours["reaction_s"]) < 0.5 * np.median(np.minimum(other["reaction_s"], incident.DRIFT_S))
    assert ours["guarded_share"].mean() > 2.0 * other["guarded_share"].mean()


def test_our_maker_is_left_with_less(results):
    ours, other = incident.columns(results["ours"]), incident.columns(results["symmetric"])
    assert ours["worst_usd"].mean() < other["worst_usd"].mean()


def test_two_processes_find_what_one_finds_and_say_how_far_they_are(results):
    told = []
    config = load(coins=["BTC"], environ={})
    assert incident.run(config, "BTC", range(2), 2, told.append) == {
        name: outcomes[:2] for name, outcomes in results.items()}
    assert told == [1, 2]


def test_the_drift_of_the_incident_is_that_of_the_incident():
    world = synthetic(load(coins=["BTC"], environ={}), ["BTC"], 1, 60.0, room=Room(), sigma_bps=1e-6, jump_bps=0.0)
    world["states"]["drift_rate"], world["states"]["drift_bps_s"] = 0.0, incident.DRIFT_BPS_S
    world.live(1 << 62)
    samples = world.log("samples")
    assert samples["truth_bps"][-1] / 59.0 == pytest.approx(incident.DRIFT_BPS_S, rel=0.05)
    assert world["states"]["drift_bps_s"][0] == incident.DRIFT_BPS_S


def test_the_symmetric_maker_has_no_drift_and_one_risk_aversion():
    world = synthetic(load(coins=["BTC"], environ={}), ["BTC"], 1, 120.0)
    incident.symmetric(world)
    world.live(1 << 62)
    samples = world.log("samples")[20:]
    assert np.abs(samples["mu_bps_s"]).max() < 1e-3
    assert np.ptp(samples["gamma"]) < 1e-12


def test_a_side_counts_as_guarded_when_it_is_gone_or_far():
    rows = np.zeros(4, SAMPLE)
    rows["mid_ticks"], rows["ask_ticks"] = 100_000.0, 100_020
    rows["bid_ticks"] = (99_980, 0, 99_940, 99_955)
    assert incident.is_guarded(rows).tolist() == [False, True, True, False]


def test_the_table_has_both_makers_and_their_ratio(results):
    text = incident.lines(results)
    assert text[0].startswith("16 seeds, drift -0.14 bps/s for 600 s")
    assert any("P&L, p5 [USD]" in line for line in text)


def test_the_command_tells_every_seed_as_json(capsys):
    assert incident.main(["--seeds", "1", "--processes", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"ours", "symmetric"}
    assert set(told["ours"][0]) == set(incident.Outcome._fields)
