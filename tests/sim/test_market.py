"""The shell around one coin."""

from __future__ import annotations

import math

import pytest

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.sim.market import (
    BACKGROUND,
    FILLED,
    NO_MATCH,
    PARTIAL_RESTING,
    POST_ONLY_CROSSED,
    RESTING,
    Added,
    Market,
    Match,
)
from mmfast.sim.synthetic import SyntheticSource
from mmfast.units import ASK, BID


def opened(seed: int = 1) -> Market:
    return Market("BTC", 5, SyntheticSource("BTC", seed), 1_000_000)


def test_post_only_rests_behind_the_displayed_volume_or_is_refused() -> None:
    market = opened()
    (bid, bid_lots, _), (ask, _, _) = market.touch()
    assert market.add(1, 7, BID, ask, 10, TIF_ALO, 0) == (Added(POST_ONLY_CROSSED, 0, 0, 0), [], [])
    assert market.add(2, 7, BID, bid, 10, TIF_ALO, 0) == (Added(RESTING, 0, 10, 0), [], [])
    assert market.queue(2) == (bid_lots, 0)
    assert market.touch()[BID][1] == bid_lots + 10
    assert market.cancel(2) == 10
    assert market.cancel(2) == 0
    assert market.touch()[BID] == (bid, bid_lots, market.touch()[BID][2])


def test_a_taker_pays_what_was_displayed_and_the_rest_of_an_ioc_is_dropped() -> None:
    market = opened()
    asks = market.depth(3)[ASK]
    lots = sum(level[1] for level in asks)
    added, matches, _ = market.add(1, 7, BID, asks[2][0], lots + 5, TIF_IOC, 123)
    assert added == Added(FILLED, lots, 0, sum(px * size for px, size, _ in asks))
    assert [(m.px_ticks, m.lots, m.maker, m.other_order_id, m.aggressor) for m in matches] == [
        (px, size, False, BACKGROUND, BID) for px, size, _ in asks]
    prints = market.take_prints()
    assert [(p.px_ticks, p.lots, p.aggressor, p.time_ms, p.taker) for p in prints] == [
        (px, size, BID, 123, 1) for px, size, _ in asks]
    assert [p.tid for p in prints] == [m.tid for m in matches]
    assert len({p.tid for p in prints}) == 3
    assert market.take_prints() == []
    assert market.add(2, 7, BID, asks[2][0], 5, TIF_IOC, 0)[0].status == NO_MATCH


def test_a_gtc_that_is_partly_filled_rests() -> None:
    market = opened()
    px, lots, _ = market.touch()[ASK]
    added, _, _ = market.add(1, 7, BID, px, lots + 8, TIF_GTC, 0)
    assert added == Added(PARTIAL_RESTING, lots, 8, px * lots)
    assert market.touch()[BID] == (px, 8, 1)
    assert market.reduce(1, 3) == 5
    assert market.reduce(1, 5) == 0
    assert market.reduce(1, 5) == 0


def test_users_trade_with_each_other_and_never_with_themselves() -> None:
    market = opened()
    (bid, lots, _), _ = market.touch()
    market.add(9, 9, ASK, bid, lots, TIF_IOC, 0)
    market.add(1, 7, BID, bid, 4, TIF_ALO, 0)
    market.add(2, 8, BID, bid, 4, TIF_ALO, 0)
    added, matches, expired = market.add(3, 7, ASK, bid, 4, TIF_IOC, 0)
    assert (added.status, expired) == (FILLED, [1])
    tid = matches[0].tid
    assert matches == [Match(2, 4, bid, True, 3, ASK, tid), Match(3, 4, bid, False, 2, ASK, tid)]
    assert market.cancel(1) == market.cancel(2) == 0


def test_background_flow_fills_resting_orders_and_forgets_them() -> None:
    market = opened()
    now, filled = 1_000_000, 0
    (bid, _, _), (ask, _, _) = market.touch()
    market.add(1, 7, BID, bid - 20, 50, TIF_ALO, now)
    market.add(2, 7, ASK, ask + 20, 50, TIF_ALO, now)
    while filled < 100 and now < 4_600_000:
        now += 100
        market.advance_makers(now)
        for match in market.advance_takers(now):
            assert match.maker
            assert match.other_order_id == BACKGROUND
            assert match.aggressor == (ASK if match.order_id == 1 else BID)
            filled += match.lots
    assert filled == 100
    assert market.sides == {}


def test_what_is_no_order_is_refused_with_its_numbers() -> None:
    market = opened()
    market.add(1, 7, BID, 10, 10, TIF_ALO, 0)
    for bad, words in (((2, 7, BID, 0, 10, TIF_ALO), "px_ticks 0"), ((2, 7, BID, 10, 0, TIF_ALO), "lots 0"),
                       ((2, 7, 2, 10, 10, TIF_ALO), "side 2"), ((-2, 7, BID, 10, 10, TIF_ALO), "order -2"),
                       ((2, 7, BID, 10, 10, 5), "tif 5"), ((1, 7, BID, 10, 10, TIF_ALO), "rests already")):
        with pytest.raises(ValueError, match=words):
            market.add(*bad, 0)
    with pytest.raises(ValueError, match="cannot be reduced by -1"):
        market.reduce(1, -1)
    with pytest.raises(ValueError, match="order 5 does not rest"):
        market.queue(5)


def test_a_generated_markets_context_leaves_mark_premium_and_funding_to_the_exchange() -> None:
    market = opened()
    market.advance_takers(1_060_000)
    before = market.context()
    untold = (before.mark_px, before.premium, before.funding_rate_h)
    assert all(math.isnan(x) for x in untold)
    assert all(math.isfinite(x) for x in before if x not in untold)
    assert market.last_ticks == market.take_prints()[-1].px_ticks
    assert not market.ended
