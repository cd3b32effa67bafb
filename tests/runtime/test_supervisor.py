"""Claims about the supervisor, with toy processes on a real house."""

import os
import signal
import threading
import time

import pytest

from mmfast.records.control import (
    KILL_CRASH_LOOP,
    KILL_GATEWAY_LOST,
    STATE_RUNNING,
    STATE_STOPPED,
)
from mmfast.runtime import supervisor as supervising
from mmfast.runtime.control import Control
from mmfast.runtime.errorlog import read_errors
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.process import Placement
from mmfast.runtime.supervisor import Supervisor
from mmfast.topology import ENGINE_PROCESSES

LIFE_S = 20.0


def toy(house, name):
    """A process that runs until the engine stops."""
    def body():
        heart, control = Heart(house, name), Control(house)
        heart.enter(STATE_RUNNING)
        end = time.monotonic() + LIFE_S
        while not control.stopping and time.monotonic() < end:
            heart.beat()
            time.sleep(0.002)
        return 0
    return body


def deaf(house, name):
    """A process that runs and does not stop."""
    def body():
        Heart(house, name).enter(STATE_RUNNING)
        time.sleep(LIFE_S)
        return 0
    return body


def dying(house, name):
    """A process that comes up and dies."""
    def body():
        Heart(house, name).enter(STATE_RUNNING)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0
    return body


class Desk:
    """A supervisor over toys, what it latched, and signals put back at the end."""

    def __init__(self, house, **special):
        self.house, self.latched = house, []
        house.table("heartbeat")["state"] = 0
        bodies = {name: special.get(name, toy)(house, name) for name in ENGINE_PROCESSES if special.get(name, toy)}
        self.supervisor = Supervisor(house, bodies, dict.fromkeys(bodies, Placement(-1, 1)), self.latch)
        self.control = self.supervisor.control
        assert self.control.trading  # compiled here, not once in every child

    def latch(self, code, text):
        self.control.kill(code)
        self.latched.append((code, text))

    def pid(self, name):
        return self.supervisor.children[name].pid

    def murder(self, name):
        """Kill a child and turn until it was noticed; it may be a new one already."""
        victim = self.pid(name)
        os.kill(victim, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while name in self.supervisor.children and self.pid(name) == victim:
            assert time.monotonic() < deadline, "the death went unnoticed"
            self.supervisor.turn()

    def turn_until(self, condition, seconds=5.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true"
            self.supervisor.turn()

    def state(self, name):
        return Heart(self.house, name).state

    def row(self, name):
        return self.house.table("heartbeat")[ENGINE_PROCESSES.index(name)]


@pytest.fixture
def desk(house):
    made = []

    def make(**special):
        made.append(Desk(house, **special))
        return made[-1]

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield make
    for one in made:
        for name in list(one.supervisor.children):
            one.supervisor.kill(name)
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_every_process_is_started_in_order_and_runs(desk):
    engine = desk()
    engine.supervisor.start_all()
    assert tuple(engine.supervisor.children) == ENGINE_PROCESSES
    pids = [engine.pid(name) for name in ENGINE_PROCESSES]
    assert pids == sorted(pids) or len(set(pids)) == 5  # numbers may wrap around
    assert {engine.state(name) for name in ENGINE_PROCESSES} == {STATE_RUNNING}
    assert Heart(engine.house, "supervisor").state == STATE_RUNNING
    assert engine.control.trading
    engine.supervisor.stop()


def test_stop_ends_every_process_and_says_so(desk):
    engine = desk()
    engine.supervisor.start_all()
    engine.supervisor.stop()
    assert engine.supervisor.children == {}
    assert {engine.state(name) for name in ENGINE_PROCESSES} == {STATE_STOPPED}
    assert Heart(engine.house, "supervisor").state == STATE_STOPPED
    assert engine.latched == []
    assert read_errors(engine.house) == []


@pytest.mark.parametrize("name", ["feed", "estimator", "quoter", "watchdog"])
def test_a_process_that_died_is_restarted_and_quoting_pauses_until_it_runs(desk, name):
    engine = desk()
    engine.supervisor.start_all()
    seen = []
    start = engine.supervisor.start
    engine.supervisor.start = lambda which: (start(which), seen.append(list(engine.control.pause_names)))
    engine.murder(name)
    assert seen == [["supervisor"]]
    engine.turn_until(lambda: engine.control.trading)
    assert engine.state(name) == STATE_RUNNING
    assert engine.row(name)["restart_count"] == 1
    assert engine.supervisor.restarts[name] == 1
    assert engine.latched == []
    assert [e.text for e in read_errors(engine.house)] == [f"{name} died (signal 9)"]
    engine.supervisor.stop()


def test_quoting_stays_paused_while_a_restarted_process_is_not_up(desk, house):
    def slow(house, name):
        body = toy(house, name)

        def late():
            if house.table("heartbeat")["restart_count"][0]:
                time.sleep(0.3)
            return body()
        return late

    engine = desk(feed=slow)
    engine.supervisor.start_all()
    engine.murder("feed")
    for _ in range(3):
        engine.supervisor.turn()
        if engine.state("feed") != STATE_RUNNING:
            assert engine.control.pause_names == ["supervisor"]
    engine.turn_until(lambda: engine.control.trading)
    assert engine.state("feed") == STATE_RUNNING
    engine.supervisor.stop()


def test_a_pause_of_somebody_else_outlives_the_restart(desk):
    engine = desk()
    engine.supervisor.start_all()
    engine.control.pause(1)
    engine.murder("feed")
    engine.turn_until(lambda: engine.control.pause_names == ["operator"])
    engine.supervisor.stop()


def test_a_dead_gateway_latches_and_is_started_again_to_clear_the_market(desk):
    engine = desk()
    engine.supervisor.start_all()
    engine.murder("gateway")
    assert [code for code, _ in engine.latched] == [KILL_GATEWAY_LOST]
    assert "signal 9" in engine.latched[0][1]
    engine.turn_until(lambda: engine.state("gateway") == STATE_RUNNING)
    assert not engine.control.trading
    engine.supervisor.stop()


def test_a_crash_loop_latches_and_is_not_restarted_for_ever(desk):
    engine = desk(quoter=dying)
    for name in ENGINE_PROCESSES:
        engine.supervisor.start(name)
    engine.turn_until(lambda: engine.latched)
    (code, text), = engine.latched
    assert code == KILL_CRASH_LOOP
    assert text == "4 processes died within a minute, last quoter (signal 9)"
    assert engine.supervisor.restarts["quoter"] == 3
    for _ in range(3):
        engine.supervisor.turn()
    assert "quoter" not in engine.supervisor.children
    assert engine.control.pause_names == ["supervisor"]  # a process is missing
    engine.supervisor.stop()


def test_old_deaths_do_not_count(desk):
    engine = desk()
    engine.supervisor.start_all()
    engine.supervisor.deaths.extend([time.monotonic() - 61.0] * 10)
    engine.murder("feed")
    assert engine.latched == []
    assert len(engine.supervisor.deaths) == 1
    engine.supervisor.stop()


def test_a_process_that_ends_while_starting_is_an_error_that_names_it(desk):
    def failing(house, name):
        return lambda: 7

    engine = desk(estimator=failing)
    with pytest.raises(RuntimeError, match="estimator ended with code 7 while starting"):
        engine.supervisor.start_all()


def test_a_process_that_does_not_come_up_is_an_error_that_names_it(desk, monkeypatch):
    def mute(house, name):
        return lambda: time.sleep(LIFE_S) or 0

    monkeypatch.setattr(supervising, "START_DEADLINE_S", 0.2)
    engine = desk(watchdog=mute)
    with pytest.raises(RuntimeError, match="watchdog did not come up"):
        engine.supervisor.start_all()


def test_a_child_that_ignores_the_request_is_killed_in_time(desk, monkeypatch):
    monkeypatch.setattr(supervising, "STOP_DEADLINE_S", 0.3)
    engine = desk(gateway=deaf, feed=deaf)
    engine.supervisor.start_all()
    start = time.monotonic()
    engine.supervisor.stop()
    assert 0.3 <= time.monotonic() - start < 3.0
    assert engine.supervisor.children == {}
    assert sorted(e.text for e in read_errors(engine.house)) == [
        "feed did not stop in time and was killed", "gateway did not stop in time and was killed"]
    assert engine.state("watchdog") == STATE_STOPPED


@pytest.mark.parametrize(("number", "interrupts"), [(signal.SIGTERM, 0), (signal.SIGINT, 1)])
def test_a_signal_asks_to_stop_and_wakes_the_supervisor(desk, number, interrupts):
    engine = desk()
    engine.supervisor.catch_signals()
    engine.supervisor.start_all()
    timer = threading.Timer(0.02, lambda: os.kill(os.getpid(), number))
    timer.start()
    engine.turn_until(lambda: engine.supervisor.asked_to_stop)
    timer.join()
    assert engine.supervisor.interrupts == interrupts
    assert set(engine.supervisor.children) == set(ENGINE_PROCESSES)  # nobody died of it
    engine.supervisor.stop()
    assert engine.latched == []


def test_a_second_interrupt_ends_the_waiting(desk, monkeypatch):
    monkeypatch.setattr(supervising, "STOP_DEADLINE_S", 10.0)
    engine = desk(gateway=deaf)
    engine.supervisor.catch_signals()
    engine.supervisor.start_all()
    os.kill(os.getpid(), signal.SIGINT)
    second = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    second.start()
    start = time.monotonic()
    engine.supervisor.stop()
    second.join()
    assert engine.supervisor.interrupts == 2
    assert time.monotonic() - start < 5.0
    assert engine.supervisor.children == {}


def test_a_signal_while_starting_ends_the_waiting(desk):
    def mute(house, name):
        return lambda: time.sleep(LIFE_S) or 0

    engine = desk(watchdog=mute)
    engine.supervisor.catch_signals()
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    timer.start()
    engine.supervisor.start_all()
    timer.join()
    assert engine.supervisor.asked_to_stop


def test_only_the_processes_that_clear_the_market_outlive_their_supervisor(desk, monkeypatch):
    asked = {}
    monkeypatch.setattr(supervising, "fork", lambda name, house, place, body, dies_with_parent: asked.update(
        {name: dies_with_parent}))
    engine = desk()
    for name in ENGINE_PROCESSES:
        engine.supervisor.start(name)
    engine.supervisor.children.clear()
    assert asked == {"feed": True, "estimator": True, "quoter": True, "gateway": False, "watchdog": False}


def test_an_engine_without_some_processes_still_runs(desk):
    engine = desk(quoter=None, watchdog=None)
    engine.supervisor.start_all()
    assert tuple(engine.supervisor.children) == ("feed", "estimator", "gateway")
    engine.supervisor.turn()
    assert engine.control.trading
    engine.supervisor.stop()
