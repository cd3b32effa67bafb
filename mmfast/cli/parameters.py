"""
Parameters of a running engine: show them, change them.

In      the engine's house, the file of its configuration in force; assignments, or a file of them.
Out     every parameter with its value for each coin and whether it is live; or new PARAMETERS, once they are quoted on.
Source  the checks are those of the start. The cells are written under a lock: two hands do not mix.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mmfast.cli.outcome import Exit, Refusal, say, tell
from mmfast.cli.target import Target, living
from mmfast.config.change import changed, is_live
from mmfast.config.fault import ConfigError
from mmfast.config.layers import read_file, text_value
from mmfast.config.model import FIXED, Coin
from mmfast.rings.region import House
from mmfast.rings.seqlock import cell_address, store
from mmfast.runtime.holdings import coin_names
from mmfast.runtime.parameters import PARAMETERS_FILE, in_force, renewed, write_in_force

LOCK = "parameters.lock"
LOOK_S = 0.01


def parameters(which: Target, assignments: Sequence[str], file: Path | None, as_json: bool, timeout_s: float) -> Exit:
    """
    Show the parameters in force; with assignments or a file, change them first.

    Raises
    ------
    Refusal
        If the engine does not run, a change is refused, or no quote has been made from it in time.
    """
    changes = {**(from_file(file) if file else {}), **assigned(assignments)}
    house = living(which.engine)
    if changes:
        with _locked(which.folder):
            version = change(house, which.folder, changes)
        _await(house, version, timeout_s)
        say(f"in force as version {version}: {', '.join(changes)}; until the engine ends, your files are as they were")
    elif file:
        raise Refusal(Exit.CONFIG_INVALID, f"{file} states no parameter", "it needs [model] or [coins.NAME]")
    else:
        _show(house, read_in_force(which.folder), as_json)
    return Exit.OK


def assigned(texts: Sequence[str]) -> dict[str, Any]:
    """TABLE.KEY=VALUE as values by dotted key."""
    found = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not (sign and key.strip()):
            raise Refusal(Exit.USAGE, f"{text!r} is no assignment", "write model.KEY=VALUE or coins.NAME.KEY=VALUE")
        found[key.strip()] = text_value(key.strip(), value.strip())
    return found


def from_file(path: Path) -> dict[str, Any]:
    """The values of a TOML file by dotted key."""
    layer, faults = read_file(path, str(path))
    if faults:
        raise Refusal(Exit.CONFIG_INVALID, str(ConfigError(faults)))
    return layer.values


def read_in_force(folder: Path) -> Mapping[str, Any]:
    """The configuration in force of the engine whose state is in ``folder``."""
    found = in_force(folder)
    if found is None:
        raise Refusal(Exit.FAILURE, f"{folder / PARAMETERS_FILE} cannot be read",
                      "it is written when the engine starts; is this the state folder of that engine?")
    return found


def change(house: House, folder: Path, changes: Mapping[str, Any]) -> int:
    """Check and publish ``changes``; the version of the parameters that have them."""
    try:
        config = changed(read_in_force(folder), changes)
    except ConfigError as error:
        raise Refusal(Exit.CONFIG_INVALID, str(error)) from None
    try:
        write_in_force(folder, config)  # first: the next change begins with what stands there
    except OSError as error:
        raise Refusal(Exit.FAILURE, f"nothing is changed: {folder} cannot be written: {error.strerror}",
                      "make room there, or make it writable") from None
    names, cells = coin_names(house), house.cells("parameters")
    version = int(cells["version"].max()) + 1
    for inst, coin in enumerate(names):
        record = np.array([renewed(config, coin, cells[inst], version)])
        store(cell_address(house.address["parameters"], inst), int(record.ctypes.data), record.itemsize)
    return version


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Refusal(Exit.FAILURE, f"nothing is changed: {folder / LOCK} cannot be made: {error.strerror}",
                      "is this the state folder of that engine, and writable?") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _await(house: House, version: int, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not (house.cells("quote")["parameters_version"] >= version).all():
        if time.monotonic() > deadline:
            raise Refusal(Exit.TIMEOUT, f"version {version} is written, but some coin has no quotes made from it",
                          "does its market move? Look with: mmfast status")
        time.sleep(LOOK_S)


def _show(house: House, tables: Mapping[str, Any], as_json: bool) -> None:
    names = coin_names(house)
    versions = [int(v) for v in house.cells("parameters")["version"]]
    rows: dict[str, dict[str, Any]] = {
        key: {"live": is_live(key), "why_fixed": FIXED.get(key, ""),
              "values": {coin: tables["coins"][coin][key] for coin in names}} for key in Coin.model_fields}
    if as_json:
        tell(json.dumps({"version": max(versions), "parameters": rows}))
        return
    width = max(map(len, rows))
    tell(f"{'parameters, version ' + str(max(versions)):{width}s}  {'':5s}  {'  '.join(names)}")
    for key, row in rows.items():
        texts = [json.dumps(value) for value in row["values"].values()]
        shown = texts[0] if len(set(texts)) == 1 else "  ".join(texts)
        note = "" if row["live"] else f"  ({row['why_fixed']})"
        tell(f"{key:{width}s}  {'live' if row['live'] else 'fixed':5s}  {shown}{note}")
