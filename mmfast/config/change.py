"""
Change: another value for a parameter of the model while the engine runs.

In      the configuration in force, new values by dotted key.
Out     the configuration that is then in force, or ConfigError with all faults.
Source  the same layers, checks and relations as at the start; a change is one layer more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmfast.config.fault import ConfigError, Fault, unknown_key
from mmfast.config.layers import Layer, merge
from mmfast.config.load import checked
from mmfast.config.model import FIXED, Coin
from mmfast.config.root import EngineConfig, flatten

COMMAND = "this command"
CORES = 1 << 20  # the processes have their cores already
RESTART = "write it into your file and start the engine again"


def changed(in_force: Mapping[str, Any], changes: Mapping[str, Any], origin: str = COMMAND) -> EngineConfig:
    """
    The configuration ``in_force`` (tables of plain values) with ``changes`` by dotted key.

    A key of [model] goes to every coin, one of [coins.NAME] to that coin.

    Raises
    ------
    ConfigError
        With every fault: a key that is unknown, or fixed while the engine runs, or whose value is refused.
    """
    names = list(in_force["engine"]["coins"])
    faults = [fault for key, value in changes.items() if (fault := refused(key, value, origin, names))]
    if faults:
        raise ConfigError(faults)
    merged = merge([Layer("in force", flatten(in_force)), Layer(origin, dict(changes))], names)
    config, faults = checked(merged, names, CORES)
    if faults or config is None:
        raise ConfigError(faults)
    return config


def refused(key: str, value: Any, origin: str, names: list[str]) -> Fault | None:
    """Why ``key`` cannot be changed while the engine runs; None if it can."""
    table, _, name = key.rpartition(".")
    if table.startswith("coins.") and table.removeprefix("coins.") not in names:
        return Fault(key, value, origin, f"{table.removeprefix('coins.')} is not traded by this engine",
                     f"coins of this engine: {', '.join(names)}")
    if table != "model" and not table.startswith("coins."):
        if not table and name in Coin.model_fields:
            return Fault(key, value, origin, "does not say for which coins",
                         f"write model.{name} for all coins, or coins.{names[0]}.{name} for one")
        return Fault(key, value, origin, "is fixed while the engine runs: only parameters of the model change", RESTART)
    if name not in Coin.model_fields:
        return unknown_key(key, value, origin, Coin.model_fields)
    if name in FIXED:
        return Fault(key, value, origin, f"is fixed while the engine runs: {FIXED[name]}", RESTART)
    return None


def is_live(name: str) -> bool:
    """Whether the key ``name`` of a coin may be changed while the engine runs."""
    return name in Coin.model_fields and name not in FIXED
