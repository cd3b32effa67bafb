"""
Status: one look, or a look every second.

In      an engine's name and folder.
Out     JSON on standard output, or tables; exit code 0 runs, 3 does not, 7 is latched.
Source  runtime/snapshot.py; a dead engine is said to be dead, with the age of its last sign of life.
"""

from __future__ import annotations

import json
import sys
import time

from mmfast.cli.outcome import Exit, tell
from mmfast.cli.target import Target
from mmfast.runtime.attach import RUNNING, STARTING
from mmfast.runtime.holdings import Row
from mmfast.runtime.snapshot import Monitor

INTERVAL_S = 1.0


def status(target: Target, as_json: bool, watch: bool) -> Exit:
    """Show the engine once, or until it is gone."""
    monitor = Monitor(target.engine, target.folder)
    looks = monitor.snapshot()
    if not watch:
        show(looks, as_json)
        return outcome(looks)
    return _watch(monitor, looks, as_json)


def outcome(snapshot: Row) -> Exit:
    """Exit code that says what was seen; an engine that does not run counts before a latch."""
    if snapshot["state"] not in (RUNNING, STARTING):
        return Exit.NOT_RUNNING
    killed = snapshot["latch"] or snapshot.get("control", {}).get("kill")
    return Exit.KILL_LATCHED if killed else Exit.OK


def show(snapshot: Row, as_json: bool) -> None:
    """Print one look."""
    if as_json:
        tell(json.dumps(snapshot, allow_nan=False))
        return
    from rich.console import Console

    from mmfast.cli.view import view

    Console(highlight=False, width=None if sys.stdout.isatty() else 140).print(view(snapshot))


def _watch(monitor: Monitor, snapshot: Row, as_json: bool) -> Exit:
    if as_json or not sys.stdout.isatty():
        while outcome(snapshot) != Exit.NOT_RUNNING:
            show(snapshot, as_json)
            time.sleep(INTERVAL_S)
            snapshot = monitor.snapshot()
        show(snapshot, as_json)
        return Exit.NOT_RUNNING
    from rich.live import Live

    from mmfast.cli.view import view

    with Live(view(snapshot), screen=True, auto_refresh=False) as live:
        while outcome(snapshot) != Exit.NOT_RUNNING:
            time.sleep(INTERVAL_S)
            snapshot = monitor.snapshot()
            live.update(view(snapshot), refresh=True)
    show(snapshot, as_json)
    return Exit.NOT_RUNNING
