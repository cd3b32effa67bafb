"""Claims about forecasts: they are judged by what was recorded after them, and by nothing that was known before."""

import numpy as np
import pytest

from mmfast.backtest import captures, forecasts, predict
from mmfast.backtest.captures import Heard
from mmfast.config import load
from mmfast.records.belief import BELIEF_OK, BELIEF_WARMING
from mmfast.units import ASK, BID, NS_PER_S

T0 = 1_700_000_000 * NS_PER_S


def walk(seconds=900, seed=1):
    """A market of touches and prints in which the mid walks."""
    random, heard, px = np.random.default_rng(seed), Heard(), 100_000.0
    for k in range(5 * seconds):
        at_ns = T0 + k * NS_PER_S // 5
        px += random.normal(scale=3.0)
        mid = round(px)
        heard.touches.append((at_ns, at_ns, mid - 1.0, mid + 1.0, 5.0, 5.0))
        side = int(random.integers(0, 2))
        heard.trades.append((at_ns, at_ns, mid + (1.0 if side == BID else -1.0), 0.1, side, k))
    return captures.tape("walk", "BTC", heard)


@pytest.fixture(scope="module")
def capture():
    return walk()


@pytest.fixture(scope="module")
def seen(capture):
    return predict.follow(load(coins=["BTC"], environ={}), capture)[0]


def test_moves_are_those_of_the_recorded_mid(capture, seen):
    k = 600
    move, px = forecasts.moves(seen, 5), forecasts.mids(capture, seen["ts_ns"])
    assert move[k] == pytest.approx(1e4 * np.log(px[k + 5] / px[k]))
    assert np.isnan(move[-5:]).all()
    touch = capture.rows[(capture.rows["kind"] == captures.KIND_BBO) & (capture.rows["ts_recv_ns"] <= seen["ts_ns"][k])]
    assert seen["ts_ns"][k] - touch["ts_recv_ns"][-1] < NS_PER_S // 5


def test_a_move_counts_where_the_belief_could_be_used_before_it(seen):
    later = seen.copy()
    later["status"][605] = BELIEF_OK + 1
    assert np.isfinite(forecasts.moves(later, 5)[600])
    assert np.isnan(forecasts.moves(later, 5)[605])
    later["ts_ns"][606:] += NS_PER_S  # a hole
    assert np.isnan(forecasts.moves(later, 5)[601:606]).all()


def test_an_old_touch_is_no_mid_and_books_are_when_there_are_no_touches():
    heard = Heard()
    heard.books = [(T0, T0, ([(99.0, 1.0)], [(101.0, 1.0)])), (T0 + NS_PER_S, T0, ([(101.0, 1.0)], [(103.0, 1.0)]))]
    capture = captures.tape("x", "BTC", heard)
    at_ns = T0 + np.array([-1, 0, NS_PER_S, 6 * NS_PER_S, 7 * NS_PER_S])
    assert forecasts.mids(capture, at_ns).tolist() == pytest.approx([np.nan, 100.0, 102.0, 102.0, np.nan], nan_ok=True)


def test_what_comes_after_a_second_changes_nothing_that_was_told_in_it(capture, seen):
    cut = capture._replace(rows=capture.rows[:len(capture.rows) // 2])
    early = predict.follow(load(coins=["BTC"], environ={}), cut)[0]
    assert len(early) > 400
    assert early.tobytes() == seen[:len(early)].tobytes()


def test_a_walk_cannot_be_foretold_and_its_volatility_can(capture, seen):
    rows = {what: gain for _, what, gain in forecasts.scored(capture, seen)}
    assert rows["sign of the move in 10 s, errors over a coin's"].verdict != "better"
    assert rows["move in 10 s, square over zero drift"].verdict != "better"
    volatility = rows["volatility, QLIKE over EWMA of 10 s moves"]
    assert volatility.gain > -0.1
    assert volatility.ours == pytest.approx(np.log(10 * (3.0 * 5**0.5 * 0.1) ** 2) + 1.0, abs=0.3)


def test_one_who_knows_the_moves_wins_and_one_who_knows_the_reverse_loses(seen):
    at_s = (seen["ts_ns"] // NS_PER_S).astype(float)
    wise = seen.copy()
    wise["mu_bps_s"] = 0.0
    move = np.nan_to_num(forecasts.moves(seen, 10))
    wise["fair_px"] = seen["mid_px"] * np.exp(1e-4 * move)
    rows = dict(forecasts.direction(at_s, wise))
    assert rows["sign of the move in 10 s, errors over a coin's"].ours == 0.0
    assert rows["move in 10 s, square over zero drift"].gain == pytest.approx(1.0)
    wise["fair_px"] = seen["mid_px"] * np.exp(-1e-4 * move)
    rows = dict(forecasts.direction(at_s, wise))
    assert rows["sign of the move in 10 s, errors over a coin's"].verdict == "worse"
    assert rows["move in 10 s, square over zero drift"].ours == pytest.approx(4.0)


def test_an_order_is_filled_by_prints_of_the_other_side_that_reach_it(capture, seen):
    near, far = (np.nanmean(forecasts.filled(capture, seen, side, depth)) for side, depth in ((BID, 0.5), (BID, 20.0)))
    assert near > 0.4 > 0.05 > far
    assert np.nanmean(forecasts.filled(capture, seen, ASK, 0.5)) == pytest.approx(near, abs=0.1)


def test_a_print_counts_from_just_after_the_second_to_five_later():
    heard = Heard()
    heard.touches = [(T0 + k * NS_PER_S, T0, 99.0, 101.0, 1.0, 1.0) for k in range(20)]
    heard.trades = [(T0 + 5 * NS_PER_S, T0, 99.0, 1.0, ASK, 1), (T0 + 5 * NS_PER_S, T0, 90.0, 1.0, BID, 2)]
    capture = captures.tape("x", "BTC", heard)
    seen = np.zeros(15, predict.SEEN)
    seen["ts_ns"], seen["fair_px"], seen["mid_px"] = T0 + np.arange(15) * NS_PER_S, 100.0, 100.0
    bids = forecasts.filled(capture, seen, BID, 50.0)
    assert np.flatnonzero(bids == 1.0).tolist() == [0, 1, 2, 3, 4]
    assert not (forecasts.filled(capture, seen, BID, 150.0) == 1.0).any()
    assert not (forecasts.filled(capture, seen, ASK, 50.0) == 1.0).any()
    assert np.isnan(bids[-forecasts.FILL_S:]).all()


def test_what_is_hardly_usable_is_only_heard(capture, seen):
    few = seen.copy()
    few["status"][forecasts.SCORED_MIN - 1:] = BELIEF_WARMING
    assert forecasts.scored(capture, few) == []
