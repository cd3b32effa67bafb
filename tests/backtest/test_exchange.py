"""Claims about the exchange in virtual time: it is the local exchange's market, block by block."""

import numpy as np

from mmfast.backtest.exchange import tell
from mmfast.backtest.layout import NEWS, NEWS_RESTING
from mmfast.backtest.world import START_MS
from mmfast.sim.market import Market
from mmfast.sim.synthetic import SyntheticSource
from mmfast.units import NS_PER_MS

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


def test_news_that_find_no_room_are_counted(make):
    world = make(1.0)
    for k in range(NEWS + 3):
        tell(world.run[0], NEWS_RESTING, 0, k, k)
    assert world.run["lost_count"][0] == 3
