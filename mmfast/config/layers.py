"""
Layers: files, environment and command line, laid one over the other, each value with its origin.

In      TOML files, MMFAST_SECTION__KEY variables, dotted keys.
Out     one flat mapping of dotted keys to values, and where each came from. Later layers win.
Source  a key of [model] in a later layer also overrides what an earlier layer's coin file says: the order of
        the layers is the only rule, within one layer the coin's own word counts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_origin

from mmfast.config.fault import Fault, closest
from mmfast.config.model import Coin
from mmfast.config.root import EngineConfig, flatten
from mmfast.config.section import Section

PREFIX = "MMFAST_"


class Layer(NamedTuple):
    """Values by dotted key, all from ``origin`` (an environment's origin is a variable each: ``origins``)."""

    origin: str
    values: dict[str, Any]
    origins: Mapping[str, str] = {}


class Merged(NamedTuple):
    """The result of all layers; ``inherited`` are keys of coins that follow [model]."""

    values: dict[str, Any]
    origins: dict[str, str]
    inherited: set[str]


def read_file(path: Path, origin: str, prefix: str = "") -> tuple[Layer, list[Fault]]:
    """A TOML file as a layer; what cannot be read or parsed is a fault and an empty layer."""
    try:
        return Layer(origin, flatten(tomllib.loads(path.read_text("utf-8")), prefix)), []
    except OSError as error:
        problem, remedy = f"cannot be read: {error.strerror}", f"check the path {path}"
    except UnicodeDecodeError as error:
        problem, remedy = f"is not UTF-8 (byte {error.start})", "save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        problem, remedy = f"is not TOML: {error}", 'write key = value; text stands in quotes: kind = "local"'
    return Layer(origin, {}), [Fault(str(path), None, "", problem, remedy)]


def read_environment(environ: Mapping[str, str], coins: Iterable[str] = ()) -> tuple[Layer, list[Fault]]:
    """Variables MMFAST_SECTION__KEY as a layer; one underscore where two belong is a fault, not silence."""
    known = {coin.lower(): coin for coin in coins}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    faults = []
    for name in sorted(n for n in environ if n.startswith(PREFIX)):
        parts = name.removeprefix(PREFIX).lower().split("__")
        if len(parts) == 1:
            meant = _meant(parts[0])
            if meant:
                remedy = f"write two underscores after the section: {PREFIX}{meant}"
                faults.append(Fault(name, environ[name], "environment", "is not read", remedy))
            continue
        if parts[0] == "coins" and len(parts) > 1:
            parts[1] = known.get(parts[1], parts[1].upper())
        key = ".".join(parts)
        values[key] = text_value(key, environ[name])
        origins[key] = f"environment {name}"
    return Layer("environment", values, origins), faults


def _meant(name: str) -> str:
    """SECTION__KEY that a variable with single underscores probably means, "" if it is none of ours."""
    for section, field in EngineConfig.model_fields.items():
        holder = field.annotation
        if name.startswith(section + "_") and isinstance(holder, type) and issubclass(holder, Section):
            key = closest(name.removeprefix(section + "_"), holder.model_fields)
            return f"{section}__{key}".upper() if key else ""
    return ""


def text_value(key: str, text: str) -> Any:
    """A value that was typed as text: a string where one is wanted, a list at commas, else as TOML reads it."""
    annotation = _annotation(key.split("."))
    if annotation is str:
        return text
    if get_origin(annotation) is tuple and not text.lstrip().startswith("["):
        return [_toml(part.strip()) for part in text.split(",") if part.strip()]
    return _toml(text)


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text


def _annotation(parts: Sequence[str]) -> Any:
    holder: type[Section] | None = EngineConfig
    annotation: Any = None
    for index, part in enumerate(parts):
        if holder is EngineConfig and part == "coins":
            return _annotation_in(Coin, parts[index + 2 :])
        field = holder.model_fields.get(part) if holder else None
        annotation = field.annotation if field else None
        holder = annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None
    return annotation


def _annotation_in(section: type[Section], parts: Sequence[str]) -> Any:
    field = section.model_fields.get(parts[0]) if len(parts) == 1 else None
    return field.annotation if field else None


def chosen(layers: Iterable[Layer], key: str) -> Any:
    """What the last layer that speaks of ``key`` says; None if none does."""
    return next((layer.values[key] for layer in reversed(list(layers)) if key in layer.values), None)


def merge(layers: Iterable[Layer], coins: Iterable[str]) -> Merged:
    """Lay the layers over each other; what [model] says goes to every coin first."""
    names = tuple(coins)
    merged = Merged({}, {}, set())
    for layer in layers:
        shared = [k for k in layer.values if k.startswith("model.")]
        for key in shared:
            for coin in names:
                own = f"coins.{coin}.{key.removeprefix('model.')}"
                _put(merged, own, layer, key)
                merged.inherited.add(own)
        for key in layer.values:
            _put(merged, key, layer, key)
            merged.inherited.discard(key)
    return merged


def _put(merged: Merged, key: str, layer: Layer, source: str) -> None:
    merged.values[key] = layer.values[source]
    merged.origins[key] = layer.origins.get(source, layer.origin)


def nest(values: Mapping[str, Any], origins: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    """Nested tables of flat values, lists as tuples; a value where a table belongs, or the reverse, is a fault."""
    tree: dict[str, Any] = {}
    faults = []
    for key in sorted(values, key=lambda k: k.count(".")):  # leaves near the root first: they collide with tables
        table, value = tree, values[key]
        *tables, name = key.split(".")
        for part in tables:
            table = table.setdefault(part, {}) if isinstance(table, dict) else table
        if key in EngineConfig.model_fields and not isinstance(value, dict):
            faults.append(Fault(key, value, origins[key], "is a table, not a value", f"write it as [{key}]"))
        elif not isinstance(table, dict):
            holder = ".".join(tables)
            if all(f.key != holder for f in faults):
                faults.append(Fault(holder, values.get(holder), origins.get(holder, origins[key]),
                                    f"is a value in one place and a table in another ({origins[key]})",
                                    "keep the one that config/default.toml has"))
        elif value != {}:
            table[name] = _frozen(value)
    return tree, faults


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
