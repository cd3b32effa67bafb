"""
Faults: what is wrong with a configuration, where it was written and what to write instead.

In      a validation error, a wrong key.
Out     Fault; ConfigError, which carries all of them at once.
Source  the four things a reader needs: which key, which value, from which file, what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mmfast.config.section import Section

UNITS = {"usd": "dollars", "uusd": "micro-dollars", "bps": "basis points", "bp": "basis points", "ns": "nanoseconds",
         "us": "microseconds", "ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours",
         "share": "a whole, between 0 and 1", "clips": "clips", "pct": "percent", "ticks": "ticks", "lots": "lots"}
_UNIT = re.compile(rf"(_per)?_({'|'.join(UNITS)})$")
LOOKS_LIKE_A_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")
LONG_NUMBER = re.compile(r"[0-9]{40}")  # a key without quotes is a number to TOML
HIDDEN = "(hidden: it looks like a key)"

EXAMPLES = {
    "name": "use lower-case letters, digits and dashes, at most 31, for example main",
    "coins": 'write names as the venue does, for example coins = ["BTC", "ETH"]',
    "http_url": "write a whole address, for example http://127.0.0.1:3001",
    "ws_url": "write a whole address, for example ws://127.0.0.1:3001/ws",
    "account_address": "write the account's public address: 0x and 40 hex digits",
    "speed": 'write a positive number (1.0 is real time) or "max"',
}


class Fault(NamedTuple):
    """One thing that is wrong. ``origin`` is the file, variable or flag that said ``value``."""

    key: str
    value: Any
    origin: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        shown = f" = {self.value!r}" if self.value is not None else ""
        where = f" ({self.origin})" if self.origin else ""
        return f"{self.key}{shown}{where}: {self.problem}\n      → {self.remedy}"


def hidden(value: Any) -> Any:
    """A value that may be shown: somebody may have written a key where an address or a file name belongs."""
    if isinstance(value, str):
        return LOOKS_LIKE_A_KEY.sub(HIDDEN, value)
    return HIDDEN if LOOKS_LIKE_A_KEY.search(repr(value)) or LONG_NUMBER.search(repr(value)) else value


class ConfigError(ValueError):
    """A configuration that is refused, with every fault found in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(fault._replace(value=hidden(fault.value)) for fault in faults)
        count = f"{len(self.faults)} fault" + ("s" if len(self.faults) != 1 else "")
        super().__init__("\n".join([f"configuration refused, {count}:", *(f"  {f}" for f in self.faults)]))


def stem(name: str) -> str:
    """A key without its unit: ``max_loss`` of ``max_loss_usd``, ``kappa`` of ``kappa_per_bp``."""
    while (shorter := _UNIT.sub("", name)) != name:
        name = shorter
    return name


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, "" if none is near: another unit first, then another spelling."""
    names = list(known)
    same = [k for k in names if stem(k) == stem(name)]
    if same:
        return same[0]
    folded = {k.lower(): k for k in names}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def unknown_key(key: str, value: Any, origin: str, known: Iterable[str]) -> Fault:
    """Fault of a key that nobody reads."""
    names = sorted(known)
    table, _, name = key.rpartition(".")
    meant = closest(name, names)
    if not meant:
        remedy = f"known here: {', '.join(names)}" if names else "remove it"
    elif stem(meant) == stem(name) and meant != name:
        remedy = f"did you mean {meant}? The unit is part of the name: {unit_of(meant) or 'it has none'}"
    else:
        remedy = f"did you mean {meant}?"
    return Fault(key, value, origin, f"unknown key in [{table}]" if table else "unknown table", remedy)


def unit_of(name: str) -> str:
    """Unit of a key in words, "" if its name has none."""
    found = _UNIT.search(name)
    if not found:
        return ""
    return f"per {UNITS[found[2]].rstrip('s')}" if found[1] else UNITS[found[2]]


def faults_of(error: ValidationError, table: str, section: type[Section], origins: Mapping[str, str]) -> list[Fault]:
    """Every fault of a section, in our words; alternatives of one key become one fault."""
    found: dict[str, Fault] = {}
    for detail in error.errors():
        fault = _fault(detail, table, section, lambda key: origins.get(key, ""))
        earlier = found.get(fault.key)
        if earlier is not None and earlier.problem != fault.problem:
            fault = earlier._replace(problem=f"{earlier.problem} or {fault.problem.removeprefix('must be ')}")
        found[fault.key] = fault
    return list(found.values())


def _fault(detail: ErrorDetails, table: str, section: type[Section], origin: Callable[[str], str]) -> Fault:
    names, holder = _walk(detail["loc"], section)
    key = ".".join([table, *names]) if table else ".".join(names)
    name = names[-1] if names else table
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return unknown_key(key, value, origin(key), holder.model_fields)
    index = next((p for p in detail["loc"] if isinstance(p, int)), None)
    if kind == "missing" and index is None:
        table = key.rpartition(".")[0]
        return Fault(key, None, "", "not stated in any file", f"add {name} to [{table}]{_unit_note(name)}")
    problem = detail["msg"].replace("Input should ", "must ").replace("String should ", "must ")
    if kind == "missing":
        problem, value = f"item {int(index or 0) + 1} is missing", None
    elif index is not None:
        problem = f"item {index + 1} {problem}"
    if kind == "string_pattern_mismatch":
        problem = "is not written as it must be"
    return Fault(key, value, origin(key), problem, EXAMPLES.get(name, f"correct {name}{_unit_note(name)}"))


def _unit_note(name: str) -> str:
    unit = unit_of(name)
    return f", a number {'' if unit.startswith('per') else 'of '}{unit}" if unit else ""


def _walk(location: tuple[int | str, ...], section: type[Section]) -> tuple[list[str], type[Section]]:
    """Names of the keys in a location, without pydantic's own steps; the section that holds the last one."""
    names: list[str] = []
    holder = section
    for part in location:
        if not isinstance(part, str):
            break
        field = holder.model_fields.get(part)
        names.append(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            break
        holder = inner
    return names, holder
