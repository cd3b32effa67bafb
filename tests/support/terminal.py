"""
A program at a terminal of its own, as a user would sit there: reads what it shows, types lines when asked.

In      a command, an environment.
Out     everything that was shown, what was echoed included; the exit code.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

DEADLINE_S = 60.0


class Terminal:
    """``with Terminal(command, environ, folder) as terminal``; standard output is apart from the terminal."""

    def __init__(self, command: list[str], environ: dict[str, str], folder: Path) -> None:
        self._command, self._environ, self._folder = command, environ, folder
        self.shown = ""

    def __enter__(self) -> Terminal:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(self._command, stdin=slave, stdout=subprocess.PIPE, stderr=slave,
                                        env=self._environ, cwd=self._folder, start_new_session=True)
        os.close(slave)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        os.close(self._master)

    def wait(self, what: str | Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
        """Read until it has shown ``what``, or until that holds; AssertionError with all that was shown otherwise."""
        stop = time.monotonic() + deadline_s
        holds = (lambda: what in self.shown) if isinstance(what, str) else what
        while not holds():
            goes_on = self._read(0.1) or self.process.poll() is None or holds()
            if not goes_on or time.monotonic() > stop:
                raise AssertionError(f"{what!r} was not shown:\n{self.shown}")

    def type(self, line: str, after: str) -> None:
        """Type a line once ``after`` has been shown."""
        self.wait(after)
        os.write(self._master, line.encode() + b"\n")

    def ended(self, deadline_s: float = DEADLINE_S) -> int:
        """Read to the end; the exit code."""
        self.wait(lambda: self.process.poll() is not None, deadline_s)
        while self._read(0.05):
            pass
        return self.process.returncode

    def printed(self) -> str:
        """What it wrote on standard output, after its end."""
        assert self.process.stdout is not None
        return self.process.stdout.read().decode()

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self._master], [], [], timeout_s)[0]:
            return False
        with suppress(OSError):  # the other side is closed
            piece = os.read(self._master, 65536)
            self.shown += piece.decode("utf-8", "replace")
            return bool(piece)
        return False
