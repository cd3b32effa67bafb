"""The supervisor dies: its children clear the market and end, status says so, and the next start clears the memory."""

from __future__ import annotations

import os
import signal

import pytest
from support.books import Books
from support.engine import EngineProcess, until
from support.engine_main import ACCOUNT, AGENTS, EXCHANGE_OPTIONS
from support.exchange_process import ExchangeProcess

from mmfast.cli.outcome import Exit
from mmfast.hosts.instruments import fetch_open_orders

PULLED_S = 5.0
ENDED_S = 20.0
AT_EXCHANGE = ("support.engine_main",)


@pytest.fixture(scope="module")
def orphans(tmp_path_factory):
    """An engine at an exchange that outlives it; what is left of it, moment by moment."""
    folder = tmp_path_factory.mktemp("orphans")
    told = {}
    with ExchangeProcess("--coin", "BTC", "--truth", str(folder / "truth.jsonl"), *EXCHANGE_OPTIONS) as exchange:
        def resting() -> list:
            return fetch_open_orders(exchange.url, ACCOUNT)

        with EngineProcess(folder, exchange.url, "BTC", program=AT_EXCHANGE) as engine:
            engine.wait_quoting()
            engine.remember_pids()
            until(lambda: told.update(before=len(resting())) or told["before"], PULLED_S, "nothing rests")
            engine.end(signal.SIGKILL)
            told["pulled_s"] = until(lambda: not resting(), PULLED_S, "orders rest")
            told["status"], told["snapshot"] = engine.verb("status"), engine.look()
            told["pause"], told["resume"], told["stop"] = (engine.verb(v) for v in ("pause", "resume", "stop"))
            told["ended_s"] = until(lambda: not engine.left_alive(), ENDED_S, f"still alive: {engine.left_alive()}")
            told["resting"] = len(resting())
            second = EngineProcess(folder, exchange.url, "BTC", program=AT_EXCHANGE)
            second.name, second.environ, second.monitor, second.shm = (
                engine.name, engine.environ, engine.monitor, engine.shm)
            second.command[second.command.index("--name") + 1] = engine.name
            with second:
                told["quoting_s"] = second.wait_quoting()
                told["second"], told["said"] = second.end(signal.SIGTERM), second.said
        told["left"] = len(resting())
    told["books"] = Books(folder / "truth.jsonl")
    return told


def test_nothing_rests_seconds_after_the_supervisor_died(orphans):
    assert orphans["before"] > 0
    assert orphans["pulled_s"] < PULLED_S
    assert orphans["resting"] == orphans["left"] == 0


def test_every_process_ends(orphans):
    assert orphans["ended_s"] < ENDED_S


def test_a_dead_engine_is_called_dead(orphans):
    assert orphans["status"].code == Exit.NOT_RUNNING
    assert orphans["snapshot"]["state"] == "dead"
    assert "DEAD, last seen" in orphans["status"].out
    assert not next(row for row in orphans["snapshot"]["processes"] if row["process"] == "supervisor")["alive"]


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
def test_a_dead_engine_cannot_be_steered(orphans, verb):
    assert orphans[verb].code == Exit.NOT_RUNNING
    assert "is dead, last seen" in orphans[verb].err


def test_the_next_start_clears_what_the_dead_one_left_and_quotes(orphans):
    assert "cleared the shared memory of run" in orphans["said"]
    assert orphans["quoting_s"] < 20.0
    assert orphans["second"] == Exit.OK


def test_both_wallets_cleared_and_nothing_was_left(orphans):
    assert orphans["books"].resting() == []


def test_a_signer_that_the_venue_does_not_know_latches_the_kill_switch(tmp_path):
    options = ("--account", f"{ACCOUNT}=25000", "--agent", f"{ACCOUNT}:{AGENTS[1]}")
    with (ExchangeProcess("--coin", "BTC", *options) as exchange,
          EngineProcess(tmp_path, exchange.url, "BTC", program=AT_EXCHANGE) as engine):
        engine.wait(lambda: engine.look()["latch"], 15.0, "no latch")
        latch = engine.look()["latch"]
        assert latch["reason"] == "signer refused by the venue"
        assert AGENTS[0] in latch["text"]
        assert engine.verb("status").code == Exit.KILL_LATCHED
        assert engine.end() == Exit.KILL_LATCHED
        assert engine.report()["orders"]["rejected_by_reason"]["signature"] > 0


def test_an_exchange_that_starts_does_not_outlive_a_supervisor_that_dies(tmp_path):
    engine = EngineProcess(tmp_path, "--coin", "BTC").launch()
    try:
        until(lambda: engine.remember_pids() or engine.pids, 30.0, "no exchange")
        os.kill(engine.process.pid, signal.SIGKILL)
        engine.ended()
        until(lambda: not engine.left_alive(), 5.0, "the exchange lives on")
    finally:
        engine.close()
