"""Claims about one look at a whole engine."""

import json
import os
import time

import numpy as np
import pytest
from support.house import a_house, beat, fill_channels, put_belief, put_order, put_quote, release

from mmfast.records.control import CHANNEL_COUNT, KILL_LOSS, PAUSE_GATEWAY, PAUSE_OPERATOR
from mmfast.runtime.catalog import histogram_index
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import ErrorLog
from mmfast.runtime.histogram import bucket_index
from mmfast.runtime.latch import Latch
from mmfast.runtime.snapshot import Monitor, read_run
from mmfast.units import BID


def look(engine, folder):
    """A snapshot, proven to be JSON."""
    return json.loads(json.dumps(Monitor(engine, folder).snapshot(), allow_nan=False))


def test_an_engine_that_never_was_is_absent(engine, tmp_path):
    assert look(engine, tmp_path)["state"] == "absent"


def test_a_running_engine_is_shown_whole(engine, house, tmp_path):
    put_belief(house, 0)
    put_quote(house, 0)
    put_order(house, 1, 0, BID, 99_960.0, 1000)
    fill_channels(house, age_s=0.1, limit_s=2.0)
    Counters(house, "feed").add("frame_count", 42)
    ErrorLog(house, "gateway").record("refused")
    seen = look(engine, tmp_path)
    assert (seen["state"], seen["run_id"], seen["pid"]) == ("running", "test-run", os.getpid())
    assert seen["counters"]["feed"]["frame_count"] == 42
    assert seen["errors"][0]["text"] == "refused"
    assert len(seen["coins"][0]["orders"]) == 1
    assert len(seen["channels"]) == 2 * CHANNEL_COUNT
    assert not any(c["stale"] for c in seen["channels"])
    assert seen["latch"] is None
    assert seen["control"]["kill"] is None


def test_a_process_is_alive_when_it_exists_and_beats(engine, house, tmp_path):
    assert all(p["alive"] and p["rss_bytes"] > 0 for p in look(engine, tmp_path)["processes"])
    hearts = house.table("heartbeat")
    hearts["beat_ns"][1] -= 10 * 10**9
    hearts["pid"][2] = 2**22 + 1
    alive = [p["alive"] for p in look(engine, tmp_path)["processes"]]
    assert alive == [True, False, False, True, True, True]


def test_an_engine_whose_owner_died_is_dead_with_its_last_sign_of_life(engine, house, tmp_path):
    beat(house, age_s=7.0)
    release(house)
    seen = look(engine, tmp_path)
    assert seen["state"] == "dead"
    assert 6.9 < seen["last_seen_s"] < 30.0
    assert not any(p["alive"] for p in seen["processes"])
    assert seen["age_s"] <= 0.0  # it gave no sign of life after it was made


def test_a_child_that_outlives_the_owner_does_not_make_it_look_alive(engine, house, tmp_path):
    house.table("heartbeat")["beat_ns"][5] -= 60 * 10**9
    release(house)
    seen = look(engine, tmp_path)
    assert seen["last_seen_s"] >= 60.0
    assert [p["process"] for p in seen["processes"] if not p["alive"]] == ["supervisor"]


def test_an_engine_that_is_not_ready_is_starting(engine, tmp_path):
    house = a_house(engine, ready=False)
    seen = look(engine, tmp_path)
    release(house)
    assert seen["state"] == "starting"
    assert "starting" in seen["problem"]


def test_a_stale_channel_is_marked(engine, house, tmp_path):
    fill_channels(house, age_s=3.0, limit_s=2.0)
    assert all(c["stale"] and c["age_ms"] > 2999 for c in look(engine, tmp_path)["channels"])


def test_pauses_and_the_kill_word_are_named(engine, house, tmp_path):
    control = Control(house)
    control.pause(PAUSE_OPERATOR)
    control.pause(PAUSE_GATEWAY)
    control.kill(KILL_LOSS)
    seen = look(engine, tmp_path)["control"]
    assert seen["pauses"] == ["operator", "gateway"]
    assert seen["kill"] == "loss limit"
    assert not seen["clear_confirmed"]
    control.mark_clear()
    assert look(engine, tmp_path)["control"]["clear_confirmed"]


def test_the_latch_on_disk_is_shown_even_without_an_engine(engine, tmp_path):
    Latch(tmp_path).set(KILL_LOSS, "lost too much", "watchdog")
    assert look(engine, tmp_path)["latch"]["text"] == "lost too much"


def test_latencies_are_percentiles_in_microseconds(engine, house, tmp_path):
    row = house.table("histogram")[histogram_index("tick_to_order")]
    row["bucket"][bucket_index(100_000)] = 99
    row["bucket"][bucket_index(10_000_000)] = 1
    row["count"], row["max_ns"] = 100, 10_000_000
    (shown,) = look(engine, tmp_path)["latency"]
    assert shown["name"] == "tick_to_order"
    assert 97 < shown["p50_us"] < 104
    assert 9_600 < shown["p999_us"] <= shown["max_us"] == 10_000


def test_cpu_is_the_share_since_the_last_look(engine, house, tmp_path):
    monitor = Monitor(engine, tmp_path)
    monitor.snapshot()
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        np.ones(1000).sum()
    busy = monitor.snapshot()["processes"][0]["cpu_percent"]
    assert 10 < busy < 400


def test_the_run_file_is_read_and_nonsense_is_not(tmp_path):
    assert read_run(tmp_path) is None
    (tmp_path / "run.json").write_text("[1]")
    assert read_run(tmp_path) is None
    (tmp_path / "run.json").write_text('{"run_id": "x"}')
    assert read_run(tmp_path) == {"run_id": "x"}


@pytest.mark.parametrize(("left_s", "lasts_s"), [(-1, None), (0, 0), (7200, 7200)])
def test_the_address_budget_and_how_long_it_lasts_are_shown(engine, house, tmp_path, left_s, lasts_s):
    counters = Counters(house, "gateway")
    for name, value in (("address_used", 12), ("address_cap", 10_000), ("address_left_s", left_s)):
        counters.put(name, value)
    assert Monitor(engine, tmp_path).snapshot()["budget"] == {"used": 12, "cap": 10_000, "lasts_s": lasts_s}
