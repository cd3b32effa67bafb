"""Context: every field of the features is written by some record, and none stays what it was."""

from __future__ import annotations

import math

import numpy as np
from support.stages import START_NS, Desk, one

from mmfast.records.feature import BOOK_UNKNOWN, FEATURES
from mmfast.records.header import HEADER
from mmfast.records.market import CTX
from mmfast.sensor import sense
from mmfast.sensor.context import write
from mmfast.units import BID, NS_PER_S


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


def levels(px: int, step: int) -> list[tuple[int, int]]:
    return [(px + step * k, 100 + k) for k in range(20)]


def test_what_has_fallen_silent_is_unknown_again() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    desk.book(1.2, levels(999_990, -400), levels(1_000_010, 400))
    for name in ("book_imbalance", "band_imbalance", "gradient", "book_asymmetry", "density"):
        assert np.isfinite(desk.features[name]).all(), name
    desk.bbo(13.0, 999_990, 1_000_010)
    assert np.isfinite(desk.features["gradient"])
    desk.bbo(14.0, 999_990, 1_000_010)
    for name in ("book_imbalance", "book_change", "band_imbalance", "gradient"):
        assert np.isnan(desk.features[name]).all(), name
    assert math.isnan(desk.belief["gradient"])
    assert np.isfinite(desk.features["book_asymmetry"])
    desk.bbo(18.0, 999_990, 1_000_010)
    assert np.isnan(desk.features["book_asymmetry"])
    assert desk.features["book_regime"] == BOOK_UNKNOWN


def test_open_interest_that_is_not_heard_is_no_sign_of_a_quiet_market() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    context = one(CTX, open_interest=5e4, funding_rate_h=1e-5, ts_recv_ns=START_NS + 2 * NS_PER_S)
    sense.on_ctx(desk.sensor, context, desk.features, desk.params)
    assert desk.features["liquidation_ratio"] == 1.0
    desk.timer(77.0)
    assert desk.features["liquidation_ratio"] == 1.0
    desk.timer(78.0)
    assert math.isnan(desk.features["liquidation_ratio"])
    assert desk.features["funding_bps_s"] > 0.0


def test_a_lost_touch_leaves_nothing_of_the_touch() -> None:
    desk = Desk()
    desk.bbo(1.0, 999_990, 1_000_010)
    desk.bbo(2.0, 1_000_010, 1_000_010)
    for name in ("touch_imbalance", "ofi", "half_spread_bps"):
        assert math.isnan(desk.features[name]), name


def test_it_says_where_it_comes_from() -> None:
    desk = Desk()
    write(desk.sensor, one(CTX, seq=9, inst=3, ts_recv_ns=7, ts_exch_ns=5), desk.features, desk.params)
    assert desk.features["src_seq"] == 9
    assert (desk.features["inst"], desk.features["ts_recv_ns"], desk.features["ts_exch_ns"]) == (3, 7, 5)
