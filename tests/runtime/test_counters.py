"""Claims about counters."""

import numpy as np
import pytest

from mmfast.runtime.catalog import COUNTERS, counter_index
from mmfast.runtime.counters import Counters, count
from mmfast.topology import COUNTER_SLOTS, PROCESSES


def test_counting_adds_up(house):
    counters = Counters(house, "gateway")
    counters.add("order_sent_count")
    counters.add("order_sent_count", 4)
    assert counters.get("order_sent_count") == 5
    assert counters.get("cancel_sent_count") == 0


def test_a_value_replaces_the_one_before(house):
    counters = Counters(house, "watchdog")
    counters.put("pnl_uusd", -7)
    counters.put("pnl_uusd", -9)
    assert counters.get("pnl_uusd") == -9


def test_kernels_and_event_loops_count_on_the_same_words(house):
    counters = Counters(house, "estimator")
    index = counter_index("estimator", "belief_count")
    count(counters.address, index, 3)
    counters.add("belief_count", 2)
    count(counters.address, index, -1)
    assert counters.get("belief_count") == 4


def test_every_counter_of_every_process_has_a_word_of_its_own(house):
    value = 0
    for process in PROCESSES:
        for counter in COUNTERS[process]:
            value += 1
            Counters(house, process).put(counter.name, value)
    table = house.table("counter")["value"]
    assert table.shape == (len(PROCESSES), COUNTER_SLOTS)
    assert sorted(table[table != 0]) == list(range(1, value + 1))


def test_a_restarted_process_goes_on_counting(house):
    Counters(house, "feed").add("gap_count")
    again = Counters(house, "feed")
    again.add("gap_count")
    assert again.get("gap_count") == 2


@pytest.mark.parametrize("name", ["order_sent_count", "nonsense"])
def test_a_counter_of_another_process_is_refused(house, name):
    with pytest.raises(KeyError, match=name):
        Counters(house, "feed").add(name)


def test_a_block_is_whole_lines():
    assert COUNTER_SLOTS * np.dtype("i8").itemsize % 64 == 0
