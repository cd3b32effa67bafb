"""
The engine itself on the timing venue: its own processes, its own configuration, one coin.

In      the venue's sockets; a host: shared, fused or isolated.
Out     for each tick, by the engine's own stamps: when it was received, decoded, believed, quoted, ... , written.
Source  an order carries the times of the whole way that led to it (records/order.py).
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from socket import socket
from typing import Any

import numpy as np

from mmfast.config import EngineConfig, load
from mmfast.config.engine import HOST_PROCESSES
from mmfast.hosts.engine import Engine, Venue, check_alone
from mmfast.hosts.keys import Keys
from mmfast.runtime.catalog import STAGE_NAMES
from mmfast.topology import house_name
from mmfast.venues.hyperliquid.signing import address_of
from perf.pipeline.venue import CLOID, COIN, DONE, Board

STAMPS = ("ts_recv_ns", "ts_decoded_ns", "ts_belief_ns", "ts_quote_ns", "ts_diffed_ns", "ts_signed_ns", "ts_written_ns")
PIPELINE = HOST_PROCESSES[:4]
LIMIT_S = 600.0
# A coin as jumpy as this venue's: with the volatility of a quiet one the engine does not believe the jumps, and waits.
MODEL = {"model.sigma_ref_bps": 4.0}

assert len(STAMPS) == len(STAGE_NAMES) + 1


def cores_needed(host: str) -> int:
    """How many cores a host needs on top of the venue's; a host that sleeps needs one."""
    return {"shared": 1, "fused": 1, "isolated": len(HOST_PROCESSES)}[host]


def places(host: str, cores: list[int]) -> dict[str, int]:
    """Cores of the processes, by dotted key, so that none is the venue's."""
    if host == "fused":
        return {f"host.{name}.core": cores[0] if cores else -1 for name in PIPELINE}
    if host == "isolated":
        return {f"host.{name}.core": core for name, core in zip(HOST_PROCESSES, cores)}
    return {}


def configuration(host: str, name: str, state: str, cores: list[int]) -> EngineConfig:
    """The shipped configuration, but for where things run and how much the coin moves."""
    overrides: dict[str, Any] = {"engine.name": name, "engine.state_dir": state, **MODEL, **places(host, cores)}
    return load("local", coins=[COIN], host=host, environ={}, overrides=overrides, core_count=os.cpu_count())


class Recorder:
    """Collects the stamps of timed orders while their slots are theirs."""

    def __init__(self, engine: Engine, board: Board) -> None:
        self.board, self.cells, self.rows = board, engine.house.cells("order"), np.zeros((0, len(STAMPS)), np.int64)

    def turn(self) -> None:
        """Read the stamps of orders that the venue has timed since the last call."""
        fresh = self.board.samples[len(self.rows) :, CLOID].copy()
        if not len(fresh):
            return
        slots = self.cells[fresh & 0xFFFF]
        known = slots["cloid_lo"] == fresh
        row = np.column_stack([np.where(known, slots[stamp], 0) for stamp in STAMPS])
        self.rows = np.concatenate([self.rows, row])


def run(host: str, name: str, cores: list[int], board: Board, ws: socket, http: socket) -> Any:
    """Body of a process: trade until the venue is done; returns the stamps, one row for each timed tick."""
    with tempfile.TemporaryDirectory() as state:
        return trade(configuration(host, name, state, cores), board, ws, http)


def trade(config: EngineConfig, board: Board, ws: socket, http: socket) -> Any:
    """Start, trade, stop."""
    account, gateway, watchdog = (bytearray(secrets.token_bytes(32)) for _ in range(3))
    at = [f"127.0.0.1:{end.getsockname()[1]}" for end in (http, ws)]
    venue = Venue(f"http://{at[0]}", f"ws://{at[1]}/ws", False, lambda: "done" if board.phase == DONE else None)
    check_alone(config)
    engine = Engine(config, venue, Keys(address_of(account), gateway, watchdog))
    recorder = Recorder(engine, board)
    try:
        engine.start()
        why = engine.serve(LIMIT_S, recorder.turn)
        recorder.turn()
        engine.stop()
    finally:
        engine.close()
    if why != "done":
        raise RuntimeError(f"the engine ended early: {why} {engine.kill_text()}")
    return recorder.rows


def warm() -> None:
    """Compile or load every kernel, before forking."""
    from mmfast.hosts.warm import steps
    from mmfast.runtime.warmup import warm as run_steps

    plan, done = steps()
    run_steps(plan, lambda name, index, count: None)
    done()


def clear(name: str) -> None:
    """Remove the shared memory of an engine that was killed."""
    (Path("/dev/shm") / house_name(name).lstrip("/")).unlink(missing_ok=True)
