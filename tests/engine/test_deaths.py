"""Processes that die or freeze: quotes are pulled; what may be restarted is, what may not latches the kill switch."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest
from support.books import Books
from support.engine import EAGER, RECORDED, RECORDING, EngineProcess

from mmfast.cli.outcome import Exit

OPTIONS = ("--coin", "ETH,SOL", *(RECORDED if RECORDING.is_dir() else ()))
RESTARTED = ("feed", "estimator", "quoter")
PULLED_S = 2.0  # heartbeat limit of a shared host, a block, and a busy core


class Story:
    """One engine whose processes die in turn."""

    def __init__(self, engine: EngineProcess) -> None:
        self.engine = engine
        self.died_ns: dict[str, int] = {}
        self.quoted: dict[str, bool] = {}
        self.seen: dict[str, dict[str, Any]] = {}

    def hit(self, process: str, number: int, name: str) -> None:
        """A signal to one process of an engine that quotes."""
        self.engine.remember_pids()
        pid = self.engine.pid(process)
        self.engine.wait_quoting()  # last: nothing may come between the orders seen and the blow
        self.died_ns[name] = time.monotonic_ns()
        os.kill(pid, number)

    def revived(self, process: str) -> None:
        """It is started again and the engine quotes."""
        before, dead = self.engine.restarts(process), self.engine.pid(process)
        self.hit(process, signal.SIGKILL, process)
        self.engine.wait(lambda: self.engine.restarts(process) > before, 10.0, f"{process} was not restarted")
        self.engine.wait(lambda: self.engine.pid(process) != dead, 10.0, f"{process} does not come up")
        self.engine.wait_quoting()  # with all processes up: what the death made the others take back is placed again
        self.seen[process] = self.engine.look()

    def killed(self, name: str) -> None:
        """The kill switch latches and the venue confirms an empty market."""
        self.engine.wait(lambda: self.engine.look()["latch"], 10.0, f"no latch after {name}")
        self.engine.wait(lambda: self.engine.look()["control"]["clear_confirmed"], 15.0, f"not confirmed after {name}")
        self.seen[name] = self.engine.look()

    def finish(self, number: int) -> None:
        """End it, keep what is left."""
        self.code = self.engine.end(number)
        self.books, self.report = Books(self.engine.truth_path), self.engine.report()

    def pulled_s(self, name: str) -> float:
        """Seconds after a death until all that rested then was gone, by the exchange's log."""
        resting = set(self.books.resting(self.died_ns[name]))
        assert resting, f"nothing rested when {name} happened"
        gone = {line["cloid"]: line["ns"] for line in self.books.orders if line["status"] != "open"}
        return max(gone[cloid] - self.died_ns[name] for cloid in resting) / 1e9


@pytest.fixture(scope="module")
def restarts(tmp_path_factory):
    """Feed, estimator and quoter die, each is restarted; the fourth death within a minute is one too many."""
    with EngineProcess(tmp_path_factory.mktemp("restarts"), *OPTIONS, environ=EAGER) as engine:
        story = Story(engine)
        for process in RESTARTED:
            story.revived(process)
        story.hit("watchdog", signal.SIGKILL, "crash loop")
        engine.wait(lambda: engine.look()["latch"], 10.0, "no latch")
        engine.wait(lambda: engine.live_orders() == 0, 10.0, "orders may rest")
        story.seen["crash loop"] = engine.look()
        story.finish(signal.SIGTERM)
        return story


@pytest.fixture(scope="module")
def gateways(tmp_path_factory):
    """The watchdog dies; the gateway dies; it freezes, twice."""
    with EngineProcess(tmp_path_factory.mktemp("gateways"), *OPTIONS, environ=EAGER) as engine:
        story = Story(engine)
        story.revived("watchdog")
        story.hit("gateway", signal.SIGKILL, "gateway killed")
        story.killed("gateway killed")
        for name in ("gateway frozen", "gateway frozen again"):
            assert engine.verb("kill", "--clear", "--reason", "next").code == 0
            story.hit("gateway", signal.SIGSTOP, name)
            story.killed(name)
            os.kill(engine.pid("gateway"), signal.SIGCONT)
        story.finish(signal.SIGINT)
        return story


@pytest.mark.parametrize("process", RESTARTED)
def test_a_stage_that_dies_is_restarted_and_quoting_goes_on(restarts, process):
    seen = {row["process"]: row for row in restarts.seen[process]["processes"]}
    assert seen[process]["restarts"] == 1
    assert restarts.seen[process]["control"]["kill"] is None
    assert restarts.pulled_s(process) < PULLED_S


def test_the_errors_say_who_died_and_how(restarts):
    said = {row["text"] for row in restarts.seen["crash loop"]["errors"] if row["process"] == "supervisor"}
    assert {f"{process} died (signal 9)" for process in RESTARTED} <= said


def test_one_death_too_many_in_a_minute_latches_the_kill_switch(restarts):
    assert restarts.seen["crash loop"]["control"]["kill"] == "crash loop"
    assert "4 processes died within a minute, last watchdog" in restarts.seen["crash loop"]["latch"]["text"]
    assert restarts.pulled_s("crash loop") < PULLED_S  # by the gateway, which misses the watchdog
    assert restarts.code == Exit.KILL_LATCHED


def test_the_report_counts_restarts(restarts):
    told = {name: row["restarts"] for name, row in restarts.report["processes"].items()}
    assert told == {"feed": 1, "estimator": 1, "quoter": 1, "gateway": 0, "watchdog": 0, "supervisor": 0}


def test_without_a_watchdog_nothing_is_quoted_until_there_is_one_again(gateways):
    assert gateways.pulled_s("watchdog") < PULLED_S
    assert gateways.seen["watchdog"]["control"]["kill"] is None


@pytest.mark.parametrize("name", ["gateway killed", "gateway frozen", "gateway frozen again"])
def test_without_a_gateway_the_watchdog_clears_the_market(gateways, name):
    assert gateways.seen[name]["control"]["kill"] == "gateway lost"
    assert gateways.seen[name]["latch"]["reason"] == "gateway lost"
    assert gateways.pulled_s(name) < 2 * PULLED_S


def test_the_watchdog_signs_with_a_wallet_of_its_own(gateways):
    kinds = gateways.books.kinds()
    trading = [signer for signer, actions in kinds.items() if "order" in actions]
    clearing = [signer for signer, actions in kinds.items() if "order" not in actions]
    assert len(trading) == len(clearing) == 1
    assert kinds[clearing[0]] <= {"cancel", "cancelByCloid"}


def test_no_order_is_placed_after_a_latch_until_it_is_cleared(gateways):
    name = "gateway frozen again"
    last_open = max(line["ns"] for line in gateways.books.orders if line["status"] == "open")
    assert last_open < gateways.died_ns[name] + 2 * PULLED_S * 1e9


@pytest.mark.parametrize("story", ["restarts", "gateways"])
def test_the_books_are_right_after_all_that(story, request):
    told = request.getfixturevalue(story)
    assert told.books.resting() == []
    for asset, coin in enumerate(told.report["coins"]):
        row = told.report["position"][coin]
        assert row["position_lots"] == told.books.position_lots(asset) == row["venue_position_lots"]
        assert row["pnl_uusd"] == told.books.pnl_uusd(asset, row["mark_ticks"])
    assert told.engine.left_alive() == []


def test_a_run_that_was_killed_ends_with_seven(gateways):
    assert gateways.code == Exit.KILL_LATCHED
    assert gateways.report["kill"] == "gateway lost"
