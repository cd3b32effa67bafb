"""
Regions: rings, cells and tables laid out one after another in a segment.

In      a list of (name, kind, dtype, capacity).
Out     the address of each region by name, and a numpy view of its slots for readers outside.
Source  the offsets of layout.py; every region has a header of its own and is marked ready last.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mmfast.records.header import layout_hash
from mmfast.rings.layout import (
    BROADCAST,
    CELL_HEADER_BYTES,
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
    VERSION,
    region_bytes,
    slot_stride,
)
from mmfast.rings.segment import PAGE, READY, WORD_READY, Segment


class Region(NamedTuple):
    """One ring, array of cells or table."""

    name: str
    kind: int
    dtype: np.dtype[Any]
    capacity: int


class House:
    """A segment and the regions in it. ``address[name]`` is what kernels get; views are for monitors."""

    def __init__(self, segment: Segment, regions: list[Region]) -> None:
        self.segment = segment
        self.regions = {r.name: r for r in regions}
        self.address: dict[str, int] = {}
        offset = PAGE
        for region in regions:
            self.address[region.name] = segment.address + offset
            offset += region_bytes(region.kind, region.dtype.itemsize, region.capacity)

    @classmethod
    def create(cls, name: str, run_id: str, regions: list[Region]) -> House:
        """
        Make the segment and format every region. Call `ready` when the initial records are in place.

        Raises
        ------
        ValueError
            If a ring's capacity is not a power of two or its records do not start with their number.
        SegmentError
            If the name is taken.
        """
        for region in regions:
            _check(region)
        segment = Segment.create(name, house_bytes(regions), run_id, house_hash(regions))
        house = cls(segment, regions)
        for region in regions:
            house._format(region)
        return house

    @classmethod
    def attach(cls, name: str, regions: list[Region], writable: bool = False) -> House:
        """Map the house of a running engine; see `Segment.attach` for what is refused."""
        return cls(Segment.attach(name, house_hash(regions), writable), regions)

    def ready(self) -> None:
        """Write the segment's ready word: others may attach."""
        self.segment.words[WORD_READY] = READY

    def table(self, name: str) -> np.ndarray[Any, Any]:
        """View of the slots of a ring or table: shape (capacity,), the region's dtype."""
        region = self.regions[name]
        start = self.address[name] - self.segment.address + HEADER_BYTES
        return np.ndarray((region.capacity,), region.dtype, self.segment.mapping, start,
                          (slot_stride(region.kind, region.dtype.itemsize),))

    def cells(self, name: str) -> np.ndarray[Any, Any]:
        """View of the records in a region of cells, not protected against a writer: for single words only."""
        region = self.regions[name]
        start = self.address[name] - self.segment.address + HEADER_BYTES + CELL_HEADER_BYTES
        return np.ndarray((region.capacity,), region.dtype, self.segment.mapping, start,
                          (slot_stride(CELLS, region.dtype.itemsize),))

    def words(self, name: str) -> np.ndarray[Any, Any]:
        """The header of a region as int64 words."""
        start = (self.address[name] - self.segment.address) // 8
        return self.segment.words[start : start + HEADER_BYTES // 8]

    def _format(self, region: Region) -> None:
        words = self.words(region.name)
        if region.kind in (SPSC, BROADCAST):
            self.table(region.name)["seq"] = -1
        for offset, value in ((O_VERSION, VERSION), (O_KIND, region.kind), (O_DTYPE, layout_hash(region.dtype)),
                              (O_STRIDE, slot_stride(region.kind, region.dtype.itemsize)),
                              (O_CAPACITY, region.capacity), (O_MASK, region.capacity - 1), (O_MAGIC, MAGIC)):
            words[offset // 8] = value


def _check(region: Region) -> None:
    if region.kind not in (SPSC, BROADCAST):
        return
    if region.capacity < 1 or region.capacity & (region.capacity - 1):
        raise ValueError(f"ring {region.name}: capacity {region.capacity} is not a power of two")
    fields = region.dtype.fields
    if fields is None or "seq" not in fields or fields["seq"][:2] != (np.dtype("i8"), 0):
        raise ValueError(f"ring {region.name}: its records do not start with seq, which the ring publishes")


def house_bytes(regions: list[Region]) -> int:
    """Bytes of a segment that holds ``regions``."""
    return PAGE + sum(region_bytes(r.kind, r.dtype.itemsize, r.capacity) for r in regions)


def house_hash(regions: list[Region]) -> int:
    """63-bit hash of all names, kinds, capacities and record layouts: two builds that differ never share memory."""
    names = [f"version_{VERSION}", *(f"{r.name}_{r.kind}_{r.capacity}" for r in regions)]
    shape = np.dtype([(name, "i8") for name in names])
    return layout_hash(shape, *(r.dtype for r in regions))
