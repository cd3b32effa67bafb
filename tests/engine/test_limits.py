"""A limit that is reached latches the kill switch with its reason; a market that is gone ends the run honestly."""

from __future__ import annotations

import os
import signal

import pytest
from support.books import Books
from support.engine import EAGER, RECORDED, EngineProcess, needs_recording, until

from mmfast.cli.outcome import Exit

TINY = {"MMFAST_RISK__MAX_LOSS_USD": "0.01", "MMFAST_RISK__MAX_DRAWDOWN_USD": "0.01"}


@needs_recording
def test_a_loss_above_the_limit_latches_and_clears_the_market(tmp_path):
    with EngineProcess(tmp_path, "--coin", "ETH,SOL", *RECORDED, environ={**EAGER, **TINY}) as engine:
        engine.wait(lambda: engine.look()["latch"], 60.0, "no latch")
        latch = engine.look()["latch"]
        assert latch["reason"] in ("loss limit", "drawdown limit")
        assert "above the limit $0.01" in latch["text"]
        assert latch["who"] == "watchdog"
        engine.wait(lambda: engine.look()["control"]["clear_confirmed"], 15.0, "not confirmed")
        assert engine.live_orders() == 0
        assert engine.verb("status").code == Exit.KILL_LATCHED
        assert engine.end() == Exit.KILL_LATCHED
        report, books = engine.report(), Books(engine.truth_path)
        assert report["kill"] == latch["reason"]
        assert f"kill switch latched: {latch['reason']}" in engine.said
        assert books.resting() == []
        assert report["fills"] == len(books.fills)
        again = EngineProcess(tmp_path, "--coin", "ETH")
        again.environ, again.name = engine.environ, engine.name
        again.command[again.command.index("--name") + 1] = engine.name
        try:
            assert again.launch().ended() == Exit.KILL_LATCHED
            assert "kill --clear --reason WHY --name" in again.said
        finally:
            again.close()


def test_an_exchange_that_dies_ends_the_run_without_claiming_that_nothing_rests(tmp_path):
    with EngineProcess(tmp_path, "--coin", "BTC") as engine:
        engine.wait_quoting()
        engine.remember_pids()
        os.kill(engine.exchange_pid(), signal.SIGKILL)
        assert engine.ended(60.0) == Exit.INCOMPLETE
        assert "the local exchange ended with code -9" in engine.said
        assert "the venue cannot be asked: orders may still rest there" in engine.said
        assert engine.report()["orders"]["resting_at_venue"] == -1
        assert engine.left_alive() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_pulls_the_quotes_confirms_and_ends_with_zero(tmp_path, number):
    with EngineProcess(tmp_path, "--coin", "BTC") as engine:
        assert engine.wait_quoting() < 20.0
        assert engine.end(number) == Exit.OK
        assert "nothing rests at the venue" in engine.said
        assert Books(engine.truth_path).resting() == []
        assert engine.left_alive() == []
        assert not engine.shm.exists()


def test_an_interrupt_while_it_starts_leaves_nothing(tmp_path):
    engine = EngineProcess(tmp_path, "--coin", "BTC").launch()
    try:
        while engine.process.poll() is None and not engine.pids:
            engine.remember_pids()
        code = engine.end(signal.SIGINT)
        assert code in (Exit.INTERRUPTED, Exit.OK)
        until(lambda: not engine.left_alive(), 5.0, "the exchange outlives who started it")
        assert not engine.shm.exists()
    finally:
        engine.close()


def test_stop_ends_an_engine_on_a_fused_host(tmp_path):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("a fused host has a core of its own")
    with EngineProcess(tmp_path, "--coin", "BTC,ETH", "--host", "fused") as engine:
        engine.wait_quoting()
        assert len({engine.pid(name) for name in ("feed", "estimator", "quoter", "gateway")}) == 1
        stopped = engine.verb("stop")
        assert stopped.code == Exit.OK, stopped.err
        assert engine.ended() == Exit.OK
        assert Books(engine.truth_path).resting() == []
