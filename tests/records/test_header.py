"""Claims about how records are laid out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.header import HEADER, LINE, STAMPS, bare, layout_hash, record

FIELDS = st.lists(st.sampled_from(["i8", "f8", "i4", "u1"]), min_size=1, max_size=12)


def test_the_header_is_where_the_page_says():
    made = record(("x", "i8"), size=64)
    assert {name: made.fields[name][1] for name in made.names} == {
        "seq": 0, "kind": 8, "inst": 12, "src_seq": 16, "ts_exch_ns": 24, "ts_recv_ns": 32, "ts_ns": 40, "x": 48}


def test_bare_records_have_no_header():
    assert bare(("x", "f8"), size=64).names == ("x",)


@given(FIELDS, st.integers(1, 6))
@settings(max_examples=80, deadline=None)
def test_whatever_is_accepted_is_aligned_and_does_not_overlap(formats, lines):
    fields = [(f"f{k}", fmt) for k, fmt in enumerate(formats)]
    try:
        made = bare(*fields, size=lines * LINE)
    except ValueError:
        packed = np.dtype(fields)
        assert packed.itemsize > lines * LINE or any(
            packed.fields[n][1] % packed.fields[n][0].alignment for n in packed.names)
        return
    assert made.itemsize == lines * LINE
    end = 0
    for name in made.names:
        fmt, offset = made.fields[name]
        assert offset >= end
        assert offset % fmt.alignment == 0
        end = offset + fmt.itemsize
    assert end <= made.itemsize


@pytest.mark.parametrize(("fields", "size", "text"), [
    ([("x", "i8")], 100, "size 100 is not a multiple of 64"), ([("x", "i8", (9,))], 64, "72 bytes, more than the 64"),
    ([("a", "i4"), ("x", "i8")], 64, "field x at byte 4 is not aligned to 8"),
    ([("a", "u1"), ("x", "i4", (2,))], 64, "field x at byte 1 is not aligned to 4")])
def test_a_bad_layout_is_refused_by_name(fields, size, text):
    with pytest.raises(ValueError, match=text):
        bare(*fields, size=size)


@pytest.mark.parametrize("other", [
    bare(("x", "i8"), ("z", "i8"), size=64), bare(("x", "f8"), ("y", "i8"), size=64),
    bare(("y", "i8"), ("x", "i8"), size=64), bare(("x", "i8"), ("y", "i8"), size=128),
    bare(("x", "i8"), ("y", "i8", (2,)), size=64), bare(("x", "i8"), size=64)])
def test_any_change_of_layout_changes_the_hash(other):
    base = bare(("x", "i8"), ("y", "i8"), size=64)
    assert layout_hash(base) != layout_hash(other)
    assert layout_hash(base) == layout_hash(bare(("x", "i8"), ("y", "i8"), size=64))
    assert layout_hash(base, other) != layout_hash(other, base)
    assert 0 <= layout_hash(base) < 2**63


def test_stamps_are_words():
    assert {field[1] for field in STAMPS} == {"i8"}
    assert HEADER[0] == ("seq", "i8")  # a ring's own word comes first
