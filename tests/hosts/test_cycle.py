"""Claims about the cycle: every kind of record is sensed, and a decision is its stages in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.parameters import default_parameters
from support.stages import START_NS, a_belief, decide, one

from mmfast.governor import portfolio
from mmfast.governor.portfolio import PORTFOLIO
from mmfast.hosts import cycle
from mmfast.records.feature import FEATURES
from mmfast.records.market import (
    BBO,
    BOOK,
    CTX,
    GAP,
    KIND_BBO,
    KIND_BOOK,
    KIND_CTX,
    KIND_GAP,
    KIND_TIMER,
    KIND_TRADE,
    TIMER,
    TRADE,
)
from mmfast.records.quote import MANDATE, QUOTE, SURFACE
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR

KINDS = {KIND_BBO: (BBO, True), KIND_BOOK: (BOOK, True), KIND_CTX: (CTX, False), KIND_TIMER: (TIMER, True),
         KIND_GAP: (GAP, True)}


def observe(dtype: np.dtype[Any], **values: Any) -> tuple[bool, Any, Any]:
    """Whether a belief follows a record, and the features and the sensor after it."""
    record, sensor, features, params = np.zeros(1, dtype), one(SENSOR), one(FEATURES), default_parameters()
    sense.begin(sensor, params)
    for name, value in values.items():
        record[name] = value
    record["ts_recv_ns"] = record["ts_exch_ns"] = START_NS
    return bool(cycle.observe(record.ctypes.data, sensor, features, params)), features, sensor


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_record_is_followed_by_a_belief_but_the_context(kind: int) -> None:
    dtype, follows = KINDS[kind]
    assert observe(dtype, kind=kind)[0] == follows


def test_a_belief_follows_the_last_print_of_a_frame() -> None:
    told = [observe(TRADE, kind=KIND_TRADE, batch_index=k, batch_count=3, lots=5, px_ticks=1_000_000)[0]
            for k in range(3)]
    assert told == [False, False, True]


def test_a_touch_that_was_observed_is_in_the_features() -> None:
    _, features, _ = observe(BBO, kind=KIND_BBO, px_ticks=(999_990, 1_000_010), lots=(600_000, 400_000))
    assert features["touch_ok"] == 1
    assert features["mid_px"] == 100_000.0


def test_a_record_of_an_unknown_kind_is_nothing() -> None:
    known, unknown = observe(BBO, kind=99), observe(BBO, kind=0)
    assert not known[0]
    assert known[1].tobytes() == unknown[1].tobytes() == one(FEATURES).tobytes()


def test_one_coin_is_decided_as_its_stages_say_and_a_second_one_takes_its_room() -> None:
    params, belief, book = default_parameters(), a_belief(ts_recv_ns=START_NS), one(PORTFOLIO)
    portfolio.begin(book, 2)
    mandate, surface, quote = one(MANDATE), one(SURFACE), one(QUOTE)
    cycle.decide(book, 1, 0, belief, 4000, params, mandate, surface, quote)
    assert quote.tobytes() == decide(belief, 4000, params).tobytes()
    portfolio.see(book, 1, 100.0, True, 0.9, 74_000.0, START_NS)
    cycle.decide(book, 2, 0, belief, 4000, params, mandate, surface, quote)
    alone = decide(belief, 4000, params)
    assert quote["room_lots"][0] < alone["room_lots"][0]
    assert quote["room_lots"][1] >= 4000
