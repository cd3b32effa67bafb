"""The life table is complete, and says what its comments say."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from mmfast.executor import lifecycle as life
from mmfast.gateway import orders as table
from mmfast.records.order import (
    AMBIGUOUS,
    CANCELED,
    CANCELING,
    FILLED,
    FREE,
    LIVE_STATES,
    OPEN,
    ORDER,
    PENDING,
    REJECTED,
    SENT,
    STATE_NAMES,
)

EVENTS = range(len(life.EVENT_NAMES))
STATES = range(len(STATE_NAMES))
VENUE_EVENTS = [e for e in EVENTS if e not in (life.DROPPED, life.WRITTEN, life.CANCEL_WRITTEN)]


def run(state, *events):
    for event in events:
        state = life.advance(state, event)
    return state


def test_every_state_meets_every_event():
    assert life.NEXT.shape == (len(EVENTS), len(STATES))
    assert life.NEXT.dtype == np.int8
    assert set(np.unique(life.NEXT)) <= {-1, *STATES}


def test_impossible_pairs_keep_the_state():
    for state, event in product(STATES, EVENTS):
        if not life.is_legal(state, event):
            assert life.advance(state, event) == state


@pytest.mark.parametrize(("state", "event"), [(-1, 0), (9, 0), (0, -1), (0, 17), (2**62, 2**62)])
def test_numbers_that_name_nothing_are_impossible(state, event):
    assert not life.is_legal(state, event)
    assert life.advance(state, event) == state


def test_nothing_happens_to_a_free_slot():
    assert all(not life.is_legal(FREE, e) for e in EVENTS)


def test_no_event_leads_back_to_free_or_pending():
    legal = life.NEXT[life.NEXT >= 0]
    assert FREE not in legal
    assert PENDING not in legal


def test_only_a_look_up_revives_canceled_and_nothing_revives_filled():
    for event in EVENTS:
        assert life.advance(FILLED, event) == FILLED
        if event != life.RESOLVED_OPEN:
            assert life.is_terminal(life.advance(CANCELED, event))
    assert life.advance(CANCELED, life.RESOLVED_OPEN) == OPEN


def test_rejected_and_open_together_are_ambiguous_in_either_order():
    assert run(SENT, life.ACK_ERROR, life.UPDATE_OPEN) == AMBIGUOUS
    assert run(SENT, life.UPDATE_OPEN, life.ACK_ERROR) == AMBIGUOUS
    assert run(SENT, life.ACK_ERROR, life.FILL_PARTIAL) == AMBIGUOUS


def test_a_missing_cancel_settles_nothing():
    for state in (OPEN, CANCELING, AMBIGUOUS):
        assert life.advance(state, life.CANCEL_MISSING) == AMBIGUOUS


def test_every_event_twice_is_the_event_once():
    for state, event in product(STATES, VENUE_EVENTS):
        once = life.advance(state, event)
        assert life.advance(once, event) == once or (event, state) in DOUBTS


# Where "rejected" and "open" contradict each other, the one that is repeated is believed; nothing else changes.
DOUBTS = {(life.UPDATE_REJECTED, OPEN), (life.ACK_RESTING, REJECTED), (life.UPDATE_OPEN, REJECTED)}

STORIES = {
    "fills at once": ([life.ACK_RESTING, life.UPDATE_OPEN, life.FILL_COMPLETE, life.UPDATE_FILLED], FILLED),
    "partly filled, then all": ([life.ACK_RESTING, life.UPDATE_OPEN, life.FILL_PARTIAL, life.FILL_COMPLETE,
                                 life.UPDATE_FILLED], FILLED),
    "refused": ([life.ACK_ERROR, life.UPDATE_REJECTED], REJECTED),
    "canceled by the venue": ([life.ACK_RESTING, life.UPDATE_OPEN, life.UPDATE_CANCELED], CANCELED),
}


@pytest.mark.parametrize("name", STORIES)
def test_news_in_any_order_end_in_the_same_state(name):
    events, end = STORIES[name]
    for order in permutations(events):
        assert run(SENT, *order) == end
        assert run(SENT, *order, *order) == end


def test_cancel_story_in_any_order_ends_canceled():
    events = [life.ACK_RESTING, life.UPDATE_OPEN, life.FILL_PARTIAL, life.CANCEL_OK, life.UPDATE_CANCELED]
    for order in permutations(events):
        assert run(CANCELING, *order) == CANCELED


def test_fill_that_beats_the_cancel_in_any_order_ends_filled():
    events = [life.ACK_RESTING, life.UPDATE_OPEN, life.FILL_COMPLETE, life.UPDATE_FILLED, life.CANCEL_MISSING]
    for order in permutations(events):
        assert run(CANCELING, *order) == FILLED


def test_live_and_terminal_split_the_states():
    for state in STATES:
        assert life.is_live(state) == (state in LIVE_STATES)
        assert life.is_terminal(state) == (state in (FILLED, CANCELED, REJECTED))


def test_outstanding_counts_until_the_last_fill_is_booked():
    order = np.zeros(1, ORDER)[0]
    order["lots"], order["filled_lots"] = 10, 4
    expected = {FREE: 0, REJECTED: 0}
    for state in STATES:
        order["state"] = state
        assert life.outstanding_lots(order) == expected.get(state, 6)
    order["state"] = CANCELED
    assert not life.is_settled(order)
    order["filled_lots"] = 10
    assert life.is_settled(order)
    order["state"] = OPEN
    assert not life.is_settled(order)


# ---- what cannot happen

OURS = (life.DROPPED, life.WRITTEN, life.CANCEL_WRITTEN)
LEGAL_UNWRITTEN = (life.DROPPED, life.WRITTEN, life.ANSWER_LOST)
# An order that fully traded was neither refused nor taken off; a cancel that was never written did not work.
CONTRADICTIONS = {(life.ACK_ERROR, FILLED), (life.UPDATE_REJECTED, FILLED), (life.CANCEL_OK, FILLED),
                  (life.CANCEL_OK, SENT), (life.CANCEL_MISSING, SENT), (life.CANCEL_OK, REJECTED)}


def reason(state, event):
    """Why the pair cannot happen; None if it can."""
    if state == FREE:
        return "no order"
    if state == PENDING:
        return None if event in LEGAL_UNWRITTEN else "not written yet"
    if event in (life.DROPPED, life.WRITTEN):
        return "written once"
    if event == life.CANCEL_WRITTEN and state not in LIVE_STATES:
        return "nothing to cancel"
    return "contradiction" if (event, state) in CONTRADICTIONS else None


@pytest.mark.parametrize("state", STATES, ids=STATE_NAMES)
def test_every_cell_is_defined_and_what_cannot_happen_has_a_reason(state):
    for event in EVENTS:
        assert life.is_legal(state, event) == (reason(state, event) is None), life.EVENT_NAMES[event]


@pytest.mark.parametrize("state", STATES, ids=STATE_NAMES)
def test_what_cannot_happen_changes_nothing_and_is_counted(state):
    for event in EVENTS:
        orders, register = table.new_orders(1), table.new_register(7)
        orders["state"], orders["lots"], orders["filled_lots"], orders["ts_ns"] = state, 10, 3, 5
        before = orders.copy()
        table.apply(orders[0], register[0], event, 4, 99)
        impossible = reason(state, event) is not None
        assert int(register["illegal_count"][0]) == impossible
        assert not impossible or (orders == before).all()
