"""Desk: orders and account follow the venue, and every step stands in shared memory."""

from __future__ import annotations

import numpy as np
import pytest
from support.desk import FAIR, NOW, SALT, Bench, a_quote, cloid_json, publish, take

from mmfast.gateway import ledger as books
from mmfast.gateway import orders as table
from mmfast.gateway.desk import UNSETTLED_NS, Desk, books_at_start
from mmfast.gateway.holds import FIRST_NS
from mmfast.records.account import KIND_FILL, KIND_POSITION, LEDGER
from mmfast.records.order import (
    AMBIGUOUS,
    CANCELED,
    CANCELING,
    FILLED,
    FREE,
    OPEN,
    PENDING,
    REJECTED,
    SENT,
)
from mmfast.rings import seqlock, spsc
from mmfast.rings.bell import lie_down
from mmfast.rings.layout import O_REFUSED
from mmfast.runtime.errorlog import read_errors
from mmfast.runtime.wake import bell_address
from mmfast.topology import ACCOUNT_READERS, ACCOUNT_SLOTS, PROCESSES
from mmfast.units import ASK, BID, NS_PER_S
from mmfast.venues.hyperliquid import messages
from mmfast.venues.hyperliquid.messages import DONE, REFUSED, RESTING, UNKNOWN, FundingPayment, OrderAnswer

POST_ONLY = "Post only order would have immediately matched, bbo was 99999@100001. asset=0"
MISSING = "Order was never placed, already canceled, or filled. asset=0"


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


def errors(bench: Bench) -> list[str]:
    return [line.text for line in read_errors(bench.house)]


# ---- quotes


def test_a_quote_is_read_once_for_each_version(bench):
    publish(bench.house, a_quote())
    assert [bench.desk.read_quote(0), bench.desk.read_quote(0)] == [True, False]
    publish(bench.house, a_quote(fair_px=100_010.0))
    assert bench.desk.read_quote(0)
    assert bench.desk.quotes[0]["fair_px"] == 100_010.0
    assert bench.desk.ledgers[0]["mark_ticks"] == 1_000_100


def test_a_quote_that_was_never_written_is_not_read(bench):
    assert not bench.desk.read_quote(0)
    assert bench.desk.plan(0, True, NOW) == ([], [], [])


def test_a_quote_that_is_being_written_is_left_for_later(bench):
    bench.quote()
    cell = seqlock.cell_address(bench.house.address["quote"], 0)
    words = np.ndarray(1, np.int64, bench.house.segment.mapping, cell - bench.house.segment.address)
    publish(bench.house, a_quote(fair_px=99_000.0))
    words[0] += 1  # as a writer leaves it that was stopped in the middle
    assert not bench.desk.read_quote(0)
    assert bench.desk.quotes[0]["fair_px"] == FAIR
    words[0] += 1
    assert bench.desk.read_quote(0)
    assert bench.desk.quotes[0]["fair_px"] == 99_000.0


def test_an_unknown_fair_value_leaves_the_mark_as_it_was(bench):
    bench.quote()
    bench.quote(fair_px=FAIR)
    bench.desk.quotes[0]["fair_px"] = np.nan
    quote = a_quote()
    quote["fair_px"] = np.nan
    publish(bench.house, quote)
    assert bench.desk.read_quote(0)
    assert bench.desk.ledgers[0]["mark_ticks"] == round(FAIR * 10)


def test_placed_slots_stand_in_shared_memory(bench):
    slots = bench.placed()
    assert len(slots) == 6
    assert bench.states(slots) == {PENDING}
    assert bench.desk.live_slots(0) == bench.desk.live_slots() == sorted(slots)


def test_without_leave_to_trade_everything_is_pulled(bench):
    slots = bench.resting()
    cancels, *nothing = bench.desk.plan(0, False, NOW + 1)
    assert (sorted(cancels), nothing) == (sorted(slots), [[], []])


def test_without_leave_to_trade_nothing_is_placed(bench):
    bench.quote()
    assert bench.desk.plan(0, False, NOW) == ([], [], [])


def test_a_full_table_is_counted_and_told(bench):
    bench.desk.orders["state"], bench.desk.orders["inst"] = CANCELED, 5
    bench.quote()
    assert bench.desk.plan(0, True, NOW) == ([], [], [])
    assert bench.count("blocked_count") == 1
    assert any("table is full" in text for text in errors(bench))


# ---- answers


@pytest.mark.parametrize("text", ["Internal error", "Invalid nonce: duplicate nonce 17", ""])
def test_a_refusal_that_proves_nothing_leaves_the_order_ambiguous(bench, text):
    slots = bench.sent()
    bench.desk.on_order_answers(slots, [OrderAnswer(REFUSED, text=text)] * len(slots), NOW + 1)
    assert bench.states(slots) == {AMBIGUOUS}
    assert (bench.count("order_rejected_count"), bench.count("ambiguous_count")) == (len(slots), len(slots))


def test_answers_move_states_and_counters(bench):
    slots = bench.sent()
    lots = int(bench.desk.orders[slots[1]]["lots"])
    size = f"{lots / 1e5:.5f}"
    answers = [OrderAnswer(RESTING, 11), OrderAnswer(messages.FILLED, 12, size),
               OrderAnswer(REFUSED, text="Insufficient margin"), OrderAnswer(UNKNOWN), OrderAnswer(RESTING, 15),
               OrderAnswer(RESTING, 16)]
    bench.desk.on_order_answers(slots, answers, NOW + 1)
    assert bench.desk.orders["state"][slots].tolist() == [OPEN, FILLED, REJECTED, AMBIGUOUS, OPEN, OPEN]
    assert bench.states(slots) == {OPEN, FILLED, REJECTED, AMBIGUOUS}
    assert bench.desk.orders["oid"][slots].tolist() == [11, 12, 0, 0, 15, 16]
    assert (bench.count("order_acked_count"), bench.count("order_rejected_count")) == (4, 1)
    assert bench.count("ambiguous_count") == 1


def test_a_lost_answer_is_ambiguous_and_never_a_rejection(bench):
    slots = bench.sent()
    bench.desk.on_order_answers(slots, messages.answers_for((), len(slots)), NOW + 1)
    assert bench.states(slots) == {AMBIGUOUS}
    assert bench.count("order_rejected_count") == 0
    assert bench.desk.unresolved_slots(NOW + 1) == sorted(slots)
    assert bench.desk.live_slots() == sorted(slots)


def test_a_post_only_refusal_is_counted_without_a_line_in_the_error_log(bench):
    slots = bench.sent()
    bench.desk.on_order_answers(slots[:1], [OrderAnswer(REFUSED, text=POST_ONLY)], NOW + 1)
    assert (bench.count("order_rejected_count"), bench.count("reject_post_only_count")) == (1, 1)
    assert errors(bench) == []
    bench.desk.on_order_answers(slots[1:2], [OrderAnswer(REFUSED, text="Price must be divisible by tick size.")], NOW)
    assert bench.count("reject_tick_count") == 1
    assert any("tick size" in text for text in errors(bench))


def test_cancel_answers_end_orders_and_a_late_one_leaves_the_question_open(bench):
    slots = bench.canceling()
    assert bench.states(slots) == {CANCELING}
    answers = [OrderAnswer(DONE), OrderAnswer(REFUSED, text=MISSING), OrderAnswer(UNKNOWN), OrderAnswer(DONE)]
    bench.desk.on_cancel_answers(slots[:4], answers, NOW + 1)
    assert bench.desk.orders["state"][slots].tolist() == [CANCELED, AMBIGUOUS, AMBIGUOUS, CANCELED, CANCELING,
                                                          CANCELING]
    assert (bench.count("cancel_acked_count"), bench.count("cancel_late_count")) == (2, 1)


# ---- updates


def test_an_update_finds_its_order_by_cloid_and_then_by_oid(bench):
    first, second = bench.sent()[:2]
    assert bench.desk.on_update(bench.update(first, "open", oid=77), NOW + 1) == first
    assert bench.desk.orders[first]["oid"] == 77
    bench.desk.orders[second]["oid"] = 88
    nameless = bench.update(second, "open", oid=88, cloid_hi=0, cloid_lo=0)
    assert bench.desk.on_update(nameless, NOW + 1) == second
    assert bench.states([first, second]) == {OPEN}


def test_an_update_of_another_run_is_not_ours(bench):
    slot = bench.sent()[0]
    foreign = bench.update(slot, "canceled", cloid_hi=123, oid=999)
    assert bench.desk.on_update(foreign, NOW + 1) == table.NONE
    assert bench.states([slot]) == {SENT}
    assert bench.count("user_event_count") == 1


@pytest.mark.parametrize(("status", "state"), [
    ("canceled", CANCELED), ("marginCanceled", CANCELED), ("selfTradeCanceled", CANCELED), ("filled", FILLED),
    ("triggered", OPEN), ("open", OPEN)])
def test_an_update_ends_a_resting_order_as_its_status_says(bench, status, state):
    slot = bench.resting()[0]
    bench.desk.on_update(bench.update(slot, status, left_lots=2000 if state == CANCELED else 0), NOW + 1)
    assert bench.states([slot]) == {state}


def test_a_rejected_update_ends_a_sent_order(bench):
    slot = bench.sent()[0]
    bench.desk.on_update(bench.update(slot, "badAloPxRejected"), NOW + 1)
    assert bench.states([slot]) == {REJECTED}


def test_a_cancel_that_tells_what_was_traded_leaves_just_that_to_be_booked(bench):
    slot = bench.resting()[0]
    lots = int(bench.desk.orders[slot]["lots"])
    bench.desk.on_update(bench.update(slot, "canceled", left_lots=lots - 300), NOW + 1)
    assert bench.desk.orders[slot]["lots"] == 300
    assert bench.desk.unresolved_slots(NOW + 1 + UNSETTLED_NS) == []
    assert bench.desk.unresolved_slots(NOW + 2 + UNSETTLED_NS) == [slot]
    bench.desk.on_fill(bench.fill(slot, 300, 1, 0), NOW + 5)
    assert slot not in bench.desk.unresolved_slots(NOW + 2 + UNSETTLED_NS)


# ---- fills


def test_a_fill_is_booked_once_whatever_the_venue_repeats(bench):
    slot = bench.resting()[0]
    fill = bench.fill(slot, 500, 9, 0)
    codes = [bench.desk.on_fill(fill, NOW + 1) for _ in range(3)]
    assert codes == [books.BOOKED, books.DUPLICATE, books.DUPLICATE]
    sign = 1 if fill.side == BID else -1
    ledger = bench.desk.ledgers[0]
    assert (ledger["position_lots"], ledger["cash_uusd"]) == (sign * 500, -sign * 500 * fill.px_ticks)
    assert (ledger["fee_uusd"], ledger["fill_count"]) == (500, 1)
    assert (bench.count("fill_count"), bench.count("fill_duplicate_count")) == (1, 2)
    assert bench.desk.orders[slot]["filled_lots"] == bench.shared(slot)["filled_lots"] == 500
    assert bench.states([slot]) == {OPEN}


def test_the_last_fill_ends_its_order(bench):
    slot = bench.resting()[0]
    lots = int(bench.desk.orders[slot]["lots"])
    first = bench.fill(slot, lots - 1, 1, 0)
    bench.desk.on_fill(first, NOW + 1)
    assert bench.states([slot]) == {OPEN}
    bench.desk.on_fill(bench.fill(slot, 1, 2, first.position_lots), NOW + 2)
    assert bench.states([slot]) == {FILLED}


def test_a_fill_finds_an_order_without_a_cloid_by_its_oid(bench):
    slot = bench.resting()[0]
    bench.desk.on_fill(bench.fill(slot, 5, 1, 0, cloid_hi=0, cloid_lo=0), NOW + 1)
    assert bench.desk.orders[slot]["filled_lots"] == 5


def test_a_break_in_the_chain_is_counted_and_booked(bench):
    slot = bench.resting()[0]
    assert bench.desk.on_fill(bench.fill(slot, 10, 1, 70), NOW + 1) == books.CHAIN_BREAK
    assert (bench.count("chain_break_count"), bench.count("fill_count")) == (1, 1)
    assert abs(bench.desk.ledgers[0]["position_lots"]) == 10


def test_an_impossible_fill_changes_nothing(bench):
    slot = bench.resting()[0]
    assert bench.desk.on_fill(bench.fill(slot, 10, 1, 0, px_ticks=0), NOW + 1) == books.BAD_FILL
    assert (bench.count("decode_error_count"), bench.count("fill_count")) == (1, 0)
    assert bench.desk.orders[slot]["filled_lots"] == 0
    assert take(bench.house, "quoter") == []


@pytest.mark.parametrize(("changes", "is_ours"), [
    ({}, True), ({"px_ticks": 900_000}, False), ({"px_ticks": 900_000, "crossed": True}, True),
    ({"lots": 2001}, False)])
def test_the_first_word_of_an_order_is_its_own_fill_only_at_its_price_and_within_its_size(bench, changes, is_ours):
    """Who takes is filled at the price of another; who rests, at its own."""
    slot = bench.sent()[0]
    assert bench.desk.on_fill(bench.fill(slot, 10, 1, 0)._replace(**changes), NOW + 1) == books.BOOKED
    assert bench.desk.orders[slot]["filled_lots"] == (10 if is_ours else 0)
    assert bench.count("foreign_count") == (0 if is_ours else 1)


def test_a_foreign_fill_is_booked_counted_and_told(bench):
    slot = bench.resting()[0]
    foreign = bench.fill(slot, 10, 1, 0, cloid_hi=3, cloid_lo=3, oid=4242)
    assert bench.desk.on_fill(foreign, NOW + 1) == books.BOOKED
    assert bench.count("foreign_count") == 1
    assert abs(bench.desk.ledgers[0]["position_lots"]) == 10
    assert bench.desk.orders[slot]["filled_lots"] == 0
    assert [r["src_seq"] for r in take(bench.house, "quoter")] == [-1]


def test_every_reader_of_the_account_gets_the_fill(bench):
    slot = bench.resting()[0]
    fill = bench.fill(slot, 10, 321, 0, closed_pnl_uusd=-5)
    bench.desk.on_fill(fill, NOW + 1)
    for reader in ACCOUNT_READERS:
        (record,) = take(bench.house, reader)
        assert (record["kind"], record["tid"], record["lots"], record["side"]) == (KIND_FILL, 321, 10, fill.side)
        assert record["position_lots"] == fill.position_lots
        assert (record["src_seq"], record["closed_pnl_uusd"], record["ts_recv_ns"]) == (42, -5, NOW + 1)


def test_a_fill_rings_the_bell_of_a_sleeping_quoter(bench):
    slot = bench.resting()[0]
    lie_down(bell_address(bench.house, "quoter"))
    bench.desk.on_fill(bench.fill(slot, 10, 1, 0), NOW + 1)
    row = bench.house.table("bell")[PROCESSES.index("quoter")]
    assert (row["asleep"], row["wakes"]) == (0, 1)


def test_a_full_ring_is_counted_and_the_other_reader_gets_the_fill(bench):
    ring, slot = bench.house.address["account_quoter"], bench.resting()[0]
    record = np.zeros(1, bench.house.regions["account_quoter"].dtype)
    for _ in range(ACCOUNT_SLOTS):
        spsc.put(ring, spsc.claim(ring), record.ctypes.data, record.itemsize)
    bench.desk.on_fill(bench.fill(slot, 10, 1, 0), NOW + 1)
    assert bench.house.words("account_quoter")[O_REFUSED // 8] == 1
    assert any("lossless ring is full" in text for text in errors(bench))
    assert len(take(bench.house, "estimator")) == 1


def test_the_ledger_is_published_with_every_fill_and_payment(bench):
    slot = bench.resting()[0]
    bench.desk.on_fill(bench.fill(slot, 10, 1, 0), NOW + 1)
    shared = bench.house.cells("ledger")[0]
    assert shared.tobytes() == bench.desk.ledgers[0].tobytes()
    bench.desk.book_funding(FundingPayment(0, "BTC", -750, 10, 1e-5, 1))
    bench.desk.book_funding(FundingPayment(messages.FOREIGN, "DOGE", -999, 10, 1e-5, 1))
    assert bench.house.cells("ledger")[0]["funding_uusd"] == -750


def test_a_fill_from_before_this_process_is_booked_and_told_as_a_position_only(bench):
    slot = bench.resting()[0]
    fill = bench.fill(slot, 10, 1, 0)
    for _ in range(2):
        bench.desk.rebook(fill, NOW + 1)
    (record,) = take(bench.house, "quoter")
    assert (record["kind"], record["position_lots"]) == (KIND_POSITION, fill.position_lots)
    assert bench.house.cells("ledger")[0]["position_lots"] == fill.position_lots
    assert (bench.count("fill_count"), bench.desk.orders[slot]["filled_lots"]) == (0, 10)


# ---- slots and restarts


def test_the_sweep_frees_what_ended_with_all_its_fills(bench):
    slots = bench.resting()
    lots = int(bench.desk.orders[slots[0]]["lots"])
    bench.desk.on_update(bench.update(slots[0], "canceled", left_lots=lots), NOW + 1)
    bench.desk.on_update(bench.update(slots[1], "filled"), NOW + 1)  # its fill is still on the way
    bench.desk.sweep(NOW + table.LINGER_NS)
    assert bench.states(slots[:1]) == {CANCELED}
    bench.desk.sweep(NOW + 1 + table.LINGER_NS)
    assert bench.states(slots[:1]) == {FREE}
    assert bench.states(slots[1:2]) == {FILLED}
    assert bench.states(slots[2:]) == {OPEN}


def test_sides_are_open_while_orders_rest_there(bench):
    assert bench.desk.sides_open(0) == (False, False)
    slots = bench.sent()
    assert bench.desk.sides_open(0) == (False, False)
    asks = [s for s in slots if bench.desk.orders[s]["side"] == ASK]
    bench.desk.on_order_answers(asks, [OrderAnswer(RESTING, 1 + s) for s in asks], NOW)
    assert bench.desk.sides_open(0) == (False, True)


def test_the_budget_is_forecast_in_whole_seconds_and_minus_one_is_never(bench):
    budget = bench.desk.budget
    assert bench.desk.budget_left_s == -1
    budget["pace_hz"], budget["earn_hz"] = 2.0, 1.0
    budget["address_used"], budget["address_cap"], budget["address_reserve"] = 1_000, 10_000, 2_000
    assert bench.desk.budget_left_s == 7_000
    budget["earn_hz"] = 2.0
    assert bench.desk.budget_left_s == -1
    budget["earn_hz"] = 2.0 - 1e-12
    assert bench.desk.budget_left_s == 10**9


# ---- a gateway that comes back


def heir(bench, now_ns=NOW + NS_PER_S):
    """The desk of the process that takes the place of the bench's."""
    bench.desk = Desk(bench.house, bench.config, SALT + 1, now_ns)
    return bench.desk


@pytest.mark.parametrize("stage", ["placed", "sent", "resting", "canceling"])
def test_orders_under_way_are_taken_over_as_ambiguous_with_their_cloids(bench, stage):
    slots = getattr(bench, stage)()
    before = [cloid_json(bench.shared(slot)) for slot in slots]
    desk = heir(bench)
    assert bench.states(slots) == {AMBIGUOUS}
    assert [cloid_json(bench.shared(slot)) for slot in slots] == before
    assert desk.live_slots() == slots
    assert desk.unresolved_slots(NOW + NS_PER_S) == slots


def test_ended_orders_and_torn_rows_are_not_taken_over(bench):
    slots = bench.resting()
    bench.desk.on_update(bench.update(slots[0], "canceled", left_lots=2000), NOW)
    bench.shared(slots[1])["cloid_lo"] += 1  # its cloid belongs to another slot
    bench.shared(slots[2])["lots"] = 0
    heir(bench)
    assert bench.states(slots[:3]) == {FREE}
    assert bench.desk.live_slots() == slots[3:]


def test_what_an_order_traded_before_is_known_again_once_the_fills_are_booked_again(bench):
    slot = bench.resting()[0]
    fill = bench.fill(slot, 700, 5, 0)
    bench.desk.on_fill(fill, NOW)
    desk = heir(bench)
    assert desk.orders[slot]["filled_lots"] == 0
    for _ in range(2):
        desk.rebook(fill, NOW + NS_PER_S)
    assert (desk.orders[slot]["filled_lots"], desk.orders[slot]["state"]) == (700, AMBIGUOUS)
    assert desk.ledgers[0]["position_lots"] == fill.position_lots


def test_what_the_venue_refuses_stands_in_shared_memory_until_another_process_takes_over(bench):
    slots, held = bench.sent(), bench.house.table("held")["until_ns"]
    answers = [OrderAnswer(REFUSED, text="Insufficient margin to place order. asset=0")] * len(slots)
    bench.desk.on_order_answers(slots, answers, NOW)
    assert held[0, [BID, ASK]].tolist() == [NOW + FIRST_NS] * 2
    assert (held == bench.desk.limits["until_ns"]).all()
    heir(bench)
    assert not held.any()


def test_new_orders_take_other_slots_than_those_taken_over(bench):
    before = bench.resting()
    desk = heir(bench)
    desk.orders["px_ticks"][before] += 100_000  # far away, so that the same quote has all its levels open
    desk.orders["state"][before] = OPEN
    assert not set(before) & set(bench.placed(NOW + NS_PER_S))


def test_a_new_desk_begins_with_the_books_of_the_start():
    ledgers = np.zeros(2, LEDGER)
    ledgers["position_lots"], ledgers["start_position_lots"] = 70, (20, -30)
    ledgers["cash_uusd"], ledgers["fill_count"], ledgers["funding_uusd"] = -1_000, 3, 44
    ledgers["mark_ticks"], ledgers["start_mark_ticks"] = 1_000_001, 1_000_000
    opened = books_at_start(ledgers)
    assert opened["position_lots"].tolist() == [20, -30]
    assert (opened["cash_uusd"].tolist(), opened["fill_count"].tolist()) == ([0, 0], [0, 0])
    assert (opened["funding_uusd"].tolist(), opened["mark_ticks"].tolist()) == ([0, 0], [1_000_001] * 2)
