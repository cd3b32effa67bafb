"""Account: what the venue lists and what we hold are compared, and what differs is repaired, asked for or counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.desk import LIMIT_JSON, NOW, NOW_MS, SALT, Bench, account_json, cloid_json, fill_json, order_json, take

from mmfast.gateway.account import FILLS_PER_ANSWER, GRACE_NS, LIMIT_EVERY_NS, RECHECK_NS, Account
from mmfast.gateway.ledger import is_known
from mmfast.records.account import KIND_POSITION
from mmfast.records.order import AMBIGUOUS, CANCELED, FILLED, OPEN, SENT
from mmfast.runtime.errorlog import read_errors
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid.messages import UNKNOWN, OrderAnswer, PostAnswer, UserFills

ADDRESS = "0x" + "1A" * 20
LATER = NOW + GRACE_NS + NS_PER_S


class Scene(Bench):
    """An account whose questions wait here for an answer."""

    def __init__(self, folder, started_ms: int = NOW_MS - 100, opened_ms: int = NOW_MS - 50) -> None:
        super().__init__(folder)
        self.questions: list[tuple[dict[str, Any], Any]] = []
        self.done: list[bool] = []
        self.canceled: list[tuple[int, int]] = []
        self.account = Account(self.desk, ADDRESS, started_ms, opened_ms,
                               lambda question, then: self.questions.append((question, then)),
                               self.done.append, self.canceled.extend)

    def asked(self) -> list[str]:
        return [question["type"] for question, _ in self.questions]

    def answer(self, kind: str, data: Any, now_ns: int) -> dict[str, Any]:
        """Answer the oldest question of a kind; the question. ``data`` None is a lost answer."""
        index = self.asked().index(kind)
        question, then = self.questions.pop(index)
        then(None if data is None else PostAnswer(1, None, json.dumps(data).encode(), ""), now_ns)
        return question

    def reconcile(self, orders: Any = (), lots: int = 0, now_ns: int = LATER) -> None:
        """A whole reconcile with these lists."""
        self.account.reconcile(now_ns, 5.0)
        self.answer("frontendOpenOrders", None if orders is None else list(orders), now_ns)
        self.answer("clearinghouseState", account_json(lots), now_ns)

    def listed(self, slots: list[int]) -> list[dict[str, Any]]:
        return [order_json(self.desk.orders[s], 100 + s) for s in slots]


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
    assert sorted(scene.asked()) == ["clearinghouseState", "frontendOpenOrders", "userRateLimit"]
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


def test_an_ambiguous_order_is_settled_by_a_look_up(scene):
    slot = scene.sent()[0]
    scene.desk.on_order_answers([slot], [OrderAnswer(UNKNOWN)], NOW)
    assert scene.states([slot]) == {AMBIGUOUS}
    scene.account.resolve(slot)
    scene.answer("orderStatus", status(scene, slot, "open", 2000), NOW + 1)
    assert scene.states([slot]) == {OPEN}
    assert scene.desk.orders[slot]["oid"] == 100 + slot


# ---- fills


def test_fills_from_before_the_run_are_remembered_and_not_booked(scene):
    slot = scene.resting()[0]
    old = scene.fill(slot, 100, 5, 0, time_ms=scene.account.started_ms - 1)
    scene.account.on_fills(UserFills(True, ADDRESS, (old,)), NOW)
    assert scene.desk.ledgers[0]["position_lots"] == 0
    assert is_known(scene.desk.tids[0], 5)
    assert take(scene.house, "quoter") == []


def test_fills_of_the_run_before_this_process_are_told_as_a_position(scene):
    slot = scene.resting()[0]
    fill = scene.fill(slot, 100, 5, 0, time_ms=scene.account.opened_ms - 1)
    scene.account.book(fill, NOW)
    assert scene.desk.ledgers[0]["position_lots"] == fill.position_lots
    assert [record["kind"] for record in take(scene.house, "quoter")] == [KIND_POSITION]


def test_a_fill_of_a_coin_that_is_not_ours_is_left_out(scene):
    slot = scene.resting()[0]
    scene.account.book(scene.fill(slot, 100, 5, 0, inst=-1, coin="DOGE"), NOW)
    assert not scene.desk.ledgers["fill_count"].any()


def test_missed_fills_are_asked_for_and_booked_once(scene):
    slots = scene.resting()
    fill = scene.fill(slots[0], 100, 5, 0)
    scene.reconcile(scene.listed(slots), lots=fill.position_lots)
    assert scene.done == [False]
    for _ in range(2):
        scene.account._ask_fills(scene.account.started_ms)
    for _ in range(3):
        question = scene.answer("userFillsByTime", [fill_json(fill)], LATER)
        assert question["startTime"] == scene.account.started_ms
    assert (scene.count("fill_count"), scene.count("fill_duplicate_count")) == (1, 2)
    assert scene.desk.ledgers[0]["position_lots"] == fill.position_lots
    scene.reconcile([order_json(scene.desk.orders[s], 100 + s, 1900 if s == slots[0] else None) for s in slots],
                    lots=fill.position_lots, now_ns=LATER + NS_PER_S)
    assert scene.done == [False, True]


def test_a_full_list_of_fills_is_followed_by_the_next(scene):
    slot = scene.resting()[0]
    fills = [fill_json(scene.fill(slot, 1, tid, 0, time_ms=NOW_MS + tid, cloid_lo=0, oid=1))
             for tid in range(FILLS_PER_ANSWER)]
    scene.account._ask_fills(scene.account.started_ms)
    scene.answer("userFillsByTime", fills, LATER)
    assert scene.count("fill_count") == FILLS_PER_ANSWER
    question = scene.answer("userFillsByTime", fills[-1:], LATER)
    assert question["startTime"] == NOW_MS + FILLS_PER_ANSWER - 1
    assert (scene.count("fill_count"), scene.asked()) == (FILLS_PER_ANSWER, [])
