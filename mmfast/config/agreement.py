"""
Agreement: before real orders, the user's own file must say itself what is at stake.

In      the configuration in force and the user's file.
Out     faults: what the file does not state, and what it states otherwise than what is in force.
Source  a limit that somebody else chose is no limit; neither is one that a variable changed since it was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmfast.config.fault import Fault
from mmfast.config.layers import read_file
from mmfast.config.risk import Risk
from mmfast.config.root import EngineConfig

TO_STATE = ("venue.kind", "venue.live", "venue.account_address", "venue.gateway_key_file", "venue.watchdog_key_file",
            "engine.coins", *(f"risk.{name}" for name in Risk.model_fields))


def disagreements(config: EngineConfig, file: Path | None) -> list[Fault]:
    """Everything that keeps the configuration from agreeing to real orders; empty if it agrees."""
    if file is None:
        return [Fault("--config", None, "", "real orders need a file of your own",
                      f"write one that states {', '.join(TO_STATE)}")]
    layer, faults = read_file(file, str(file))
    return [*faults, *_missing(config, layer.values, str(file))]


def _missing(config: EngineConfig, stated: dict[str, Any], file: str) -> Iterator[Fault]:
    in_force = config.flat()
    for key in TO_STATE:
        name = key.rpartition(".")[2]
        if key not in stated:
            yield Fault(key, None, "", "real orders need it in your own file", f"state {name} in {file}")
        elif _plain(stated[key]) != _plain(in_force[key]):
            yield Fault(key, _plain(in_force[key]), config.origins.get(key, ""), f"{file} says {stated[key]!r}",
                        "let both say the same")
    if not config.venue.live and "venue.live" in stated:
        yield Fault("venue.live", False, config.origins.get("venue.live", ""), "real orders need true",
                    "set it to true, or start with --paper")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
