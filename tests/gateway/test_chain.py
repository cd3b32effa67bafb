"""Claims about chains: an order keeps the very records it was made from, and nothing else's."""

from __future__ import annotations

import numpy as np
import pytest
from support.house import a_house, put

from mmfast.gateway.chain import STAGES, Chains
from mmfast.records.account import KIND_FILL
from mmfast.records.belief import BELIEF
from mmfast.records.feature import FEATURES
from mmfast.records.market import BBO, BOOK, KIND_BBO, KIND_BOOK
from mmfast.records.quote import MANDATE, QUOTE, SURFACE
from mmfast.rings import broadcast
from mmfast.topology import RECENT

SLOTS = np.array([7, 9, 11])
BELIEF_NUMBER, QUOTE_NUMBER = 7000, 4000


def one(dtype, **values):
    record = np.zeros(1, dtype)
    for name, value in values.items():
        record[name] = value
    return record


def publish(house, record):
    """Put a market record on the ring: its number."""
    ring = house.address["market"]
    number, slot = broadcast.head(ring), broadcast.claim(ring)
    target = (np.ctypeslib.ctypes.c_char * record.itemsize).from_address(slot)
    target[8:] = record.view(np.uint8)[8:].tobytes()
    broadcast.publish(ring, slot)
    return number


@pytest.fixture
def house():
    made = a_house(f"chain-{id(object())}")
    yield made
    made.segment.unlink()


def put_chain(house, frame, inst=1, cause_kind=KIND_BBO):
    here = QUOTE_NUMBER % RECENT
    put(house, "recent_feature", BELIEF_NUMBER % RECENT, one(FEATURES, seq=BELIEF_NUMBER, mid_px=5.0))
    put(house, "recent_belief", here,
        one(BELIEF, seq=BELIEF_NUMBER, src_seq=frame, cause_kind=cause_kind, fair_px=6.0))
    put(house, "recent_mandate", here, one(MANDATE, seq=QUOTE_NUMBER, gamma=7.0))
    put(house, "recent_surface", here, one(SURFACE, seq=QUOTE_NUMBER, a_bps=8.0))
    quotes = np.zeros(2, QUOTE)
    quotes[inst] = one(QUOTE, seq=QUOTE_NUMBER, src_seq=BELIEF_NUMBER, fair_px=9.0)[0]
    return quotes


def kept(house, slot=9):
    return {stage: house.cells(f"order_{stage}")[slot] for stage in STAGES}


def test_the_whole_chain_is_kept_for_every_new_slot_and_for_no_other(house):
    quotes = put_chain(house, publish(house, one(BBO, kind=KIND_BBO, px_ticks=(3, 4))))
    assert Chains(house).keep(1, quotes, SLOTS[:2]) == 6
    for slot in SLOTS[:2]:
        told = kept(house, slot)
        assert (told["feature"]["mid_px"], told["belief"]["fair_px"], told["mandate"]["gamma"],
                told["surface"]["a_bps"], told["quote"]["fair_px"]) == (5.0, 6.0, 7.0, 8.0, 9.0)
        assert told["frame"]["kind"] == KIND_BBO
        assert told["frame"].tobytes()[48:64] == np.array([3, 4]).tobytes()
    assert kept(house, SLOTS[2])["quote"]["seq"] == 0


def test_a_book_is_kept_whole(house):
    book = one(BOOK, kind=KIND_BOOK)
    book["lots"][0, 1, 19] = 77
    quotes = put_chain(house, publish(house, book))
    assert Chains(house).keep(1, quotes, SLOTS) == 6
    assert kept(house)["frame"].tobytes() == house.table("market")[0].tobytes()
    assert b"\x4d" in kept(house)["frame"].tobytes()


def test_a_stage_that_has_moved_on_is_left_out_and_nothing_of_an_older_order_stays(house):
    frame = publish(house, one(BBO, kind=KIND_BBO))
    quotes, chains = put_chain(house, frame), Chains(house)
    chains.keep(1, quotes, SLOTS)
    here = QUOTE_NUMBER % RECENT
    put(house, "recent_belief", here, one(BELIEF, seq=BELIEF_NUMBER + 300, src_seq=frame))
    put(house, "recent_mandate", here, one(MANDATE, seq=QUOTE_NUMBER + RECENT, gamma=7.5))
    assert chains.keep(1, quotes, SLOTS) == 2
    told = kept(house)
    assert (told["quote"]["fair_px"], told["surface"]["a_bps"]) == (9.0, 8.0)
    for stage in ("frame", "feature", "belief", "mandate"):
        assert not any(told[stage].tobytes()), stage


def test_a_belief_from_a_fill_has_features_and_no_frame(house):
    quotes = put_chain(house, 5, cause_kind=KIND_FILL)
    assert Chains(house).keep(1, quotes, SLOTS) == 5
    assert kept(house)["feature"]["mid_px"] == 5.0
    assert not any(kept(house)["frame"].tobytes())


def test_what_comes_late_is_found_at_the_next_look(house):
    frame = publish(house, one(BBO, kind=KIND_BBO))
    quotes, chains = put_chain(house, frame), Chains(house)
    here, belief = QUOTE_NUMBER % RECENT, house.cells("recent_belief")[QUOTE_NUMBER % RECENT].copy()
    put(house, "recent_belief", here, one(BELIEF, seq=1))
    assert chains.keep(1, quotes, SLOTS) == 3
    put(house, "recent_belief", here, np.array([belief]))
    quotes["seq"] = 999_999  # the gateway has moved on
    chains.complete()
    for slot in SLOTS:
        told = kept(house, slot)
        assert (told["belief"]["fair_px"], told["feature"]["mid_px"], told["quote"]["seq"]) == (6.0, 5.0, QUOTE_NUMBER)
    assert chains.waiting == []
