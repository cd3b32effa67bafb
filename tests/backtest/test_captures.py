"""Claims about captures: what was heard of a coin becomes the records of the feed, in order of receipt."""

import numpy as np
import pytest

from mmfast.backtest import captures
from mmfast.backtest.captures import TICKS, TIMER_NS, Heard, wide
from mmfast.records.market import BBO, BOOK, CTX, KIND_BBO, KIND_BOOK, KIND_CTX, KIND_TIMER, KIND_TRADE, TRADE
from mmfast.units import ASK, BID, NS_PER_S

T0 = 1_700_000_000 * NS_PER_S


def of_kind(capture, kind, dtype):
    return capture.rows.view(wide(dtype))[capture.rows["kind"] == kind]


@pytest.fixture(scope="module")
def capture():
    heard = Heard()
    heard.touches = [(T0, T0 - 5, 63943.9, 63944.0, 46.371, 0.095), (T0 + 9, T0 + 4, 63944.0, 63944.1, 1.0, 2.0)]
    heard.trades = [(T0 + 7, T0 + 1, 63943.9, 0.5, ASK, 7), (T0 + 7, T0 + 1, 63943.8, 1e-9, ASK, 8),
                    (T0 + 8, T0 + 1, 63944.0, 0.2, BID, 9)]
    heard.books = [(T0 + 8, T0 + 2, ([(63943.9, 46.0)], [(63944.0, 0.5), (63944.1, 1.0)]))]
    heard.contexts = [(T0 + 3, T0 + 3, 1.25e-5, -3e-4)]
    return captures.tape("x", "BTC", heard)


def test_prices_are_ticks_and_sizes_are_lots_of_the_coin(capture):
    assert capture.sz_decimals == 5
    touch, book = of_kind(capture, KIND_BBO, BBO)[0], of_kind(capture, KIND_BOOK, BOOK)[0]
    assert (touch["px_ticks"].tolist(), touch["lots"].tolist()) == ([639439, 639440], [4_637_100, 9_500])
    assert book["level_count"].tolist() == [1, 2]
    assert (book["px_ticks"][ASK, :2].tolist(), book["lots"][ASK, :2].tolist()) == ([639440, 639441], [50_000, 100_000])
    context = of_kind(capture, KIND_CTX, CTX)[0]
    assert (context["funding_rate_h"], context["premium"]) == (1.25e-5, -3e-4)
    assert np.isnan(context["oracle_px"])


def test_prints_of_one_moment_and_side_are_one_order(capture):
    trades = of_kind(capture, KIND_TRADE, TRADE)
    assert trades["lots"].tolist() == [50_000, 1, 20_000]
    assert (trades["side"].tolist(), trades["tid"].tolist()) == ([ASK, ASK, BID], [7, 8, 9])
    assert trades["taker"][0] == trades["taker"][1] != trades["taker"][2]


def test_records_are_in_order_of_receipt_with_the_clock_between_them(capture):
    rows = capture.rows
    assert (np.diff(rows["ts_recv_ns"]) >= 0).all()
    assert rows["seq"].tolist() == list(range(len(rows)))
    assert rows["kind"][:7].tolist() == [KIND_BBO, KIND_CTX, KIND_TRADE, KIND_TRADE, KIND_TRADE, KIND_BOOK, KIND_BBO]
    ticks = rows["ts_recv_ns"][rows["kind"] == KIND_TIMER]
    assert (ticks % TIMER_NS == 0).all()
    assert len(ticks) == TICKS


def test_the_clock_stops_in_a_long_silence():
    heard = Heard()
    heard.contexts = [(T0, T0, 0.0, 0.0), (T0 + 3600 * NS_PER_S, T0, 0.0, 0.0)]
    rows = captures.tape("x", "BTC", heard).rows
    assert (rows["kind"] == KIND_TIMER).sum() == 2 * TICKS


def test_the_tick_holds_every_price():
    assert captures.sz_decimals([27_000.0, 64_020.4]) == 5
    assert captures.sz_decimals([28_165.47]) == 4
    assert captures.sz_decimals([0.01737]) == 1
    assert captures.sz_decimals([]) == 5
