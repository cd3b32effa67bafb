"""
The local venue: starts the exchange we bring along, with an account and two agents made for this run.

In      the [market] table of the configuration.
Out     a running exchange on loopback, its address, and throw-away keys that exist only in memory.
Source  the exchange is a program of its own: the engine meets it over sockets, like any other venue.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from mmfast.config import EngineConfig
from mmfast.hosts.keys import Keys
from mmfast.runtime.process import PR_SET_PDEATHSIG
from mmfast.venues.hyperliquid.signing import address_of

READY_DEADLINE_S = 180.0  # it compiles its kernels on the first start
STOP_DEADLINE_S = 5.0
LIBC = ctypes.CDLL(None)


def _end_with(parent: int, libc: ctypes.CDLL) -> None:
    """In the child, before its program: end when ``parent`` ends, however early that is."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


class VenueFailed(RuntimeError):
    """The local exchange did not start or has ended; the message holds its last words."""


class LocalVenue:
    """A child process that speaks the venue's protocol on loopback."""

    def __init__(self, config: EngineConfig, truth: Path | None = None, faults: str = "",
                 upstream: str = "") -> None:
        master, gateway, watchdog = (bytearray(secrets.token_bytes(32)) for _ in range(3))
        account, agents = address_of(master), [address_of(gateway), address_of(watchdog)]
        master[:] = bytes(32)
        self.keys = Keys(account, gateway, watchdog)
        self.url = ""
        self.mainnet = False
        self.name = f"{config.venue.kind} on paper" if upstream else "local"
        self.ended = False
        self._market, self._upstream = config.market, upstream
        self._process = subprocess.Popen(self._command(config, account, agents, truth, faults, upstream),
                                         stdout=subprocess.PIPE, start_new_session=True,
                                         preexec_fn=partial(_end_with, os.getpid(), LIBC))
        self._selector = selectors.DefaultSelector()
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._partial = b""

    def _command(self, config: EngineConfig, account: str, agents: list[str], truth: Path | None,
                 faults: str = "", upstream: str = "") -> list[str]:
        market = config.market
        command = [sys.executable, "-m", "mmfast.cli.main", "exchange", "--port", "0", "--die-with-parent",
                   "--market", "mirror" if upstream else market.kind, "--coin", ",".join(config.engine.coins),
                   "--seed", str(market.seed), "--latency", market.latency,
                   "--account", f"{account}={config.risk.equity_usd:.0f}"]
        for agent in agents:
            command += ["--agent", f"{account}:{agent}"]
        if upstream:
            command += ["--upstream", upstream]
        elif market.kind == "recording":
            command += ["--data", market.data, "--speed", str(market.speed)]
        if truth is not None:
            command += ["--truth", str(truth)]
        if faults:
            command += ["--faults", faults]
        return command

    def wait_ready(self) -> str:
        """The exchange's address, once it listens."""
        deadline = time.monotonic() + READY_DEADLINE_S
        while not self.url:
            has_ended = self._process.poll() is not None  # looked at first: its last words are read after
            self.read_events(0.2)
            if has_ended and not self.url:
                raise VenueFailed(f"the local exchange ended with code {self._process.returncode} while starting")
            if time.monotonic() > deadline:
                raise VenueFailed(f"the local exchange did not listen within {READY_DEADLINE_S:.0f} s")
        return self.url

    @property
    def ws_url(self) -> str:
        """Address of its WebSocket."""
        return self.url.replace("http", "ws", 1) + "/ws"

    @property
    def described(self) -> str:
        """What it is, where, and what it shows."""
        market = self._market
        shown = "synthetic market" if market.kind == "synthetic" else f"recording {market.data} at {market.speed}x"
        if self._upstream:
            shown = f"the market of {self._upstream}"
        return f"local exchange {self.url} (pid {self.pid}), {shown}"

    def read_events(self, timeout_s: float) -> None:
        """Take in what the exchange has said on its standard output."""
        assert self._process.stdout is not None
        if not self._selector.select(timeout_s):
            return
        self._partial += self._process.stdout.read() or b""
        *lines, self._partial = self._partial.split(b"\n")
        for line in filter(None, lines):
            event = json.loads(line)
            if event["event"] == "ready":
                self.url = event["url"]
            elif event["event"] == "market_end":
                self.ended = True

    def lost(self) -> str | None:
        """Why there is no market any more, None while there is."""
        self.read_events(0.0)
        if self._process.poll() is not None:
            return f"the local exchange ended with code {self._process.returncode}"
        return "the recording has ended" if self.ended else None

    @property
    def pid(self) -> int:
        """Process id of the exchange."""
        return self._process.pid

    def close(self) -> None:
        """End the exchange."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._selector.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
