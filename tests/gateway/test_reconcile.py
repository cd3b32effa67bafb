"""One verdict for each difference, and none for what is only on its way."""

from __future__ import annotations

import numpy as np
import pytest

from mmfast.executor import lifecycle as life
from mmfast.gateway import orders as table
from mmfast.gateway import reconcile as rec
from mmfast.records.order import AMBIGUOUS, CANCELED, CANCELING, FILLED, OPEN, PENDING, REJECTED, SENT
from mmfast.units import NS_PER_S

SALT, ASKED, GRACE = 99, 100 * NS_PER_S, 3 * NS_PER_S


def working(*states, age_ns=10 * NS_PER_S):
    """A table with one order in each state, all written ``age_ns`` before the question."""
    orders, register = table.new_orders(16), table.new_register(SALT)[0]
    for state in states:
        order = orders[table.allocate(orders, register, ASKED - age_ns)]
        order["state"], order["px_ticks"], order["oid"] = state, 1000, 500 + int(register["counter"])
        order["orig_lots"] = order["lots"] = 10
        order["ts_written_ns"] = ASKED - age_ns
    return orders


def venue(orders, *slots, **changes):
    rows = np.zeros(len(slots), rec.VENUE_ORDER)
    for row, slot in zip(rows, slots):
        for name in ("cloid_hi", "cloid_lo", "oid", "px_ticks", "inst", "side"):
            row[name] = orders[slot][name]
        row["lots"] = row["orig_lots"] = orders[slot]["lots"]
    for name, value in changes.items():
        rows[name] = value
    return rows


def verdicts(rows, orders, room=16):
    out = np.zeros(room, rec.VERDICT)
    return [(int(v["kind"]), int(v["slot"])) for v in out[: rec.compare(rows, orders, SALT, ASKED, GRACE, out)]]


def test_agreement_is_an_empty_list():
    orders = working(OPEN, CANCELING)
    assert verdicts(venue(orders, 0, 1), orders) == []


@pytest.mark.parametrize("state", [SENT, AMBIGUOUS])
def test_order_of_unknown_fate_that_rests_is_open(state):
    orders = working(state)
    assert verdicts(venue(orders, 0), orders) == [(rec.MARK_OPEN, 0)]


@pytest.mark.parametrize("state", [SENT, OPEN, CANCELING, AMBIGUOUS])
def test_missing_order_is_gone_once_it_is_old_enough(state):
    orders = working(state)
    assert verdicts(venue(orders), orders) == [(rec.MARK_GONE, 0)]
    young = working(state, age_ns=GRACE - 1)
    assert verdicts(venue(young), young) == []
    changed = working(state)
    changed[0]["ts_ns"] = ASKED - GRACE + 1
    assert verdicts(venue(changed), changed) == []


@pytest.mark.parametrize("state", [PENDING, FILLED, CANCELED, REJECTED])
def test_unwritten_and_ended_orders_are_not_missed(state):
    orders = working(state)
    assert verdicts(venue(orders), orders) == []


@pytest.mark.parametrize(("state", "kind"), [(CANCELED, rec.REVIVE), (REJECTED, rec.REVIVE), (FILLED, rec.DIFFERS)])
def test_ended_order_that_rests_is_revived_but_not_from_an_old_picture(state, kind):
    orders = working(state)
    assert verdicts(venue(orders, 0), orders) == [(kind, 0)]
    orders[0]["ts_ns"] = ASKED - 1
    assert verdicts(venue(orders, 0), orders) == []


def test_revived_order_counts_again():
    orders, register = working(CANCELED), table.new_register(SALT)[0]
    orders[0]["lots"] = 0  # told: nothing traded
    assert table.revive(orders[0], register, 10, ASKED) == OPEN
    assert life.outstanding_lots(orders[0]) == 10


def test_foreign_and_orphaned_orders_are_told_apart():
    orders = working(OPEN)
    assert verdicts(venue(orders, 0, cloid_hi=7, oid=1), orders) == [(rec.FOREIGN, -1), (rec.MARK_GONE, 0)]
    assert verdicts(venue(orders, 0, cloid_hi=0, cloid_lo=0, oid=1), orders)[0] == (rec.FOREIGN, -1)
    lost = venue(orders, 0, oid=1)
    lost["cloid_lo"] += 1 << 20
    assert verdicts(lost, orders)[0] == (rec.ORPHAN, -1)


def test_row_without_cloid_is_found_by_oid():
    orders = working(OPEN)
    assert verdicts(venue(orders, 0, cloid_hi=0, cloid_lo=0), orders) == []


@pytest.mark.parametrize("change", [{"px_ticks": 1001}, {"side": 1}, {"inst": 2}, {"lots": 9}])
def test_difference_in_price_side_coin_or_size_is_reported(change):
    orders = working(OPEN)
    assert verdicts(venue(orders, 0, **change), orders) == [(rec.DIFFERS, 0)]


def test_fill_after_the_picture_is_no_difference():
    orders = working(OPEN)
    rows = venue(orders, 0)
    orders[0]["filled_lots"] = 4
    assert verdicts(rows, orders) == []


def test_verdicts_stop_at_the_room_given():
    orders = working(OPEN, OPEN, OPEN)
    assert len(verdicts(venue(orders), orders, room=2)) == 2
