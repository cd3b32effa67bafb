"""Claims about positions, profit and orders read from outside."""

import json
import time

import numpy as np
import pytest
from support.house import MID_PX, put, put_belief, put_order, put_quote

from mmfast.records.account import LEDGER
from mmfast.records.order import AMBIGUOUS, CANCELED, FILLED
from mmfast.records.quote import SIDE_NO_ROOM
from mmfast.runtime.holdings import Cells, holdings, live_order_count, positions, profit, totals
from mmfast.units import ASK, BID


def a_ledger(**values):
    ledger = np.zeros(1, LEDGER)
    for name, value in values.items():
        ledger[name] = value
    return ledger


def test_profit_is_cash_and_position_at_the_mark_less_what_was_there_before():
    """Bought 2 lots at 100, sold 1 at 110 (ticks x lots = micro-dollars), mark 120, fee 3, funding 1; held 1 at 90."""
    ledger = a_ledger(cash_uusd=-2 * 100 + 110, position_lots=2, mark_ticks=120, fee_uusd=3, funding_uusd=1,
                      start_position_lots=1, start_mark_ticks=90)
    assert profit(ledger[0])["total_usd"] == pytest.approx((-90 + 240 - 90 - 3 + 1) / 1e6)


def test_a_fresh_engine_is_flat_has_earned_nothing_and_knows_nothing(house):
    rows = holdings(house)
    assert [r["coin"] for r in rows] == ["BTC", "ETH"]
    assert rows[0]["position"] == 0
    assert rows[0]["mark_px"] == MID_PX
    assert rows[0]["belief"] is None
    assert rows[0]["quote"] is None
    assert totals(rows)["total_usd"] == 0


def test_a_coin_shows_its_own_orders_with_their_distance_outward(house):
    put_belief(house, 0)
    put_order(house, 3, 0, BID, MID_PX - 100, 5)
    put_order(house, 900, 0, ASK, MID_PX + 50, 7, AMBIGUOUS)
    put_order(house, 4, 1, ASK, 4_000.0, 1)
    put_order(house, 5, 0, ASK, MID_PX, 1, FILLED)
    btc, eth = holdings(house)
    assert [(o["side"], o["lots"], o["distance_bps"], o["state"]) for o in btc["orders"]] == [
        ("bid", 5, 10.0, "open"), ("ask", 7, 5.0, "ambiguous")]
    assert btc["orders"][0]["age_ms"] > 999
    assert eth["orders"][0]["distance_bps"] is None
    assert live_order_count(house) == 3
    put_order(house, 3, 0, BID, MID_PX - 100, 5, CANCELED)
    assert live_order_count(house) == 2


def test_a_side_without_quotes_says_why(house):
    put_quote(house, 0, bid_reason=SIDE_NO_ROOM)
    quote = holdings(house)[0]["quote"]
    assert quote["bid"] == {"reason": "no room under the limit", "levels": []}
    assert quote["ask"]["levels"] == [{"px": MID_PX + 40, "lots": 1000, "edge_bps": 1.5}]


def test_unknown_numbers_are_null_in_json(house):
    put_belief(house, 0, mid_px=float("nan"))
    rows = json.loads(json.dumps(holdings(house), allow_nan=False))
    assert rows[0]["belief"]["mid_px"] is None
    assert rows[0]["belief"]["status"] == "ok"


def test_a_cell_whose_writer_died_in_the_middle_is_unknown_and_does_not_hang(house):
    put_belief(house, 0)
    start = house.address["belief"] - house.segment.address
    house.segment.words[(start + 4096) // 8] |= 1
    before = time.monotonic()
    assert Cells(house).read("belief", 0) is None
    assert time.monotonic() - before < 0.1


def test_the_gateways_ledger_replaces_the_supervisors(house):
    house.cells("ledger")["position_lots"][0] = 5
    assert holdings(house)[0]["position_lots"] == 5
    put(house, "ledger", 0, a_ledger(position_lots=7, mark_ticks=1))
    assert holdings(house)[0]["position_lots"] == 7
    assert positions(house)["BTC"] == 7e-5
