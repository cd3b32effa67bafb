"""Claims about the catalogue of counters and latencies."""

import pytest

from mmfast.runtime.catalog import COUNTERS, HISTOGRAMS, STAGE_NAMES, counter_index, histogram_index
from mmfast.topology import COUNTER_SLOTS, HISTOGRAM_SLOTS, PROCESSES


def test_every_process_has_its_counters_and_they_fit():
    assert tuple(COUNTERS) == PROCESSES
    assert all(0 < len(c) <= COUNTER_SLOTS for c in COUNTERS.values())
    assert len(HISTOGRAMS) <= HISTOGRAM_SLOTS


@pytest.mark.parametrize("process", PROCESSES)
def test_names_are_unique_and_every_entry_is_one_sentence(process):
    names = [c.name for c in COUNTERS[process]]
    assert len(set(names)) == len(names)
    for counter in COUNTERS[process]:
        assert counter.unit
        assert counter.meaning[0].isupper()
        assert counter.meaning.endswith(".")


def test_an_index_is_the_place_in_the_list():
    for process, counters in COUNTERS.items():
        assert [counter_index(process, c.name) for c in counters] == list(range(len(counters)))
    assert [histogram_index(h.name) for h in HISTOGRAMS] == list(range(len(HISTOGRAMS)))


def test_every_latency_has_an_owner_among_the_processes():
    assert {h.owner for h in HISTOGRAMS} <= set(PROCESSES)
    assert all(h.meaning.endswith(".") for h in HISTOGRAMS)


def test_the_stages_of_a_decision_are_latencies():
    for name in (*STAGE_NAMES, "tick_to_order", "ack"):
        assert 0 <= histogram_index(name) < len(HISTOGRAMS)


def test_an_unknown_name_is_no_index():
    with pytest.raises(StopIteration):
        counter_index("feed", "no_such_count")
