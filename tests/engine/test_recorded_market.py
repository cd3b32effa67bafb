"""A recorded market at four times its speed: the engine's own word against what the exchange wrote down."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import psutil
import pytest
from support.books import Books
from support.engine import PROCESSES, RECORDED, EngineProcess, needs_recording

from mmfast.runtime.attach import RUNNING

pytestmark = needs_recording

COINS = ("BTC", "ETH", "SOL")
RUN_S = 75  # long enough for fills, and over before the market runs away, which empties a side on purpose
CALM_S = 45
SAMPLE_S = 1.0
SETTLED_S = 10.0
GROWTH_MAX_BYTES = 2**20  # in half a minute


class Run(NamedTuple):
    """All that is left of a run."""

    code: int
    said: str
    report: dict[str, Any]
    books: Books
    first_quotes_s: float
    samples: dict[str, np.ndarray]  # by process: rows of (seconds, private bytes, open files)
    left: list[str]
    shm_left: bool


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    subprocess.run([sys.executable, "-m", "mmfast.cli.main", "warmup"], check=True, capture_output=True)  # on the clock
    options = ("--coin", ",".join(COINS), *RECORDED, "--for", f"{RUN_S}s")
    with EngineProcess(tmp_path_factory.mktemp("recorded"), *options) as engine:
        first_quotes_s = engine.wait_quoting()
        samples = watch(engine)
        code = engine.ended()
        return Run(code, engine.said, engine.report(), Books(engine.truth_path), first_quotes_s, samples,
                   engine.left_alive(), engine.shm.exists())


def watch(engine: EngineProcess) -> dict[str, np.ndarray]:
    """Private memory and files of every process until the engine ends; the rings are shared and fill up once."""
    processes = {name: psutil.Process(engine.pid(name)) for name in PROCESSES}
    rows: dict[str, list[tuple[float, int, int]]] = {name: [] for name in PROCESSES}
    began = time.monotonic()
    while engine.look()["state"] == RUNNING and time.monotonic() - began < RUN_S + 30:
        with suppress(psutil.Error):
            for name, process in processes.items():
                rows[name].append((time.monotonic() - began, process.memory_full_info().uss, process.num_fds()))
        time.sleep(SAMPLE_S)
    return {name: np.array(taken[:-1]) for name, taken in rows.items()}  # the last may have been taken as it ended


def last_ns(books: Books) -> int:
    """When the quotes were pulled: the first of the last run of cancels without a new order."""
    return max(line["ns"] for line in books.actions if line["action"]["type"] == "order")


def statuses(books: Books, kind: str) -> list[Any]:
    """What the exchange answered to each order or cancel of accepted actions."""
    return [status for line in books.actions if line["action"]["type"] == kind and line["answer"]["status"] == "ok"
            for status in line["answer"]["response"]["data"]["statuses"]]


def test_it_ran_as_long_as_it_was_told(run):
    assert run.report["ended"] == f"ran for {RUN_S} s"
    assert RUN_S <= run.report["seconds"] < RUN_S + 10


def test_it_ended_with_zero_and_nothing_resting(run):
    assert run.code == 0
    assert run.report["kill"] == ""
    assert run.report["orders"]["resting_at_venue"] == 0
    assert "nothing rests at the venue" in run.said
    assert run.books.resting() == []


def test_at_its_own_speed_every_coin_is_quoted_on_both_sides(tmp_path):
    """Ten times as fast is three times as volatile: there the mandate may empty a side on purpose."""
    options = ("--coin", ",".join(COINS), *RECORDED, "--speed", "1", "--for", f"{CALM_S}s")
    with EngineProcess(tmp_path, *options) as engine:
        assert engine.ended(CALM_S + 60.0) == 0
        books, report = Books(engine.truth_path), engine.report()
    until_ns = last_ns(books)
    assert min(books.two_sided_share(asset, until_ns) for asset in range(len(COINS))) >= 0.95
    assert report["two_sided_share"] >= 0.95


def test_fills_are_those_of_the_exchange(run):
    assert run.report["fills"] == len(run.books.fills)


def test_no_order_was_refused_for_a_fault_of_ours(run):
    reasons = run.report["orders"]["rejected_by_reason"]
    assert {n: reasons[n] for n in ("tick", "lot", "notional", "signature", "nonce", "margin", "expired", "other")} == {
        "tick": 0, "lot": 0, "notional": 0, "signature": 0, "nonce": 0, "margin": 0, "expired": 0, "other": 0}
    assert run.books.never_texts() == []


def test_position_is_the_truth_to_the_last_lot(run):
    for asset, coin in enumerate(COINS):
        told = run.report["position"][coin]
        assert told["position_lots"] == run.books.position_lots(asset) == told["venue_position_lots"]
        assert told["agrees"] is True
        mine = [fill for fill in run.books.fills if fill["asset"] == asset]
        assert told["fills"] == len(mine)
        assert told["volume_uusd"] == sum(fill["px_ticks"] * fill["lots"] for fill in mine)
        assert told["fee_uusd"] == sum(fill["fee_uusd"] for fill in mine)


def test_profit_is_the_truth_to_the_last_micro_dollar(run):
    told = run.report["position"]
    for asset, coin in enumerate(COINS):
        assert told[coin]["pnl_uusd"] == run.books.pnl_uusd(asset, told[coin]["mark_ticks"])
    assert run.report["pnl_usd"] == pytest.approx(sum(row["pnl_uusd"] for row in told.values()) / 1e6, abs=1e-9)


def test_the_counts_of_orders_are_those_of_the_exchange(run):
    orders, answers = run.report["orders"], statuses(run.books, "order")
    refused = [answer for answer in answers if "error" in answer]
    assert orders["sent"] == len(answers)
    assert orders["acked"] == len(answers) - len(refused)
    assert orders["rejected"] == len(refused) == sum(orders["rejected_by_reason"].values())
    assert orders["cancels"] == len(statuses(run.books, "cancelByCloid"))


def test_every_order_of_the_truth_has_a_cloid_of_ours(run):
    sent = [order["c"] for line in run.books.actions if line["action"]["type"] == "order"
            for order in line["action"]["orders"]]
    assert len(set(sent)) == len(sent) == run.report["orders"]["sent"]
    assert set(run.books.cloids()) <= set(sent)
    assert len({cloid[:18] for cloid in sent}) == 1  # one process, one salt


def test_only_the_gateway_traded(run):
    kinds = run.books.kinds()
    assert len(kinds) == 1
    assert set().union(*kinds.values()) <= {"order", "cancelByCloid"}


def test_the_report_names_every_process(run):
    told = run.report["processes"]
    assert set(told) == {*PROCESSES, "supervisor"}
    assert len({row["pid"] for row in told.values()}) == len(told)
    assert all(row["restarts"] == 0 and row["cpu_s"] >= 0.0 for row in told.values())
    assert told["gateway"]["cpu_s"] > 0.0


def test_the_report_counts_messages_and_gaps_of_every_feed(run):
    for coin in COINS:
        feeds = run.report["feeds"][coin]
        assert set(feeds) == {"bbo", "trades", "book fast", "book slow", "book wide", "ctx"}
        assert all(feed["messages"] > 0 and feed["gaps"] == 0 for feed in feeds.values()), feeds


def test_the_report_has_percentiles_of_every_stage(run):
    told = run.report["latency_us"]
    assert run.report["stages"] == ["decode", "belief", "quote", "diff", "sign", "write"]
    for stage in (*run.report["stages"], "tick_to_order", "ack", "on_book", "cancel", "frame", "wake"):
        row = told[stage]
        assert row["count"] > 0
        assert 0.0 <= row["p50_us"] <= row["p99_us"] <= row["p999_us"] <= 1.04 * row["max_us"] + 1.0, stage
    assert told["tick_to_order"]["count"] == run.report["orders"]["sent"]


def test_no_lossless_ring_refused_and_no_reader_was_lapped(run):
    assert run.report["ring_refusals"] == {"estimator": 0, "quoter": 0}
    assert run.report["counters"]["estimator"]["lap_count"] == 0


def test_nothing_could_not_be_understood(run):
    counters = run.report["counters"]
    assert counters["feed"]["decode_error_count"] == counters["gateway"]["decode_error_count"] == 0
    assert counters["gateway"]["foreign_count"] == counters["gateway"]["ambiguous_count"] == 0
    assert counters["gateway"]["chain_break_count"] == counters["gateway"]["mismatch_count"] == 0
    assert counters["watchdog"]["mismatch_count"] == counters["watchdog"]["kill_count"] == 0


def test_memory_and_open_files_stay_flat(run):
    for name, rows in run.samples.items():
        settled = rows[rows[:, 0] > SETTLED_S]
        middle, end = np.array_split(settled, 2)
        assert np.median(end[:, 1]) - np.median(middle[:, 1]) < GROWTH_MAX_BYTES, name
        assert end[-1, 2] == middle[0, 2], name


def test_quotes_stand_seconds_after_the_start(run):
    assert run.first_quotes_s < 20.0


def test_nothing_is_left_of_it(run):
    assert run.left == []
    assert not run.shm_left
