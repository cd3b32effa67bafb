"""
The quoter: one nopython loop from beliefs and the position to the quotes we want.

In      beliefs, fills and positions from the account ring.
Out     mandate, surface and quotes of each instrument, and the gateway rung.
Source  `cycle.decide` is the decision; this file only reads rings, stamps times and waits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.governor import portfolio
from mmfast.governor.portfolio import PORTFOLIO
from mmfast.hosts.cycle import decide
from mmfast.hosts.estimator import TURN_NS, monotonic_now
from mmfast.kernel import kernel
from mmfast.records.account import FILL
from mmfast.records.belief import BELIEF
from mmfast.records.control import STATE_RUNNING
from mmfast.records.header import bare
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import KIND_MANDATE, KIND_QUOTE, KIND_SURFACE, MANDATE, QUOTE, SURFACE
from mmfast.rings import seqlock, spsc
from mmfast.rings.atomics import as_record, load_acquire, monotonic_ns
from mmfast.rings.bell import lie_down, ring_bell
from mmfast.rings.region import House
from mmfast.runtime.catalog import counter_index
from mmfast.runtime.control import O_STOP, Control
from mmfast.runtime.counters import Counters, count
from mmfast.runtime.heartbeat import Heart, beat
from mmfast.runtime.live import refresh
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SLEEP, bell_address, doze
from mmfast.topology import RECENT
from mmfast.units import ASK, BID

QUOTER = bare(
    ("beliefs", "i8"), ("account", "i8"), ("mandates", "i8"), ("surfaces", "i8"), ("quotes", "i8"),
    ("bell", "i8"), ("gateway_bell", "i8"), ("heart", "i8"), ("counters", "i8"), ("control", "i8"),
    ("drafts", "i8"), ("parameters", "i8"), ("instrument_count", "i8"), ("quote_number", "i8"), ("idle", "i8"),
    ("portfolio", "i8"), ("parameter_cells", "i8"), ("parameters_spare", "i8"), ("recent_beliefs", "i8"),
    ("recent_mandates", "i8"), ("recent_surfaces", "i8"), size=192)

# Private to the quoter, one for each instrument: what it last read and what it is about to say.
DRAFT = bare(("version", "i8"), ("position_lots", "i8"), ("account_seq", "i8"), ("fill_recv_ns", "i8"),
             ("dirty", "i8"), ("parameters_known", "i8"), size=64)

BELIEFS, QUOTES, PULLS, FILLS, TWO_SIDED = (
    counter_index("quoter", n)
    for n in ("belief_count", "quote_count", "pull_count", "fill_count", "two_sided_count"))

BELIEF_BYTES, MANDATE_BYTES, PARAMETERS_BYTES, QUOTE_BYTES, SURFACE_BYTES = (
    dtype.itemsize for dtype in (BELIEF, MANDATE, PARAMETERS, QUOTE, SURFACE))
O_BELIEF = DRAFT.itemsize
O_MANDATE = O_BELIEF + BELIEF_BYTES
O_SURFACE = O_MANDATE + MANDATE_BYTES
O_QUOTE = O_SURFACE + SURFACE_BYTES
DRAFT_BYTES = O_QUOTE + QUOTE_BYTES


@kernel
def run(context: int, until_ns: int) -> int:
    """Serve beliefs and fills until ``until_ns`` or the engine stops; returns the work done."""
    me = as_record(context, QUOTER)
    made = 0
    now = monotonic_ns()
    while now < until_ns and load_acquire(me["control"] + O_STOP) == 0:
        work = _read_account(me) + _read_beliefs(me)
        if work == 0:
            if me["idle"] == SLEEP:
                lie_down(me["bell"])
                work = _read_account(me) + _read_beliefs(me)
            doze(me["idle"], me["bell"], work > 0)
        made += work
        now = monotonic_ns()
        beat(me["heart"], now, 1)
    return made


@kernel
def drain(context: int) -> int:
    """Quote what has changed, once: for a host that shares its loop with other stages."""
    me = as_record(context, QUOTER)
    made = _read_account(me) + _read_beliefs(me)
    beat(me["heart"], monotonic_ns(), 1)
    return made


@kernel
def _draft_at(me: Any, inst: int) -> int:
    """Address of an instrument's drafts: DRAFT, then BELIEF, MANDATE, SURFACE, QUOTE."""
    return me["drafts"] + inst * DRAFT_BYTES


@kernel
def _read_account(me: Any) -> int:
    """Take every fill and position that has come in; the instruments they touch are quoted anew."""
    taken = 0
    slot = spsc.peek(me["account"])
    while slot != 0:
        event = as_record(slot, FILL)
        draft = as_record(_draft_at(me, event["inst"]), DRAFT)
        draft["position_lots"] = event["position_lots"]
        draft["account_seq"], draft["fill_recv_ns"], draft["dirty"] = event["seq"], event["ts_recv_ns"], 1
        spsc.release(me["account"])
        count(me["counters"], FILLS, 1)
        taken += 1
        slot = spsc.peek(me["account"])
    return taken


@kernel
def _read_beliefs(me: Any) -> int:
    """Quote every instrument whose belief or position has changed: how many."""
    made = 0
    for inst in range(me["instrument_count"]):
        at = _draft_at(me, inst)
        draft = as_record(at, DRAFT)
        cell = seqlock.cell_address(me["beliefs"], inst)
        version = seqlock.version(cell)
        if version & 1 == 0 and version != draft["version"]:
            loaded = seqlock.load(cell, at + O_BELIEF, BELIEF_BYTES)
            # A load that gave up may have left parts of two beliefs: there is none until one is whole.
            draft["version"] = max(loaded, 0)
            if loaded > 0:
                draft["dirty"] = 1
                count(me["counters"], BELIEFS, 1)
        if draft["dirty"] != 0 and draft["version"] > 0:
            draft["dirty"] = 0
            _quote(me, inst, at)
            made += 1
    return made


@kernel
def _quote(me: Any, inst: int, at: int) -> None:
    """Decide for one instrument and publish mandate, surface and quotes."""
    draft, belief = as_record(at, DRAFT), as_record(at + O_BELIEF, BELIEF)
    mandate, surface = as_record(at + O_MANDATE, MANDATE), as_record(at + O_SURFACE, SURFACE)
    quote = as_record(at + O_QUOTE, QUOTE)
    params = as_record(me["parameters"] + inst * PARAMETERS_BYTES, PARAMETERS)
    draft["parameters_known"] = refresh(seqlock.cell_address(me["parameter_cells"], inst), draft["parameters_known"],
                                        me["parameters_spare"], me["parameters"] + inst * PARAMETERS_BYTES)
    decide(as_record(me["portfolio"], PORTFOLIO), me["instrument_count"], inst, belief, draft["position_lots"], params,
           mandate, surface, quote)
    quote["account_seq"], quote["position_lots"] = draft["account_seq"], draft["position_lots"]
    now = monotonic_ns()
    _trace(mandate, KIND_MANDATE, inst, me["quote_number"], belief, now)
    _trace(surface, KIND_SURFACE, inst, me["quote_number"], belief, now)
    _trace(quote, KIND_QUOTE, inst, me["quote_number"], belief, now)
    if draft["fill_recv_ns"] > belief["ts_recv_ns"]:  # a fill, not a frame, caused this
        quote["ts_recv_ns"] = draft["fill_recv_ns"]
        quote["ts_decoded_ns"], quote["ts_belief_ns"] = draft["fill_recv_ns"], draft["fill_recv_ns"]
    place = me["quote_number"] & (RECENT - 1)
    me["quote_number"] += 1
    seqlock.store(seqlock.cell_address(me["mandates"], inst), at + O_MANDATE, MANDATE_BYTES)
    seqlock.store(seqlock.cell_address(me["surfaces"], inst), at + O_SURFACE, SURFACE_BYTES)
    seqlock.store(seqlock.cell_address(me["quotes"], inst), at + O_QUOTE, QUOTE_BYTES)
    count(me["counters"], QUOTES, 1)
    count(me["counters"], PULLS, quote["pull"])
    if quote["level_count"][BID] > 0 and quote["level_count"][ASK] > 0:
        count(me["counters"], TWO_SIDED, 1)
    ring_bell(me["gateway_bell"])
    # What the quotes were made from, for whoever asks why an order was sent.
    seqlock.store(seqlock.cell_address(me["recent_beliefs"], place), at + O_BELIEF, BELIEF_BYTES)
    seqlock.store(seqlock.cell_address(me["recent_mandates"], place), at + O_MANDATE, MANDATE_BYTES)
    seqlock.store(seqlock.cell_address(me["recent_surfaces"], place), at + O_SURFACE, SURFACE_BYTES)


@kernel
def _trace(record: Any, kind: int, inst: int, number: int, belief: Any, now_ns: int) -> None:
    """Stamp a decision with the belief it came from."""
    record["seq"], record["kind"], record["inst"], record["src_seq"] = number, kind, inst, belief["seq"]
    record["ts_exch_ns"], record["ts_recv_ns"] = belief["ts_exch_ns"], belief["ts_recv_ns"]
    record["ts_ns"] = now_ns
    record["ts_decoded_ns"], record["ts_belief_ns"] = belief["ts_decoded_ns"], belief["ts_belief_ns"]
    record["ts_quote_ns"] = now_ns


class Quoter:
    """Owns the private state of the quoter and the addresses its loop works on."""

    def __init__(self, house: House, placement: Placement) -> None:
        n = len(house.table("instrument"))
        self.drafts = np.zeros(n * DRAFT_BYTES // 8, np.int64)
        self.parameters = house.cells("parameters").copy()
        positions = house.cells("ledger")["position_lots"]
        stride = DRAFT_BYTES // 8
        for inst in range(n):
            draft = self.drafts[inst * stride : inst * stride + DRAFT.itemsize // 8].view(DRAFT)
            draft["position_lots"], draft["account_seq"] = positions[inst], -1
        self.portfolio, self.spare = np.zeros(1, PORTFOLIO), np.zeros(1, PARAMETERS)
        portfolio.begin(self.portfolio[0], n)
        self.context = np.zeros(1, QUOTER)
        for name, value in {
            "beliefs": house.address["belief"], "account": house.address["account_quoter"],
            "mandates": house.address["mandate"], "surfaces": house.address["surface"],
            "quotes": house.address["quote"], "bell": bell_address(house, "quoter"),
            "gateway_bell": bell_address(house, "gateway"), "heart": Heart(house, "quoter").address,
            "counters": Counters(house, "quoter").address, "control": Control(house).address,
            "drafts": self.drafts.ctypes.data, "parameters": self.parameters.ctypes.data,
            "instrument_count": n, "idle": placement.idle,
            "portfolio": self.portfolio.ctypes.data, "parameter_cells": house.address["parameters"],
            "parameters_spare": self.spare.ctypes.data, "recent_beliefs": house.address["recent_belief"],
            "recent_mandates": house.address["recent_mandate"], "recent_surfaces": house.address["recent_surface"],
        }.items():
            self.context[name] = value
        self.address = int(self.context.ctypes.data)

    def run(self, until_ns: int) -> int:
        """Serve until ``until_ns``; see `run`."""
        return run(self.address, until_ns)


def main(house: House, placement: Placement) -> int:
    """Body of the quoter's process."""
    quoter = Quoter(house, placement)
    control = Control(house)
    Heart(house, "quoter").enter(STATE_RUNNING)
    while not control.stopping:
        quoter.run(monotonic_now() + TURN_NS)
    return 0
