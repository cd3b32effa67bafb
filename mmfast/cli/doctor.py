"""
Doctor: is this host fit for an engine, and are these keys fit for this account.

In      the host, the configuration; with a venue, the keys and what the venue says.
Out     one row for each check: ok, warn, fail or skip, what was found, what to do; exit 1 on any fail.
Source  a fail would keep an engine from running or make it lie; a warning costs microseconds.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from mmfast.cli.finding import FAIL, OK, SKIP, WARN, Finding, failed, judged
from mmfast.cli.outcome import Exit, say, tell
from mmfast.config.fault import ConfigError
from mmfast.config.load import load
from mmfast.config.root import EngineConfig

PYTHON_FIRST, PYTHON_BEYOND = (3, 11), (3, 14)
SHM_SPARE = 2  # a dead run's segment and the new one may be there together
FILES_WANTED = 1024
STATE_BYTES = 2**20
CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


def doctor(file: Path | None, as_json: bool, venue: str | None = None) -> Exit:
    """Run every check and print what it found; a named ``venue`` is asked about account and agents."""
    findings = examine(file, venue)
    if as_json:
        tell(json.dumps({"ok": not failed(findings), "checks": [f._asdict() for f in findings]}))
    else:
        for f in findings:
            tell(str(f))
        say("fit" if not failed(findings) else "not fit: see the lines that begin with fail")
    return Exit.FAILURE if failed(findings) else Exit.OK


def examine(file: Path | None, venue: str | None = None) -> list[Finding]:
    """Every check, in the order in which they matter; no question leaves this host unless a venue is named."""
    config: EngineConfig | None = None
    try:
        config = load(venue, file=file)
        about = Finding("configuration", OK, f"{config.hash}, {config.venue.kind}, {', '.join(config.coins)}")
    except ConfigError as error:
        first, more = error.faults[0], len(error.faults) - 1
        about = Finding("configuration", FAIL, f"{first.key} = {first.value!r}: {first.problem}"
                        + (f"; and {more} more" if more else ""), first.remedy)
    checks: tuple[Callable[[], Finding], ...] = (
        python, platform, lambda: shared_memory(config), lambda: cores(config), locked_memory, open_files,
        clock, kernels, lambda: state_folder(config))
    found = [about, *(check() for check in checks)]
    return found if venue is None else found + trading(config)


def trading(config: EngineConfig | None) -> list[Finding]:
    """Keys, agents, account, coins, clock and limits: the chain that has to hold before the first order."""
    from mmfast.cli.account import Party, examine_account
    from mmfast.cli.ask import ask_secret
    from mmfast.hosts.keys import load_keys
    from mmfast.runtime.keyfile import KeyRefused
    from mmfast.runtime.locked import NotLocked

    if config is None:
        return [Finding("keys", SKIP, "configuration unknown")]
    if config.venue.kind == "local":
        return [Finding("keys", SKIP, "the local exchange makes an account and keys for each run")]
    stated = config.venue.account_address, config.venue.gateway_key_file, config.venue.watchdog_key_file
    if not all(stated):
        return [Finding("keys", FAIL, "not stated", "state account_address, gateway_key_file and watchdog_key_file in "
                        "[venue] of your own file")]
    try:
        keys = load_keys(*stated, ask_secret)
    except (KeyRefused, NotLocked) as error:
        return [Finding("keys", FAIL, str(error), "mmfast keys --help")]
    found = Finding("keys", OK, f"gateway {keys.gateway_address}, watchdog {keys.watchdog_address}")
    keys.keep_only("nobody")
    return [found, *examine_account(config, Party(keys.account, keys.gateway_address, keys.watchdog_address))]


def python() -> Finding:
    """The interpreter is one that the compiler knows."""
    fits = PYTHON_FIRST <= sys.version_info[:2] < PYTHON_BEYOND
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", OK if fits else FAIL, found, "" if fits else "use Python 3.11 to 3.13")


def platform() -> Finding:
    """Futex numbers and fences are those of x86-64 Linux."""
    system = os.uname()
    fits = system.sysname == "Linux" and system.machine == "x86_64"
    return Finding("platform", OK if fits else FAIL, f"{system.sysname} {system.machine}",
                   "" if fits else "the rings are written for Linux on x86-64")


def shared_memory(config: EngineConfig | None, folder: Path = Path("/dev/shm")) -> Finding:
    """Room for the house, twice."""
    from mmfast.rings.region import house_bytes
    from mmfast.topology import regions

    needed = SHM_SPARE * house_bytes(regions(len(config.coins) if config else 1))
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("shared memory", FAIL, f"{folder}: {error.strerror}", f"mount a tmpfs on {folder}")
    found = f"{free / 2**20:.0f} MiB free, {needed / 2**20:.0f} MiB wanted"
    remedy = f"mount -o remount,size=256m {folder}; in a container --shm-size=256m"
    return Finding("shared memory", OK, found) if free >= needed else Finding("shared memory", FAIL, found, remedy)


def cores(config: EngineConfig | None) -> Finding:
    """Enough cores for the layout of the host."""
    count = len(os.sched_getaffinity(0))
    if config is None:
        return Finding("cores", SKIP, f"{count}, configuration unknown")
    pinned = [name for name, place in config.host.places.items() if place.core >= 0]
    if pinned:
        return Finding("cores", OK, f"{count}; pinned: {', '.join(pinned)}")
    return Finding("cores", WARN, f"{count}; no process has one of its own",
                   "six cores and --host isolated take wake-ups of tens of microseconds off each hop")


def locked_memory(needed_bytes: int = 64 * 1024) -> Finding:
    """Memory that holds a key must not be swapped out."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    fits = soft == resource.RLIM_INFINITY or soft >= needed_bytes
    found = "unlimited" if soft == resource.RLIM_INFINITY else f"{soft // 1024} KiB"
    return Finding("locked memory", OK if fits else WARN, found,
                   "" if fits else "ulimit -l unlimited, or LimitMEMLOCK= of the service")


def open_files() -> Finding:
    """Sockets, events and files of a run."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fits = soft >= FILES_WANTED
    return Finding("open files", OK if fits else WARN, str(soft), "" if fits else f"ulimit -n {FILES_WANTED}")


def clock(source: Path = CLOCK_SOURCE) -> Finding:
    """A clock that is read without a system call."""
    try:
        name = source.read_text().strip()
    except OSError:
        return Finding("clock", SKIP, "the clock source cannot be read here")
    fast = name in ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page")
    return Finding("clock", OK if fast else WARN, name,
                   "" if fast else "boot with clocksource=tsc tsc=reliable if the host can")


def kernels() -> Finding:
    """The compiled kernels of this version are on disk."""
    from mmfast.compiled import is_complete

    cached = is_complete()
    return Finding("kernels", OK if cached else WARN, "compiled" if cached else "not compiled yet",
                   "" if cached else "mmfast warmup")


def state_folder(config: EngineConfig | None) -> Finding:
    """The latch can be written."""
    if config is None:
        return Finding("state folder", SKIP, "configuration unknown")
    folder = config.state_path
    there = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding("state folder", FAIL, str(folder), f"make {there} writable")
    free = shutil.disk_usage(there).free
    return judged("state folder", free >= STATE_BYTES, f"{folder}, {free / 2**20:.0f} MiB free",
                  f"make room: the kill switch and the nonces want {STATE_BYTES // 2**20} MiB")
