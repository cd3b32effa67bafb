"""Claims about heartbeats."""

import os
import time
from itertools import pairwise

from mmfast.records.control import HEARTBEAT, STATE_RUNNING, STATE_STOPPED
from mmfast.runtime import heartbeat
from mmfast.runtime.heartbeat import Heart, beat
from mmfast.topology import PROCESSES


def row(house, process):
    return house.table("heartbeat")[PROCESSES.index(process)]


def test_the_kernel_beats_on_the_words_of_the_record(house):
    heart = Heart(house, "quoter")
    assert (HEARTBEAT.fields["beat_ns"][1], HEARTBEAT.fields["loop_count"][1]) == (heartbeat.O_BEAT, heartbeat.O_LOOPS)
    before = house.table("heartbeat").copy()
    beat(heart.address, 123, 5)
    beat(heart.address, 456, 2)
    assert (row(house, "quoter")["beat_ns"], row(house, "quoter")["loop_count"]) == (456, 7)
    after = house.table("heartbeat").copy()
    after[PROCESSES.index("quoter")] = before[PROCESSES.index("quoter")]
    assert (after == before).all()


def test_entering_a_state_tells_who_and_when(house):
    before = time.monotonic_ns()
    heart = Heart(house, "feed")
    heart.enter(STATE_RUNNING)
    record = row(house, "feed")
    assert (record["pid"], record["state"], heart.state) == (os.getpid(), STATE_RUNNING, STATE_RUNNING)
    assert before <= record["state_ns"] == record["beat_ns"] <= time.monotonic_ns()


def test_the_age_grows_until_the_next_beat(house):
    heart = Heart(house, "feed")
    house.table("heartbeat")["beat_ns"][0] = time.monotonic_ns() - 5_000_000_000
    assert heart.age_ns >= 5_000_000_000
    heart.beat()
    assert 0 <= heart.age_ns < 1_000_000_000
    assert row(house, "feed")["loop_count"] == 1


def test_a_process_that_never_beat_is_as_old_as_the_clock(house):
    house.table("heartbeat")["beat_ns"] = 0
    assert abs(Heart(house, "watchdog").age_ns - time.monotonic_ns()) < 1_000_000_000


def test_a_beat_does_not_change_the_state(house):
    heart = Heart(house, "gateway")
    heart.enter(STATE_STOPPED)
    entered = int(row(house, "gateway")["state_ns"])
    heart.beat()
    beat(heart.address, time.monotonic_ns(), 1)
    assert (heart.state, row(house, "gateway")["state_ns"]) == (STATE_STOPPED, entered)


def test_place_and_restarts_are_told(house):
    heart = Heart(house, "estimator")
    heart.describe(3, 1)
    heart.count_restart()
    heart.count_restart()
    record = row(house, "estimator")
    assert (record["core"], record["idle"], record["restart_count"]) == (3, 1, 2)


def test_each_process_has_a_line_pair_of_its_own(house):
    addresses = [Heart(house, name).address for name in PROCESSES]
    assert {b - a for a, b in pairwise(addresses)} == {HEARTBEAT.itemsize} == {128}
    assert addresses[0] % 128 == 0
