"""Claims about a world: it is deterministic, its money adds up, and it says when it is not what would have been."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmfast.backtest.world import recorded, restart
from mmfast.records.order import LIVE_STATES
from mmfast.units import BID, NS_PER_MS

RECORDING = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
needs_recording = pytest.mark.skipif(not RECORDING.is_dir(), reason="the recording is not beside this checkout")
END = 1 << 62


def outcome(world):
    return [world[name].tobytes() for name in ("beliefs", "quotes", "orders", "ledgers", "books", "states")]


def test_the_same_seed_is_the_same_world_and_another_is_not(make):
    worlds = [make(seed=seed) for seed in (4, 4, 5)]
    for world in worlds:
        world.live(END)
    assert outcome(worlds[0]) == outcome(worlds[1])
    assert outcome(worlds[0]) != outcome(worlds[2])


def test_money_adds_up_to_the_micro_dollar(make):
    world = make(600.0, tape=0)
    world.live(END)
    fills, ledger = world.log("fills"), world["ledgers"][0]
    assert len(fills) == ledger["fill_count"] > 5
    signed = np.where(fills["side"] == BID, fills["lots"], -fills["lots"])
    assert signed.sum() == ledger["position_lots"]
    assert -(signed * fills["px_ticks"]).sum() == ledger["cash_uusd"]
    assert fills["fee_uusd"].sum() == ledger["fee_uusd"]
    assert (fills["px_ticks"] * fills["lots"] * 150 // 1_000_000 == fills["fee_uusd"]).all()
    assert np.array_equal(np.cumsum(signed), fills["position_lots"])
    assert np.array_equal(fills["position_lots"] - signed, fills["start_lots"])


def test_what_we_think_rests_is_what_rests(make):
    world = make(120.0, latency="none")
    world.live(END)
    live = np.isin(world["orders"]["state"], LIVE_STATES)
    book = world["books"][0]
    resting = {int(i) for side in range(2) for i in book["user_id"][side, : book["user_count"][side]]}
    on_the_way = {int(row["order_id"]) for row in world["outbox"][: world.run["outbox_count"][0]]}
    assert len(resting) > 0
    assert resting <= set(world["orders"]["cloid_lo"][live].tolist()) | on_the_way
    assert world["register"]["illegal_count"][0] == 0


def test_distance_makes_what_is_heard_old(make):
    ages_ns = []
    for latency in ("none", "hl"):
        world = make(300.0, latency=latency, seed=3)
        world.live(END)
        tape = world.log("tape")
        told = tape[tape["ts_exch_ns"] > 0]  # not our own clock's ticks
        ages_ns.append(np.median(told["ts_recv_ns"] - told["ts_exch_ns"]))
    assert ages_ns[0] + 50 * NS_PER_MS < ages_ns[1]


def test_a_lost_message_is_an_error_and_not_a_result(make):
    world = make(1.0)
    world.run["lost_count"] = 1
    with pytest.raises(RuntimeError, match="raise INBOX"):
        world.live(END)


def test_a_trader_that_forgets_keeps_its_ledger(make):
    world = make(20.0)
    world.live(END)
    restart(world)
    assert world["beliefs"]["fair_px"][0] == 0.0
    assert world["register"]["counter"][0] > 0


def test_unknown_parameters_of_the_market_are_refused(make):
    with pytest.raises(ValueError, match="unknown parameter"):
        make(1.0, volatility=3.0)


@needs_recording
def test_a_recording_is_lived_through_from_its_first_book(config):
    world = recorded(config, RECORDING, ["BTC", "ETH"], seconds=20.0)
    assert world.live(END) > 500
    samples = world.log("samples")
    assert set(samples["inst"]) == {0, 1}
    assert (samples["mid_ticks"][10:] > 0).all()
    assert world.run["quote_seq"][0] > 500
