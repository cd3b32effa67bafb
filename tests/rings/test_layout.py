"""Where the words of a ring lie."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmfast.records import account, belief, control, market, order, parameters, quote
from mmfast.rings import layout

CONSTANTS = (layout.O_MAGIC, layout.O_VERSION, layout.O_KIND, layout.O_DTYPE, layout.O_STRIDE, layout.O_CAPACITY,
             layout.O_MASK)
CURSORS = (layout.O_HEAD, layout.O_TAIL_CACHE, layout.O_TAIL, layout.O_REFUSED)
KINDS = tuple(layout.KIND_NAMES)


def test_every_cursor_has_a_pair_of_lines_of_its_own():
    pairs = [offset // 128 for offset in CURSORS]
    assert len(set(pairs)) == len(CURSORS)
    assert not set(pairs) & {offset // 128 for offset in CONSTANTS}


def test_words_are_aligned_distinct_and_inside_the_header():
    words = CONSTANTS + CURSORS
    assert len(set(words)) == len(words)
    assert all(offset % 8 == 0 and 0 <= offset < layout.HEADER_BYTES for offset in words)


def test_magic_is_a_positive_int64():
    assert 0 < layout.MAGIC < 1 << 63


def test_records_of_the_house_are_whole_lines():
    for module in (account, belief, control, market, order, parameters, quote):
        dtypes = [value for value in vars(module).values() if isinstance(value, np.dtype)]
        assert dtypes
        assert all(dtype.itemsize % 64 == 0 for dtype in dtypes)


@given(st.sampled_from(KINDS), st.integers(1, 64).map(lambda lines: 64 * lines))
def test_slot_holds_its_record_on_lines_of_its_own(kind, record_bytes):
    stride = layout.slot_stride(kind, record_bytes)
    header = layout.CELL_HEADER_BYTES if kind == layout.CELLS else 0
    assert stride >= header + record_bytes
    assert stride % 64 == 0


@given(st.integers(1, 4096))
def test_neighbouring_cells_never_share_a_pair_of_lines(record_bytes):
    assert layout.slot_stride(layout.CELLS, record_bytes) % 128 == 0


@given(st.sampled_from(KINDS), st.integers(1, 64).map(lambda lines: 64 * lines), st.integers(1, 5000))
def test_region_holds_all_its_slots_in_whole_pages(kind, record_bytes, capacity):
    size = layout.region_bytes(kind, record_bytes, capacity)
    needed = layout.HEADER_BYTES + capacity * layout.slot_stride(kind, record_bytes)
    assert needed <= size < needed + 4096
    assert size % 4096 == 0
