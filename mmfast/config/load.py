"""
Load: every layer read, every value checked, every fault told at once.

In      a venue, coins, a host, a file, an environment, overrides: all optional.
Out     EngineConfig, or ConfigError with all faults.
Source  default < venue < markets < host < file of the user < environment < command line.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mmfast.config.engine import HOST_PROCESSES
from mmfast.config.fault import ConfigError, Fault, closest, faults_of, unknown_key
from mmfast.config.layers import Layer, Merged, chosen, merge, nest, read_environment, read_file, text_value
from mmfast.config.model import Coin, Model
from mmfast.config.relation import breaches
from mmfast.config.root import EngineConfig
from mmfast.config.section import Section

COMMAND_LINE = "command line"
SHIPPED = Path(__file__).parents[2] / "config"


def config_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the shipped files: ``$MMFAST_CONFIG_DIR``, or ``config`` beside the package."""
    return Path(environ.get("MMFAST_CONFIG_DIR") or SHIPPED)


def load(venue: str | None = None, *, file: Path | None = None, coins: Sequence[str] | None = None,
         host: str | None = None, overrides: Mapping[str, Any] | None = None,
         environ: Mapping[str, str] = os.environ, folder: Path | None = None,
         core_count: int | None = None) -> EngineConfig:
    """
    The configuration of a run; ``file`` is the user's own.

    ``overrides`` maps dotted keys ("risk.max_loss_usd") to values; text is read as it would be in TOML.
    ``core_count`` is by default the number of cores this process may use.

    Raises
    ------
    ConfigError
        With every fault: unknown keys, missing limits, wrong units, NaN, negative values, broken relations.
    """
    folder = folder or config_folder(environ)
    cores = core_count or len(os.sched_getaffinity(0))
    flags = {"venue.kind": venue, "engine.coins": list(coins) if coins else None, "engine.host": host}
    typed = {**(overrides or {}), **{k: v for k, v in flags.items() if v is not None}}
    values = {k: text_value(k, v) if isinstance(v, str) else _plain(v) for k, v in typed.items()}
    layers, names, faults = _layers(folder, file, environ, Layer(COMMAND_LINE, values), cores)
    config, found = checked(merge(layers, names), names, cores)
    faults += found
    if faults or config is None:
        raise ConfigError(faults)
    return config


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _layers(folder: Path, file: Path | None, environ: Mapping[str, str], command_line: Layer,
            cores: int) -> tuple[list[Layer], list[str], list[Fault]]:
    default, faults = read_file(folder / "default.toml", _shown(folder, "default.toml"))
    user, found = read_file(file, str(file)) if file else (Layer("", {}), [])
    faults += found
    variables, found = read_environment(environ, shipped(folder, "markets"))
    faults += found
    above = [default, user, variables, command_line]
    middle, found = _files(folder, above, cores)
    faults += found
    names = _traded(above)
    markets, names, found = _markets(folder, names, above)
    faults += found
    return [default, middle[0], *markets, middle[1], user, variables, command_line], names, faults


def _files(folder: Path, layers: Iterable[Layer], cores: int) -> tuple[list[Layer], list[Fault]]:
    """The files of the venue and of the host; a wrong name is told by validation, the local one stands in."""
    kind = chosen(layers, "venue.kind")
    host = chosen(layers, "engine.host")
    if host == "auto":
        host = "shared" if cores < len(HOST_PROCESSES) + 1 else "isolated"
    pairs = (("venues", kind, "local"), ("hosts", host, "shared"))
    read = []
    faults: list[Fault] = []
    for kind_folder, name, fallback in pairs:
        known = shipped(folder, kind_folder)
        path = f"{kind_folder}/{name if name in known else fallback}.toml"
        layer, found = read_file(folder / path, _shown(folder, path))
        read.append(layer)
        faults += found
    return read, faults


def _traded(layers: Iterable[Layer]) -> list[str]:
    names = chosen(layers, "engine.coins")
    return list(dict.fromkeys(n for n in names if isinstance(n, str))) if isinstance(names, list) else []


def _markets(folder: Path, names: list[str], layers: list[Layer]) -> tuple[list[Layer], list[str], list[Fault]]:
    """The file of each coin; a coin without one must be stated whole by the user."""
    known = shipped(folder, "markets")
    stated = {k.split(".")[1] for layer in layers for k in layer.values if k.startswith("coins.") and k.count(".") > 1}
    read, found, faults = [], [], []
    for name in names:
        path = f"markets/{name}.toml"
        if name in known:
            layer, problems = read_file(folder / path, _shown(folder, path), f"coins.{name}.")
            read.append(layer)
            faults += problems
        elif name not in stated:
            meant = closest(name, known)
            hint = f"did you mean {meant}? " if meant else ""
            remedy = f"{hint}Known: {', '.join(sorted(known))}; or state [coins.{name}] in your own file"
            origin = _origin(layers, "engine.coins")
            faults.append(Fault("engine.coins", name, origin, f"no file {_shown(folder, path)}", remedy))
            continue
        found.append(name)
    return read, found, faults


def _origin(layers: Iterable[Layer], key: str) -> str:
    return next((x.origins.get(key, x.origin) for x in reversed(list(layers)) if key in x.values), "")


def shipped(folder: Path, kind: str) -> list[str]:
    """Names that have a file in a sub-folder of the configuration: venues, markets or hosts."""
    return sorted(path.stem for path in (folder / kind).glob("*.toml"))


def _shown(folder: Path, path: str) -> str:
    return f"{folder.name}/{path}"


def checked(merged: Merged, names: list[str], cores: int) -> tuple[EngineConfig | None, list[Fault]]:
    """The configuration that merged layers make, or every fault of them."""
    tree, faults = nest(merged.values, merged.origins)
    known: dict[str, Any] = {"core_count": cores}
    tables = tree.pop("coins", {})
    for name, field in EngineConfig.model_fields.items():
        if name != "coins":
            section: Any = field.annotation
            known[name], found = _section(name, section, tree.pop(name, {}), merged)
            faults += found
    faults += [unknown_key(k, None, _first_origin(k, merged), EngineConfig.model_fields) for k in tree]
    known["coins"], found = _coins(tables, names, merged)
    faults += found
    for breach in breaches(known):
        value = merged.values.get(breach.key)
        faults.append(Fault(breach.key, value, merged.origins.get(breach.key, ""), breach.problem, breach.remedy))
    if faults:
        return None, faults
    config = EngineConfig(**{name: known[name] for name in EngineConfig.model_fields})
    config._origins = {key: merged.origins[key] for key in config.flat() if key in merged.origins}
    return config, []


def _first_origin(table: str, merged: Merged) -> str:
    return next((o for k, o in merged.origins.items() if k.split(".")[0] == table), "")


def _section(name: str, section: type[Section], table: Any, merged: Merged) -> tuple[Section | None, list[Fault]]:
    try:
        return section.model_validate(table), []
    except ValidationError as error:
        return None, faults_of(error, name, section, merged.origins)


def _coins(tables: dict[str, Any], names: list[str], merged: Merged) -> tuple[dict[str, Section], list[Fault]]:
    """Each traded coin, whole; what it has from [model] is not blamed twice; other coins' keys are looked at too."""
    coins: dict[str, Section] = {}
    faults: list[Fault] = []
    for name in names:
        coin, found = _section(f"coins.{name}", Coin, tables.get(name, {}), merged)
        if coin is not None:
            coins[name] = coin
        faults += [f for f in found if f.key not in merged.inherited and not _missing_in_model(f)]
    for name in tables.keys() - set(names):
        same = [n for n in names if n.lower() == name.lower()]
        if same:
            faults.append(unknown_key(f"coins.{name}", None, _origin_of(f"coins.{name}.", merged), same))
        for key in tables[name] if isinstance(tables[name], dict) else ():
            if key not in Coin.model_fields:
                path = f"coins.{name}.{key}"
                value, origin = merged.values.get(path), merged.origins.get(path, "")
                faults.append(unknown_key(path, value, origin, Coin.model_fields))
    return coins, faults


def _missing_in_model(fault: Fault) -> bool:
    return fault.problem.startswith("not stated") and fault.key.rpartition(".")[2] in Model.model_fields


def _origin_of(prefix: str, merged: Merged) -> str:
    return next((o for k, o in merged.origins.items() if k.startswith(prefix)), "")
