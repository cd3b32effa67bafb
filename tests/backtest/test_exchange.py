"""Claims about the exchange in virtual time: it is the local exchange's market, block by block."""

import numpy as np
import pytest

from mmfast.backtest.exchange import _drain, _execute, tell
from mmfast.backtest.layout import NEWS, NEWS_FILL, NEWS_RESTING, NEWS_TAKEN, SEND_TAKE
from mmfast.backtest.world import START_MS
from mmfast.gateway import orders
from mmfast.sim.market import Market
from mmfast.sim.synthetic import SyntheticSource
from mmfast.units import ASK, NS_PER_MS, NS_PER_S

END = 1 << 62


def test_without_our_orders_the_market_is_that_of_the_local_exchange(make):
    world = make(60.0, seed=9)
    world["parameters"]["clip_lots"] = 0  # a trader without a size wants nothing
    world.live(END)
    assert world.run["place_count"][0] == 0
    market = Market("BTC", 5, SyntheticSource("BTC", 9), START_MS)
    for at_ns in world.block_ns.tolist():
        market.advance_makers(at_ns // NS_PER_MS)
        market.advance_takers(at_ns // NS_PER_MS)
    mine, theirs = world["books"][0], market.book
    for name in ("level_count", "px_ticks", "lots", "count", "volume_uusd", "last_px", "tid_next"):
        assert np.array_equal(mine[name], theirs[name]), name


def test_what_trades_trades_at_the_end_of_a_block_and_reaches_us_later(make):
    world = make(600.0, tape=0)
    world.live(END)
    fills = world.log("fills")
    assert len(fills) > 5
    assert np.isin(fills["ts_exch_ns"], world.block_ns).all()
    assert (fills["ts_recv_ns"] > fills["ts_exch_ns"]).all()
    assert (fills["crossed"] == 0).all()


def test_an_order_trades_no_earlier_than_it_can_have_arrived(make):
    world = make(300.0, latency="hl", tape=0)
    world.live(END)
    for order in world["orders"][world["orders"]["filled_lots"] > 0]:
        fills = world.log("fills")
        first = fills[fills["cloid_lo"] == order["cloid_lo"]][0]
        assert first["ts_exch_ns"] > order["ts_written_ns"] + 50_000_000


def test_what_takes_only_reduces_and_pays_the_taker_fee(make):
    world = make(60.0, seed=9)
    world.live(world.start_ns + 10 * NS_PER_S)
    run, venue = world.run[0], world["venues"][0]
    block_ns = int(world.block_ns[world.block_ns > run["now_ns"]][0])
    venue["position_lots"] = 30
    slot, px = _takes(world, ASK, 100, 1, block_ns)
    _execute(run, world.venue, block_ns, block_ns // NS_PER_MS, block_ns)
    _drain(run, 0, block_ns, block_ns)
    news = world["news"][run["news_head"]:run["news_tail"]]
    mine = news[news["order_id"] == world["orders"][slot]["cloid_lo"]]
    assert mine["kind"].tolist() == [NEWS_TAKEN, *[NEWS_FILL] * (len(mine) - 1)]
    assert (mine["told_lots"][0], mine["lots"][1:].sum(), venue["position_lots"]) == (30, 30, 0)
    assert (mine["crossed"][1:] == 1).all()
    assert (mine["px_ticks"][1:] >= px).all()
    notional = mine["px_ticks"][1:] * mine["lots"][1:]
    assert mine["fee_uusd"][1:].tolist() == pytest.approx((notional * run["taker_fee_ppm"] * 1e-6).tolist(), abs=1)
    assert run["taker_fee_ppm"] > run["fee_ppm"]


def _takes(world, side, lots, px_ticks, arrive_ns):
    """An order that takes, on its way: its slot and price."""
    slot = orders.allocate(world["orders"], world["register"][0], 0)
    row = world["outbox"][world.run["outbox_count"][0]]
    row["arrive_ns"], row["kind"], row["order_id"] = arrive_ns, SEND_TAKE, world["orders"][slot]["cloid_lo"]
    row["side"], row["px_ticks"], row["lots"] = side, px_ticks, lots
    world.run["outbox_count"] += 1
    return slot, px_ticks


def test_news_that_find_no_room_are_counted(make):
    world = make(1.0)
    for k in range(NEWS + 3):
        tell(world.run[0], NEWS_RESTING, 0, k, k)
    assert world.run["lost_count"][0] == 3
