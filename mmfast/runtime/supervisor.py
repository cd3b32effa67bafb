"""
The supervisor: starts processes in order, watches them, restarts the ones that may be, stops in reverse.

In      a body for each process, a warm interpreter.
Out     running children; a latch when something dies that trading cannot do without.
Source  Erlang's restart intensity: more than a few deaths in a minute means that restarting does not help.

A dead feed, estimator or quoter is restarted and quoting pauses meanwhile. A dead gateway latches the kill
switch: the watchdog cancels with its own wallet. A dead watchdog makes the gateway pull its quotes by itself.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from mmfast.records.control import (
    KILL_CRASH_LOOP,
    KILL_GATEWAY_LOST,
    PAUSE_SUPERVISOR,
    STATE_RUNNING,
    STATE_STOPPED,
)
from mmfast.rings.region import House
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import ErrorLog
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.process import Child, Placement, fork, reap
from mmfast.runtime.wake import SLEEP
from mmfast.topology import ENGINE_PROCESSES

RESTARTS_PER_MINUTE = 3
START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 5.0
TURN_MS = 50
# Processes that must outlive the supervisor long enough to clear the market.
CLEARERS = ("gateway", "watchdog")


class Supervisor:
    """Owns the children of one run. ``asked_to_stop`` becomes true on SIGINT or SIGTERM."""

    def __init__(self, house: House, bodies: dict[str, Callable[[], int]], placements: dict[str, Placement],
                 latch: Callable[[int, str], None]) -> None:
        self.house = house
        self.bodies = bodies
        self.placements = placements
        self.latch = latch
        self.children: dict[str, Child] = {}
        self.deaths: deque[float] = deque()
        self.asked_to_stop = False
        self.interrupts = 0
        self.restarts: dict[str, int] = dict.fromkeys(bodies, 0)
        self.control = Control(house)
        self._heart = Heart(house, "supervisor")
        self._heart.describe(-1, SLEEP)
        self._counters = Counters(house, "supervisor")
        self.errors = ErrorLog(house, "supervisor")
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def catch_signals(self) -> None:
        """From now on SIGINT and SIGTERM ask to stop; a second SIGINT kills the children at once."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self.asked_to_stop = True
        if number == signal.SIGINT:
            self.interrupts += 1

    def start(self, name: str) -> None:
        """Start one process."""
        self.children[name] = fork(name, self.house, self.placements[name], self.bodies[name],
                                   dies_with_parent=name not in CLEARERS)

    def start_all(self) -> None:
        """
        Start every process in order and wait until each says that it runs.

        Raises
        ------
        RuntimeError
            If one ends or does not come up in time; the message names it.
        """
        for name in ENGINE_PROCESSES:
            if name in self.bodies:
                self.start(name)
        deadline = time.monotonic() + START_DEADLINE_S
        waiting = set(self.children)
        while waiting and not self.asked_to_stop:
            waiting = {n for n in waiting if Heart(self.house, n).state != STATE_RUNNING}
            for name in self._ended(TURN_MS):
                raise RuntimeError(f"{name} ended with code {self._bury(name)} while starting")
            if waiting and time.monotonic() > deadline:
                raise RuntimeError(f"{', '.join(sorted(waiting))} did not come up in {START_DEADLINE_S:.0f} s")
        self._heart.enter(STATE_RUNNING)

    def turn(self) -> None:
        """Wait a moment for deaths or signals, and deal with what happened."""
        for name in self._ended(TURN_MS):
            self._on_death(name, self._bury(name))
        self._heart.beat()
        if all(n in self.children and Heart(self.house, n).state == STATE_RUNNING for n in self.bodies):
            self.control.resume(PAUSE_SUPERVISOR)

    def stop(self) -> None:
        """Ask every process to end, collect them in reverse order of starting, kill what does not end in time."""
        self.control.ask_stop()
        deadline = time.monotonic() + STOP_DEADLINE_S
        for name in reversed(ENGINE_PROCESSES):
            while name in self.children and time.monotonic() < deadline and self.interrupts < 2:
                for ended in self._ended(20):
                    self._bury(ended)
            if name in self.children:
                self.errors.record(f"{name} did not stop in time and was killed")
                self.kill(name)
        self._heart.enter(STATE_STOPPED)

    def kill(self, name: str) -> None:
        """SIGKILL one process and collect it."""
        with suppress(ProcessLookupError):
            os.kill(self.children[name].pid, signal.SIGKILL)
        self._bury(name)

    def _ended(self, timeout_ms: int) -> list[str]:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        names = {child.pidfd: name for name, child in self.children.items()}
        for descriptor in names:
            poll.register(descriptor, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll(timeout_ms)]
        if self._wake_read in ready:
            with suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
        return [names[d] for d in ready if d in names]

    def _bury(self, name: str) -> int:
        return reap(self.children.pop(name))

    def _on_death(self, name: str, code: int) -> None:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.errors.record(f"{name} died ({how})")
        self.control.pause(PAUSE_SUPERVISOR)
        if name == "gateway":
            self.latch(KILL_GATEWAY_LOST, f"the order gateway died ({how})")
        now = time.monotonic()
        self.deaths.append(now)
        while self.deaths and now - self.deaths[0] > 60.0:
            self.deaths.popleft()
        if len(self.deaths) > RESTARTS_PER_MINUTE:
            self.latch(KILL_CRASH_LOOP, f"{len(self.deaths)} processes died within a minute, last {name} ({how})")
            return
        self.restarts[name] += 1
        self._counters.add("restart_count")
        Heart(self.house, name).count_restart()
        self.start(name)
