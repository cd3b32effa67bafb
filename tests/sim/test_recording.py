"""The recording loader, on the real half hour where it is there, and on small folders."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from mmfast.sim.market import Market
from mmfast.sim.recording import RecordingSource, coins_in, load_recording
from mmfast.sim.replay import EVENT_TOUCH, EVENT_TRADE
from mmfast.units import ASK, BID

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "hl_20250904"
recorded = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded market of 2025-09-04 is not here")
START_MS = 7_000_000


@pytest.fixture(scope="module")
def sources() -> dict[str, RecordingSource]:
    return load_recording(FOLDER, ["BTC", "ETH", "SOL"])


@recorded
@pytest.mark.parametrize(("coin", "sz_decimals", "trades", "backlog", "touches"), [
    ("BTC", 5, 6637, 38, 27792), ("ETH", 4, 6837, 47, 30518), ("SOL", 2, 4388, 49, 26422)])
def test_rows_are_all_there_and_times_never_fall(sources: dict[str, RecordingSource], coin: str, sz_decimals: int,
                                                 trades: int, backlog: int, touches: int) -> None:
    track = sources[coin].track
    assert track.sz_decimals == sz_decimals
    assert (len(track.trades), track.backlog_count, len(track.touches)) == (trades, backlog, touches)
    assert track.duplicate_count == 0  # all repeated trades are in the backlog
    assert len(track.snapshots) == 3785
    assert (np.diff(track.events[:, 0]) >= 0).all()
    assert len(np.unique(track.trades[:, 3])) == trades
    assert (track.snapshots[:, ASK, 0, 0] > track.snapshots[:, BID, 0, 0]).all()


@recorded
@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL"])
def test_the_touch_is_the_recorded_one_and_the_prints_are_the_recorded_trades(coin: str) -> None:
    source = load_recording(FOLDER, [coin])[coin]
    track, t0 = source.track, source.start_recorded_ms
    market = Market(coin, track.sz_decimals, source, START_MS)
    touch_ms = track.events[track.events[:, 1] == EVENT_TOUCH, 0]
    prints, now, sampled = [], START_MS, 0
    while not market.ended:
        now += 100
        market.advance_makers(now)
        assert market.advance_takers(now) == []
        prints += market.take_prints()
        assert all(p.time_ms <= now for p in prints[-1:])
        sides = market.touch()
        assert sides[BID][0] < sides[ASK][0]
        if now % 1000 == 0 and track.events[source.cursor - 1, 1] == EVENT_TOUCH:
            sampled += 1
            last = int(np.searchsorted(touch_ms, t0 + now - START_MS, side="right"))
            for side in (BID, ASK):
                rows = track.touches[max(last - 200, 0):last]
                assert sides[side][:2] == tuple(rows[rows[:, 0] == side][-1, 1:].tolist())
    told = track.trades[np.isin(track.trades[:, 3], [p.tid for p in prints])]
    assert [(p.px_ticks, p.lots, p.aggressor, p.tid) for p in prints] == [tuple(row) for row in told.tolist()]
    assert sampled > 1700
    assert len(track.trades) - len(prints) < 40  # those before the first book


@recorded
def test_the_outage_stays_an_outage(sources: dict[str, RecordingSource]) -> None:
    times = sources["BTC"].track.events[:, 0]
    gap = int(np.argmax(np.diff(times)))
    assert times[gap + 1] - times[gap] > 12_000
    source = RecordingSource(sources["BTC"].track, sources["BTC"].start_recorded_ms)
    market = Market("BTC", 5, source, START_MS)
    market.advance_takers(START_MS + int(times[gap]) - source.start_recorded_ms)
    before = market.depth(20)
    market.take_prints()
    market.advance_takers(START_MS + int(times[gap + 1]) - 1 - source.start_recorded_ms)
    assert market.depth(20) == before
    assert market.take_prints() == []


@recorded
@pytest.mark.parametrize("speed", [20.0, math.inf])
def test_speed_compresses_time_and_loses_nothing(sources: dict[str, RecordingSource], speed: float) -> None:
    source = RecordingSource(sources["SOL"].track, sources["SOL"].start_recorded_ms, speed)
    market = Market("SOL", 2, source, START_MS)
    blocks = 0
    while not market.ended:
        blocks += 1
        market.advance_makers(START_MS + 100 * blocks)
        market.advance_takers(START_MS + 100 * blocks)
    span_ms = int(source.track.events[-1, 0]) - source.start_recorded_ms
    assert blocks == -(-span_ms // (100 if math.isinf(speed) else 2000))
    trade_ms = source.track.events[source.track.events[:, 1] == EVENT_TRADE, 0]
    told = source.track.trades[trade_ms > source.start_recorded_ms, 3]
    assert [p.tid for p in market.take_prints()] == told.tolist()


@recorded
def test_a_user_in_a_recording_is_filled_and_its_volume_is_not_counted_twice(
        sources: dict[str, RecordingSource]) -> None:
    source = RecordingSource(sources["BTC"].track, sources["BTC"].start_recorded_ms)
    market = Market("BTC", 5, source, START_MS)
    matches, now, number = [], START_MS, 0
    while not market.ended:
        now += 1000
        market.advance_makers(now)
        (bid, _, _), (ask, _, _) = market.touch()
        for px, side in ((bid, BID), (ask, ASK)):
            for order in [o for o, s in market.sides.items() if s == side]:
                market.cancel(order)
            number += 1
            market.add(number, 7, side, px, 2000, 0, now)
        matches += market.advance_takers(now)
        sides = market.touch()
        assert sides[BID][0] < sides[ASK][0]
    assert len(matches) > 50
    assert sum(m.lots for m in matches) <= 2000 * number
    assert len({m.tid for m in matches}) == len(matches)


def write(folder: Path, coin: str, size: str = "1.25") -> None:
    levels = [f"{side}_{k}" for k in range(20) for side in ("bid_price", "bid_size", "ask_price", "ask_size")]
    row = [str(x) for k in range(20) for x in (10.0 - k * 0.1, 1.5, 10.1 + k * 0.1, 2.0)]
    (folder / f"orderbooks_{coin}.csv").write_text(
        "timestamp,sequence,exchange_timestamp," + ",".join(levels) + "\n1.0,1000,1000," + ",".join(row) + "\n")
    (folder / f"prices_{coin}.csv").write_text(
        f"timestamp,price,size,side,exchange_timestamp\n1.0,10.0,{size},bid,1000\n1.0,10.1,2.0,ask,1000\n")
    (folder / f"trades_{coin}.csv").write_text(
        "timestamp,price,size,side,trade_id,exchange_timestamp\n2.0,10.1,0.5,buy,5,1900\n2.0,10.1,0.5,buy,5,1900\n")


def test_an_unknown_coin_gets_its_size_decimals_from_the_data(tmp_path: Path) -> None:
    write(tmp_path, "WLFI")
    source = load_recording(tmp_path, ["WLFI"])["WLFI"]
    assert source.sz_decimals == 2
    assert source.track.duplicate_count == 1
    market = Market("WLFI", 2, source, 0)
    assert market.touch()[BID] == (100_000, 125, 1)


def test_what_is_missing_is_named_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder"):
        load_recording(tmp_path / "nowhere", ["BTC"])
    write(tmp_path, "WLFI")
    assert coins_in(tmp_path) == ["WLFI"]
    with pytest.raises(FileNotFoundError, match=r"orderbooks_BTC\.csv.*recorded there: WLFI"):
        load_recording(tmp_path, ["BTC"])


def test_a_speed_or_scale_that_cannot_be_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "WLFI")
    with pytest.raises(ValueError, match="speed 0"):
        load_recording(tmp_path, ["WLFI"], 0.0)
    with pytest.raises(ValueError, match="2 size decimals, not 3"):
        Market("WLFI", 3, load_recording(tmp_path, ["WLFI"])["WLFI"], 0)


def test_a_recording_without_a_book_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "WLFI")
    path = tmp_path / "prices_WLFI.csv"
    path.write_text(path.read_text().split("\n")[0] + "\n")
    with pytest.raises(ValueError, match="has no book"):
        load_recording(tmp_path, ["WLFI"])
