"""Regions: laid out one after another, seen through the same offsets by kernels and by monitors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.kernel import kernel
from mmfast.records.header import layout_hash, record
from mmfast.rings import broadcast, seqlock, spsc
from mmfast.rings.atomics import as_record
from mmfast.rings.layout import (
    BROADCAST,
    CELLS,
    HEADER_BYTES,
    MAGIC,
    O_CAPACITY,
    O_DTYPE,
    O_KIND,
    O_MAGIC,
    O_MASK,
    O_STRIDE,
    O_VERSION,
    SPSC,
    TABLE,
    VERSION,
    region_bytes,
    slot_stride,
)
from mmfast.rings.region import House, Region, house_bytes, house_hash
from mmfast.rings.segment import PAGE, SegmentError
from mmfast.topology import regions
from tests.rings.conftest import MESSAGE

OTHER = record(("payload", "f8", (10,)), size=128)
MIXED = [Region("table", TABLE, MESSAGE, 3), Region("lossless", SPSC, MESSAGE, 8),
         Region("news", BROADCAST, MESSAGE, 4), Region("cell", CELLS, MESSAGE, 5)]


@kernel
def put(slot, value):
    record = as_record(slot, MESSAGE)
    record["payload"][0] = value


def test_regions_follow_one_another_in_whole_pages_without_overlap(name):
    house = House.create(name, "run", MIXED)
    end = house.segment.address + PAGE
    for region in MIXED:
        assert house.address[region.name] == end
        end += region_bytes(region.kind, region.dtype.itemsize, region.capacity)
    assert end == house.segment.address + house_bytes(MIXED) == house.segment.address + len(house.segment.mapping)


@pytest.mark.parametrize("region", MIXED, ids=lambda region: region.name)
def test_header_tells_what_the_region_is(name, region):
    house = House.create(name, "run", MIXED)
    words = {offset: house.words(region.name)[offset // 8] for offset in range(0, 56, 8)}
    assert words == {O_MAGIC: MAGIC, O_VERSION: VERSION, O_KIND: region.kind, O_DTYPE: layout_hash(region.dtype),
                     O_STRIDE: slot_stride(region.kind, region.dtype.itemsize), O_CAPACITY: region.capacity,
                     O_MASK: region.capacity - 1}


def test_monitor_sees_what_a_kernel_wrote(name):
    house = House.create(name, "run", MIXED)
    for k in range(3):
        slot = spsc.claim(house.address["lossless"])
        put(slot, 10 + k)
        spsc.publish(house.address["lossless"], slot)
        slot = broadcast.claim(house.address["news"])
        put(slot, 20 + k)
        broadcast.publish(house.address["news"], slot)
        cell = seqlock.cell_address(house.address["cell"], k)
        put(seqlock.begin(cell), 30 + k)
        seqlock.end(cell)
        put(house.address["table"] + HEADER_BYTES + k * MESSAGE.itemsize, 40 + k)
    assert house.table("lossless")["payload"][:4, 0].tolist() == [10, 11, 12, 0]
    assert house.table("lossless")["seq"].tolist() == [0, 1, 2] + [-1] * 5
    assert house.table("news")["payload"][:, 0].tolist() == [20, 21, 22, 0]
    assert house.cells("cell")["payload"][:, 0].tolist() == [30, 31, 32, 0, 0]
    assert house.table("table")["payload"][:, 0].tolist() == [40, 41, 42]


def test_new_rings_are_empty_and_new_cells_never_written(name, message):
    _, target = message
    house = House.create(name, "run", MIXED)
    assert spsc.peek(house.address["lossless"]) == 0
    assert broadcast.receive(house.address["news"], 0, target, MESSAGE.itemsize) == broadcast.EMPTY
    assert seqlock.load(seqlock.cell_address(house.address["cell"], 4), target, MESSAGE.itemsize) == 0


@pytest.mark.parametrize("kind", [SPSC, BROADCAST])
@pytest.mark.parametrize("capacity", [3, 6, 1000])
def test_ring_whose_capacity_is_not_a_power_of_two_is_refused_by_name(name, kind, capacity):
    with pytest.raises(ValueError, match=f"ring odd: capacity {capacity} is not a power of two"):
        House.create(name, "run", [Region("odd", kind, MESSAGE, capacity)])


@pytest.mark.parametrize("kind", [SPSC, BROADCAST])
def test_ring_without_slots_is_refused(name, kind):
    with pytest.raises(ValueError, match="ring none: capacity 0"):
        House.create(name, "run", [Region("none", kind, MESSAGE, 0)])


def test_refused_house_leaves_no_shared_memory_behind(name):
    with pytest.raises(ValueError, match="power of two"):
        House.create(name, "run", [*MIXED, Region("odd", SPSC, MESSAGE, 3)])
    assert not (Path("/dev/shm") / name.lstrip("/")).exists()


@pytest.mark.parametrize("kind", [SPSC, BROADCAST])
def test_ring_of_records_that_do_not_start_with_their_number_is_refused(name, kind):
    headless = np.dtype([("first", "i8"), ("seq", "i8"), ("rest", "i8", (6,))])
    with pytest.raises(ValueError, match="headless"):
        House.create(name, "run", [Region("headless", kind, headless, 4)])


def test_house_that_is_not_ready_is_refused_and_afterwards_accepted(name):
    house = House.create(name, "run", MIXED)
    with pytest.raises(SegmentError, match="not ready"):
        House.attach(name, MIXED)
    house.ready()
    assert House.attach(name, MIXED).address.keys() == house.address.keys()


def test_attached_house_shows_the_same_rings(name, message):
    own, target = message
    house = House.create(name, "run", MIXED)
    house.ready()
    reader = House.attach(name, MIXED)
    slot = broadcast.claim(house.address["news"])
    put(slot, 77)
    broadcast.publish(house.address["news"], slot)
    assert broadcast.receive(reader.address["news"], 0, target, MESSAGE.itemsize) == broadcast.READ
    assert own["payload"][0] == 77
    with pytest.raises(ValueError, match="read-only"):
        reader.table("news")["seq"] = 0


def changed():
    """Every way in which two builds may differ."""
    yield "a region more", [*MIXED, Region("more", TABLE, MESSAGE, 1)]
    yield "a region less", MIXED[:-1]
    yield "another order", MIXED[::-1]
    for index, region in enumerate(MIXED):
        kind = CELLS if region.kind == TABLE else TABLE
        for what, value in (("name", "x"), ("kind", kind), ("dtype", OTHER), ("capacity", 16)):
            other = region._replace(**{what: value})
            yield f"{what} of {region.name}", [*MIXED[:index], other, *MIXED[index + 1 :]]


@pytest.mark.parametrize("other", [case[1] for case in changed()], ids=[case[0] for case in changed()])
def test_house_of_another_build_is_refused(name, other):
    House.create(name, "run", MIXED).ready()
    with pytest.raises(SegmentError, match="another version of mmfast"):
        House.attach(name, other)


def test_build_with_another_header_layout_is_refused(monkeypatch):
    before = house_hash(MIXED)
    monkeypatch.setattr("mmfast.rings.region.VERSION", VERSION + 1)
    assert house_hash(MIXED) != before


def test_hash_is_the_same_in_every_process():
    code = "from tests.rings.test_region import MIXED, house_hash; print(house_hash(MIXED))"
    root = Path(__file__).parents[2]
    out = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, timeout=60)
    assert int(out.stdout) == house_hash(MIXED) > 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([SPSC, BROADCAST, CELLS, TABLE]), st.integers(0, 8), st.integers(1, 20)),
                min_size=1, max_size=8))
def test_bytes_of_a_house_are_its_first_page_and_its_regions(parts):
    asked = [Region(f"r{k}", kind, record(size=64 * lines), 1 << power) for k, (kind, power, lines) in enumerate(parts)]
    assert house_bytes(asked) == PAGE + sum(region_bytes(r.kind, r.dtype.itemsize, r.capacity) for r in asked)
    assert house_bytes(asked) % PAGE == 0


@pytest.mark.parametrize("instruments", [1, 3, 64])
def test_house_of_the_engine_can_be_made(name, instruments):
    house = House.create(name, "run", regions(instruments))
    house.ready()
    attached = House.attach(name, regions(instruments))
    for region in regions(instruments):
        view = attached.cells(region.name) if region.kind == CELLS else attached.table(region.name)
        assert view.shape == (region.capacity,)
        assert view.dtype == region.dtype
        assert attached.words(region.name)[O_MAGIC // 8] == MAGIC
    with pytest.raises(SegmentError, match="another version"):
        House.attach(name, regions(instruments + 1))
