"""
Chain: what an order was made from, kept beside its slot of the order table for as long as the order is known.

In      the recent records of all stages, the quote that the order comes from.
Out     the frame, features, belief, mandate, surface and quote of each new slot; zeros where one is gone.
Source  every record names the one it was made from: a stage is kept only if it is that very record.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.account import KIND_FILL
from mmfast.records.belief import BELIEF
from mmfast.records.feature import FEATURES
from mmfast.records.header import bare
from mmfast.records.market import BBO, BOOK, BOOK_KINDS, MARKET
from mmfast.records.quote import MANDATE, QUOTE, SURFACE
from mmfast.rings import broadcast, seqlock
from mmfast.rings.atomics import as_record
from mmfast.rings.layout import CELL_HEADER_BYTES
from mmfast.rings.region import House
from mmfast.topology import CHAIN, RECENT

STAGES = tuple(stage for stage, _ in CHAIN)
WORDS = bare(("market", "i8"), *((f"recent_{s}", "i8") for s in STAGES[1:5]), *((f"order_{s}", "i8") for s in STAGES),
             *((f"scratch_{s}", "i8") for s in STAGES), ("nothing", "i8"), size=192)
BELIEF_BYTES, FEATURES_BYTES, MANDATE_BYTES, QUOTE_BYTES, SURFACE_BYTES, SMALL, LARGE = (
    dtype.itemsize for dtype in (BELIEF, FEATURES, MANDATE, QUOTE, SURFACE, BBO, BOOK))


@kernel
def keep(words: int, quote_at: int, slots: np.ndarray) -> int:
    """
    Keep what the orders in ``slots`` were made from; how many of the six records were still there.

    ``words`` is the address of a WORDS record, ``quote_at`` that of the QUOTE that the gateway acted on.
    """
    me, quote = as_record(words, WORDS), as_record(quote_at, QUOTE)
    mandate, surface = as_record(me["scratch_mandate"], MANDATE), as_record(me["scratch_surface"], SURFACE)
    belief, features = as_record(me["scratch_belief"], BELIEF), as_record(me["scratch_feature"], FEATURES)
    number = quote["seq"]
    has_mandate = _load(me["recent_mandate"], number, me["scratch_mandate"], MANDATE_BYTES) and mandate["seq"] == number
    has_surface = _load(me["recent_surface"], number, me["scratch_surface"], SURFACE_BYTES) and surface["seq"] == number
    has_belief = (_load(me["recent_belief"], number, me["scratch_belief"], BELIEF_BYTES)
                  and belief["seq"] == quote["src_seq"])
    has_features = (has_belief and _load(me["recent_feature"], belief["seq"], me["scratch_feature"], FEATURES_BYTES)
                    and features["seq"] == belief["seq"])
    has_frame = has_belief and belief["cause_kind"] != KIND_FILL and _load_frame(me, belief["src_seq"])
    for slot in slots:
        _store(me["order_quote"], slot, quote_at, QUOTE_BYTES)
        _store(me["order_mandate"], slot, me["scratch_mandate"] if has_mandate else me["nothing"], MANDATE_BYTES)
        _store(me["order_surface"], slot, me["scratch_surface"] if has_surface else me["nothing"], SURFACE_BYTES)
        _store(me["order_belief"], slot, me["scratch_belief"] if has_belief else me["nothing"], BELIEF_BYTES)
        _store(me["order_feature"], slot, me["scratch_feature"] if has_features else me["nothing"], FEATURES_BYTES)
        _store(me["order_frame"], slot, me["scratch_frame"] if has_frame else me["nothing"], LARGE)
    return 1 + has_mandate + has_surface + has_belief + has_features + has_frame


@kernel
def _load(cells: int, number: int, target: int, size: int) -> bool:
    return seqlock.load(seqlock.cell_address(cells, number & (RECENT - 1)), target, size) > 0


@kernel
def _load_frame(me: Any, position: int) -> bool:
    """Load the market record number ``position``, if the ring still holds it."""
    at = me["scratch_frame"]
    if broadcast.receive(me["market"], position, at, SMALL) != broadcast.READ:
        return False
    if as_record(at, MARKET)["kind"] in BOOK_KINDS:
        return broadcast.receive(me["market"], position, at, LARGE) == broadcast.READ
    return True


@kernel
def _store(cells: int, slot: int, source: int, size: int) -> None:
    seqlock.store(seqlock.cell_address(cells, slot), source, size)


class Chains:
    """Owns the scratch records and addresses that `keep` works on."""

    def __init__(self, house: House) -> None:
        self.scratch = {stage: np.zeros(1, dtype) for stage, dtype in CHAIN}
        self.nothing = np.zeros(max(dtype.itemsize for _, dtype in CHAIN) // 8, np.int64)
        self.words = np.zeros(1, WORDS)
        self.words["market"], self.words["nothing"] = house.address["market"], self.nothing.ctypes.data
        for stage, record in self.scratch.items():
            self.words[f"scratch_{stage}"] = record.ctypes.data
            self.words[f"order_{stage}"] = house.address[f"order_{stage}"]
            if stage in STAGES[1:5]:
                self.words[f"recent_{stage}"] = house.address[f"recent_{stage}"]
        self.address = int(self.words.ctypes.data)
        self.waiting: list[int] = []

    def keep(self, inst: int, quotes: np.ndarray, slots: np.ndarray) -> int:
        """Keep what the orders in ``slots`` were made from, which the quote of ``inst`` wanted; see `keep`."""
        found = int(keep(self.address, quotes.ctypes.data + inst * QUOTE_BYTES, slots))
        if found < len(STAGES):
            self.waiting += slots.tolist()
        return found

    def complete(self) -> None:
        """
        Look once more for what was missing: who rings a bell may lose the core to the woken before it has left its
        records behind.
        """
        cells = int(self.words["order_quote"][0])
        for slot in self.waiting:
            keep(self.address, seqlock.cell_address(cells, slot) + CELL_HEADER_BYTES, np.array([slot]))
        self.waiting.clear()
