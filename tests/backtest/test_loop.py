"""Claims about the loop: one event after the other, and a pause changes nothing."""

import numpy as np

from mmfast.records.market import KIND_TIMER
from mmfast.units import NS_PER_S

END = 1 << 62


def test_time_never_runs_backwards(make):
    world = make(30.0, coins=("BTC", "ETH"))
    world.live(END)
    heard = world.log("tape")["ts_recv_ns"]
    assert (np.diff(heard) >= 0).all()
    assert heard[-1] < world.block_ns[-1] + NS_PER_S


def test_a_run_in_pieces_is_the_run_in_one(make):
    whole, pieces = make(20.0), make(20.0)
    whole.live(END)
    for second in range(1, 25):
        pieces.live(pieces.start_ns + second * NS_PER_S)
    pieces.live(END)
    for name in ("beliefs", "quotes", "orders", "books", "ledgers"):
        assert whole[name].tobytes() == pieces[name].tobytes()


def test_every_tick_of_our_clock_is_a_decision_for_every_coin(make):
    world = make(10.0, coins=("BTC", "ETH"))
    world.live(END)
    ticks = (world.log("tape")["kind"] == KIND_TIMER).sum()
    assert ticks == 199 or ticks == 200
    assert world.run["quote_seq"][0] >= 2 * ticks


def test_samples_are_taken_once_a_second_for_every_coin(make):
    world = make(10.0, coins=("BTC", "ETH"))
    world.live(END)
    samples = world.log("samples")
    assert [int((samples["inst"] == inst).sum()) for inst in range(2)] == [10, 10]
    assert (np.diff(samples["ts_ns"][samples["inst"] == 0]) < 1.1 * NS_PER_S).all()
