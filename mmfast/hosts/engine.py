"""
The engine: one run from the first check to the last confirmation.

In      a configuration, a venue, an account's keys.
Out     running processes until told to stop; then pulled quotes, confirmed at the venue, and an exit code.
Source  start in order, stop in reverse; a segment is ready when its ready word is written, last.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from mmfast.config import EngineConfig
from mmfast.feed import stage as feed_stage
from mmfast.gateway import stage as gateway_stage
from mmfast.hosts import estimator, quoter
from mmfast.hosts.fused import FusedHost
from mmfast.hosts.instruments import (
    Listed,
    fetch_listed,
    fetch_open_orders,
    fetch_positions,
    instrument_table,
)
from mmfast.hosts.keys import Keys
from mmfast.records.control import KILL_NAMES, PAUSE_STOPPING, STATE_RUNNING
from mmfast.records.order import LIVE_STATES
from mmfast.rings.region import House
from mmfast.rings.segment import clear_dead, owner_lives
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.latch import Latch
from mmfast.runtime.parameters import parameters, write_in_force
from mmfast.runtime.process import Placement
from mmfast.runtime.rest import TIMEOUT_S
from mmfast.runtime.snapshot import RUN_FILE, read_run
from mmfast.runtime.supervisor import Supervisor
from mmfast.runtime.wake import IDLE_NAMES, loop_descriptor
from mmfast.topology import ENGINE_PROCESSES, house_name, regions
from mmfast.units import NS_PER_MS, NS_PER_S
from mmfast.watchdog import stage as watchdog_stage

EXIT_OK, EXIT_FAILURE, EXIT_CONFIG, EXIT_LATCHED, EXIT_INCOMPLETE = 0, 1, 4, 7, 8
HURRIED_S = 1.0  # how long a venue is waited for by someone who has interrupted twice


class Venue(NamedTuple):
    """
    Where the engine trades. ``lost`` says why the venue is gone for good, None while it is there.

    ``name`` is what run file and report say: a venue of that name, or one that it is traded on paper.
    """

    http_url: str
    ws_url: str
    mainnet: bool
    lost: Callable[[], str | None]
    name: str = "local"


class StartRefused(RuntimeError):
    """The engine may not start; the message names what is in the way and the remedy."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILURE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def check_alone(config: EngineConfig) -> str | None:
    """
    Make sure that no other engine of this name runs; clear away what a dead one left.

    Returns a sentence about what was cleared away, None if there was nothing.

    Raises
    ------
    StartRefused
        If an engine of this name runs, if the kill switch is latched, or if the latch could not be written.
    """
    name = config.engine.name
    try:
        config.state_path.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_latch(config)
        Latch(config.state_path).prepare()
    except OSError as error:
        raise StartRefused(f"the state folder {config.state_path} cannot be written ({error.strerror}): the kill "
                           "switch needs it; make room, or choose another engine.state_dir", EXIT_CONFIG) from error
    lives = owner_lives(house_name(name))
    if lives:
        raise StartRefused(f"an engine named {name!r} runs already: `mmfast status` shows it, `mmfast stop` ends it, "
                           f"or start another one with --name")
    if lives is None:
        return None
    clear_dead(house_name(name))
    run = read_run(config.state_path) or {}
    return f"cleared the shared memory of run {run.get('run_id', 'unknown')} (pid {run.get('pid', '?')}), which died"


def check_latch(config: EngineConfig) -> None:
    """
    Make sure that trading is allowed.

    Raises
    ------
    StartRefused
        If the kill switch is latched.
    """
    name, latched = config.engine.name, Latch(config.state_path).read()
    if latched is not None:
        raise StartRefused(f"the kill switch of engine {name!r} is latched ({latched.reason}): {latched.text}. "
                           f"Take it back with: mmfast kill --clear --reason WHY --name {name}", EXIT_LATCHED)


def _confined(name: str, keys: Keys, body: Callable[[], int]) -> int:
    keys.keep_only(name)
    return body()


class Engine:
    """One run: the house, the supervisor and what is known at the start."""

    def __init__(self, config: EngineConfig, venue: Venue, keys: Keys) -> None:
        self.config, self.venue, self.keys = config, venue, keys
        self.coins = list(config.engine.coins)
        self.started_ms = time.time_ns() // NS_PER_MS
        self.run_id = f"{time.strftime('%y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        self.listed: list[Listed] = fetch_listed(venue.http_url, self.coins)
        self.start_positions = fetch_positions(venue.http_url, keys.account, self.listed)
        self.house = House.create(house_name(config.engine.name), self.run_id, regions(len(self.coins)))
        try:
            self._furnish()
            check_latch(config)  # again: from here on a kill finds the control word, but one may have come before
        except BaseException as error:
            self.house.segment.unlink()
            if isinstance(error, ValueError):
                raise StartRefused(str(error), EXIT_CONFIG) from error
            if isinstance(error, OSError):
                raise StartRefused(str(error), EXIT_FAILURE) from error
            raise
        self.supervisor = Supervisor(self.house, self._bodies(), self._placements(), self._latch)
        self.supervisor.catch_signals()
        self.ready_ns = 0

    def _furnish(self) -> None:
        """Write the records that every process reads when it starts; the ready word comes last."""
        table = instrument_table(self.listed)
        self.house.table("instrument")[:] = table
        ledgers = self.house.cells("ledger")
        cells = self.house.cells("parameters")
        for inst, coin in enumerate(self.listed):
            cells[inst] = parameters(self.config, coin.name, sz_decimals=coin.sz_decimals, mark_px=coin.mark_px,
                                     max_leverage=coin.max_leverage)[()]
            mark = int(table[inst]["start_mark_ticks"])
            for field, value in (("position_lots", self.start_positions[inst]),
                                 ("start_position_lots", self.start_positions[inst]),
                                 ("mark_ticks", mark), ("start_mark_ticks", mark)):
                ledgers[inst][field] = value
        self.house.ready()
        run = {"run_id": self.run_id, "pid": os.getpid(), "coins": self.coins, "venue": self.venue.name,
               "url": self.venue.http_url, "account": self.keys.account, "started_ns": time.time_ns(),
               "config_hash": self.config.hash}
        (self.config.state_path / RUN_FILE).write_text(json.dumps(run))
        write_in_force(self.config.state_path, self.config)

    def _placements(self) -> dict[str, Placement]:
        places = self.config.host.places
        return {name: Placement(places[name].core, IDLE_NAMES.index(places[name].idle)) for name in ENGINE_PROCESSES}

    def _bodies(self) -> dict[str, Callable[[], int]]:
        house, config, places, url = self.house, self.config, self._placements(), self.venue.ws_url
        keys, mainnet = self.keys, self.venue.mainnet
        bell = loop_descriptor()  # made before the first fork: the quoter rings it, the gateway sleeps on it
        gateway = partial(gateway_stage.main, house, config, places["gateway"], url, self.run_id, self.started_ms, bell,
                          keys.account)
        watchdog = partial(watchdog_stage.main, house, config, places["watchdog"], url, keys.account)
        bodies: dict[str, Callable[[], int]] = {
            "feed": lambda: feed_stage.main(house, config, places["feed"], url),
            "estimator": lambda: estimator.main(house, places["estimator"]),
            "quoter": lambda: quoter.main(house, places["quoter"]),
            "gateway": lambda: gateway(keys.gateway.take(), mainnet),
            "watchdog": lambda: watchdog(keys.watchdog.take(), mainnet),
        }
        if config.host.fused:
            fused = partial(gateway, mainnet=mainnet, stage=FusedHost)
            bodies = {"gateway": lambda: fused(keys.gateway.take()), "watchdog": bodies["watchdog"]}
        return {name: partial(_confined, name, keys, body) for name, body in bodies.items()}

    def _latch(self, code: int, reason: str) -> None:
        if self.supervisor.control.kill(code) and (
                problem := Latch(self.config.state_path).keep(code, reason, "supervisor")):
            self.supervisor.errors.record(problem)

    def start(self) -> None:
        """Start every process; returns when all of them run."""
        self.supervisor.start_all()
        self.ready_ns = time.monotonic_ns()

    def serve(self, run_for_s: float | None, on_turn: Callable[[], None]) -> str:
        """Supervise until told to stop, until the time is up, or until there is nothing left to do; says why."""
        end_ns = self.ready_ns + int(run_for_s * NS_PER_S) if run_for_s else None
        while True:
            self.supervisor.turn()
            on_turn()
            lost = self.venue.lost()
            if self.supervisor.asked_to_stop:
                return "asked to stop"
            if end_ns is not None and time.monotonic_ns() >= end_ns:
                return f"ran for {run_for_s:g} s"
            if lost is not None:
                return lost
            if self.supervisor.control.flattening and self._flat():
                return "flat"

    def _flat(self) -> bool:
        """Nothing is held, and nothing rests that could be filled."""
        return self.live_orders() == 0 and not self.house.cells("ledger")["position_lots"].any()

    def live_orders(self) -> int:
        """Orders of ours that may rest at the venue, by the shared order table."""
        states = self.house.cells("order")["state"]
        return int(sum((states == state).sum() for state in LIVE_STATES))

    def pull(self) -> bool:
        """Have the quotes pulled; True when the gateway knows of no order that may rest."""
        control = self.supervisor.control
        control.pause(PAUSE_STOPPING)
        deadline = time.monotonic() + self.config.gateway.stop_cancel_s
        while time.monotonic() < deadline and self.supervisor.interrupts < 2:
            self.supervisor.turn()
            if self.live_orders() == 0 and Heart(self.house, "gateway").state == STATE_RUNNING:
                return True
        return self.live_orders() == 0

    def resting_at_venue(self, deadline_s: float = 3.0) -> int:
        """Orders of ours that the venue itself shows, asked until there are none or time is up; -1 if it cannot say."""
        deadline = time.monotonic() + deadline_s
        while True:
            timeout_s = TIMEOUT_S if self.supervisor.interrupts < 2 else HURRIED_S
            try:
                count = sum(1 for o in fetch_open_orders(self.venue.http_url, self.keys.account, timeout_s)
                            if o["coin"] in self.coins)
            except (OSError, ValueError, KeyError):
                count = -1
            if count == 0 or time.monotonic() > deadline:
                return count
            time.sleep(0.1)

    def stop(self) -> tuple[int, int]:
        """Pull, confirm at the venue, end every process; the exit code of the run and the orders left resting."""
        self.pull()
        resting = self.resting_at_venue()
        if resting == 0:
            self.supervisor.control.mark_clear()
        self.supervisor.stop()
        if resting == 0:
            return (EXIT_LATCHED if self.supervisor.control.kill_reason else EXIT_OK), resting
        return EXIT_INCOMPLETE, resting

    def kill_text(self) -> str:
        """Why the kill switch is latched, empty if it is not."""
        reason = self.supervisor.control.kill_reason
        return KILL_NAMES[reason] if reason else ""

    def close(self) -> None:
        """Remove the shared memory: the run is over."""
        for name in list(self.supervisor.children):
            self.supervisor.kill(name)
        self.house.segment.unlink()
