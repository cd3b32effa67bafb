"""
Configuration by hand: `config check` and `config show`.

In      the options that `start` takes for its configuration.
Out     all faults, or every value with its origin.
Source  one loader for every verb: what is shown is what would run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmfast.cli.outcome import Exit, say, tell
from mmfast.config.fault import ConfigError, Fault
from mmfast.config.load import load
from mmfast.config.root import EngineConfig


class Asked(NamedTuple):
    """What the command line says about the configuration; ``assignments`` are SECTION.KEY=VALUE."""

    file: Path | None = None
    venue: str | None = None
    coins: str | None = None
    host: str | None = None
    assignments: Sequence[str] = ()


def check(asked: Asked, as_json: bool) -> Exit:
    """Exit 0 if the configuration is valid, 4 with every fault if it is not."""
    config, faults = read(asked)
    if as_json:
        tell(json.dumps({"ok": not faults, "hash": config.hash if config else None,
                         "faults": [{**f._asdict(), "value": _plain(f.value)} for f in faults]}))
    elif config is not None:
        say(f"configuration {config.hash} is valid: {config.venue.kind}, {', '.join(config.coins)}")
    else:
        say(str(ConfigError(faults)))
    return Exit.CONFIG_INVALID if faults else Exit.OK


def show(asked: Asked, as_json: bool) -> Exit:
    """Every value by dotted key, with its origin."""
    config, faults = read(asked)
    if config is None:
        say(str(ConfigError(faults)))
        return Exit.CONFIG_INVALID
    values = config.flat()
    if as_json:
        rows = {key: {"value": _plain(value), "origin": config.origins[key]} for key, value in values.items()}
        tell(json.dumps({"hash": config.hash, "values": rows}))
        return Exit.OK
    left, middle = max(map(len, values)), max(len(_text(v)) for v in values.values())
    for key, value in values.items():
        tell(f"{key:<{left}}  {_text(value):<{middle}}  {config.origins[key]}")
    say(f"hash {config.hash}")
    return Exit.OK


def read(asked: Asked) -> tuple[EngineConfig | None, tuple[Fault, ...]]:
    """The configuration, or None and its faults."""
    overrides: dict[str, Any] = {}
    malformed = []
    for text in asked.assignments:
        key, sign, value = text.partition("=")
        if sign and key.strip():
            overrides[key.strip()] = value.strip()
        else:
            problem, remedy = "is no assignment", "write SECTION.KEY=VALUE"
            malformed.append(Fault("--set", text, "command line", problem, remedy))
    names = [c.strip() for c in asked.coins.split(",") if c.strip()] if asked.coins else None
    try:
        config = load(asked.venue, file=asked.file, coins=names, host=asked.host, overrides=overrides)
    except ConfigError as error:
        return None, (*malformed, *error.faults)
    return (None, tuple(malformed)) if malformed else (config, ())


def _text(value: Any) -> str:
    return json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    """A value as JSON can have it: tuples as lists, what it does not know as text."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        return str(value)
