"""The exchange as a child process, for tests that talk to it over sockets."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
READY_DEADLINE_S = 180.0  # a cold cache compiles every kernel first


class ExchangeProcess:
    """``with ExchangeProcess("--coin", "BTC") as exchange: exchange.url``; the child never outlives the block."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self.events: list[dict] = []
        self._partial = b""

    def __enter__(self) -> ExchangeProcess:
        command = [sys.executable, "-m", "mmfast.sim.command", "--die-with-parent", *self._arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        try:
            self.url = self.wait_event("ready", READY_DEADLINE_S)["url"]
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws"

    def wait_event(self, name: str, deadline_s: float = 30.0) -> dict:
        """The first event of that name on standard output; AssertionError at the deadline or a sudden end."""
        stop = time.monotonic() + deadline_s
        with selectors.DefaultSelector() as selector:
            assert self.process.stdout is not None
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while time.monotonic() < stop:
                for event in self.events:
                    if event["event"] == name:
                        return event
                if selector.select(0.1):
                    self._take(os.read(self.process.stdout.fileno(), 65536))
                assert self.process.poll() is None, self.process.stderr.read().decode()
        raise AssertionError(f"no event {name} within {deadline_s} s; so far {self.events}")

    def _take(self, piece: bytes) -> None:
        *lines, self._partial = (self._partial + piece).split(b"\n")
        self.events += [json.loads(line) for line in lines if line]

    def stop(self, number: int = signal.SIGTERM, deadline_s: float = 10.0) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(deadline_s)

    def close(self) -> None:
        """End the child, by force if need be."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10.0)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
