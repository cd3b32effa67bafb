"""Audit: whatever the user channels lost is found in the venue's lists, and nothing is booked twice."""

from __future__ import annotations

import pytest
from support.asked import ADDRESS, LATER, Scene
from support.desk import NOW, NOW_MS, account_json, fill_json, take

from mmfast.gateway.audit import AGAIN_NS, EVERY_NS, FILLS_PER_ANSWER, FUNDINGS_PER_ANSWER, HOUR_MS
from mmfast.gateway.ledger import is_known
from mmfast.gateway.reconcile import GRACE_NS
from mmfast.records.account import KIND_POSITION
from mmfast.records.order import CANCELED, FREE
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid.messages import FundingPayment, UserFills

AUDITS = ["userFillsByTime", "userFunding"]


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.close()


# ---- fills


def test_fills_from_before_the_run_are_remembered_and_not_booked(scene):
    slot = scene.resting()[0]
    old = scene.fill(slot, 100, 5, 0, time_ms=scene.audit.started_ms - 1)
    scene.audit.on_fills(UserFills(True, ADDRESS, (old,)), NOW)
    assert scene.desk.ledgers[0]["position_lots"] == 0
    assert is_known(scene.desk.tids[0], 5)
    assert take(scene.house, "quoter") == []


def test_fills_of_the_run_before_this_process_are_told_as_a_position(scene):
    slot = scene.resting()[0]
    fill = scene.fill(slot, 100, 5, 0, time_ms=scene.audit.opened_ms - 1)
    scene.audit.book(fill, NOW)
    assert scene.desk.ledgers[0]["position_lots"] == fill.position_lots
    assert [record["kind"] for record in take(scene.house, "quoter")] == [KIND_POSITION]


def test_a_fill_of_a_coin_that_is_not_ours_is_left_out(scene):
    slot = scene.resting()[0]
    scene.audit.book(scene.fill(slot, 100, 5, 0, inst=-1, coin="DOGE"), NOW)
    assert not scene.desk.ledgers["fill_count"].any()


def test_both_lists_are_read_once_a_minute_and_after_each_connect(scene):
    scene.audit.step(NOW)
    assert scene.asked() == AUDITS
    scene.audited(now_ns=NOW)
    scene.audit.step(NOW + EVERY_NS - 1)
    assert scene.asked() == []
    scene.audit.step(NOW + EVERY_NS)
    assert scene.asked() == AUDITS
    scene.questions.clear()
    scene.audit.abandon()
    scene.audit.step(NOW + EVERY_NS + 1)
    assert scene.asked() == AUDITS


@pytest.mark.parametrize("lost", AUDITS)
def test_a_lost_list_is_asked_for_with_the_next_reconcile(scene, lost):
    scene.audit.step(NOW)
    for kind in AUDITS:
        scene.answer(kind, None if kind == lost else [], NOW)
    scene.audit.step(NOW + 1)
    assert lost in scene.asked()


def test_a_list_that_cannot_be_understood_is_counted_and_asked_for_again(scene):
    scene.audit.step(NOW)
    scene.answer("userFillsByTime", [{"coin": "BTC"}], NOW)
    assert scene.count("decode_error_count") == 1
    assert scene.audit.next_ns == 0


def test_two_lost_fills_that_cancel_out_are_found_though_the_position_agrees(scene):
    slots = scene.resting()
    bid, ask = (next(s for s in slots if scene.desk.orders[s]["side"] == side) for side in (0, 1))
    lost = [scene.fill(bid, 100, 5, 0), scene.fill(ask, 100, 6, 100)]
    scene.audit.step(NOW)
    scene.audited([fill_json(one) for one in lost])
    ledger = scene.desk.ledgers[0]
    assert (ledger["fill_count"], ledger["position_lots"], ledger["fee_uusd"]) == (2, 0, 200)
    assert ledger["cash_uusd"] == 100 * (lost[1].px_ticks - lost[0].px_ticks)


def test_a_position_that_differs_has_the_missing_fill_asked_for_and_booked_once(scene):
    slots = scene.resting()
    fill = scene.fill(slots[0], 100, 5, 0)
    scene.reconcile(scene.listed(slots), now_ns=NOW)
    later = NOW + AGAIN_NS
    scene.account.reconcile(later, 5.0)
    scene.answer("frontendOpenOrders", scene.listed(slots), later)
    scene.answer("clearinghouseState", account_json(fill.position_lots), later)
    assert scene.asked().count("userFillsByTime") == 1
    scene.audited([fill_json(fill), fill_json(fill)])
    assert (scene.count("fill_count"), scene.count("fill_duplicate_count")) == (1, 1)
    assert scene.desk.ledgers[0]["position_lots"] == fill.position_lots


def test_a_gap_in_the_chain_of_positions_has_the_list_asked_for(scene):
    slots = scene.resting()
    scene.audit.book(scene.fill(slots[0], 100, 6, 300), NOW)
    assert scene.count("chain_break_count") == 1
    assert scene.asked() == ["userFillsByTime"]
    scene.audit.book(scene.fill(slots[0], 100, 7, 900), NOW + 1)
    assert scene.asked() == ["userFillsByTime"]  # one list at a time, and not without end
    scene.audited()
    scene.audit.book(scene.fill(slots[0], 100, 8, 1900), NOW + AGAIN_NS - 1)
    assert scene.asked() == []
    scene.audit.book(scene.fill(slots[0], 100, 9, 5900), NOW + AGAIN_NS)
    assert scene.asked() == ["userFillsByTime"]


def test_a_list_is_read_on_from_the_newest_fill_of_the_last_one(scene):
    slot = scene.resting()[0]
    scene.audit.step(NOW)
    scene.audited([fill_json(scene.fill(slot, 100, 5, 0, time_ms=NOW_MS + 77))])
    scene.audit.step(NOW + EVERY_NS)
    assert scene.answer("userFillsByTime", [], LATER)["startTime"] == NOW_MS + 77


def test_a_full_list_of_fills_is_followed_by_the_next(scene):
    slot = scene.resting()[0]
    fills = [fill_json(scene.fill(slot, 1, tid, 0, time_ms=NOW_MS + tid, cloid_lo=0, oid=1))
             for tid in range(FILLS_PER_ANSWER)]
    scene.audit.ask_fills(NOW)
    scene.answer("userFillsByTime", fills, LATER)
    assert scene.count("fill_count") == FILLS_PER_ANSWER
    question = scene.answer("userFillsByTime", fills[-1:], LATER)
    assert question["startTime"] == NOW_MS + FILLS_PER_ANSWER - 1
    assert (scene.count("fill_count"), scene.asked()) == (FILLS_PER_ANSWER, [])


def test_an_ended_order_waits_no_longer_for_fills_that_the_complete_list_does_not_have(scene):
    slot = scene.resting()[0]
    scene.desk.on_update(scene.update(slot, "canceled", left_lots=1500), NOW)
    assert scene.desk.unresolved_slots(NOW + GRACE_NS) == [slot]
    for asked_ns, waits in ((NOW + GRACE_NS, True), (NOW + GRACE_NS + AGAIN_NS, False)):
        scene.audit.ask_fills(asked_ns)
        scene.audited(now_ns=asked_ns)
        assert bool(scene.desk.unresolved_slots(asked_ns)) == waits
    assert scene.states([slot]) == {CANCELED}
    scene.desk.sweep(NOW + 60 * NS_PER_S)
    assert scene.states([slot]) == {FREE}


# ---- funding


def paid(hour: int = 0, uusd: int = -250_000, **changes) -> FundingPayment:
    made = FundingPayment(0, "BTC", uusd, 100, 1.25e-5, NOW_MS + hour * HOUR_MS)
    return made._replace(**changes)


def payment_json(payment: FundingPayment) -> dict:
    delta = {"type": "funding", "coin": payment.coin, "usdc": f"{payment.uusd / 1e6:.6f}", "szi": "0.001",
             "fundingRate": "0.0000125", "nSamples": None}
    return {"time": payment.time_ms, "hash": "0x0", "delta": delta}


def test_a_payment_is_booked_once_whoever_tells_it(scene):
    scene.audit.book_funding(paid())
    scene.audit.step(NOW)
    scene.audited(fundings=[payment_json(paid(time_ms=NOW_MS + 3)), payment_json(paid(1, 40_000))])
    scene.audit.book_funding(paid(1, 40_000))
    assert scene.desk.ledgers[0]["funding_uusd"] == -210_000
    assert scene.house.cells("ledger")[0]["funding_uusd"] == -210_000


def test_payments_from_before_the_run_and_of_other_coins_are_left_out(scene):
    scene.audit.book_funding(paid(time_ms=scene.audit.started_ms - 1))
    scene.audit.book_funding(paid(inst=-1, coin="DOGE"))
    assert scene.desk.ledgers[0]["funding_uusd"] == 0


def test_a_full_list_of_payments_is_followed_by_the_next(scene):
    scene.audit._ask_fundings()
    payments = [payment_json(paid(hour, 1)) for hour in range(FUNDINGS_PER_ANSWER)]
    scene.answer("userFunding", payments, LATER)
    question = scene.answer("userFunding", payments[-1:], LATER)
    assert question["startTime"] == payments[-1]["time"]
    assert scene.desk.ledgers[0]["funding_uusd"] == FUNDINGS_PER_ANSWER
