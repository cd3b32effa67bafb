"""
The kill latch on disk: trading stays off through restarts until a human clears it with a reason.

In      a reason code, a sentence, a name.
Out     <folder>/kill.json while latched; <folder>/kill.log, one line for every set and clear, never rewritten.
Source  write, fsync, link, fsync the folder: the file is there whole or not at all, and the first reason stays.

A latch file that cannot be read counts as latched. Its place on the disk is taken when an engine starts, so that a
disk that has filled up since does not keep a switch from being latched.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mmfast.records.control import KILL_MANUAL, KILL_NAMES

FILE, LOG, RESERVE = "kill.json", "kill.log", ".kill.reserve"
RESERVE_BYTES, TEXT_MAX = 4096, 400


class Latched(NamedTuple):
    """Why trading is off: code and its name in records/control.py, a sentence, who set it, when (UTC)."""

    code: int
    reason: str
    text: str
    who: str
    at: str


class Latch:
    """The latch of the engine whose state is in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE

    def read(self) -> Latched | None:
        """The latch; None when trading is allowed."""
        try:
            said = json.loads(self.path.read_text("utf-8"))
            return Latched(int(said["code"]), *(str(said[name]) for name in ("reason", "text", "who", "at")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"{self.path} cannot be read ({type(error).__name__}: {error})"
            return Latched(KILL_MANUAL, "unreadable latch", problem, "unknown", "unknown")

    def prepare(self) -> None:
        """
        Make the folder, and take the place of a latch on the disk.

        Raises
        ------
        OSError
            If the latch could not be written now.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.folder / RESERVE, b" " * RESERVE_BYTES, os.O_TRUNC)
        _sync(self.folder)

    def set(self, code: int, text: str, who: str = "") -> bool:
        """
        Latch; true if it was not latched before. The reason of a second latch goes into the log only.

        Raises
        ------
        OSError
            If it cannot be written, not even into the place that `prepare` took.
        """
        latched = Latched(code, KILL_NAMES[code], text[:TEXT_MAX], who or operator(), _now())
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        first = self._link(_line(latched._asdict()))
        with suppress(OSError):  # the disk may be full: the latch says it all
            self._audit("set" if first else "set again", latched)
        return first

    def keep(self, code: int, text: str, who: str) -> str:
        """`set` for a process that goes on whatever the disk does: what went wrong, empty if nothing did."""
        try:
            self.set(code, text, who)
        except OSError as error:
            return f"the latch {self.path} cannot be written: {error.strerror}; a restart would trade again"
        return ""

    def _link(self, line: bytes) -> bool:
        """Put a file with ``line`` in place of the latch; false if one is there."""
        scratch = self.folder / f".{FILE}.{os.getpid()}"
        try:
            _write(scratch, line, os.O_TRUNC)
        except OSError:
            scratch.unlink(missing_ok=True)
            if self.path.exists():
                return False
            (self.folder / RESERVE).rename(scratch)  # ours alone from here on
            _write(scratch, line.ljust(RESERVE_BYTES), 0)
        try:
            os.link(scratch, self.path)
        except FileExistsError:
            return False
        finally:
            scratch.unlink()
            _sync(self.folder)
        return True

    def clear(self, text: str, who: str = "") -> bool:
        """
        Allow trading again; true if it was latched.

        Raises
        ------
        ValueError
            Without a reason: the log is what tells the next person why.
        OSError
            If the log cannot be written, or the latch not be removed: it stays.
        """
        if not text.strip():
            raise ValueError("the latch is cleared with a reason only: say what was wrong and what has changed")
        was = self.read()  # told again: its own line may not have found room
        self._audit("clear", Latched(0, KILL_NAMES[0], text, who or operator(), _now()), was)
        with suppress(FileNotFoundError):
            self.path.unlink()
        _sync(self.folder)
        with suppress(OSError):  # the next switch, if it finds no room either, is refused and says so
            self.prepare()
        return was is not None

    def audit(self) -> list[dict[str, object]]:
        """Every set and clear, oldest first."""
        path = self.folder / LOG
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def _audit(self, event: str, latched: Latched, was: Latched | None = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = {"was": was._asdict()} if was else {}
        _write(self.folder / LOG, _line({"event": event, **latched._asdict(), **before}), os.O_APPEND)


def operator() -> str:
    """User and process that act, for the log."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return f"{user} (pid {os.getpid()})"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _line(content: dict[str, object]) -> bytes:
    return (json.dumps(content) + "\n").encode()


def _write(path: Path, content: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
    try:
        if os.write(descriptor, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
