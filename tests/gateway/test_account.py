"""Account: what the venue lists and what we hold are compared, and what differs is repaired, asked for or counted."""

from __future__ import annotations

from typing import Any

import pytest
from support.asked import ADDRESS, LATER, Scene
from support.desk import LIMIT_JSON, NOW, NOW_MS, SALT, account_json, cloid_json, order_json

from mmfast.executor import lifecycle
from mmfast.gateway.account import LIMIT_EVERY_NS, RECHECK_NS
from mmfast.gateway.audit import AGAIN_NS
from mmfast.gateway.reconcile import GRACE_NS
from mmfast.records.order import AMBIGUOUS, CANCELED, FILLED, OPEN, SENT
from mmfast.runtime.errorlog import read_errors
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid.messages import UNKNOWN, OrderAnswer


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.close()


# ---- reconciles


def test_lists_that_say_what_we_say_agree(scene):
    slots = scene.resting()
    scene.reconcile(scene.listed(slots))
    assert scene.done == [True]
    assert (scene.count("reconcile_count"), scene.count("mismatch_count"), scene.canceled) == (1, 0, [])
    assert scene.house.cells("ledger")[0]["reconciled_ns"] == LATER
    assert scene.states(slots) == {OPEN}


def test_it_asks_about_the_account_in_lower_case(scene):
    scene.account.reconcile(NOW, 5.0)
    assert {question["user"] for question, _ in scene.questions} == {ADDRESS.lower()}


def test_no_second_question_is_asked_while_one_is_open(scene):
    scene.account.reconcile(NOW, 5.0)
    scene.account.reconcile(NOW + 1, 5.0)
    assert sorted(scene.asked()) == ["clearinghouseState", "frontendOpenOrders", "userFillsByTime", "userFunding",
                                     "userRateLimit"]
    assert scene.account.next_ns == NOW + 5 * NS_PER_S


def test_the_budget_is_asked_for_once_a_minute_and_taken_over(scene):
    scene.reconcile(now_ns=NOW)
    scene.answer("userRateLimit", LIMIT_JSON, NOW)
    assert (scene.desk.budget[0]["address_used"], scene.desk.budget[0]["address_cap"]) == (321, 12_345)
    scene.reconcile(now_ns=NOW + LIMIT_EVERY_NS - 1)
    assert scene.asked() == []
    scene.reconcile(now_ns=NOW + LIMIT_EVERY_NS)
    assert scene.asked() == ["userRateLimit"]


def test_one_disagreement_is_looked_at_again_and_two_are_a_mismatch(scene):
    scene.reconcile(lots=5, now_ns=NOW)
    assert (scene.done, scene.count("mismatch_count")) == ([False], 0)
    assert scene.account.next_ns == NOW + RECHECK_NS
    scene.reconcile(lots=5, now_ns=NOW + RECHECK_NS)
    assert (scene.done, scene.count("mismatch_count")) == ([False, False], 1)
    scene.reconcile(now_ns=LATER)
    assert (scene.done[-1], scene.account.streak) == (True, 0)


@pytest.mark.parametrize("lost", ["frontendOpenOrders", "clearinghouseState"])
def test_a_lost_answer_does_not_agree(scene, lost):
    scene.account.reconcile(NOW, 5.0)
    for kind, data in (("frontendOpenOrders", []), ("clearinghouseState", account_json())):
        scene.answer(kind, None if kind == lost else data, NOW)
    assert scene.done == [False]


def test_an_answer_that_cannot_be_understood_is_counted_and_does_not_agree(scene):
    scene.reconcile([{"coin": "BTC"}])
    assert (scene.done, scene.count("decode_error_count")) == ([False], 1)


def test_a_lost_connection_lets_the_next_reconcile_begin_at_once(scene):
    scene.account.reconcile(NOW, 5.0)
    scene.questions.clear()
    scene.account.abandon()
    assert scene.account.next_ns == 0
    scene.reconcile(now_ns=NOW + 1)
    assert scene.done == [True]


# ---- orders


def test_a_foreign_order_at_the_venue_is_canceled_by_its_oid(scene):
    slot = scene.resting()[0]
    foreign = order_json(scene.desk.orders[slot], 4711, cloid=None)
    scene.reconcile([*scene.listed(scene.desk.live_slots()), foreign])
    assert scene.canceled == [(0, 4711)]
    assert scene.count("foreign_count") == 1


def test_an_order_of_this_run_that_our_table_forgot_is_canceled(scene):
    orphan = {"coin": "BTC", "side": "A", "limitPx": "100100", "sz": "0.01", "oid": 51, "timestamp": NOW_MS,
              "cloid": f"0x{SALT:016x}{(999 << 16) | 7:016x}"}
    scene.reconcile([orphan])
    assert scene.canceled == [(0, 51)]


def test_an_order_of_a_coin_that_is_not_ours_is_left_alone(scene):
    scene.reconcile([{"coin": "DOGE", "side": "A", "limitPx": "1", "sz": "1", "oid": 51, "timestamp": NOW_MS}])
    assert (scene.canceled, scene.done) == ([], [True])


def test_an_order_that_rests_though_its_answer_was_lost_is_open(scene):
    slots = scene.sent()
    scene.reconcile(scene.listed(slots))
    assert scene.states(slots) == {OPEN}
    assert scene.desk.orders["oid"][slots].tolist() == [100 + s for s in slots]


def test_an_order_that_ended_for_us_but_rests_there_is_live_again(scene):
    slots = scene.resting()
    listed = scene.listed(slots)
    scene.desk.on_update(scene.update(slots[0], "canceled", left_lots=2000), NOW)
    scene.reconcile(listed)
    assert scene.states(slots) == {OPEN}


def test_a_young_order_that_is_not_listed_yet_is_not_judged(scene):
    slots = scene.sent(NOW)
    scene.reconcile([], now_ns=NOW + GRACE_NS - 1)
    assert scene.states(slots) == {SENT}
    assert "orderStatus" not in scene.asked()


@pytest.fixture
def missing(scene):
    """The slot of an order that we believe open and the venue does not list."""
    slots = scene.resting()
    scene.reconcile(scene.listed(slots[1:]))
    assert scene.asked().count("orderStatus") == 1
    return slots[0]


def status(scene: Scene, slot: int, said: str, left_lots: int) -> dict[str, Any]:
    order = order_json(scene.desk.orders[slot], 100 + slot, left_lots)
    return {"status": "order", "order": {"order": order, "status": said, "statusTimestamp": NOW_MS}}


def test_a_missing_order_is_asked_for_by_its_cloid(scene, missing):
    question, _ = next(q for q in scene.questions if q[0]["type"] == "orderStatus")
    assert question["oid"] == cloid_json(scene.desk.orders[missing])
    assert scene.states([missing]) == {OPEN}


@pytest.mark.parametrize(("said", "left", "state", "lots"), [
    ("open", 2000, OPEN, 2000), ("filled", 0, FILLED, 2000), ("canceled", 1500, CANCELED, 500),
    ("canceled", 2000, CANCELED, 0), ("marginCanceled", 2000, CANCELED, 0)])
def test_the_venues_word_settles_a_missing_order(scene, missing, said, left, state, lots):
    scene.answer("orderStatus", status(scene, missing, said, left), LATER)
    assert scene.states([missing]) == {state}
    assert scene.desk.orders[missing]["lots"] == lots


def test_an_order_that_the_venue_does_not_know_is_gone_only_after_the_grace(scene):
    slot = scene.sent(NOW)[0]
    for now_ns, state in ((NOW + GRACE_NS, SENT), (NOW + GRACE_NS + 1, CANCELED)):
        scene.account.resolve(slot)
        scene.answer("orderStatus", {"status": "unknownOid"}, now_ns)
        assert scene.states([slot]) == {state}


@pytest.mark.parametrize(("left", "lots"), [(2000, 0), (1500, 500), (0, 2000)])
def test_a_status_that_nobody_has_heard_of_is_an_end_when_the_venue_is_asked(scene, missing, left, lots):
    scene.answer("orderStatus", status(scene, missing, "evaporated", left), LATER)
    assert scene.states([missing]) == {CANCELED}
    assert scene.desk.orders[missing]["lots"] == lots
    assert any("evaporated" in line.text for line in read_errors(scene.house))


def test_an_order_that_traded_more_than_was_booked_has_its_fills_asked_for(scene, missing):
    scene.answer("orderStatus", status(scene, missing, "canceled", 1500), LATER + AGAIN_NS)
    assert "userFillsByTime" in scene.asked()


def test_a_lost_or_broken_answer_settles_nothing(scene, missing):
    scene.answer("orderStatus", None, LATER)
    scene.account.resolve(missing)
    scene.answer("orderStatus", {"status": "order"}, LATER)
    assert scene.states([missing]) == {OPEN}
    assert any("without an order" in line.text for line in read_errors(scene.house))


def test_an_answer_about_a_slot_that_was_used_again_is_ignored(scene, missing):
    said = status(scene, missing, "canceled", 2000)
    scene.desk.orders[missing]["cloid_lo"] += 1 << 16
    scene.answer("orderStatus", said, LATER)
    assert scene.desk.orders[missing]["state"] == OPEN


def test_an_answer_from_before_its_end_does_not_revive_an_order(scene, missing):
    said = status(scene, missing, "open", 2000)
    scene.desk.apply(missing, lifecycle.UPDATE_CANCELED, LATER + 1, 0)
    scene.answer("orderStatus", said, LATER + 2)
    assert (scene.states([missing]), scene.desk.orders[missing]["lots"]) == ({CANCELED}, 0)


def test_an_order_that_is_open_though_it_had_ended_when_it_was_asked_for_has_its_size_again(scene, missing):
    said = status(scene, missing, "open", 2000)
    scene.desk.apply(missing, lifecycle.UPDATE_CANCELED, LATER, 500)
    scene.answer("orderStatus", None, LATER)
    scene.account.resolve(missing)
    scene.answer("orderStatus", said, LATER + 1)
    assert (scene.states([missing]), scene.desk.orders[missing]["lots"]) == ({OPEN}, 2000)


def test_an_ambiguous_order_is_settled_by_a_look_up(scene):
    slot = scene.sent()[0]
    scene.desk.on_order_answers([slot], [OrderAnswer(UNKNOWN)], NOW)
    assert scene.states([slot]) == {AMBIGUOUS}
    scene.account.resolve(slot)
    scene.answer("orderStatus", status(scene, slot, "open", 2000), NOW + 1)
    assert scene.states([slot]) == {OPEN}
    assert scene.desk.orders[slot]["oid"] == 100 + slot
