"""Claims about parity: the live loops and virtual time make the same of what they hear, bit for bit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mmfast.backtest.tape import replay
from mmfast.backtest.world import Room, recorded, synthetic
from mmfast.config import load
from mmfast.hosts import estimator, quoter
from mmfast.records.account import FILL, KIND_FILL
from mmfast.records.header import HEADER, STAMPS
from mmfast.records.market import BBO, BOOK, KIND_BOOK, KIND_REFERENCE_BBO
from mmfast.records.quote import SIDE_NO_ROOM
from mmfast.rings import broadcast, spsc
from mmfast.rings.region import House
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SPIN
from mmfast.topology import ACCOUNT_READERS, regions

RECORDING = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
needs_recording = pytest.mark.skipif(not RECORDING.is_dir(), reason="the recording is not beside this checkout")
STAMPED = {name for name, *_ in (*HEADER, *STAMPS)} | {"account_seq"}
ROWS = 60_000


class Live:
    """The live estimator and quoter of the coins of a world, on a house of their own."""

    def __init__(self, world):
        n = len(world["parameters"])
        self.house = House.create(f"/mmfast-parity-{os.getpid()}", "test", regions(n))
        self.house.ready()
        self.house.segment.unlink()  # the mapping is enough
        for inst in range(n):
            self.house.cells("parameters")[inst] = world["parameters"][inst]
        self.estimator = estimator.Estimator(self.house, Placement(-1, SPIN))
        self.quoter = quoter.Quoter(self.house, Placement(-1, SPIN))

    def hear(self, row):
        """One row of a tape, published where the feed or the gateway publishes it; then both loops run dry."""
        address = int(row.ctypes.data)
        if row["kind"][0] == KIND_FILL:
            for reader in ACCOUNT_READERS:
                ring = self.house.address[f"account_{reader}"]
                spsc.put(ring, spsc.claim(ring), address, FILL.itemsize)
        else:
            ring = self.house.address["market"]
            slot = broadcast.claim(ring)
            size = BOOK.itemsize if row["kind"][0] == KIND_BOOK else BBO.itemsize
            target = (np.ctypeslib.ctypes.c_char * size).from_address(slot)
            target[8:] = row.view(np.uint8)[8:size].tobytes()  # the first word is the ring's
            broadcast.publish(ring, slot)
        estimator.drain(self.estimator.address)
        quoter.drain(self.quoter.address)

    def close(self):
        self.house.segment.disown()


def payload(records):
    """Bytes of every field that is not a stamp, field by field."""
    return {name: records[name].tobytes() for name in records.dtype.names if name not in STAMPED}


def assert_same(world):
    tape, beliefs, quotes = world.log("tape"), world.log("tape_beliefs"), world.log("tape_quotes")
    assert 1000 < len(tape) < ROWS
    live = Live(world)
    try:
        for k in range(len(tape)):
            live.hear(tape[k : k + 1])
            for inst in range(beliefs.shape[1]):
                if quotes[k, inst]["kind"] == 0:
                    continue  # nothing was decided yet
                for region, expected in (("belief", beliefs), ("quote", quotes)):
                    assert payload(live.house.cells(region)[inst]) == payload(expected[k, inst]), (region, k, inst)
    finally:
        live.close()


@needs_recording
def test_live_loops_and_virtual_time_agree_on_recorded_data():
    config = load(coins=["BTC", "ETH", "SOL"], environ={})
    world = recorded(config, RECORDING, ["BTC", "ETH", "SOL"], seconds=60.0, room=Room(tape=ROWS))
    world.live(1 << 62)
    assert_same(world)


def test_live_loops_and_virtual_time_agree_on_a_generated_market_with_fills():
    world = synthetic(load(coins=["BTC"], environ={}), ["BTC"], 5, 240.0, room=Room(tape=ROWS), reference=True)
    world.live(1 << 62)
    for kind in (KIND_FILL, KIND_REFERENCE_BBO):
        assert (world.log("tape")["kind"] == kind).sum() > 0
    assert np.any(world.log("tape_quotes")["position_lots"] != 0)
    assert_same(world)


def test_live_loops_and_virtual_time_agree_on_coins_that_share_a_portfolio():
    """Positions in three coins, so that each takes from the others' room, and a risk that lets that bind."""
    coins = ["BTC", "ETH", "SOL"]
    config = load(coins=coins, environ={}, overrides={"risk.max_leverage": 3.0, "model.maker_fee_bps": 0.0,
                                                      "model.adverse_bps": 0.05, "model.informed_prior": 0.01,
                                                      "model.kappa_per_bp": 4.0, "model.edge_min_bps": 0.01})
    world = synthetic(config, coins, 5, 120.0, room=Room(tape=ROWS))
    world["parameters"]["equity_usd"], world["parameters"]["leverage_max"] = 2_000.0, 1.0
    world.live(1 << 62)
    tape, quotes = world.log("tape"), world.log("tape_quotes")
    filled = tape[tape["kind"] == KIND_FILL]["inst"]
    assert len(set(filled.tolist())) > 1
    reasons = quotes["side_reason"][len(quotes) // 2 :]
    assert (reasons == SIDE_NO_ROOM).any()
    assert_same(world)


def test_a_tape_that_is_heard_again_gives_the_quotes_it_gave():
    world = synthetic(load(coins=["BTC"], environ={}), ["BTC"], 5, 60.0, room=Room(tape=ROWS))
    world.live(1 << 62)
    first = replay(world, world.log("tape"))
    again = replay(world, world.log("tape"))
    assert len(first) == int(world.run["quote_seq"][0])
    assert first.tobytes() == again.tobytes()
    last, quote = first[-1], world.log("tape_quotes")[-1, 0]
    assert list(last["lots"]) == [int(quote["lots"][side, : quote["level_count"][side]].sum()) for side in range(2)]
