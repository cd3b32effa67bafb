"""Claims about the house of an engine."""

import re
from pathlib import Path

import pytest

from mmfast import topology
from mmfast.records.control import CHANNEL_COUNT
from mmfast.records.header import HEADER
from mmfast.rings.layout import BROADCAST, CELLS, SPSC, TABLE
from mmfast.rings.region import house_bytes, house_hash
from mmfast.topology import ENGINE_PROCESSES, MAX_INSTRUMENTS, PROCESSES, house_name, regions


def by_name(count=2):
    return {region.name: region for region in regions(count)}


@pytest.mark.parametrize("count", [1, 2, MAX_INSTRUMENTS])
def test_what_is_kept_for_each_coin_is_there_for_each(count):
    found = by_name(count)
    for name in ("instrument", "parameters", "belief", "mandate", "surface", "quote", "ledger"):
        assert found[name].capacity == count
    assert found["channel"].capacity == CHANNEL_COUNT * count


def test_names_are_unique_and_in_the_order_of_the_flow():
    names = [region.name for region in regions(3)]
    assert len(set(names)) == len(names)
    flow = [names.index(name) for name in ("market", "belief", "quote", "order")]
    assert flow == sorted(flow)


def test_rings_have_a_power_of_two_of_slots_and_records_with_a_header():
    for region in regions(3):
        if region.kind in (SPSC, BROADCAST):
            assert region.capacity & (region.capacity - 1) == 0
            assert region.dtype.names[: len(HEADER)] == tuple(field[0] for field in HEADER)
        assert region.kind in (SPSC, BROADCAST, CELLS, TABLE)
        assert region.dtype.itemsize % 64 == 0


def test_newest_values_are_cells_and_what_may_not_be_lost_is_lossless():
    found = by_name()
    assert {found[name].kind for name in ("belief", "mandate", "surface", "quote", "ledger", "order")} == {CELLS}
    assert {found[f"account_{reader}"].kind for reader in topology.ACCOUNT_READERS} == {SPSC}
    assert found["market"].kind == BROADCAST


def test_every_process_has_a_heart_a_bell_and_counters():
    found = by_name()
    assert {found[name].capacity for name in ("heartbeat", "bell", "counter")} == {len(PROCESSES)}
    assert tuple(PROCESSES[k] for k in (topology.FEED, topology.ESTIMATOR, topology.QUOTER, topology.GATEWAY,
                                        topology.WATCHDOG, topology.SUPERVISOR)) == PROCESSES
    assert set(ENGINE_PROCESSES) == set(PROCESSES) - {"supervisor"}


def test_houses_of_different_engines_are_not_confused():
    assert house_name("a") != house_name("b")
    assert house_hash(regions(1)) != house_hash(regions(2))
    assert house_bytes(regions(1)) <= house_bytes(regions(2)) < house_bytes(regions(MAX_INSTRUMENTS)) < 64 << 20


def test_the_map_names_every_process_and_every_flow():
    drawing = Path(topology.__file__).read_text().split('"""')[1]
    for word in (*ENGINE_PROCESSES[:4], "watchdog", "market", "belief", "quote", "account", "control"):
        assert re.search(rf"\b{word}\b", drawing), word
