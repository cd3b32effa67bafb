"""Stamps: each part of an order's way is counted in the histogram of that part."""

from __future__ import annotations

import numpy as np
import pytest
from support.desk import NOW, Bench

from mmfast.gateway.stamps import Stamps, stamp_written
from mmfast.records.order import ORDER
from mmfast.runtime.catalog import HISTOGRAMS, STAGE_NAMES, histogram_index

RECEIVED = 5_000_000
PARTS = {"decode": 11_000, "belief": 23_000, "quote": 47_000, "diff": 95_000, "sign": 191_000, "write": 383_000}


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def stamps(bench):
    return Stamps(bench.house)


def an_order() -> np.ndarray:
    """An order whose every part took a time of its own."""
    order, at = np.zeros(1, ORDER), RECEIVED
    order["ts_recv_ns"] = at
    for part, field in zip(STAGE_NAMES, ("decoded", "belief", "quote", "diffed", "signed", "written")):
        at += PARTS[part]
        order[f"ts_{field}_ns"] = at
    return order


def sums(bench: Bench) -> dict[str, int]:
    """Nanoseconds in every histogram that counted anything; each must have counted once."""
    rows = bench.house.table("histogram")[: len(HISTOGRAMS)]
    assert set(rows["count"].tolist()) <= {0, 1}
    assert rows["bucket"].sum(axis=1).tolist() == rows["count"].tolist()
    return {h.name: int(row["sum_ns"]) for h, row in zip(HISTOGRAMS, rows) if row["count"]}


def test_each_part_is_counted_where_it_belongs_and_the_parts_add_up(bench, stamps):
    stamp_written(an_order()[0], stamps.address)
    counted = sums(bench)
    assert counted == {**PARTS, "tick_to_order": sum(PARTS.values())}


def test_an_order_that_no_frame_caused_is_not_counted(bench, stamps):
    order = an_order()
    order["ts_recv_ns"] = 0
    stamp_written(order[0], stamps.address)
    assert sums(bench) == {}


def test_an_answer_counts_from_the_write(bench, stamps):
    order = an_order()[0]
    stamps.on_acked(order, int(order["ts_written_ns"]) + 777)
    assert sums(bench) == {"ack": 777}


@pytest.mark.parametrize(("status", "asked", "expected"), [
    ("open", False, {"on_book": 1_000}), ("open", True, {"on_book": 1_000}), ("canceled", True, {"cancel": 400}),
    ("canceled", False, {}), ("filled", True, {}), ("marginCanceled", True, {}), ("badAloPxRejected", False, {})])
def test_an_update_counts_what_it_confirms(bench, stamps, status, asked, expected):
    order = an_order()[0]
    written = int(order["ts_written_ns"])
    order["ts_cancel_ns"] = written + 600 if asked else 0
    stamps.on_update(order, status, written + 1_000)
    assert sums(bench) == expected


def test_written_orders_of_a_quote_are_counted_once_each(bench):
    slots = bench.sent(NOW)
    row = bench.house.table("histogram")[histogram_index("tick_to_order")]
    assert (row["count"], row["sum_ns"]) == (len(slots), 1000 * len(slots))
