"""Claims about the loop from beliefs and the position to quotes."""

import threading
import time

import numpy as np
import pytest
from support.flow import Flow, code_when_stopped
from support.parameters import default_parameters

from mmfast.actuary.price import price
from mmfast.executor.allocate import allocate
from mmfast.governor.govern import govern
from mmfast.hosts import quoter
from mmfast.records.account import KIND_POSITION
from mmfast.records.market import GAP_CONNECTION_LOST
from mmfast.records.quote import KIND_MANDATE, KIND_QUOTE, KIND_SURFACE, MANDATE, QUOTE, SURFACE
from mmfast.rings import seqlock
from mmfast.runtime.wake import SLEEP
from mmfast.units import ASK, BID

TIME_MS = 1_788_490_065_008
PROVENANCE = {"seq", "src_seq", "account_seq", "position_lots", "kind", "inst"}


@pytest.fixture
def flow():
    made = Flow(("BTC", "ETH"))
    yield made
    made.close()


def believe(flow, number=0, coin="BTC"):
    """Three touches, and the belief that follows."""
    for k in range(3):
        flow.frame(f'{{"channel":"bbo","data":{{"coin":"{coin}","time":{TIME_MS + number + k},"bbo":'
                   f'[{{"px":"80639.0","sz":"1.5","n":1}},{{"px":"80640.0","sz":"1.5","n":1}}]}}}}'.encode())
    flow.estimate()
    return flow.cell("belief", 0 if coin == "BTC" else 1)


def test_a_belief_becomes_a_mandate_a_surface_and_quotes_that_name_it(flow):
    belief = believe(flow)
    flow.decide()
    for region, kind in (("mandate", KIND_MANDATE), ("surface", KIND_SURFACE), ("quote", KIND_QUOTE)):
        made = flow.cell(region)
        assert (made["kind"], made["inst"], made["src_seq"]) == (kind, 0, belief["seq"])
        for stamp in ("ts_exch_ns", "ts_recv_ns", "ts_decoded_ns", "ts_belief_ns"):
            assert made[stamp] == belief[stamp]
        assert made["ts_belief_ns"] <= made["ts_quote_ns"] == made["ts_ns"] <= time.monotonic_ns()
    quote = flow.cell("quote")
    assert quote["pull"] == 0
    assert quote["account_seq"] == -1  # nothing was read from the account yet
    assert flow.cell("quote", 1) is None


def test_stamps_never_go_back_on_the_way_from_frame_to_quote(flow):
    for number in range(20):
        believe(flow, 10 * number)
        flow.decide()
        quote = flow.cell("quote")
        way = [quote[s] for s in ("ts_recv_ns", "ts_decoded_ns", "ts_belief_ns", "ts_quote_ns")]
        assert way == sorted(way)
        assert flow.cell("belief")["src_seq"] == flow.records()[-1]["seq"]
        assert quote["src_seq"] == flow.cell("belief")["seq"]
    assert flow.count("quoter", "quote_count") == 20


def test_quotes_lie_around_the_touch_and_never_cross_it(flow):
    believe(flow)
    flow.decide()
    quote = flow.cell("quote")
    assert list(quote["level_count"]) == [3, 3]
    assert quote["px_ticks"][BID, 0] < 806_400
    assert quote["px_ticks"][ASK, 0] > 806_390
    assert quote["px_ticks"][BID, 0] < quote["px_ticks"][ASK, 0]
    assert flow.count("quoter", "two_sided_count") == 1


def test_one_belief_is_quoted_once(flow):
    believe(flow)
    for _ in range(3):
        flow.decide()
    assert flow.count("quoter", "belief_count") == flow.count("quoter", "quote_count") == 1


def test_only_the_newest_belief_counts(flow):
    for number in range(5):
        believe(flow, 10 * number)
    flow.decide()
    assert flow.count("quoter", "quote_count") == 1
    assert flow.cell("quote")["src_seq"] == 14


def test_a_fill_is_quoted_at_once_and_is_the_cause(flow):
    believe(flow)
    flow.decide()
    before = flow.cell("quote")
    seq = flow.fill("quoter", px_ticks=806_390, lots=4000, side=BID, tid=1, position_lots=4000)
    flow.decide()
    quote = flow.cell("quote")
    assert (quote["position_lots"], quote["account_seq"]) == (4000, seq)
    assert quote["src_seq"] == before["src_seq"]
    assert before["ts_recv_ns"] < quote["ts_recv_ns"] == quote["ts_decoded_ns"] == quote["ts_belief_ns"]
    assert quote["ts_recv_ns"] <= quote["ts_quote_ns"]
    assert quote["reservation_px"] < before["reservation_px"]  # long: we want to sell
    assert flow.count("quoter", "fill_count") == 1
    assert flow.house.words("account_quoter")[384 // 8] == 1


def test_a_reconciled_position_counts_like_a_fill(flow):
    believe(flow)
    flow.fill("quoter", kind=KIND_POSITION, position_lots=-3000)
    flow.decide()
    assert flow.cell("quote")["position_lots"] == -3000


def test_many_fills_at_once_are_one_decision(flow):
    believe(flow)
    flow.decide()
    for k in range(10):
        flow.fill("quoter", px_ticks=806_390, lots=100, side=BID, tid=k, position_lots=100 * (k + 1))
    flow.decide()
    assert flow.count("quoter", "fill_count") == 10
    assert flow.count("quoter", "quote_count") == 2
    assert (flow.cell("quote")["position_lots"], flow.cell("quote")["account_seq"]) == (1000, 9)


def test_a_fill_before_the_first_belief_waits_for_it(flow):
    flow.fill("quoter", px_ticks=806_390, lots=100, side=BID, position_lots=100)
    flow.decide()
    assert flow.cell("quote") is None
    believe(flow)
    flow.decide()
    assert flow.cell("quote")["position_lots"] == 100


def test_a_position_is_that_of_its_own_coin(flow):
    believe(flow)
    believe(flow, coin="ETH")
    flow.fill("quoter", inst=1, px_ticks=1, lots=100, side=BID, position_lots=77)
    flow.decide()
    assert [int(flow.cell("quote", inst)["position_lots"]) for inst in range(2)] == [0, 77]


@pytest.mark.parametrize(("eth_lots", "shrinks"), [(0, False), (9_000, True), (-9_000, True)])
def test_a_position_in_one_coin_takes_room_from_the_other(flow, eth_lots, shrinks):
    believe(flow, coin="ETH")
    flow.fill("quoter", inst=1, px_ticks=1, lots=100, side=BID, position_lots=eth_lots)
    flow.decide()
    believe(flow)
    flow.decide()
    alone, mandate = np.zeros(1, MANDATE)[0], flow.cell("mandate")
    govern(flow.cell("belief"), 0, default_parameters(), alone)
    if shrinks:  # three times the equity of 25 000 is all there may be
        assert mandate["exposure_cap_usd"] == pytest.approx(75_000.0 - 0.9 * 80_639.5, rel=1e-3)
        assert mandate["room_lots"].max() < 0.1 * alone["room_lots"].max()
    else:
        assert mandate["exposure_cap_usd"] == alone["exposure_cap_usd"]
        assert list(mandate["room_lots"]) == list(alone["room_lots"])


def test_the_first_position_is_that_of_the_ledger():
    flow = Flow(position_lots=-2500)
    believe(flow)
    flow.decide()
    assert flow.cell("quote")["position_lots"] == -2500
    flow.close()


def test_a_belief_that_is_not_usable_pulls(flow):
    believe(flow)
    flow.decide()
    flow.gap(-1, GAP_CONNECTION_LOST)
    flow.estimate()
    flow.decide()
    quote = flow.cell("quote")
    assert quote["pull"] == 1
    assert list(quote["level_count"]) == [0, 0]
    assert flow.count("quoter", "pull_count") == 2  # ETH never had a book


def test_a_belief_that_is_being_written_is_left_alone(flow):
    believe(flow)
    cell = seqlock.cell_address(flow.house.address["belief"], 0)
    seqlock.begin(cell)  # a writer that died here
    flow.decide()
    assert flow.cell("quote") is None
    believe(flow, 10)  # the next write heals it
    flow.decide()
    assert flow.cell("quote")["pull"] == 0


@pytest.mark.parametrize("position_lots", [0, 4000, -49_000])
def test_the_decision_is_that_of_the_three_stages_called_by_hand(flow, position_lots):
    belief = believe(flow)
    flow.fill("quoter", position_lots=position_lots)
    flow.decide()
    mandate, surface, quote = (np.zeros(1, dtype)[0] for dtype in (MANDATE, SURFACE, QUOTE))
    params = default_parameters()
    govern(belief, position_lots, params, mandate)
    price(belief, mandate, params, surface)
    allocate(belief, mandate, surface, params, quote)
    for region, want in (("mandate", mandate), ("surface", surface), ("quote", quote)):
        made = flow.cell(region)
        for name in want.dtype.names:
            if name not in PROVENANCE and not name.startswith("ts_"):
                assert np.array_equal(made[name], want[name], equal_nan=want.dtype[name].base.kind == "f"), name


def test_the_gateway_is_woken_when_it_sleeps(flow):
    believe(flow)
    flow.house.table("bell")["asleep"][3] = 1
    flow.decide()
    assert flow.house.table("bell")["asleep"][3] == 0


def test_a_sleeping_quoter_is_woken_by_the_estimator():
    flow = Flow(idle=SLEEP)
    done = []
    thread = threading.Thread(target=lambda: done.append(flow.quoter.run(time.monotonic_ns() + 1_500_000_000)))
    thread.start()
    deadline = time.monotonic() + 5.0
    while flow.house.table("bell")["asleep"][2] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    believe(flow)
    thread.join(timeout=5.0)
    assert done[0] >= 1
    assert flow.cell("quote")["src_seq"] == flow.cell("belief")["seq"]
    flow.close()


def test_the_body_runs_until_the_engine_stops(flow):
    assert code_when_stopped(flow, quoter.main, "quoter") == 0
