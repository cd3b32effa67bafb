"""The gateway's process without a socket: what it writes, when it writes nothing, what it does with the answers."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.desk import (
    LIMIT_JSON,
    a_fill,
    a_quote,
    account_json,
    cloid_json,
    fill_json,
    order_json,
    publish,
)
from support.wired import ACCOUNT, LIMIT_MS, Wired, action, kind

from mmfast.executor.budget import CREDIT_KEPT_NS, MESSAGE_NS
from mmfast.gateway import orders as table
from mmfast.gateway.holds import FIRST_NS
from mmfast.gateway.stage import RESOLVE_NS, salt_of
from mmfast.records.control import KILL_MANUAL, KILL_SIGNER, PAUSE_OPERATOR, STATE_RUNNING, STATE_STARTING
from mmfast.records.order import AMBIGUOUS, CANCELED, CANCELING, FREE, OPEN, REJECTED, SENT, TIF_IOC
from mmfast.records.quote import TAKE_WANTED
from mmfast.runtime.catalog import histogram_index
from mmfast.runtime.latch import Latch
from mmfast.topology import GATEWAY, WATCHDOG
from mmfast.units import ASK, NS_PER_S
from mmfast.venues.hyperliquid import actions
from mmfast.venues.hyperliquid.errors import LocalError


@pytest.fixture
def alone(tmp_path):
    made = Wired(tmp_path)
    yield made
    made.house.segment.disown()


@pytest.fixture
def scene(alone):
    return alone.connect()


# ---- names


def test_salts_are_never_zero_never_the_same_and_fit_into_63_bits():
    salts = {salt_of(run, now_ns) for run in ("a", "b", "") for now_ns in range(2000)}
    assert len(salts) == 6000
    assert all(0 < salt < 1 << 63 for salt in salts)


# ---- connecting


def test_it_subscribes_and_asks_what_is_true_when_it_connects(alone):
    alone.stage._on_connected()
    subscribed = [f["subscription"]["type"] for f in alone.wire.frames if kind(f) == "subscribe"]
    assert subscribed == ["orderUpdates", "userFills", "userEvents"]
    asked = [f["request"]["payload"] for f in alone.wire.frames if f["method"] == "post"]
    assert {question["user"] for question in asked} == {ACCOUNT.lower()}
    assert alone.count("connect_count") == 1


def test_nothing_is_placed_before_the_account_agrees(alone):
    alone.stage._on_connected()
    assert alone.quote() == []
    alone.answer(alone.questions("frontendOpenOrders")[-1], [])
    assert alone.quote() == []
    alone.answer(alone.questions("clearinghouseState")[-1], account_json())
    assert alone.house.table("heartbeat")["state"][GATEWAY] == STATE_RUNNING
    assert [kind(frame) for frame in alone.quote()] == ["order"]


def test_a_position_that_differs_keeps_it_from_trading(alone):
    alone.connect(lots=7)
    assert alone.quote() == []
    assert len(alone.questions("userFillsByTime")) == 1


def test_the_venues_count_of_requests_is_taken_over(scene):
    scene.answer(scene.questions("userRateLimit")[-1], LIMIT_JSON)
    scene.tick()
    assert (scene.count("address_used"), scene.count("address_cap")) == (321, 12_345)


# ---- writing


def test_a_quote_becomes_one_batch_that_the_shared_table_knows(scene):
    (frame,) = scene.quote()
    slots = scene.desk.live_slots()
    written = action(frame)["orders"]
    assert [order["c"] for order in written] == [cloid_json(scene.desk.orders[slot]) for slot in slots]
    assert [round(float(order["p"]) * 10) for order in written] == scene.desk.orders["px_ticks"][slots].tolist()
    assert {order["t"]["limit"]["tif"] for order in written} == {"Alo"}
    assert scene.states(slots) == {SENT}
    payload, shared = frame["request"]["payload"], scene.house.cells("order")[slots]
    assert set(shared["nonce"].tolist()) == {payload["nonce"]}
    assert set(shared["expires_after_ms"].tolist()) == {payload["expiresAfter"]}
    assert (scene.count("order_sent_count"), scene.desk.budget[0]["address_used"]) == (len(slots), len(slots))


def test_the_stamps_of_a_written_order_are_in_the_order_of_events(scene):
    scene.quote()
    for slot in scene.desk.live_slots():
        order = scene.house.cells("order")[slot]
        stamps = [int(order[name]) for name in ("ts_recv_ns", "ts_diffed_ns", "ts_signed_ns", "ts_written_ns")]
        assert stamps[0] > 0
        assert stamps == sorted(stamps)


def test_a_quote_is_acted_on_once(scene):
    scene.resting()
    before = len(scene.wire.frames)
    assert not scene.stage._drain()
    assert len(scene.wire.frames) == before


def test_cancels_are_written_before_placements(scene):
    slots = scene.resting()
    frames = scene.quote(fair_px=100_300.0)  # every ask of ours is below fair value now
    assert [kind(frame) for frame in frames] == ["cancelByCloid", "order"]
    gone = [slot for slot in slots if scene.desk.orders[slot]["state"] == CANCELING]
    assert gone
    assert sorted(c["cloid"] for c in action(frames[0])["cancels"]) == sorted(
        cloid_json(scene.desk.orders[slot]) for slot in gone)
    assert action(frames[0])["f"] is True
    assert frames[1]["request"]["payload"]["nonce"] > frames[0]["request"]["payload"]["nonce"]


def test_taking_is_a_batch_of_its_own_and_goes_once_until_its_fill_is_booked(alone):
    scene = alone.connect()
    scene.desk.ledgers["position_lots"] = 50_000
    wish = {"position_lots": 50_000, "take_reason": TAKE_WANTED, "take_side": ASK, "take_lots": 4_000,
            "take_px_ticks": 999_900}
    quotes, taking = scene.quote(**wish)
    assert {o["t"]["limit"]["tif"] for o in action(quotes)["orders"]} == {"Alo"}
    (order,) = action(taking)["orders"]
    assert (order["b"], order["p"], order["s"], order["r"], order["t"]) == (
        False, "99990", "0.04", True, {"limit": {"tif": "Ioc"}})
    assert scene.count("take_sent_count") == 1
    assert scene.count("order_sent_count") == 4  # three asks, and no bid at the limit
    assert scene.quote(**wish) == []
    (slot,) = [s for s in scene.desk.live_slots() if scene.desk.orders[s]["tif"] == TIF_IOC]
    scene.ack(taking, [{"filled": {"oid": 9, "totalSz": "0.03", "avgPx": "99991"}}])
    assert scene.quote(**wish) == []  # three quarters of it are on their way to the books
    scene.hear("userFills", {"user": ACCOUNT, "fills": [fill_json(a_fill(
        scene.desk, slot, 3_000, 77, 50_000, crossed=True, time_ms=time.time_ns() // 10**6 + 1_000))]})
    assert scene.desk.ledgers[0]["position_lots"] == 47_000
    scene.quote(**wish)  # of the position before: a bid has room now, but nothing is taken
    assert scene.count("take_sent_count") == 1


def test_a_take_that_finds_nothing_is_counted_and_no_fault(scene):
    scene.desk.ledgers["position_lots"] = 50_000
    frames = scene.quote(position_lots=50_000, take_reason=TAKE_WANTED, take_side=ASK, take_lots=4_000,
                         take_px_ticks=999_900)
    scene.ack(frames[-1], [{"error": "Order could not immediately match against any resting orders. asset=0"}])
    assert (scene.count("reject_no_match_count"), scene.errors()) == (1, "")


def test_a_question_without_a_connection_is_answered_as_lost_at_once(scene):
    scene.wire.connected, before, told = False, len(scene.stage.posts), []
    scene.stage.ask({"type": "meta"}, lambda answer, now_ns: told.append(answer))
    assert (told, len(scene.stage.posts)) == ([None], before)


def test_the_rehearsal_of_every_tick_writes_spends_and_waits_for_nothing(scene):
    before = len(scene.wire.frames), len(scene.stage.posts), int(scene.desk.budget[0]["address_used"])
    rehearsed: list[str] = []
    scene.stage.wallet.rehearse = lambda action: rehearsed.append(action.kind)
    assert scene.tick() == []
    assert (len(scene.wire.frames), len(scene.stage.posts), int(scene.desk.budget[0]["address_used"])) == before
    assert rehearsed == ["cancelByCloid", "order"]


def test_cancels_by_oid_count_only_when_written(scene):
    scene.wire.connected = False
    scene.stage.cancel_oids([(0, 1)])
    assert scene.count("cancel_sent_count") == 0


def test_nothing_is_written_or_planned_without_a_connection(scene):
    scene.wire.connected = False
    assert scene.quote() == []
    assert scene.desk.live_slots() == []
    assert scene.tick() == []


def test_orders_whose_connection_went_before_the_write_are_dropped_and_their_slots_free_again(scene):
    publish(scene.house, a_quote(time.monotonic_ns()))
    scene.desk.read_quote(0)
    _, places, _ = scene.desk.plan(0, True, time.monotonic_ns())
    before, scene.wire.connected = len(scene.wire.frames), False
    scene.stage.place(places)
    assert scene.states(places) == {REJECTED}
    assert (len(scene.wire.frames), len(scene.stage.posts)) == (before, 3)  # limit, fills and fundings are asked for
    assert scene.count("order_sent_count") == 0
    scene.desk.sweep(time.monotonic_ns() + table.LINGER_NS)
    assert scene.states(places) == {FREE}


def test_cancels_without_a_connection_leave_the_orders_as_they_are(scene):
    slots = scene.resting()
    scene.wire.connected = False
    scene.stage.cancel(slots)
    assert scene.states(slots) == {OPEN}
    assert scene.count("cancel_sent_count") == 0


def test_a_foreign_order_is_canceled_by_its_oid(alone):
    alone.stage._on_connected()
    foreign = {"coin": "BTC", "side": "A", "limitPx": "100100", "sz": "0.01", "oid": 4711, "timestamp": 1}
    alone.answer(alone.questions("frontendOpenOrders")[-1], [foreign])
    assert [action(frame) for frame in alone.questions("cancel")] == [
        {"type": "cancel", "cancels": [{"a": 0, "o": 4711}], "f": True}]


# ---- reasons to pull


def stale_watchdog(scene: Wired) -> None:
    scene.house.table("heartbeat")["beat_ns"][WATCHDOG] -= int((LIMIT_MS + 1_000) * 1e6)


def stale_quote(scene: Wired) -> None:
    scene.desk.quotes["ts_ns"] -= int((LIMIT_MS + 1_000) * 1e6)


def lost_supervisor(scene: Wired) -> None:
    scene.stage.parent = -1
    scene.tick()  # is where it looks; what it pulls there is put back
    for slot in scene.desk.live_slots():
        scene.desk.orders[slot]["state"] = OPEN


def lost_sync(scene: Wired) -> None:
    scene.stage.synced = False


REASONS = {
    "the operator pauses": lambda scene: scene.control.pause(PAUSE_OPERATOR),
    "the kill switch is latched": lambda scene: scene.control.kill(KILL_MANUAL),
    "the engine stops": lambda scene: scene.control.ask_stop(),
    "the position is to be flattened": lambda scene: scene.control.flatten(),
    "the watchdog is silent": stale_watchdog,
    "the quote is stale": stale_quote,
    "the account does not agree": lost_sync,
    "the supervisor is gone": lost_supervisor,
}


@pytest.mark.parametrize("reason", REASONS)
def test_everything_is_pulled_at_the_next_tick_when(scene, reason):
    slots = scene.resting()
    assert scene.tick() == []
    REASONS[reason](scene)
    (frame,) = scene.tick()
    assert kind(frame) == "cancelByCloid"
    assert sorted(c["cloid"] for c in action(frame)["cancels"]) == sorted(
        cloid_json(scene.desk.orders[slot]) for slot in slots)
    assert scene.states(slots) == {CANCELING}
    assert scene.tick() == []


@pytest.mark.parametrize("reason", [name for name in REASONS if name != "the quote is stale"])
def test_a_new_quote_is_not_followed_when(scene, reason):
    REASONS[reason](scene)
    assert scene.quote() == []


def test_a_quote_that_is_stale_when_it_comes_is_not_followed(scene):
    assert scene.quote(age_ns=int((LIMIT_MS + 1_000) * 1e6)) == []


def test_quoting_begins_again_with_the_next_quote_after_a_pause(scene):
    scene.control.pause(PAUSE_OPERATOR)
    assert scene.quote() == []
    scene.control.resume(PAUSE_OPERATOR)
    assert [kind(frame) for frame in scene.quote()] == ["order"]


def test_a_quote_that_asks_for_a_pull_is_obeyed(scene):
    scene.resting()
    assert [kind(frame) for frame in scene.quote(pull=1)] == ["cancelByCloid"]


# ---- answers


@pytest.mark.parametrize(("text", "kills"), [
    ("User or API Wallet 0x00aa does not exist.", True), ("Must deposit before performing actions.", True),
    ("Too many cumulative requests sent", False), ("Insufficient margin to place order.", False)])
def test_only_a_refused_signature_latches_the_kill_switch(scene, text, kills):
    (frame,) = scene.quote()
    slots = scene.desk.live_slots()
    scene.refuse(frame, text)
    assert scene.states(slots) == {REJECTED}
    latched = Latch(scene.config.state_path).read()
    assert scene.control.kill_reason == (KILL_SIGNER if kills else 0)
    assert (latched is not None) == kills
    if latched is not None:
        assert (latched.code, latched.text, latched.who) == (KILL_SIGNER, text, "gateway")
        assert scene.quote() == []


def test_orders_that_expire_on_their_way_are_followed_by_a_wait_that_grows_until_one_is_taken(scene):
    waits, until_ns = [], scene.desk.limits["until_ns"]
    for _ in range(2):
        scene.refuse(scene.quote()[-1], "Action already expired")
        assert scene.quote() == []
        assert (until_ns == until_ns.max()).all()
        waits.append(int(until_ns.max()) - time.monotonic_ns())
        until_ns[:] = 0
    assert 0.9 * NS_PER_S < waits[0] <= FIRST_NS < 1.9 * NS_PER_S < waits[1] <= 2 * FIRST_NS
    assert "is this host's clock right?" in scene.errors()
    slots = scene.resting()
    assert scene.states(slots) == {OPEN}


def test_what_is_refused_for_lack_of_margin_is_not_asked_for_with_every_quote(scene):
    for _ in range(3):
        frames = scene.quote()
        if frames:
            scene.refuse(frames[-1], "Insufficient margin to place order. asset=0")
    assert scene.count("reject_margin_count") == scene.count("order_sent_count") > 0
    assert sum(kind(frame) == "order" for frame in scene.wire.frames) == 1
    assert "no bids for 1 s, the venue refuses them" in scene.errors()


def test_an_answer_of_transport_decides_nothing(scene):
    (frame,) = scene.quote()
    slots = scene.desk.live_slots()
    scene.hear("post", {"id": frame["id"], "response": {"type": "error", "payload": "429 Too Many Requests"}})
    assert scene.states(slots) == {AMBIGUOUS}
    assert scene.count("order_rejected_count") == 0


def test_answers_are_counted_in_the_histogram_of_answers(scene):
    slots = scene.resting()
    assert scene.house.table("histogram")["count"][histogram_index("ack")] == len(slots)
    assert scene.desk.orders["oid"][slots].tolist() == [100 + slot for slot in slots]


def test_an_answer_that_does_not_come_makes_orders_ambiguous_and_is_asked_for_once_a_second(scene):
    scene.quote()
    slots = scene.desk.live_slots()
    late_ns = int(scene.config.gateway.answer_timeout_ms * 1e6) + NS_PER_S
    scene.tick(late_ns)
    assert scene.states(slots) == {AMBIGUOUS}
    asked = [frame["request"]["payload"]["oid"] for frame in scene.questions("orderStatus")]
    assert sorted(asked) == sorted(cloid_json(scene.desk.orders[slot]) for slot in slots)
    scene.tick(late_ns + RESOLVE_NS // 2)
    assert len(scene.questions("orderStatus")) == len(slots)
    scene.tick(late_ns + 2 * RESOLVE_NS)
    assert len(scene.questions("orderStatus")) == 2 * len(slots)


def test_questions_about_lost_orders_leave_messages_for_cancels_and_take_turns(scene):
    scene.quote()
    slots = scene.desk.live_slots()
    scene.stage._on_lost("cut")
    scene.stage.posts.abandon(0)
    now_ns, budget = time.monotonic_ns(), scene.desk.budget
    asked = []
    for turn in range(1, 2 * len(slots) + 1):
        budget["credit_ns"], budget["now_ns"] = CREDIT_KEPT_NS + MESSAGE_NS, now_ns + turn * NS_PER_S
        before = len(scene.questions("orderStatus"))
        scene.stage._resolve(now_ns + turn * NS_PER_S)
        asked += [frame["request"]["payload"]["oid"] for frame in scene.questions("orderStatus")[before:]]
    assert len(asked) == 2 * len(slots)
    assert sorted(asked[: len(slots)]) == sorted(cloid_json(scene.desk.orders[slot]) for slot in slots)
    assert asked[: len(slots)] == asked[len(slots) :]


def test_a_lost_connection_leaves_orders_in_flight_ambiguous_and_trading_off(scene):
    scene.quote()
    slots = scene.desk.live_slots()
    scene.wire.connected = False
    scene.stage._on_lost("silent for 45.0 s")
    assert scene.states(slots) == {AMBIGUOUS}
    assert (scene.stage.synced, len(scene.stage.posts)) == (False, 0)
    assert scene.house.table("heartbeat")["state"][GATEWAY] == STATE_STARTING
    assert "silent for" in scene.errors()
    scene.wire.connected = True
    scene.connect()
    assert scene.stage.synced


# ---- user channels


def test_updates_move_orders_and_are_timed(scene):
    (frame,) = scene.quote()
    assert kind(frame) == "order"
    slots = scene.desk.live_slots()
    for said, state in (("open", OPEN), ("canceled", CANCELED)):
        scene.hear("orderUpdates", [{"order": order_json(scene.desk.orders[slot], 100 + slot), "status": said,
                                     "statusTimestamp": 1} for slot in slots])
        assert scene.states(slots) == {state}
    counts = scene.house.table("histogram")["count"]
    assert (counts[histogram_index("on_book")], counts[histogram_index("cancel")]) == (len(slots), 0)


def test_fills_and_funding_are_booked(scene):
    slot = scene.resting()[0]
    order = scene.desk.orders[slot]
    fill = a_fill(scene.desk, slot, 100, 9, 0, time_ms=time.time_ns() // 10**6 + 1)
    scene.hear("userFills", {"user": ACCOUNT, "fills": [fill_json(fill)]})
    scene.hear("user", {"funding": {"coin": "BTC", "usdc": "-0.25", "szi": "0.001", "fundingRate": "0.0000125",
                                    "time": time.time_ns() // 10**6 + 1}})
    ledger = scene.house.cells("ledger")[0]
    assert (ledger["position_lots"], ledger["funding_uusd"]) == (fill.position_lots, -250_000)
    assert order["filled_lots"] == 100


def test_a_frame_that_cannot_be_understood_is_counted_and_passed_over(scene):
    scene.hear("orderUpdates", [{"order": 1}])
    scene.hear("error", "Invalid subscription")
    scene.hear("pong", None)
    assert scene.count("decode_error_count") == 1
    assert "the venue says: Invalid subscription" in scene.errors()


# ---- flattening, time, the end


def test_flattening_sends_reduce_only_orders_once_the_quotes_are_gone(scene):
    slots = scene.resting()
    scene.desk.ledgers["position_lots"] = 300
    scene.control.flatten()
    (pull,) = scene.tick()
    assert scene.tick() == []
    scene.ack(pull, ["success"] * len(slots))
    (frame,) = scene.tick()
    (order,) = action(frame)["orders"]
    assert (order["b"], order["s"], order["r"], order["t"]) == (False, "0.003", True, {"limit": {"tif": "Ioc"}})


def test_a_latched_engine_does_not_flatten(scene):
    scene.resting()
    scene.desk.ledgers["position_lots"] = 300
    scene.control.kill(KILL_MANUAL)
    scene.control.flatten()
    (pull,) = scene.tick()
    scene.ack(pull, ["success"] * len(action(pull)["cancels"]))
    assert scene.tick(NS_PER_S) == []


def test_two_sided_time_is_counted_while_orders_rest_on_both_sides(scene):
    scene.tick()
    assert (scene.count("quoting_ns"), scene.count("two_sided_ns")) == (0, 0)
    scene.resting()
    scene.tick()
    assert scene.count("quoting_ns") == scene.count("two_sided_ns") > 0


def test_when_the_engine_stops_the_orders_are_canceled_and_the_key_is_wiped(scene):
    slots = scene.resting()
    scene.control.ask_stop()
    assert asyncio.run(scene.stage.run()) == 0
    assert kind(scene.wire.frames[-1]) == "cancelByCloid"
    assert scene.states(slots) == {CANCELING}
    with pytest.raises(LocalError, match="wiped"):
        scene.stage.wallet.sign(1, actions.cancel([actions.Cancel(0, 1)]), 0, 0)
