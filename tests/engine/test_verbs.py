"""The verbs of the command line on an engine that trades: each does what its help says, with the exit code it says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from support.books import Books
from support.engine import EAGER, RECORDED, EngineProcess, needs_recording

from mmfast.cli.outcome import Exit
from mmfast.runtime.attach import attach

pytestmark = needs_recording

COINS = ("ETH", "SOL")


class Story:
    """One engine, every verb in turn; what was seen is asked for by the tests."""

    def __init__(self, engine: EngineProcess) -> None:
        self.engine = engine
        self.ran: dict[str, Any] = {}
        self.seen: dict[str, dict[str, Any]] = {}
        self.at_ns: dict[str, int] = {}
        self.pause()
        self.explain()
        self.parameters()
        self.second_instance()
        self.kill()
        self.flatten()
        self.books = Books(engine.truth_path)
        self.report = engine.report()
        self.left = engine.left_alive(), engine.shm.exists()
        self.run("status after the end", "status")

    def run(self, name: str, *words: str) -> None:
        """A verb, its outcome and what the engine looks like after it."""
        self.ran[name] = self.engine.verb(*words)
        self.at_ns[name] = time.monotonic_ns()
        self.seen[name] = self.engine.look()

    def pause(self) -> None:
        self.engine.wait_quoting()
        self.run("status", "status", "--json")
        self.run("pause", "pause")
        self.at_ns["still paused"] = time.monotonic_ns() + 500_000_000
        self.engine.wait(lambda: time.monotonic_ns() > self.at_ns["still paused"], 5.0, "half a second")
        self.seen["still paused"] = self.engine.look()
        self.run("resume", "resume")
        self.engine.wait_quoting()

    def explain(self) -> None:
        self.run("explain now", "explain", "--now", "ETH", "--json")
        self.engine.wait_quoting()
        coins = {coin["coin"]: coin for coin in self.engine.look()["coins"]}
        self.explained = [self.engine.verb("explain", order["cloid"], "--json") for order in coins["ETH"]["orders"]]

    def parameters(self) -> None:
        self.seen["before the fee"] = self.widths()
        self.run("a fee of five", "parameters", "coins.ETH.maker_fee_bps=4.0")
        self.seen["after the fee"] = self.widths()
        self.run("a fee that is refused", "parameters", "coins.ETH.maker_fee_bps=400")
        self.run("the fee of before", "parameters", "coins.ETH.maker_fee_bps=0.0")
        self.engine.wait_quoting()

    def widths(self) -> dict[str, Any]:
        """Width of each coin's quotes [bps], both sides together, and the version of their parameters."""
        house = attach(self.engine.name)
        surface = house.cells("surface").copy()
        return {"widths": surface["width_bps"].sum(axis=1).tolist(),
                "costs": surface["cost_bps"].tolist(), "adverse": surface["adverse_bps"].tolist(),
                "version": house.cells("quote")["parameters_version"].tolist()}

    def second_instance(self) -> None:
        command = [sys.executable, "-m", "mmfast.cli.main", "start", "--name", self.engine.name, "--for", "1s"]
        self.ran["second"] = subprocess.run(command, env=self.engine.environ, capture_output=True, text=True,
                                            timeout=60)
        self.engine.wait_quoting()
        self.seen["second"] = self.engine.look()

    def kill(self) -> None:
        self.run("kill", "kill", "--reason", "to see it")
        self.engine.wait(lambda: self.engine.look()["control"]["clear_confirmed"], 10.0, "no confirmation")
        self.run("status when killed", "status")
        for verb in ("resume", "flatten", "kill"):
            self.run(f"{verb} when killed", verb)
        self.run("clear without a reason", "kill", "--clear")
        self.run("clear", "kill", "--clear", "--reason", "seen")
        self.engine.wait_quoting()

    def flatten(self) -> None:
        self.engine.wait(lambda: any(coin["position_lots"] for coin in self.engine.look()["coins"]), 60.0, "flat")
        self.engine.remember_pids()
        self.run("flatten", "flatten")
        self.ran["end"] = self.engine.ended()


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    with EngineProcess(tmp_path_factory.mktemp("verbs"), "--coin", ",".join(COINS), *RECORDED, environ=EAGER) as engine:
        return Story(engine)


def orders_open(snapshot: dict[str, Any]) -> int:
    return sum(len(coin["orders"]) for coin in snapshot["coins"])


def test_status_of_a_healthy_engine_is_zero_and_json(story):
    assert story.ran["status"].code == Exit.OK
    assert '"state": "running"' in story.ran["status"].out


def test_pause_returns_when_nothing_rests_and_stays_so(story):
    assert story.ran["pause"].code == Exit.OK
    assert "paused: no order rests" in story.ran["pause"].err
    assert orders_open(story.seen["pause"]) == orders_open(story.seen["still paused"]) == 0
    assert story.seen["still paused"]["control"]["pauses"] == ["operator"]
    assert story.books.resting(story.at_ns["pause"]) == story.books.resting(story.at_ns["still paused"]) == []


def test_resume_quotes_again(story):
    assert story.ran["resume"].code == Exit.OK
    assert story.ran["resume"].err == "resumed\n"


def test_the_quotes_of_now_and_resting_orders_are_explained_from_the_frame_on(story):
    assert story.ran["explain now"].code == Exit.OK
    now = json.loads(story.ran["explain now"].out)
    stages = {row["stage"]: row for row in now["stages"]}
    assert {"feature", "belief", "mandate", "surface", "quote"} <= set(stages)
    quoted = [row for row in stages["quote"]["levels"] if row["what"] == "quoted"]
    assert len(quoted) == sum(stages["quote"]["fields"]["level_count"]["value"])
    assert now["stages"][0]["stage"] == "news"
    assert any((source["last_weight"] or 0.0) > 0.0 for source in stages["feature"]["sources"])
    told = [json.loads(ran.out) for ran in story.explained if ran.code == Exit.OK]
    assert told
    whole = [one for one in told if {"belief", "mandate", "surface", "quote"} <= {s["stage"] for s in one["stages"]}]
    assert whole
    for one in whole:
        stages, order = {row["stage"]: row for row in one["stages"]}, one["orders"][0]
        assert stages["quote"]["number"] == order["quote_number"]
        assert any(order["px_ticks"] in side for side in stages["quote"]["fields"]["px_ticks"]["value"])
        assert "feature" in stages


def test_a_changed_parameter_moves_the_quotes_of_its_coin(story):
    assert story.ran["a fee of five"].code == Exit.OK
    before, after = story.seen["before the fee"], story.seen["after the fee"]
    assert (before["version"], after["version"]) == ([1, 1], [2, 2])
    assert np.subtract(before["costs"], before["adverse"]) == pytest.approx(0.0, abs=1e-9)  # EAGER has no fee
    assert np.subtract(after["costs"], after["adverse"]) == pytest.approx(np.array([[4.0, 4.0], [0.0, 0.0]]), abs=1e-9)
    assert after["widths"][0] > before["widths"][0] + 6.0
    assert story.ran["a fee that is refused"].code == Exit.CONFIG_INVALID
    assert "maker_fee_bps = 400" in story.ran["a fee that is refused"].err
    assert story.ran["the fee of before"].code == Exit.OK


def test_a_second_engine_of_that_name_is_refused_and_harms_nothing(story):
    assert story.ran["second"].returncode == Exit.FAILURE
    assert f"an engine named {story.engine.name!r} runs already" in story.ran["second"].stderr
    assert "start another one with --name" in story.ran["second"].stderr
    assert story.seen["second"]["state"] == "running"
    assert orders_open(story.seen["second"]) > 0


def test_kill_leaves_nothing_resting_and_latches(story):
    assert story.ran["kill"].code == Exit.OK
    assert "kill switch latched" in story.ran["kill"].err
    assert "no order rests" in story.ran["kill"].err
    assert story.seen["kill"]["control"]["kill"] == "manual"
    assert story.seen["kill"]["latch"]["text"] == "to see it"
    assert story.books.resting(story.at_ns["kill"]) == []


def test_no_order_is_placed_between_kill_and_clear(story):
    between = [line for line in story.books.orders if line["status"] == "open"
               and story.at_ns["kill"] < line["ns"] < story.at_ns["clear without a reason"]]
    assert between == []


def test_status_of_a_killed_engine_is_seven(story):
    assert story.ran["status when killed"].code == Exit.KILL_LATCHED
    assert "KILL" in story.ran["status when killed"].out.upper()


@pytest.mark.parametrize("verb", ["resume", "flatten"])
def test_what_would_trade_is_refused_while_killed(story, verb):
    refused = story.ran[f"{verb} when killed"]
    assert refused.code == Exit.KILL_LATCHED
    assert "to see it" in refused.err
    assert "kill --clear --reason" in refused.err


def test_a_second_kill_is_no_error(story):
    assert story.ran["kill when killed"].code == Exit.OK
    assert "latched already" in story.ran["kill when killed"].err


def test_clear_needs_a_reason_and_then_quotes_again(story):
    assert story.ran["clear without a reason"].code == Exit.USAGE
    assert story.ran["clear"].code == Exit.OK
    assert story.seen["clear"]["control"]["kill"] is None
    assert story.seen["clear"]["latch"] is None


def test_kill_and_clear_are_told_on_the_engines_terminal(story):
    assert "kill switch latched: manual" in story.engine.said
    assert "kill switch cleared" in story.engine.said


def test_flatten_closes_with_reduce_only_orders_and_ends_the_engine(story):
    assert story.ran["flatten"].code == Exit.OK
    assert story.ran["flatten"].err == "flat and ended\n"
    assert story.ran["end"] == Exit.OK
    assert story.report["ended"] == "flat"
    closing = [order for line in story.books.actions if line["action"]["type"] == "order"
               for order in line["action"]["orders"] if order["r"]]
    assert closing
    assert all(order["t"] == {"limit": {"tif": "Ioc"}} for order in closing)
    for asset, coin in enumerate(COINS):
        assert story.books.position_lots(asset) == story.report["position"][coin]["position_lots"] == 0


def test_the_books_are_right_after_all_that(story):
    assert story.report["fills"] == len(story.books.fills) > 0
    for asset, coin in enumerate(COINS):
        told = story.report["position"][coin]
        assert told["pnl_uusd"] == story.books.pnl_uusd(asset, told["mark_ticks"])


def test_nothing_rests_and_nothing_is_left_after_flatten(story):
    assert story.books.resting() == []
    assert story.left == ([], False)


def test_status_after_the_end_is_three(story):
    assert story.ran["status after the end"].code == Exit.NOT_RUNNING
