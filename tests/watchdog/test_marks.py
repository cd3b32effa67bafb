"""Claims about the watchdog's own reading of the market, against a naive twin."""

import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.market import BBO, BOOK, KIND_BBO, KIND_BOOK, KIND_GAP, KIND_TIMER, KIND_TRADE, MARKET, TRADE
from mmfast.rings import broadcast
from mmfast.rings.layout import BROADCAST
from mmfast.rings.region import House, Region
from mmfast.units import ASK, BID
from mmfast.watchdog.marks import DOUBT_NS, MARK, NEAR, read_marks

SERIAL = itertools.count()
COINS, SLOTS = 3, 16


class Ring:
    """A small market ring, the marks read from it, and a twin that knows every message."""

    def __init__(self):
        self.house = House.create(f"/mmfast-marks-{os.getpid()}-{next(SERIAL)}", "test",
                                  [Region("market", BROADCAST, MARKET, SLOTS)])
        self.house.segment.unlink()
        self.house.segment.disown()
        self.ring, self.sent = self.house.address["market"], []
        self.message, self.marks = np.zeros(1, BOOK), np.zeros(COINS, MARK)
        self.position = 0

    def send(self, message):
        dtype, fields = message
        record = np.zeros(1, dtype)
        for name, value in fields.items():
            record[name] = value
        slot = broadcast.claim(self.ring)
        target = np.frombuffer(self.house.segment.mapping, np.uint8, dtype.itemsize,
                               slot - self.house.segment.address)
        target[8:] = record.view(np.uint8)[8:]
        broadcast.publish(self.ring, slot)
        self.sent.append(fields)

    def read(self, limit=1000):
        self.position = read_marks(self.ring, self.position, self.message.ctypes.data, self.marks.ctypes.data, limit)
        return [(int(m["mid_half_ticks"]), int(m["last_ns"])) for m in self.marks]


def touch(inst, bid, ask, lots=(1, 1), ns=0):
    return BBO, {"kind": KIND_BBO, "inst": inst, "px_ticks": (bid, ask), "lots": lots, "ts_recv_ns": ns}


def a_book(inst, bid, ask, counts=(1, 1), ns=0):
    px = np.zeros((2, 20), np.int64)
    px[BID, 0], px[ASK, 0] = bid, ask
    return BOOK, {"kind": KIND_BOOK, "inst": inst, "px_ticks": px, "lots": px, "level_count": counts, "ts_recv_ns": ns}


def other(kind, inst, ns=0):
    return TRADE, {"kind": kind, "inst": inst, "ts_recv_ns": ns, "px_ticks": 77, "lots": 7}


def twin(sent):
    """(bid + ask, newest time) of each coin, the plain way."""
    marks, doubts = [(0, 0)] * COINS, [0] * COINS
    for fields in sent:
        if fields["kind"] not in (KIND_BBO, KIND_BOOK):
            continue
        inst, px = fields["inst"], np.asarray(fields["px_ticks"])
        bid, ask = (px[0], px[1]) if fields["kind"] == KIND_BBO else (px[0, 0], px[1, 0])
        both = min(fields["lots"] if fields["kind"] == KIND_BBO else fields["level_count"]) > 0
        mid, last, now_ns = int(bid + ask), marks[inst][0], fields["ts_recv_ns"]
        far = last > 0 and abs(mid - last) > last / NEAR
        believed = both and (not far or (doubts[inst] > 0 and now_ns - doubts[inst] >= DOUBT_NS))
        if both:
            doubts[inst] = 0 if believed else doubts[inst] or max(now_ns, 1)
        marks[inst] = (mid if believed else last, now_ns)
    return marks


PRICES = st.integers(1, 10**9)
FLAGS = st.tuples(st.integers(0, 1), st.integers(0, 1))
INST = st.integers(0, COINS - 1)
MESSAGES = st.lists(st.one_of(
    st.builds(touch, INST, PRICES, PRICES, FLAGS, PRICES), st.builds(a_book, INST, PRICES, PRICES, FLAGS, PRICES),
    st.builds(other, st.sampled_from([KIND_TRADE, KIND_TIMER, KIND_GAP]), st.integers(-1, COINS - 1), PRICES)),
    max_size=12)


@given(MESSAGES, st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_marks_are_those_of_the_naive_twin_however_they_are_read(messages, limit):
    ring = Ring()
    for message in messages:
        ring.send(message)
    for _ in range(len(messages) // limit + 1):
        read = ring.read(limit)
    assert ring.position == len(messages)
    assert read == twin(ring.sent)


def test_a_one_sided_market_keeps_the_last_mid_and_is_alive():
    ring = Ring()
    ring.send(touch(1, 100, 103, ns=5))
    ring.send(touch(1, 0, 103, lots=(0, 1), ns=9))
    assert ring.read()[1] == (203, 9)


def test_nothing_new_changes_nothing():
    ring = Ring()
    assert ring.read() == [(0, 0)] * COINS
    ring.send(touch(0, 10, 12, ns=3))
    first = ring.read()
    assert ring.read() == first == [(22, 3), (0, 0), (0, 0)]
    assert ring.position == 1


def test_a_reader_that_is_lapped_catches_up_with_the_newest():
    ring = Ring()
    for number in range(3 * SLOTS):
        ring.send(touch(number % COINS, number + 1000, number + 1001, ns=number + 1))
    assert ring.read() == twin(ring.sent)
    assert ring.position == 3 * SLOTS


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_no_more_is_read_than_was_allowed(limit):
    ring = Ring()
    for number in range(5):
        ring.send(touch(0, number + 1, number + 2))
    ring.read(limit)
    assert ring.position == limit


def test_frames_that_cannot_be_do_not_move_the_mark_and_a_real_jump_does_after_a_second():
    ring, ns = Ring(), 10**9
    ring.send(touch(0, 999, 1001, ns=ns))
    for k in range(1, 20):  # every other frame a fifth too high
        ring.send(touch(0, 1199, 1201, ns=ns + k * 10**8) if k % 2 else touch(0, 999, 1001, ns=ns + k * 10**8))
    assert ring.read()[0][0] == 2000
    ring.send(touch(0, 799, 801, ns=ns + 2 * 10**9))
    assert ring.read()[0][0] == 2000
    ring.send(touch(0, 789, 791, ns=ns + 3 * 10**9))
    assert ring.read()[0][0] == 1580
