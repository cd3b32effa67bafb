"""
The estimator: one nopython loop from market records to beliefs.

In      the market ring, own fills from the account ring.
Out     one belief for each instrument, and the quoter rung.
Source  `cycle.observe` and `filter.believe` are what happens to a record; this file only reads rings, stamps times
        and waits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.filter import believe
from mmfast.filter.state import FILTER
from mmfast.hosts.cycle import observe
from mmfast.kernel import kernel
from mmfast.records.account import FILL, KIND_FILL
from mmfast.records.belief import BELIEF, KIND_BELIEF
from mmfast.records.control import STATE_RUNNING
from mmfast.records.feature import FEATURES
from mmfast.records.header import bare
from mmfast.records.market import (
    BBO,
    BOOK,
    BOOK_KINDS,
    GAP,
    GAP_LAPPED,
    KIND_GAP,
    MARKET,
)
from mmfast.records.parameters import PARAMETERS
from mmfast.rings import broadcast, seqlock, spsc
from mmfast.rings.atomics import as_record, load_acquire, load_unordered, monotonic_ns, store_unordered
from mmfast.rings.bell import lie_down, ring_bell
from mmfast.rings.region import House
from mmfast.runtime.catalog import counter_index
from mmfast.runtime.control import O_STOP, Control
from mmfast.runtime.counters import Counters, count
from mmfast.runtime.heartbeat import Heart, beat
from mmfast.runtime.live import refresh
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SLEEP, bell_address, doze
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR
from mmfast.topology import RECENT

# Addresses of everything the loop touches, and its position on the market ring.
ESTIMATOR = bare(
    ("market", "i8"), ("account", "i8"), ("beliefs", "i8"), ("bell", "i8"), ("quoter_bell", "i8"),
    ("heart", "i8"), ("counters", "i8"), ("control", "i8"), ("message", "i8"), ("sensors", "i8"),
    ("filters", "i8"), ("features", "i8"), ("drafts", "i8"), ("parameters", "i8"), ("instrument_count", "i8"),
    ("position", "i8"), ("belief_number", "i8"), ("idle", "i8"), ("feature_cells", "i8"), ("parameter_cells", "i8"),
    ("parameters_known", "i8"), ("parameters_spare", "i8"), ("recent_features", "i8"), size=192)

RECORDS, BELIEFS, LAPS, FILLS = (
    counter_index("estimator", n) for n in ("record_count", "belief_count", "lap_count", "fill_count"))
SMALL, LARGE = BBO.itemsize, BOOK.itemsize  # every kind but books is small
BELIEF_BYTES, FEATURES_BYTES, FILTER_BYTES, PARAMETERS_BYTES, SENSOR_BYTES = (
    dtype.itemsize for dtype in (BELIEF, FEATURES, FILTER, PARAMETERS, SENSOR))
TURN_NS = 100_000_000  # back to Python ten times a second, for signals


@kernel
def run(context: int, until_ns: int) -> int:
    """Serve the rings until ``until_ns`` or until the engine stops; returns the number of records read."""
    me = as_record(context, ESTIMATOR)
    done = 0
    now = monotonic_ns()
    while now < until_ns and load_acquire(me["control"] + O_STOP) == 0:
        work = _read_market(me) + _read_account(me)
        if work == 0:
            if me["idle"] == SLEEP:
                lie_down(me["bell"])
                work = _read_market(me) + _read_account(me)
            doze(me["idle"], me["bell"], work > 0)
        done += work
        now = monotonic_ns()
        beat(me["heart"], now, 1)
    return done


@kernel
def drain(context: int) -> int:
    """Serve the rings until they are empty, once: for a host that shares its loop with other stages."""
    me = as_record(context, ESTIMATOR)
    done = 0
    work = 1
    while work > 0:
        work = _read_market(me) + _read_account(me)
        done += work
    beat(me["heart"], monotonic_ns(), 1)
    return done


@kernel
def _read_market(me: Any) -> int:
    """Take one message from the market ring, if there is one: 1 if there was."""
    status = broadcast.receive(me["market"], me["position"], me["message"], SMALL)
    if status == broadcast.EMPTY:
        return 0
    if status == broadcast.READ and as_record(me["message"], MARKET)["kind"] in BOOK_KINDS:
        status = broadcast.receive(me["market"], me["position"], me["message"], LARGE)
    if status == broadcast.LAPPED:
        me["position"] = broadcast.resync(me["market"], me["position"])
        count(me["counters"], LAPS, 1)
        _lapped(me)
        return 1
    me["position"] += 1
    count(me["counters"], RECORDS, 1)
    message = as_record(me["message"], MARKET)
    if message["inst"] < 0:
        for inst in range(me["instrument_count"]):
            _take(me, inst)
    else:
        _take(me, message["inst"])
    return 1


@kernel
def _lapped(me: Any) -> None:
    """Records were lost: every instrument is as after a gap in the feed."""
    gap = as_record(me["message"], GAP)
    gap["kind"], gap["reason"], gap["inst"], gap["seq"] = KIND_GAP, GAP_LAPPED, -1, me["position"]
    gap["ts_exch_ns"], gap["ts_recv_ns"], gap["ts_ns"] = 0, monotonic_ns(), monotonic_ns()
    for inst in range(me["instrument_count"]):
        _take(me, inst)


@kernel
def _take(me: Any, inst: int) -> None:
    """Sense one record for one instrument, and believe, unless more of the same frame is coming."""
    _refresh(me, inst)
    if observe(me["message"], as_record(me["sensors"] + inst * SENSOR_BYTES, SENSOR),
               as_record(me["features"] + inst * FEATURES_BYTES, FEATURES),
               as_record(me["parameters"] + inst * PARAMETERS_BYTES, PARAMETERS)):
        _believe(me, inst)


@kernel
def _refresh(me: Any, inst: int) -> None:
    """Take over parameters that were changed."""
    known_at = me["parameters_known"] + 8 * inst
    known = load_unordered(known_at)
    now = refresh(seqlock.cell_address(me["parameter_cells"], inst), known, me["parameters_spare"],
                  me["parameters"] + inst * PARAMETERS_BYTES)
    if now != known:
        store_unordered(known_at, now)


@kernel
def _believe(me: Any, inst: int) -> None:
    """Update the belief of one instrument from its features, and publish it."""
    message = as_record(me["message"], MARKET)
    draft = as_record(me["drafts"] + inst * BELIEF_BYTES, BELIEF)
    believe.believe(as_record(me["filters"] + inst * FILTER_BYTES, FILTER),
                    as_record(me["features"] + inst * FEATURES_BYTES, FEATURES), draft,
                    as_record(me["parameters"] + inst * PARAMETERS_BYTES, PARAMETERS), message["ts_recv_ns"])
    _publish(me, inst, draft, message)


@kernel
def _publish(me: Any, inst: int, draft: Any, cause: Any) -> None:
    """Stamp the draft with where it came from and store it in its cell."""
    now = monotonic_ns()
    draft["seq"], draft["kind"], draft["inst"] = me["belief_number"], KIND_BELIEF, inst
    draft["src_seq"], draft["cause_kind"] = cause["seq"], cause["kind"]
    draft["ts_exch_ns"], draft["ts_recv_ns"] = cause["ts_exch_ns"], cause["ts_recv_ns"]
    draft["ts_decoded_ns"], draft["ts_belief_ns"], draft["ts_ns"] = cause["ts_ns"], now, now
    features_at, place = me["features"] + inst * FEATURES_BYTES, me["belief_number"] & (RECENT - 1)
    as_record(features_at, FEATURES)["seq"] = me["belief_number"]
    me["belief_number"] += 1
    seqlock.store(seqlock.cell_address(me["beliefs"], inst), me["drafts"] + inst * BELIEF_BYTES, BELIEF_BYTES)
    count(me["counters"], BELIEFS, 1)
    ring_bell(me["quoter_bell"])
    # Nobody decides on these: `mmfast explain` shows them.
    seqlock.store(seqlock.cell_address(me["feature_cells"], inst), features_at, FEATURES_BYTES)
    seqlock.store(seqlock.cell_address(me["recent_features"], place), features_at, FEATURES_BYTES)


@kernel
def _read_account(me: Any) -> int:
    """Take one own fill out of the taker flow and into the belief (Glosten-Milgrom): 1 if there was one."""
    slot = spsc.peek(me["account"])
    if slot == 0:
        return 0
    fill = as_record(slot, FILL)
    if fill["kind"] == KIND_FILL:
        inst = fill["inst"]
        draft = as_record(me["drafts"] + inst * BELIEF_BYTES, BELIEF)
        sense.on_fill(as_record(me["sensors"] + inst * SENSOR_BYTES, SENSOR), fill,
                      as_record(me["features"] + inst * FEATURES_BYTES, FEATURES),
                      as_record(me["parameters"] + inst * PARAMETERS_BYTES, PARAMETERS))
        believe.on_fill(as_record(me["filters"] + inst * FILTER_BYTES, FILTER), fill, draft,
                        as_record(me["parameters"] + inst * PARAMETERS_BYTES, PARAMETERS))
        count(me["counters"], FILLS, 1)
        _publish(me, inst, draft, as_record(slot, MARKET))  # the header is the same
    spsc.release(me["account"])
    return 1


class Estimator:
    """Owns the private state of the estimator and the addresses its loop works on."""

    def __init__(self, house: House, placement: Placement) -> None:
        n = len(house.table("instrument"))
        self.message = np.zeros(1, MARKET)
        self.sensors, self.filters = np.zeros(n, SENSOR), np.zeros(n, FILTER)
        self.features, self.drafts = np.zeros(n, FEATURES), np.zeros(n, BELIEF)
        self.parameters = house.cells("parameters").copy()
        self.known, self.spare = np.zeros(n, np.int64), np.zeros(1, PARAMETERS)
        for inst in range(n):
            sense.begin(self.sensors[inst], self.parameters[inst])
            believe.begin(self.filters[inst], self.parameters[inst])
        self.context = np.zeros(1, ESTIMATOR)
        for name, value in {
            "market": house.address["market"], "account": house.address["account_estimator"],
            "beliefs": house.address["belief"], "bell": bell_address(house, "estimator"),
            "quoter_bell": bell_address(house, "quoter"), "heart": Heart(house, "estimator").address,
            "counters": Counters(house, "estimator").address, "control": Control(house).address,
            "message": self.message.ctypes.data, "sensors": self.sensors.ctypes.data,
            "filters": self.filters.ctypes.data, "features": self.features.ctypes.data,
            "drafts": self.drafts.ctypes.data, "parameters": self.parameters.ctypes.data,
            "instrument_count": n, "position": broadcast.head(house.address["market"]), "idle": placement.idle,
            "recent_features": house.address["recent_feature"],
            "feature_cells": house.address["feature"], "parameter_cells": house.address["parameters"],
            "parameters_known": self.known.ctypes.data, "parameters_spare": self.spare.ctypes.data,
        }.items():
            self.context[name] = value
        self.address = int(self.context.ctypes.data)

    def run(self, until_ns: int) -> int:
        """Serve until ``until_ns``; see `run`."""
        return run(self.address, until_ns)


def main(house: House, placement: Placement) -> int:
    """Body of the estimator's process."""
    estimator = Estimator(house, placement)
    control = Control(house)
    Heart(house, "estimator").enter(STATE_RUNNING)
    while not control.stopping:
        estimator.run(monotonic_now() + TURN_NS)
    return 0


@kernel
def monotonic_now() -> int:
    """The monotonic clock, for callers outside nopython code."""
    return monotonic_ns()


__all__ = ["ESTIMATOR", "Estimator", "main", "run"]
