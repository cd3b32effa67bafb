"""Claims about the run report: every number is one that stands in the house, or the venue's own word."""

import itertools
import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.house import a_house

from mmfast.hosts import report
from mmfast.hosts.instruments import Listed
from mmfast.records.account import LEDGER
from mmfast.records.control import CHANNEL_COUNT, CHANNEL_CTX, CHANNEL_REFERENCE
from mmfast.rings.layout import HEADER_BYTES, O_REFUSED
from mmfast.runtime.catalog import COUNTERS, STAGE_NAMES, histogram_index
from mmfast.runtime.counters import Counters
from mmfast.runtime.histogram import observe
from mmfast.topology import HISTOGRAM

SERIAL = itertools.count()
KEYS = {"run_id", "config_hash", "coins", "venue", "ended", "seconds", "kill", "processes", "rss_bytes", "orders",
        "two_sided_share", "position", "fills", "pnl_usd", "latency_us", "stages", "feeds", "ring_refusals", "counters"}


@pytest.fixture
def engine():
    """What the report asks an engine for, over a house with nothing in it."""
    name = f"report-{os.getpid()}-{next(SERIAL)}"
    house = a_house(name)
    yield SimpleNamespace(
        house=house, coins=["BTC", "ETH"], listed=[Listed("BTC", 0, 5, 40, 1e5), Listed("ETH", 1, 4, 25, 3e3)],
        run_id="test-run", ready_ns=time.monotonic_ns() - 2_000_000_000, kill_text=lambda: "",
        config=SimpleNamespace(hash="00ff", venue=SimpleNamespace(kind="local")),
        venue=SimpleNamespace(name="local", http_url="http://127.0.0.1:9"),
        keys=SimpleNamespace(account="0x" + "1" * 40),
        supervisor=SimpleNamespace(children={}))
    house.segment.disown()
    Path(f"/dev/shm/mmfast-{name}").unlink(missing_ok=True)


@pytest.fixture
def at_venue(monkeypatch, engine):
    """Positions as the venue has them [lots]."""
    held = [0, 0]
    monkeypatch.setattr(report, "fetch_positions", lambda url, account, listed: held)
    return held


def build(engine, resting=0):
    return report.build(engine, "ran for 2 s", resting, {"feed": 0.1234567}, {"feed": 4096})


def test_a_run_that_did_nothing_has_every_key_and_is_json(engine, at_venue):
    made = build(engine)
    assert set(made) == KEYS
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["seconds"] == pytest.approx(2.0, abs=1.0)
    assert (made["two_sided_share"], made["fills"], made["pnl_usd"], made["latency_us"]) == (0.0, 0, 0.0, {})
    assert made["stages"] == list(STAGE_NAMES)
    assert (made["run_id"], made["config_hash"], made["venue"], made["ended"]) == (
        "test-run", "00ff", "local", "ran for 2 s")


def test_a_run_that_never_came_up_lasted_no_time(engine, at_venue):
    engine.ready_ns = 0
    assert build(engine)["seconds"] == 0.0


def test_orders_are_the_gateways_counters(engine, at_venue):
    gateway = Counters(engine.house, "gateway")
    planted = {"order_sent_count": 50, "order_acked_count": 40, "order_rejected_count": 7, "blocked_count": 3,
               "take_sent_count": 4, "cancel_sent_count": 31, "reject_post_only_count": 6, "reject_margin_count": 1,
               "two_sided_ns": 2_000_000_000, "quoting_ns": 3_000_000_000}
    for name, value in planted.items():
        gateway.put(name, value)
    made = build(engine, resting=2)
    orders = made["orders"]
    reasons = orders.pop("rejected_by_reason")
    assert orders == {"sent": 50, "takes": 4, "acked": 40, "rejected": 7, "blocked_here": 3, "cancels": 31,
                      "resting_at_venue": 2}
    assert {reason: n for reason, n in reasons.items() if n} == {"post_only": 6, "margin": 1}
    assert len(reasons) == sum(c.name.startswith("reject_") for c in COUNTERS["gateway"])
    assert made["two_sided_share"] == 0.6667
    assert made["counters"]["gateway"]["order_sent_count"] == 50
    assert {p: set(c) for p, c in made["counters"].items()} == {p: {c.name for c in cs} for p, cs in COUNTERS.items()}


def test_profit_is_the_sum_that_anyone_can_do_again(engine, at_venue):
    planted = {"position_lots": 300, "start_position_lots": 100, "mark_ticks": 1_000_123, "start_mark_ticks": 1_000_001,
               "cash_uusd": -200_009_999, "fee_uusd": 12_345, "funding_uusd": -77, "bought_lots": 250, "sold_lots": 50,
               "volume_uusd": 300_000_000, "fill_count": 9}
    ledgers = engine.house.cells("ledger")
    for field, value in planted.items():
        ledgers[0][field] = value
    at_venue[0] = 300
    made = build(engine)
    coin = made["position"]["BTC"]
    pnl = -200_009_999 - 12_345 - 77 + 300 * 1_000_123 - 100 * 1_000_001
    assert coin["pnl_uusd"] == pnl
    assert made["pnl_usd"] == pnl / 1e6
    assert (coin["agrees"], coin["venue_position_lots"], coin["fills"], made["fills"]) == (True, 300, 9, 9)
    assert {field: coin[field] for field in report.BOOKED} == {field: planted[field] for field in report.BOOKED}


BOOKS = st.fixed_dictionaries({
    "cash_uusd": st.integers(-10**14, 10**14), "fee_uusd": st.integers(-10**12, 10**12),
    "funding_uusd": st.integers(-10**12, 10**12), "position_lots": st.integers(-10**8, 10**8),
    "mark_ticks": st.integers(1, 10**9), "start_position_lots": st.integers(-10**8, 10**8),
    "start_mark_ticks": st.integers(1, 10**9)})


@given(BOOKS)
@settings(max_examples=50, deadline=None)
def test_profit_is_exact_to_the_micro_dollar(fields):
    ledger = np.zeros(1, LEDGER)[0]
    for field, value in fields.items():
        ledger[field] = value
    assert report.pnl_uusd(ledger) == (
        fields["cash_uusd"] - fields["fee_uusd"] + fields["funding_uusd"]
        + fields["position_lots"] * fields["mark_ticks"] - fields["start_position_lots"] * fields["start_mark_ticks"])


def test_a_position_that_the_venue_has_otherwise_does_not_agree(engine, at_venue):
    engine.house.cells("ledger")["position_lots"] = (5, 6)
    at_venue[:] = [5, -6]
    assert [coin["agrees"] for coin in build(engine)["position"].values()] == [True, False]


def test_a_venue_that_cannot_be_asked_agrees_with_nothing(engine):
    made = build(engine, resting=-1)
    assert [(c["venue_position_lots"], c["agrees"]) for c in made["position"].values()] == [(None, False)] * 2
    assert made["orders"]["resting_at_venue"] == -1


def test_latencies_are_those_that_were_measured(engine, at_venue):
    address = engine.house.address["histogram"] + HEADER_BYTES + histogram_index("ack") * HISTOGRAM.itemsize
    for micros in range(1, 1001):
        observe(address, micros * 1000)
    made = build(engine)["latency_us"]
    assert set(made) == {"ack"}
    assert made["ack"]["count"] == 1000
    assert made["ack"]["max_us"] == 1000.0
    for key, exact in (("p50_us", 500), ("p99_us", 990), ("p999_us", 999)):
        assert made["ack"][key] == pytest.approx(exact, rel=0.04)


def test_feeds_and_refusals_are_told_by_coin_channel_and_reader(engine, at_venue):
    row = engine.house.table("channel")[CHANNEL_COUNT + CHANNEL_CTX]
    row["message_count"], row["gap_count"], row["interval_ns"] = 12, 2, 3_456_789
    engine.house.table("channel")[CHANNEL_COUNT + CHANNEL_REFERENCE]["limit_ns"] = 2_000_000_000
    engine.house.words("account_quoter")[O_REFUSED // 8] = 4
    made = build(engine)
    assert made["feeds"]["ETH"]["ctx"] == {"messages": 12, "gaps": 2, "interval_ms": 3.5}
    assert made["feeds"]["BTC"]["ctx"] == {"messages": 0, "gaps": 0, "interval_ms": 0.0}
    assert len(made["feeds"]["ETH"]) == CHANNEL_COUNT
    assert len(made["feeds"]["BTC"]) == CHANNEL_COUNT - 1
    assert made["ring_refusals"] == {"estimator": 0, "quoter": 4}


def test_processes_are_those_that_were_there(engine, at_venue):
    hearts = engine.house.table("heartbeat")
    hearts["pid"], hearts["pid"][:2], hearts["restart_count"][1], hearts["core"][0] = 0, (11, 12), 2, 3
    assert build(engine)["processes"] == {"feed": {"pid": 11, "cpu_s": 0.123, "core": 3, "restarts": 0},
                                          "estimator": {"pid": 12, "cpu_s": 0.0, "core": -1, "restarts": 2}}


def test_cpu_and_memory_are_asked_of_the_living_only(engine):
    free = next(pid for pid in range(4_000_000, 5_000_000) if not psutil.pid_exists(pid))
    engine.supervisor.children = {"feed": SimpleNamespace(pid=os.getpid()), "quoter": SimpleNamespace(pid=free)}
    assert set(report.cpu_seconds(engine)) == {"feed", "supervisor"}
    assert report.memory_bytes(engine).keys() == {"feed"}
    assert report.memory_bytes(engine)["feed"] > 2**20
