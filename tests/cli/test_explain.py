"""Claims about why: the chain behind an order, and behind the quotes of a coin."""

import json
import time

import numpy as np
import pytest
from support.house import put, put_belief, put_order, put_quote
from support.parameters import default_parameters
from support.stages import a_belief, decide

from mmfast.records.account import KIND_FILL
from mmfast.records.control import PAUSE_OPERATOR
from mmfast.records.feature import FEATURES, OBS_DRIFT, SOURCE_TOUCH
from mmfast.records.market import BBO, KIND_BBO, KIND_TIMER, MARKET
from mmfast.records.order import OPEN, ORDER
from mmfast.records.quote import KIND_QUOTE, MANDATE, QUOTE, SIDE_NO_EDGE, SURFACE, TAKE_WANTED
from mmfast.runtime.control import Control
from mmfast.units import ASK, BID, NS_PER_S

HIGH, LOW = 7, 5 << 16 | 3
CLOID = f"0x{HIGH:016x}{LOW:016x}"


def one(dtype, **values):
    record = np.zeros(1, dtype)
    for name, value in values.items():
        record[name] = value
    return record


def put_chain(house, kept=True, parameters_version=3):
    """A whole chain of coin 0, of quote 40 and belief 70, as its order in slot 3 has kept it."""
    params = default_parameters(version=3)
    house.cells("parameters")[0] = params
    features = one(FEATURES, seq=70, src_seq=90, valid_mask=1 << SOURCE_TOUCH, touch_imbalance=0.25, rv_30=np.nan,
                   ts_recv_ns=10**9)
    features["obs_z"][0, SOURCE_TOUCH], features["obs_r"][0, SOURCE_TOUCH] = 0.125, 2.0
    features["obs_kind"][0, SOURCE_TOUCH] = OBS_DRIFT
    told = a_belief(seq=70, src_seq=90, cause_kind=KIND_BBO, mu_bps_s=-0.03, mu_bps_s_before=-0.01, v_var=np.nan,
                    ts_recv_ns=10**9)
    told["source_weight"][SOURCE_TOUCH] = 1.0
    mandate, surface, quote = (one(dtype, seq=40, src_seq=70, ts_recv_ns=10**9) for dtype in (MANDATE, SURFACE, QUOTE))
    decide(told, 15_000, params, mandate[0], surface[0], quote[0])
    quote["kind"], quote["ts_quote_ns"], quote["parameters_version"] = KIND_QUOTE, 77, parameters_version
    frame = one(MARKET)
    frame.view(np.uint8)[: BBO.itemsize].view(BBO)[:] = one(
        BBO, kind=KIND_BBO, seq=90, px_ticks=(999_990, 1_000_010), lots=(5, 6), ts_recv_ns=10**9)
    belief = np.array([told])
    stages = {"frame": frame, "feature": features, "belief": belief, "mandate": mandate, "surface": surface,
              "quote": quote}
    for name, record in stages.items():
        if kept:
            put(house, f"order_{name}", 3, record)
        if name != "frame":
            put(house, name, 0, record)
    put(house, "order", 3, one(ORDER, cloid_hi=HIGH, cloid_lo=LOW, state=OPEN, side=BID, px_ticks=999_600, lots=20,
                               src_seq=40, edge_bps=1.5, reason=1, ts_recv_ns=1_000, ts_written_ns=26_000,
                               ts_quote_ns=77))
    return stages


def explained(mmfast, *words):
    """The explanation, and its stages by name."""
    code, out, err = mmfast("explain", *words, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    return told, {row["stage"]: row for row in told["stages"]}


def test_an_order_is_explained_by_the_records_it_came_from(mmfast, house):
    put_chain(house)
    put(house, "quote", 0, one(QUOTE, seq=999, kind=KIND_QUOTE))  # the cells of now are another decision's
    told, stages = explained(mmfast, CLOID)
    assert list(stages) == ["frame", "feature", "belief", "mandate", "surface", "quote"]
    assert stages["frame"]["fields"]["bid_ticks"] == {"value": 999_990, "unit": "ticks"}
    assert stages["belief"]["fields"]["mu_bps_s"] == {"value": -0.03, "unit": "bps/s"}
    assert stages["belief"]["fields"]["v_var"]["value"] is None
    assert stages["quote"]["number"] == 40
    order = told["orders"][0]
    assert (order["cloid"], order["side"], order["edge_bps"], order["reason"]) == (CLOID, "bid", 1.5,
                                                                                  "level without an order")
    assert order["tick_to_order_us"] == 25.0
    assert told["why"] == []


def test_what_stands_behind_each_stage_is_told(mmfast, house):
    records = put_chain(house)
    _, stages = explained(mmfast, CLOID)
    sources = {row["source"]: row for row in stages["feature"]["sources"]}
    assert (sources["touch imbalance"]["z"], sources["touch imbalance"]["r"], sources["touch imbalance"]["weight"]) == (
        0.125, 2.0, 1.0)
    assert sources["funding"]["status"].startswith("off:")
    drift = stages["belief"]["before_after"][2]
    assert (drift["before"], drift["after"], drift["unit"]) == (-0.01, -0.03, "bps/s")
    bound = [row for row in stages["mandate"]["caps"] if row["binds"]]
    assert [row["usd"] for row in bound] == [float(records["mandate"]["exposure_cap_usd"][0])]
    product = stages["mandate"]["aversion"]
    assert product["gamma"] == pytest.approx(product["gamma0"] * product["times_inventory"] * product["times_mode"]
                                             * product["times_fragile_book"])
    for side, row in enumerate(stages["surface"]["costs"]):
        assert row["total_bps"] == pytest.approx(float(records["surface"]["cost_bps"][0, side]))
    levels = [row for row in stages["quote"]["levels"] if row["side"] == "bid"]
    assert len(levels) == 3
    assert [row["lots"] for row in levels] == records["quote"]["lots"][0, BID, :3].tolist()


def test_parameters_that_have_changed_since_do_not_explain_an_order(mmfast, house):
    put_chain(house, parameters_version=2)
    told, stages = explained(mmfast, CLOID)
    assert told["why"][0].startswith("made with parameters version 2; in force is 3")
    assert "levels" not in stages["quote"]


def test_a_chain_that_was_not_kept_is_not_replaced_by_the_one_of_now(mmfast, house):
    put_chain(house, kept=False)
    told, stages = explained(mmfast, CLOID)
    assert stages == {}
    assert "no chain" in told["why"][-1]


def test_an_order_from_a_fill_says_so(mmfast, house):
    stages = put_chain(house)
    stages["belief"]["cause_kind"] = KIND_FILL
    put(house, "order_belief", 3, stages["belief"])
    put(house, "order_frame", 3, one(MARKET))
    told, found = explained(mmfast, CLOID)
    assert "frame" not in found
    assert told["why"] == ["frame: none, a fill of ours made the quotes change"]


def test_the_quotes_of_now_are_explained_by_their_own_belief(mmfast, house):
    stages = put_chain(house)
    newer = stages["belief"].copy()
    put(house, "recent_belief", 40, stages["belief"])
    newer["seq"], newer["mu_bps_s"] = 71, 0.5
    put(house, "belief", 0, newer)
    _, found = explained(mmfast, "--now", "BTC")
    assert found["belief"]["fields"]["mu_bps_s"]["value"] == -0.03


def test_what_was_heard_last_is_told_beside_the_quotes_of_now(mmfast, house):
    stages = put_chain(house)
    put(house, "recent_belief", 70, stages["belief"])
    tick = stages["belief"].copy()
    tick["seq"], tick["cause_kind"], tick["source_weight"] = 71, KIND_TIMER, 0.0
    for region, at in (("belief", 0), ("recent_belief", 71)):
        put(house, region, at, tick)
    put(house, "quote", 0, one(QUOTE, seq=71, src_seq=71, kind=KIND_QUOTE, parameters_version=3))
    told, found = explained(mmfast, "--now", "BTC")
    assert told["stages"][0]["stage"] == "news"
    assert found["news"]["fields"]["kind"]["value"] == "bbo"
    assert found["news"]["before_after"][2]["after"] == -0.03
    assert found["belief"]["fields"]["cause"]["value"] == "timer"
    sources = {row["source"]: row for row in found["feature"]["sources"]}
    assert (sources["touch imbalance"]["weight"], sources["touch imbalance"]["last_weight"]) == (0.0, 1.0)
    assert sources["taker flow"]["last_weight"] is None


def test_a_field_that_moves_nothing_says_so(mmfast, house):
    put_chain(house)
    _, found = explained(mmfast, CLOID)
    assert found["feature"]["fields"]["flicker"]["note"].startswith("shown only: ")
    assert "note" not in found["feature"]["fields"]["ofi"]
    assert "(shown only: no correlation" in mmfast("explain", CLOID)[1]


def test_the_text_has_a_table_for_each_question(mmfast, house):
    put_chain(house)
    code, out, _ = mmfast("explain", CLOID)
    assert code == 0
    for words in ("sources:", "before, after:", "caps:", "<--", "costs:", "levels:", "quoted", "gamma0",
                  "parameters version 3"):
        assert words in out, words
    assert "nan" not in out


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


def test_what_the_venue_refuses_for_a_while_is_said(mmfast, house):
    put_quote(house, 0)
    house.table("held")["until_ns"][0] = time.monotonic_ns() + 30 * NS_PER_S, time.monotonic_ns(), 0
    told = json.loads(mmfast("explain", "--now", "BTC", "--json")[1])
    said = [line for line in told["why"] if "the venue has refused" in line]
    assert len(said) == 1
    assert said[0].startswith(("no new bids for 29", "no new bids for 30.0 s"))
    assert "refused" not in mmfast("explain", "--now", "ETH")[1]


def test_without_an_engine_there_is_nothing_to_explain(mmfast, engine):
    assert mmfast("explain", "--now", "BTC")[0] == 3
