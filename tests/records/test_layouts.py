"""Claims about every record: sizes as stated, natural alignment, kinds that differ, words that are told apart."""

import itertools

import numpy as np
import pytest

from mmfast.records import account, belief, control, feature, market, order, parameters, quote
from mmfast.records.header import HEADER, LINE, STAMPS

MODULES = (account, belief, control, feature, market, order, parameters, quote)
DTYPES = {f"{module.__name__.rsplit('.', 1)[1]}.{name}": value for module in MODULES
          for name, value in vars(module).items() if isinstance(value, np.dtype) and name.isupper()}
SIZES = {"account.FILL": 192, "account.LEDGER": 192, "belief.BELIEF": 576,
         "control.CONTROL": 256, "control.HEARTBEAT": 128, "control.ERROR": 256, "control.CHANNEL": 64,
         "feature.FEATURES": 1536, "market.BBO": 128, "market.TRADE": 128, "market.BOOK": 896, "market.CTX": 128,
         "market.TIMER": 128, "market.GAP": 128, "market.MARKET": 896, "order.ORDER": 256, "order.HELD": 64,
         "parameters.INSTRUMENT": 128, "parameters.PARAMETERS": 1280, "quote.MANDATE": 192, "quote.SURFACE": 320,
         "quote.QUOTE": 1024}
WITHOUT_HEADER = {"control.CONTROL", "control.HEARTBEAT", "control.ERROR", "control.CHANNEL", "parameters.INSTRUMENT",
                  "order.HELD"}
RING_MESSAGES = ("market.BBO", "market.TRADE", "market.BOOK", "market.CTX", "market.TIMER", "market.GAP")


def test_every_record_has_the_size_that_is_stated_here():
    assert {name: dtype.itemsize for name, dtype in DTYPES.items()} == SIZES


@pytest.mark.parametrize("name", DTYPES)
def test_records_are_whole_lines_of_naturally_aligned_fields(name):
    dtype = DTYPES[name]
    assert dtype.itemsize % LINE == 0
    end = 0
    for field in dtype.names:
        fmt, offset = dtype.fields[field]
        assert offset % fmt.base.alignment == 0
        assert offset >= end
        end = offset + fmt.itemsize


@pytest.mark.parametrize("name", DTYPES)
def test_records_on_rings_and_in_cells_start_with_the_header(name):
    names = DTYPES[name].names
    has_header = names[: len(HEADER)] == tuple(field[0] for field in HEADER)
    assert has_header == (name not in WITHOUT_HEADER)


@pytest.mark.parametrize("name", DTYPES)
def test_there_is_no_unsigned_word_to_mix_with_signed_ones(name):
    dtype = DTYPES[name]
    assert {dtype.fields[field][0].base.str for field in dtype.names} <= {"<i8", "<i4", "<f8", "|u1"}


@pytest.mark.parametrize("name", RING_MESSAGES)
def test_every_market_record_fits_the_slot_and_a_small_read_is_a_whole_record(name):
    assert DTYPES[name].itemsize <= market.MARKET.itemsize
    assert DTYPES[name].itemsize == market.BBO.itemsize or name == "market.BOOK"


@pytest.mark.parametrize("name", ["belief.BELIEF", "quote.MANDATE", "quote.SURFACE", "quote.QUOTE", "order.ORDER"])
def test_decisions_carry_the_stamps_of_their_way(name):
    assert {field[0] for field in STAMPS} <= set(DTYPES[name].names)


def constants(module, prefix):
    return {name: value for name, value in vars(module).items() if name.startswith(prefix) and isinstance(value, int)}


def test_kinds_differ_over_all_records():
    kinds = {f"{module.__name__}.{name}": value
             for module in MODULES for name, value in constants(module, "KIND_").items()}
    assert len(set(kinds.values())) == len(kinds)
    assert 0 not in kinds.values()  # an empty slot is of no kind


@pytest.mark.parametrize(("module", "prefix", "names"), [
    (control, "KILL_", control.KILL_NAMES), (control, "PAUSE_", control.PAUSE_NAMES),
    (control, "STATE_", control.PROCESS_STATES), (control, "CHANNEL_", control.CHANNEL_NAMES),
    (belief, "BELIEF_", belief.BELIEF_NAMES), (quote, "SIDE_", quote.SIDE_REASONS),
    (quote, "TAKE_", quote.TAKE_REASONS),
    (market, "KIND_", market.KIND_NAMES), (order, "TIF_", order.TIF_NAMES)])
def test_every_code_has_a_name_of_its_own(module, prefix, names):
    codes = [v for n, v in constants(module, prefix).items() if not n.endswith(("_COUNT", "_SLOTS"))]
    texts = [names[code] for code in codes]
    assert len(set(codes)) == len(codes) == len(names)
    assert len(set(texts)) == len(texts)
    assert all(texts)


def test_pauses_are_bits_of_one_word():
    assert all(a & b == 0 for a, b in itertools.combinations(control.PAUSE_NAMES, 2))
    assert all(bit & (bit - 1) == 0 for bit in control.PAUSE_NAMES)


def test_a_free_order_slot_is_zero_and_live_states_may_rest_at_the_venue():
    assert order.FREE == 0 not in order.LIVE_STATES
    assert {order.FILLED, order.CANCELED, order.REJECTED}.isdisjoint(order.LIVE_STATES)
    assert len(order.STATE_NAMES) == order.REJECTED + 1
