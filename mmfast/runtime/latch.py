"""
The kill latch on disk: trading stays off through restarts until a human clears it with a reason.

In      a reason code, a sentence, a name.
Out     <folder>/kill.json while latched; <folder>/kill.log, one line for every set and clear, never rewritten.
Source  write, fsync, link, fsync the folder: the file is there whole or not at all, and the first reason stays.

A latch file that cannot be read counts as latched.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mmfast.records.control import KILL_MANUAL, KILL_NAMES

FILE, LOG = "kill.json", "kill.log"


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

    def set(self, code: int, text: str, who: str = "") -> bool:
        """Latch; true if it was not latched before. The reason of a second latch goes into the log only."""
        latched = Latched(code, KILL_NAMES[code], text, who or operator(), _now())
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = self.folder / f".{FILE}.{os.getpid()}"
        _write(scratch, latched._asdict(), os.O_TRUNC)
        try:
            os.link(scratch, self.path)
            first = True
        except FileExistsError:
            first = False
        scratch.unlink()
        _sync(self.folder)
        self._audit("set" if first else "set again", latched)
        return first

    def clear(self, text: str, who: str = "") -> bool:
        """
        Allow trading again; true if it was latched.

        Raises
        ------
        ValueError
            Without a reason: the log is what tells the next person why.
        """
        if not text.strip():
            raise ValueError("the latch is cleared with a reason only: say what was wrong and what has changed")
        was = self.path.exists()
        self._audit("clear", Latched(0, KILL_NAMES[0], text, who or operator(), _now()))
        with suppress(FileNotFoundError):
            self.path.unlink()
        _sync(self.folder)
        return was

    def audit(self) -> list[dict[str, object]]:
        """Every set and clear, oldest first."""
        path = self.folder / LOG
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def _audit(self, event: str, latched: Latched) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(self.folder / LOG, {"event": event, **latched._asdict()}, os.O_APPEND)


def operator() -> str:
    """User and process that act, for the log."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = f"uid {os.getuid()}"
    return f"{user} (pid {os.getpid()})"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _write(path: Path, content: dict[str, object], flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
    try:
        os.write(descriptor, (json.dumps(content) + "\n").encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
