"""The generated market as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from mmfast.records.order import TIF_ALO
from mmfast.sim.generator import INFORMED, NOISE, SWEEP
from mmfast.sim.market import Market, Print
from mmfast.sim.synthetic import SyntheticSource
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid.rounding import round_down, round_up

SZ_DECIMALS = {"BTC": 5, "ETH": 4, "SOL": 2}
MAKER_FEE_BPS = 1.5
CLIP_USD = 2000.0


def run(seed: int, block_ms: int, until_ms: int = 60_000, coin: str = "BTC") -> tuple[Market, list[Print]]:
    market = Market(coin, SZ_DECIMALS[coin], SyntheticSource(coin, seed), 0)
    for now in range(block_ms, until_ms + 1, block_ms):
        market.advance_makers(now)
        market.advance_takers(now)
    return market, [p._replace(time_ms=0) for p in market.take_prints()]


def test_the_same_seed_makes_the_same_market_and_another_seed_another() -> None:
    (a, pa), (b, pb), (c, pc) = run(1, 100), run(1, 100), run(2, 100)
    assert a.books.tobytes() == b.books.tobytes()
    assert pa == pb != pc
    assert a.source.truth() == b.source.truth() != c.source.truth()


@pytest.mark.parametrize("block_ms", [50, 75, 1000, 60_000])
def test_without_users_the_market_does_not_depend_on_the_blocks(block_ms: int) -> None:
    (a, pa), (b, pb) = run(1, 100), run(1, block_ms)
    assert pa == pb
    assert a.depth(20) == b.depth(20)
    assert a.source.truth() == b.source.truth()


def test_the_value_does_not_depend_on_users() -> None:
    free, _ = run(1, 100)
    market = Market("BTC", 5, SyntheticSource("BTC", 1), 0)
    for now in range(100, 60_001, 100):
        market.advance_makers(now)
        (bid, _, _), _ = market.touch()
        market.add(now, 7, ASK, bid, 10_000, 1, now)
        market.advance_takers(now)
    assert market.source.truth().value_px == free.source.truth().value_px


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_the_book_is_never_crossed_and_the_truth_names_every_taker(coin: str) -> None:
    market = Market(coin, SZ_DECIMALS[coin], SyntheticSource(coin, 3), 0)
    truth, prints = [], []
    for now in range(100, 600_001, 100):
        market.advance_makers(now)
        market.advance_takers(now)
        bids, asks = market.depth(20)
        assert len(bids) == len(asks) == 20 or min(len(bids), len(asks)) > 0
        assert bids[0][0] < asks[0][0]
        assert [b[0] for b in bids] == sorted({b[0] for b in bids}, reverse=True)
        truth.append(market.source.take_taker_truth())
        prints += market.take_prints()
    rows = np.concatenate(truth)
    lots: dict[int, int] = {}
    for p in prints:
        lots[p.taker] = lots.get(p.taker, 0) + p.lots
    assert lots == dict(rows[:, [0, 3]].tolist())
    assert {NOISE, INFORMED, SWEEP} == set(rows[:, 2].tolist())
    assert market.source.truth().taker_count == len(rows)
    assert len({p.tid for p in prints}) == len(prints)


def test_the_market_resembles_the_recorded_half_hour() -> None:
    market = Market("BTC", 5, SyntheticSource("BTC", 5), 0)
    mids, spreads, takers = [], [], set()
    for now in range(500, 3_600_001, 500):
        market.advance_makers(now)
        market.advance_takers(now)
        (bid, _, _), (ask, _, _) = market.touch()
        mids.append(0.5 * (bid + ask))
        spreads.append((ask - bid) / mids[-1] * 1e4)
        takers |= {p.taker for p in market.take_prints()}
    returns = np.diff(np.log(mids[::20])) * 1e4
    assert 0.8 < len(takers) / 3600 < 1.6  # recorded: 1.13 a second
    assert np.median(spreads) == pytest.approx(0.091, abs=0.01)  # recorded: one tick
    assert 0.3 < np.sqrt(np.mean(returns**2) / 10) < 1.2  # recorded: 0.60 bps per root second over 10 s


class RestingMaker:
    """A clip at a fixed depth on both sides of the mid, renewed each second, 0.3 s late."""

    def __init__(self, depths_bps: list[float]) -> None:
        self.depths_bps = depths_bps
        self.live: dict[tuple[int, int], int] = {}
        self.owner: dict[int, int] = {}

    def renew(self, market: Market, mid: float, now: int) -> None:
        for k, depth_bps in enumerate(self.depths_bps):
            for side in (BID, ASK):
                market.cancel(self.live.pop((k, side), -1))
                away = mid * (1.0 - depth_bps * 1e-4 if side == BID else 1.0 + depth_bps * 1e-4)
                px = (round_down if side == BID else round_up)(int(away), market.ticks_per_usd)
                order = len(self.owner)
                self.owner[order] = k
                self.live[k, side] = order
                market.add(order, k, side, px, int(CLIP_USD * 1e6 / px), TIF_ALO, now)


def markout_usd(seed: int, seconds: int, depths_bps: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Profit [USD] against the true value a minute after each fill, fees paid, and fills, of each depth."""
    market, maker = Market("ETH", 4, SyntheticSource("ETH", seed), 0), RestingMaker(depths_bps)
    start_px = float(market.source.state["start_px"])
    value_bps, fills, mid = [], [], float("nan")
    for now in range(100, seconds * 1000 + 1, 100):
        market.advance_makers(now)
        if now % 1000 == 300 and mid > 0.0:
            maker.renew(market, mid, now)
        fills += [(now // 1000, maker.owner[m.order_id], m) for m in market.advance_takers(now)]
        if now % 1000 == 0:
            (bid, bid_lots, _), (ask, ask_lots, _) = market.touch()
            mid = 0.5 * (bid + ask) if bid_lots and ask_lots else mid
            value_bps.append(market.source.truth().value_bps)
            market.take_prints()
    profit, count = np.zeros(len(depths_bps)), np.zeros(len(depths_bps))
    for second, k, match in fills:
        later = value_bps[min(second + 60, len(value_bps) - 1)]
        paid = np.log(match.px_ticks / market.ticks_per_usd / start_px) * 1e4
        sign = 1.0 if match.aggressor == ASK else -1.0
        profit[k] += match.px_ticks * match.lots * 1e-10 * (sign * (later - paid) - MAKER_FEE_BPS)
        count[k] += 1
    return profit, count


def test_tight_quotes_lose_middle_ones_do_better_and_wide_ones_hardly_trade() -> None:
    runs = [markout_usd(seed, 1800, [0.3, 6.0, 60.0]) for seed in range(6)]
    tight, middle, wide = np.mean([profit for profit, _ in runs], axis=0)
    fills = np.sum([count for _, count in runs], axis=0)
    assert tight < 0.0
    assert middle > tight
    assert middle > wide
    assert middle > 0.0
    assert fills[0] > 1000 > fills[1] > 20
    assert fills[2] <= 2
