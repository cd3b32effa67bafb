"""Claims about why: the chain behind an order, and behind the quotes of a coin."""

import json

import numpy as np
from support.house import put, put_belief, put_order, put_quote

from mmfast.records.belief import BELIEF
from mmfast.records.control import PAUSE_OPERATOR
from mmfast.records.feature import FEATURES, SOURCE_TOUCH
from mmfast.records.order import OPEN, ORDER
from mmfast.records.quote import MANDATE, QUOTE, SIDE_NO_EDGE, SIDE_NO_ROOM, SURFACE, TAKE_WANTED
from mmfast.runtime.control import Control
from mmfast.units import ASK, BID

HIGH, LOW = 7, 5 << 16 | 3
CLOID = f"0x{HIGH:016x}{LOW:016x}"


def one(dtype, **values):
    record = np.zeros(1, dtype)
    for name, value in values.items():
        record[name] = value
    return record


def put_chain(house, quote_number=40, order_from=40):
    """A whole chain of coin 0, and an order made from quote ``order_from``."""
    features = one(FEATURES, src_seq=90, valid_mask=1 << SOURCE_TOUCH, touch_imbalance=0.25, rv_30=np.nan, ts_recv_ns=1)
    features["obs_z"][0, SOURCE_TOUCH], features["obs_r"][0, SOURCE_TOUCH] = 0.125, 2.0
    put(house, "feature", 0, features)
    put(house, "belief", 0, one(BELIEF, seq=70, src_seq=90, fair_px=1e5, mu_bps_s=-0.03, v_var=np.nan))
    put(house, "mandate", 0, one(MANDATE, seq=quote_number, src_seq=70, gamma=5e-4, utilisation=0.5))
    put(house, "surface", 0, one(SURFACE, seq=quote_number, src_seq=70, shift_drift_bps=-0.75))
    put(house, "quote", 0, one(QUOTE, seq=quote_number, src_seq=70, level_count=(1, 0), side_reason=(0, SIDE_NO_ROOM)))
    put(house, "order", 3, one(ORDER, cloid_hi=HIGH, cloid_lo=LOW, state=OPEN, side=BID, px_ticks=999_600, lots=20,
                               src_seq=order_from, edge_bps=1.5, reason=1, ts_recv_ns=1_000, ts_written_ns=26_000))


def test_an_order_is_explained_by_the_records_it_came_from(mmfast, house):
    put_chain(house)
    code, out, err = mmfast("explain", CLOID, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    stages = {row["stage"]: row["fields"] for row in told["stages"]}
    assert list(stages) == ["feature", "belief", "mandate", "surface", "quote"]
    assert stages["belief"]["mu_bps_s"] == {"value": -0.03, "unit": "bps/s"}
    assert stages["belief"]["v_var"]["value"] is None
    assert stages["surface"]["shift_drift_bps"] == {"value": -0.75, "unit": "bps"}
    assert stages["feature"]["source: touch imbalance"]["value"] == [0.125, 2.0]
    order = told["orders"][0]
    assert (order["cloid"], order["side"], order["edge_bps"], order["reason"]) == (CLOID, "bid", 1.5,
                                                                                  "level without an order")
    assert order["tick_to_order_us"] == 25.0
    assert told["why"] == []


def test_a_chain_that_has_moved_on_is_not_shown_as_if_it_were_the_orders(mmfast, house):
    put_chain(house, quote_number=41, order_from=40)
    code, out, _ = mmfast("explain", CLOID, "--json")
    told = json.loads(out)
    assert code == 0
    assert told["stages"] == []
    assert len(told["why"]) == 5
    assert "quote: no longer in memory: the order came from number 40, the cell holds number 41" in told["why"][-1]
    assert "the order's own record" in told["why"][-1]
    assert told["orders"][0]["fair_px"] == 0.0


def test_an_order_that_is_gone_is_exit_1_and_nonsense_is_exit_2(mmfast, house):
    put_chain(house)
    code, out, err = mmfast("explain", f"0x{HIGH:016x}{LOW + (1 << 16):016x}")
    assert (code, out) == (1, "")
    assert "used again" in err
    for words in (("0x12",), (), (CLOID, "--now", "BTC"), ("--now", "XYZ")):
        code, out, err = mmfast("explain", *words)
        assert (code, out) == (2, "")
        assert err


def test_what_is_to_be_taken_is_explained(mmfast, house):
    put(house, "quote", 0, one(QUOTE, seq=1, level_count=(1, 1), take_reason=TAKE_WANTED, take_side=ASK, take_lots=400,
                               take_px_ticks=999_900))
    told = json.loads(mmfast("explain", "--now", "BTC", "--json")[1])
    (fields,) = [row["fields"] for row in told["stages"] if row["stage"] == "quote"]
    assert (fields["take_reason"]["value"], fields["take_side"]["value"]) == ("taking is worth its cost", "ask")
    assert any("ask 400 lots at 999900 ticks or better are to be taken" in line for line in told["why"])


def test_the_quotes_of_a_coin_are_explained_now(mmfast, house):
    put_belief(house, 1)
    put_quote(house, 1, bid_reason=SIDE_NO_EDGE)
    put_order(house, 5, 1, ASK, 100_040.0, 1000)
    code, out, _ = mmfast("explain", "--now", "ETH")
    assert code == 0
    for words in ("ETH", "belief", "fair_px", "no bid: no edge after costs", "bps/sqrt(s)", "order 0x"):
        assert words in out
    assert "ask level 0" not in out


def test_what_stops_the_engine_is_said_first(mmfast, house):
    put_quote(house, 0)
    Control(house).pause(PAUSE_OPERATOR)
    told = json.loads(mmfast("explain", "--now", "BTC", "--json")[1])
    assert told["why"][0] == "paused by: operator"
    assert any("bid level 0" in line for line in told["why"])


def test_without_an_engine_there_is_nothing_to_explain(mmfast, engine):
    assert mmfast("explain", "--now", "BTC")[0] == 3
