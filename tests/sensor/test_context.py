"""Context: every field of the features is written by some record, and none stays what it was."""

from __future__ import annotations

import numpy as np
from support.stages import START_NS, Desk, one

from mmfast.records.feature import FEATURES
from mmfast.records.header import HEADER
from mmfast.records.market import CTX
from mmfast.sensor import sense
from mmfast.sensor.context import write
from mmfast.units import BID


def test_every_field_is_written_by_some_record() -> None:
    desk = Desk()
    marked = {}
    for name in FEATURES.names or ():
        if not name.startswith(("obs_", "_")) and name not in {n for n, *_ in HEADER}:
            desk.features[name] = 77
            marked[name] = desk.features[name].copy()
    desk.features["valid_mask"] = 0
    desk.bbo(1.0, 999_990, 1_000_010)
    desk.trade(1.1, BID, 100)
    desk.book(1.2, [(999_990 - 10 * k, 100) for k in range(5)], [(1_000_010 + 10 * k, 100) for k in range(5)])
    sense.on_ctx(desk.sensor, one(CTX, ts_recv_ns=START_NS + 2_000_000_000), desk.features, desk.params)
    same = [name for name, before in marked.items() if np.array_equal(desk.features[name], before)]
    assert same == []


def test_it_says_where_it_comes_from() -> None:
    desk = Desk()
    write(desk.sensor, one(CTX, seq=9, inst=3, ts_recv_ns=7, ts_exch_ns=5), desk.features, desk.params)
    assert desk.features["src_seq"] == 9
    assert (desk.features["inst"], desk.features["ts_recv_ns"], desk.features["ts_exch_ns"]) == (3, 7, 5)
