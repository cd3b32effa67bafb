"""Claims about the loop from market records to beliefs."""

import threading
import time

import numpy as np
import orjson
import pytest
from support.flow import CAPTURED, Flow, code_when_stopped, needs_captured

from mmfast.hosts import estimator
from mmfast.records.belief import BELIEF_GAP, BELIEF_OK, BELIEF_STALE, BELIEF_WARMING, KIND_BELIEF
from mmfast.records.header import HEADER
from mmfast.records.market import GAP_CONNECTION_LOST, KIND_BOOK, KIND_TRADE, MARKET
from mmfast.rings import broadcast
from mmfast.runtime.control import Control
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SLEEP, SPIN
from mmfast.topology import MARKET_SLOTS
from mmfast.units import ASK, BID

TIME_MS = 1_788_490_065_008


@pytest.fixture
def flow():
    made = Flow(("BTC", "ETH"))
    yield made
    made.close()


def bbo(number=0, bid="80639.0", ask="80640.0", coin="BTC", lots="1.5"):
    level = '{"px":"%s","sz":"' + lots + '","n":3}'
    return (f'{{"channel":"bbo","data":{{"coin":"{coin}","time":{TIME_MS + number},'
            f'"bbo":[{level % bid},{level % ask}]}}}}').encode()


def trades(number, count, side="B"):
    prints = [{"coin": "BTC", "side": side, "px": "80640.0", "sz": "0.5", "time": TIME_MS + number,
               "hash": "0x" + "1" * 64, "tid": 100 * number + k} for k in range(count)]
    return orjson.dumps({"channel": "trades", "data": prints})


def warm_up(flow, coin="BTC"):
    """Enough touches that the belief may be quoted on."""
    for number in range(3):
        flow.frame(bbo(number, coin=coin))
    flow.estimate()


def test_a_touch_becomes_a_belief_that_names_it(flow):
    warm_up(flow)
    last, belief = flow.records()[-1], flow.cell("belief")
    assert (belief["kind"], belief["inst"], belief["status"]) == (KIND_BELIEF, 0, BELIEF_OK)
    assert belief["src_seq"] == last["seq"] == 2
    assert (belief["ts_exch_ns"], belief["ts_recv_ns"], belief["ts_decoded_ns"]) == (
        last["ts_exch_ns"], last["ts_recv_ns"], last["ts_ns"])
    assert belief["ts_recv_ns"] <= belief["ts_decoded_ns"] <= belief["ts_belief_ns"] == belief["ts_ns"]
    assert belief["ts_belief_ns"] <= time.monotonic_ns()
    assert list(belief["touch_ticks"]) == [806_390, 806_400]
    assert 80_639.0 <= belief["fair_px"] <= 80_640.0
    assert flow.count("estimator", "record_count") == flow.count("estimator", "belief_count") == 3


def test_beliefs_are_numbered_over_all_coins(flow):
    flow.frame(bbo(0))
    flow.frame(bbo(1, coin="ETH"))
    flow.frame(bbo(2))
    flow.estimate()
    assert (flow.cell("belief", 0)["seq"], flow.cell("belief", 1)["seq"]) == (2, 1)
    assert (flow.cell("belief", 0)["src_seq"], flow.cell("belief", 1)["src_seq"]) == (2, 1)
    assert flow.cell("belief", 1)["inst"] == 1


def test_a_timer_makes_every_coin_believe_anew(flow):
    warm_up(flow)
    warm_up(flow, "ETH")
    before = [flow.cell("belief", inst)["seq"] for inst in range(2)]
    flow.timer()
    flow.estimate()
    beliefs = [flow.cell("belief", inst) for inst in range(2)]
    assert [b["seq"] for b in beliefs] == [max(before) + 1, max(before) + 2]
    assert {b["src_seq"] for b in beliefs} == {6}
    assert {b["status"] for b in beliefs} == {BELIEF_OK}


def test_a_belief_follows_the_last_print_of_a_frame_and_not_each(flow):
    warm_up(flow)
    flow.frame(trades(10, 5))
    flow.estimate()
    assert flow.count("estimator", "record_count") == 8
    assert flow.count("estimator", "belief_count") == 4
    assert flow.cell("belief")["src_seq"] == flow.records(KIND_TRADE)[-1]["seq"]


def test_funding_alone_is_no_reason_to_believe(flow):
    warm_up(flow)
    ctx = {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": {
        "funding": "0.0001", "openInterest": "1", "premium": "0", "oraclePx": "80640.0", "markPx": "80640.0",
        "midPx": "80640.0", "dayNtlVlm": "1"}}}
    flow.frame(orjson.dumps(ctx))
    flow.estimate()
    assert flow.count("estimator", "belief_count") == 3
    flow.timer()
    flow.estimate()
    assert flow.cell("belief")["funding_bps_s"] == pytest.approx(1e-4 * 1e4 / 3600)


def test_a_gap_ends_trust_until_the_touch_is_back(flow):
    warm_up(flow)
    flow.gap(-1, GAP_CONNECTION_LOST)
    flow.estimate()
    assert flow.cell("belief", 0)["status"] == BELIEF_GAP
    assert flow.cell("belief", 1)["status"] == BELIEF_GAP
    flow.frame(bbo(9))
    flow.estimate()
    assert flow.cell("belief")["status"] in (BELIEF_OK, BELIEF_WARMING)


def test_silence_makes_a_belief_stale_by_the_feeds_clock(flow):
    warm_up(flow)
    flow.timer(at_ns=time.monotonic_ns() + 10_000_000_000)
    flow.estimate()
    assert flow.cell("belief")["status"] == BELIEF_STALE


def test_an_own_fill_moves_the_belief_against_us_and_names_the_fill(flow):
    warm_up(flow)
    before = flow.cell("belief")
    seq = flow.fill("estimator", px_ticks=806_390, lots=4000, side=BID, tid=7, position_lots=4000,
                    ts_exch_ns=(TIME_MS + 5) * 1_000_000)
    flow.estimate()
    after = flow.cell("belief")
    assert after["src_seq"] == seq == 0
    assert after["seq"] == before["seq"] + 1
    assert after["ts_exch_ns"] == (TIME_MS + 5) * 1_000_000
    assert after["fair_px"] < before["fair_px"]  # somebody sold to us
    assert flow.count("estimator", "fill_count") == 1
    assert flow.house.words("account_estimator")[384 // 8] == 1  # released


def test_a_reader_that_is_lapped_treats_it_as_a_gap_and_goes_on(flow):
    warm_up(flow)
    for number in range(MARKET_SLOTS + 100):
        flow.frame(bbo(10 + number // 100))
    flow.estimate()
    assert flow.count("estimator", "lap_count") == 1
    assert flow.count("estimator", "record_count") == 3 + MARKET_SLOTS // 2
    assert flow.cell("belief")["status"] == BELIEF_OK
    assert flow.cell("belief", 1)["status"] == BELIEF_GAP  # nothing came since


def test_only_what_is_new_is_read_at_the_start(flow):
    flow.frame(bbo())
    late = estimator.Estimator(flow.house, Placement(-1, SPIN))
    late.run(time.monotonic_ns() + 1_000_000)
    assert flow.cell("belief") is None


def test_a_run_ends_at_its_deadline_and_beats(flow):
    start = time.monotonic_ns()
    assert flow.estimator.run(start + 100_000_000) == 0
    assert time.monotonic_ns() - start >= 100_000_000
    heart = flow.house.table("heartbeat")[1]
    assert heart["beat_ns"] >= start
    assert heart["loop_count"] > 0


def test_the_stop_word_ends_a_run(flow):
    Control(flow.house).ask_stop()
    start = time.monotonic()
    flow.estimator.run(time.monotonic_ns() + 20_000_000_000)
    assert time.monotonic() - start < 5.0


def test_a_sleeper_wakes_for_a_record_and_returns_to_python_for_signals():
    flow = Flow(idle=SLEEP)
    done = []
    thread = threading.Thread(target=lambda: done.append(flow.estimator.run(time.monotonic_ns() + 1_500_000_000)))
    thread.start()
    deadline = time.monotonic() + 5.0
    while flow.house.table("bell")["asleep"][1] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.0005)
    for number in range(3):
        flow.frame(bbo(number))
    thread.join(timeout=5.0)
    assert done == [3]
    belief = flow.cell("belief")
    assert belief["src_seq"] == 2
    flow.close()


def test_the_body_runs_until_the_engine_stops(flow):
    assert code_when_stopped(flow, estimator.main, "estimator") == 0


def test_the_clock_is_that_of_python():
    before = time.monotonic_ns()
    assert before <= estimator.monotonic_now() <= time.monotonic_ns()


def test_a_record_of_no_known_kind_is_stepped_over(flow):
    ring = flow.house.address["market"]
    slot = broadcast.claim(ring)
    rows = flow.house.table("market")
    rows[0]["kind"], rows[0]["inst"] = 99, 0
    broadcast.publish(ring, slot)
    flow.estimate()
    assert flow.count("estimator", "record_count") == 1
    assert flow.cell("belief") is None
    assert MARKET.names == tuple(name for name, *_ in HEADER)


@needs_captured
def test_a_captured_session_ends_in_a_sound_belief():
    path = CAPTURED / "ws_mainnet_2025-01-26_hftbacktest_BTC_recvns_prefixed.txt"
    flow = Flow()
    lines = [line.split(b" ", 1) for line in path.read_bytes().splitlines()]
    shift_ns = time.monotonic_ns() - int(lines[-1][0])
    statuses = []
    for received_ns, payload in lines:
        flow.frame(payload, at_ns=int(received_ns) + shift_ns)
        flow.estimate()
        statuses.append(int(flow.cell("belief")["status"]) if flow.cell("belief") is not None else -1)
    belief, books = flow.cell("belief"), flow.records(KIND_BOOK)
    assert set(statuses[5:]) == {BELIEF_OK}
    last = books[-1]
    assert list(belief["touch_ticks"]) == [last["px_ticks"][BID, 0], last["px_ticks"][ASK, 0]]
    assert belief["fair_px"] == pytest.approx(last["px_ticks"][:, 0].mean() / 10, rel=1e-4)
    known = [n for n in belief.dtype.names if belief.dtype[n].base.kind == "f" and n != "gradient"]  # NaN until known
    assert all(np.isfinite(belief[name]).all() for name in known)
    assert flow.count("estimator", "reject_count") == 0
    flow.close()
