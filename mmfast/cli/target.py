"""
Target: which engine a command is about, without reading a whole configuration.

In      --name, --state-dir, --config, and their environment variables.
Out     the engine's name, the folder of its state, its house.
Source  `mmfast kill` must work when the configuration does not.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmfast.cli.outcome import Exit, Refusal

if TYPE_CHECKING:
    from mmfast.rings.region import House

DEFAULT_ENGINE, DEFAULT_STATE_DIR = "main", "~/.local/state/mmfast"  # as in config/default.toml
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")  # as in config/engine.py: it is a part of file names


class Target(NamedTuple):
    """An engine's name and the folder where its latch and run file are."""

    engine: str
    folder: Path


def target(name: str | None, state_dir: Path | None, config: Path | None) -> Target:
    """
    The engine meant: an option, the environment, a configuration file, the default; in this order.

    Raises
    ------
    Refusal
        If the file cannot be used, or the name is none.
    """
    said = _engine_table(config)
    engine = name or os.environ.get("MMFAST_ENGINE__NAME") or said.get("name") or DEFAULT_ENGINE
    if not NAME.fullmatch(str(engine)):
        raise Refusal(Exit.USAGE, f"{str(engine)!r} is no name of an engine",
                      "a name has lower-case letters, digits and dashes, at most 31")
    state = state_dir or os.environ.get("MMFAST_ENGINE__STATE_DIR") or said.get("state_dir") or DEFAULT_STATE_DIR
    return Target(str(engine), Path(str(state)).expanduser() / str(engine))


def _engine_table(config: Path | None) -> dict[str, Any]:
    """The [engine] table of a file that need not be valid otherwise."""
    if config is None:
        return {}
    try:
        table = tomllib.loads(config.read_text("utf-8")).get("engine", {})
    except OSError as error:
        raise Refusal(Exit.CONFIG_INVALID, f"{config} cannot be read: {error.strerror}", "check the path") from None
    except ValueError as error:
        raise Refusal(Exit.CONFIG_INVALID, f"{config} is not TOML: {error}",
                      "correct it, or name the engine with --name") from None
    return table if isinstance(table, dict) else {}


def living(engine: str) -> House:
    """
    The house of a running engine, writable.

    Raises
    ------
    Refusal
        If none runs; a dead one is told from one that never was.
    """
    from mmfast.rings.segment import SegmentError
    from mmfast.runtime.attach import ABSENT, DEAD, attach, engine_state, engines

    state = engine_state(engine)
    if state == DEAD:
        raise Refusal(Exit.NOT_RUNNING, f"engine {engine!r} is dead{last_seen(engine)}; its shared memory is left",
                      f"look at it with: mmfast status --name {engine}; `mmfast start` clears it away")
    if state == ABSENT:
        others = [e for e in engines() if e != engine]
        remedy = f"engines here: {', '.join(others)}; choose one with --name" if others else "start one: mmfast start"
        raise Refusal(Exit.NOT_RUNNING, f"no engine named {engine!r} runs", remedy)
    try:
        return attach(engine, writable=True)
    except SegmentError as error:
        raise Refusal(Exit.NOT_RUNNING, str(error), "try again when it has started") from None


def last_seen(engine: str) -> str:
    """", last seen 3.2 s ago" by its supervisor's heartbeat; "" if nothing can be told."""
    import time

    from mmfast.rings.segment import SegmentError
    from mmfast.runtime.attach import attach
    from mmfast.runtime.snapshot import last_beat_ns

    try:
        newest = last_beat_ns(attach(engine).table("heartbeat"))
    except SegmentError:
        return ""
    return f", last seen {(time.monotonic_ns() - newest) / 1e9:.1f} s ago" if newest else ""
