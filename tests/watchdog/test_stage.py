"""Claims about what the watchdog does with what it sees, on a real house, with a link that leads nowhere."""

import asyncio
import itertools
import os
import time

import pytest
from support.house import MID_PX, TICKS_PER_USD, a_house, beat
from support.watchdog_bench import ACCOUNT, KEY, Bench

from mmfast.config import load
from mmfast.records.control import (
    KILL_GATEWAY_LOST,
    KILL_LOSS,
    KILL_MANUAL,
    KILL_MISMATCH,
    KILL_SIGNER,
    PAUSE_OPERATOR,
    PAUSE_WATCHDOG,
    STATE_RUNNING,
    STATE_STARTING,
)
from mmfast.records.order import CANCELED, CANCELING, FILLED, OPEN, SENT
from mmfast.runtime.catalog import counter_index
from mmfast.sim.signature import l1_digest, recover
from mmfast.topology import GATEWAY, PROCESSES
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid.signing import Signer, address_of

SERIAL = itertools.count()
SOON_S = 0.6


@pytest.fixture
def bench(tmp_path):
    name = f"wd-{os.getpid()}-{next(SERIAL)}"
    config = load("local", host="shared", overrides={"engine.name": name, "engine.state_dir": str(tmp_path)})
    house = a_house(name)
    try:
        yield Bench(house, config)
    finally:
        house.segment.disown()
        house.segment.unlink()


def listed(oid, coin="BTC"):
    """An order as the venue lists it."""
    return {"coin": coin, "side": "B", "limitPx": "100.0", "sz": "1.0", "oid": oid, "timestamp": 1, "origSz": "1.0"}


def account(**held):
    """The venue's word on the account, sizes by coin."""
    position = {"positionValue": "0", "unrealizedPnl": "0", "marginUsed": "0", "leverage": {"value": 1}}
    margin = {"accountValue": "0", "totalMarginUsed": "0", "totalNtlPos": "0", "totalRawUsd": "0"}
    return {"assetPositions": [{"position": {"coin": c, "szi": s, **position}} for c, s in held.items()],
            "marginSummary": margin, "withdrawable": "0"}


# ---- looking

def test_a_healthy_engine_is_left_alone_and_compared_with_the_venue(bench):
    for _ in range(3):
        bench.look(0.02)
    assert bench.control.pauses == 0
    assert bench.control.kill_reason == 0
    assert bench.count("check_count") == 3
    assert [len(bench.asked(kind)) for kind in ("frontendOpenOrders", "clearinghouseState")] == [1, 1]
    assert bench.said() == []
    bench.look(5.1)
    assert len(bench.asked("clearinghouseState")) == 2


@pytest.mark.parametrize("process", ["feed", "estimator", "quoter"])
def test_a_silent_process_pauses_and_its_return_resumes_no_sooner_than_the_least_pause(bench, process):
    bench.control.pause(PAUSE_OPERATOR)
    bench.silence(process)
    bench.look(ill=[process])
    assert bench.control.pauses == PAUSE_OPERATOR | PAUSE_WATCHDOG
    assert bench.count("pause_count") == 1
    assert any(f"no heartbeat of the {process}" in text for text in bench.said())
    bench.look(0.5)
    assert bench.control.pauses & PAUSE_WATCHDOG
    bench.look(0.6)
    assert bench.control.pauses == PAUSE_OPERATOR
    assert bench.count("pause_count") == 1


def test_a_market_that_is_silent_pauses(bench):
    bench.look()
    bench.stage.marks["last_ns"] = bench.now_ns - 3 * NS_PER_S
    beat(bench.house)
    bench.stage._check(bench.now_ns)
    assert bench.control.pauses == PAUSE_WATCHDOG
    assert any("no market data" in text for text in bench.said())


def test_a_lost_gateway_latches_word_and_file_once(bench):
    bench.silence("gateway")
    for _ in range(3):
        bench.look(0.02, ill=["gateway"])
    assert bench.control.kill_reason == KILL_GATEWAY_LOST
    latched = bench.latch.read()
    assert (latched.code, latched.who) == (KILL_GATEWAY_LOST, "watchdog")
    assert bench.count("kill_count") == 1
    assert len(bench.latch.audit()) == 1


def test_a_process_that_was_just_started_gets_time_until_it_says_that_it_runs(bench):
    hearts, row = bench.house.table("heartbeat"), PROCESSES.index("gateway")
    hearts["pid"][row], hearts["state"][row] = 999_999_999, STATE_STARTING
    bench.silence("gateway")
    bench.look(ill=["gateway"])
    bench.look(14.0, ill=["gateway"])
    assert bench.control.kill_reason == 0
    hearts["state"][row] = STATE_RUNNING
    bench.look(ill=["gateway"])
    assert bench.control.kill_reason == KILL_GATEWAY_LOST


def test_the_time_of_a_process_that_never_comes_up_ends(bench):
    hearts, row = bench.house.table("heartbeat"), PROCESSES.index("gateway")
    hearts["pid"][row], hearts["state"][row] = 999_999_999, STATE_STARTING
    bench.silence("gateway")
    bench.look(ill=["gateway"])
    bench.look(15.1, ill=["gateway"])
    assert bench.control.kill_reason == KILL_GATEWAY_LOST


def test_loss_is_told_by_marks_of_its_own_and_not_by_the_ledgers(bench):
    ledger = bench.house.cells("ledger")[0]
    ledger["position_lots"] = ledger["start_position_lots"] = 100_000
    bench.look()
    assert bench.count("pnl_uusd") == 0
    bench.touch(0, MID_PX - 500.5, MID_PX - 499.5)
    bench.look()
    assert bench.count("pnl_uusd") == -500_000_000
    assert bench.control.kill_reason == 0
    bench.touch(0, MID_PX - 500.6, MID_PX - 499.5)
    bench.look()
    assert bench.count("pnl_uusd") == -500_050_000
    assert bench.control.kill_reason == KILL_LOSS
    assert "$500.05" in bench.latch.read().text


def test_fees_funding_and_cash_count(bench):
    ledger = bench.house.cells("ledger")[1]
    for field, value in (("cash_uusd", 7_000_000), ("fee_uusd", 2_000_000), ("funding_uusd", -1_000_000)):
        ledger[field] = value
    bench.look()
    ledger["fee_uusd"] = 5_000_000
    bench.look()
    assert (bench.count("pnl_uusd"), bench.count("pnl_peak_uusd")) == (1_000_000, 4_000_000)


def test_a_signature_that_the_venue_refused_is_fatal(bench):
    bench.house.table("counter")["value"][GATEWAY, counter_index("gateway", "reject_signature_count")] = 1
    bench.look()
    assert bench.control.kill_reason == KILL_SIGNER


# ---- clearing

def test_a_kill_by_hand_cancels_every_live_order_by_its_own_id_and_asks_the_venue(bench):
    for slot, state in enumerate((OPEN, SENT, CANCELING, FILLED, CANCELED)):
        bench.order(slot, slot % 2, state)
    bench.control.kill(KILL_MANUAL)
    bench.look()
    [sent] = bench.actions("cancelByCloid")
    assert sent["action"]["f"] is True
    assert sent["action"]["cancels"] == [
        {"asset": asset, "cloid": f"0x{(7 << 64) | slot:032x}"} for slot, asset in enumerate((3, 4, 3))]
    assert bench.count("cancel_sent_count") == 3
    assert bench.asked("frontendOpenOrders")[-1]["request"]["payload"]["user"] == ACCOUNT
    bench.look(0.1)
    assert len(bench.actions("cancelByCloid")) == 1
    bench.look(0.5)
    assert len(bench.actions("cancelByCloid")) == 2


def test_cancels_are_signed_by_a_wallet_of_its_own_and_do_not_expire(bench):
    bench.order(0)
    bench.control.kill(KILL_MANUAL)
    before_ms = time.time_ns() // 10**6
    bench.look()
    [sent] = bench.actions("cancelByCloid")
    digest = l1_digest(sent["action"], sent["nonce"], sent["vaultAddress"], sent["expiresAfter"], "b")
    assert recover(digest, sent["signature"]) == address_of(bytearray(KEY)).lower()
    assert before_ms <= sent["nonce"] <= time.time_ns() // 10**6
    assert sent["expiresAfter"] is None  # right however late, and taken whatever our clock says


def test_more_orders_than_fit_into_one_action_go_out_in_several(bench):
    for slot in range(230):
        bench.order(slot)
    bench.control.kill(KILL_MANUAL)
    bench.look()
    assert [len(sent["action"]["cancels"]) for sent in bench.actions("cancelByCloid")] == [100, 100, 30]


def test_what_the_venue_shows_is_canceled_by_its_id_until_it_shows_nothing(bench):
    bench.control.kill(KILL_MANUAL)
    bench.look()
    bench.answer("frontendOpenOrders", [listed(11), listed(12, "DOGE"), listed(13, "ETH")])
    [sent] = bench.actions("cancel")
    assert sent["action"]["cancels"] == [{"a": 3, "o": 11}, {"a": 4, "o": 13}]
    assert bench.count("resting_count") == 2
    assert not bench.cleared
    bench.look(SOON_S)
    bench.answer("frontendOpenOrders", [listed(12, "DOGE")])
    assert bench.cleared
    assert bench.count("resting_count") == 0
    asked = len(bench.link.sent)
    bench.look(SOON_S)
    assert len(bench.link.sent) == asked


def test_an_empty_market_is_no_end_while_an_order_may_still_arrive(bench):
    bench.order(0, state=CANCELED, expires_ms=time.time_ns() // 10**6 + 60_000)
    bench.control.kill(KILL_MANUAL)
    bench.look()
    bench.answer("frontendOpenOrders", [])
    assert not bench.cleared
    bench.house.cells("order")["expires_after_ms"] = time.time_ns() // 10**6 - 1
    bench.look(SOON_S)
    bench.answer("frontendOpenOrders", [])
    assert bench.cleared


@pytest.mark.parametrize("data", ["no list", [{"coin": "BTC"}]])
def test_an_answer_that_cannot_be_read_confirms_nothing(bench, data):
    bench.control.kill(KILL_MANUAL)
    bench.look()
    bench.answer("frontendOpenOrders", data)
    assert not bench.cleared
    assert len(bench.said()) == 2


def test_an_answer_that_never_comes_confirms_nothing_and_is_said(bench):
    bench.control.kill(KILL_MANUAL)
    for _ in range(10):
        bench.look(SOON_S)
    assert not bench.cleared
    assert any("has not confirmed an empty market for 5 s" in text for text in bench.said())


def test_without_a_connection_nothing_is_sent_and_with_one_it_is_made_up_for(bench):
    bench.order(0)
    bench.control.kill(KILL_MANUAL)
    bench.link.connected = False
    bench.look(SOON_S)
    assert bench.link.sent == []
    bench.link.connected = True
    bench.look(SOON_S)
    assert len(bench.actions("cancelByCloid")) == 1


def test_a_switch_that_was_taken_back_clears_again_the_next_time(bench):
    bench.control.kill(KILL_MANUAL)
    bench.look()
    bench.answer("frontendOpenOrders", [])
    bench.control.rearm()
    bench.look()
    bench.order(0)
    bench.control.kill(KILL_MANUAL)
    bench.look(SOON_S)
    assert len(bench.actions("cancelByCloid")) == 1


def test_orders_that_rest_a_second_into_a_pause_are_canceled_from_here(bench):
    bench.order(0)
    bench.silence("quoter")
    bench.look(ill=["quoter"])
    bench.look(0.9, ill=["quoter"])
    assert bench.actions("cancelByCloid") == []
    bench.look(0.2, ill=["quoter"])
    assert len(bench.actions("cancelByCloid")) == 1
    bench.answer("frontendOpenOrders", [])
    assert not bench.cleared  # which is said of the kill switch alone


# ---- position

def test_one_look_that_differs_is_a_fill_under_way(bench):
    bench.look()
    bench.answer("clearinghouseState", account(BTC="0.001"))
    bench.look(SOON_S)
    assert len(bench.asked("clearinghouseState")) == 2
    bench.answer("clearinghouseState", account(BTC="0.0", DOGE="5"))
    bench.look(SOON_S)
    assert bench.stage.mismatch_streak == 0
    assert bench.control.pauses == 0
    assert (bench.count("reconcile_count"), bench.count("mismatch_count")) == (2, 0)


def test_two_looks_that_differ_pause_and_what_the_gateway_does_not_repair_kills(bench):
    bench.look()
    bench.answer("clearinghouseState", account(BTC="0.001"))
    bench.look(SOON_S)
    bench.answer("clearinghouseState", account(BTC="0.001"))
    bench.look()
    assert bench.control.pauses == PAUSE_WATCHDOG
    for _ in range(6):
        bench.look(1.01)
        bench.answer("clearinghouseState", account(BTC="0.001"))
        assert bench.control.kill_reason == 0
        assert bench.control.pauses == PAUSE_WATCHDOG
    bench.look(1.01)
    bench.answer("clearinghouseState", account(BTC="0.001"))
    bench.look()
    assert bench.control.kill_reason == KILL_MISMATCH
    assert bench.count("mismatch_count") == 2


def test_a_mismatch_that_the_gateway_repairs_is_a_pause(bench):
    bench.look()
    for _ in range(3):
        bench.answer("clearinghouseState", account(BTC="0.001"))
        bench.look(1.01)
    assert bench.control.pauses == PAUSE_WATCHDOG
    bench.answer("clearinghouseState", account(BTC="0.0"))
    for _ in range(3):
        bench.look(1.01)
    assert bench.control.pauses == 0
    assert bench.control.kill_reason == 0


def test_what_differed_before_a_switch_was_taken_back_does_not_count(bench):
    bench.look()
    bench.answer("clearinghouseState", account(BTC="0.001"))
    bench.control.kill(KILL_MANUAL)
    bench.look()
    bench.control.rearm()
    bench.look(SOON_S)
    bench.answer("clearinghouseState", account(BTC="0.001"))
    assert bench.count("reconcile_count") == 2
    assert bench.stage.mismatch_streak == 0


def test_a_position_that_agrees_in_lots_is_no_mismatch(bench):
    bench.house.cells("ledger")["position_lots"] = (150, -20)
    bench.look()
    bench.answer("clearinghouseState", account(BTC="0.0015", ETH="-0.0002"))
    assert bench.stage._differed is False
    assert bench.count("reconcile_count") == 1


# ---- its own life

def test_an_orphan_clears_the_market_and_ends_when_nothing_rests(bench):
    bench.order(0)
    bench.look()
    assert not bench.stage._orphaned(bench.now_ns)
    assert bench.control.pauses & PAUSE_WATCHDOG
    assert len(bench.actions("cancelByCloid")) == 1
    bench.answer("frontendOpenOrders", [])
    assert bench.stage._orphaned(bench.now_ns)
    assert bench.cleared


def test_an_orphan_without_a_venue_ends_after_a_minute_and_latches_nothing(bench):
    bench.link.connected = False
    bench.look()
    assert not bench.stage._orphaned(bench.now_ns)
    bench.silence("gateway")
    bench.look(59.0, ill=["gateway"])
    assert not bench.stage._orphaned(bench.now_ns)
    assert bench.control.kill_reason == 0
    bench.later_ns += 2 * NS_PER_S
    assert bench.stage._orphaned(bench.now_ns)
    assert not bench.cleared


def test_it_runs_until_the_engine_stops_and_forgets_its_key(bench, monkeypatch):
    wiped = []
    monkeypatch.setattr(Signer, "wipe", lambda signer: wiped.append(signer))

    async def main():
        running = asyncio.create_task(bench.stage.run())
        async with asyncio.timeout(10):
            while bench.count("check_count") < 3:
                await asyncio.sleep(0.005)
            bench.control.ask_stop()
            return await running

    assert asyncio.run(main()) == 0
    assert bench.link.closed
    assert len(wiped) == 1


def test_a_lost_connection_answers_every_open_question_with_nothing(bench):
    bench.look()
    assert len(bench.stage.posts) == 2
    bench.stage._on_lost("closed by the venue")
    assert len(bench.stage.posts) == 0
    assert bench.said() == ["watchdog's connection closed by the venue"]
    assert bench.stage.mismatch_streak == 0


def test_frames_that_are_no_answers_are_let_pass_and_broken_answers_are_said(bench):
    bench.stage._on_frame(b'{"channel":"pong"}', 1)
    bench.stage._on_frame(b"nonsense", 1)
    assert bench.said() == []
    bench.stage._on_frame(b'{"channel":"post","data":{"id":1}}', 1)
    assert len(bench.said()) == 1


def test_the_ledgers_mark_holds_until_a_touch_was_seen(bench):
    ledger = bench.house.cells("ledger")[0]
    ledger["position_lots"], mark = 10, int(ledger["mark_ticks"])
    bench.look()
    assert bench.count("pnl_uusd") == 10 * mark
    bench.touch(0, MID_PX, MID_PX + 1)
    bench.look()
    assert bench.count("pnl_uusd") == 10 * mark + 10 * TICKS_PER_USD // 2
