"""
A whole engine as a child process, steered and watched as a user would.

In      options of `mmfast start`, a folder of its own.
Out     its exit code, its words, its report, the exchange's truth log; nothing of it is left after the block.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import psutil
import pytest
from typer.testing import CliRunner

from mmfast.cli.main import app
from mmfast.rings.segment import owner_lives
from mmfast.runtime.attach import RUNNING
from mmfast.runtime.snapshot import Monitor

ROOT = Path(__file__).parents[2]
RECORDING = ROOT.parent / "shared" / "data" / "hl_20250904"
needs_recording = pytest.mark.skipif(not RECORDING.is_dir(), reason="the recorded market is not beside this checkout")

RECORDED = ("--market", "recording", "--data", str(RECORDING), "--speed", "4")
# A model that knows no costs: it quotes at the touch and is filled several times a second.
EAGER = {"MMFAST_MODEL__MAKER_FEE_BPS": "0", "MMFAST_MODEL__ADVERSE_BPS": "0.01",
         "MMFAST_MODEL__INFORMED_PRIOR": "0.01", "MMFAST_MODEL__EDGE_MIN_BPS": "0.01",
         "MMFAST_COINS__ETH__KAPPA_PER_BP": "4", "MMFAST_COINS__SOL__KAPPA_PER_BP": "4"}

SERIAL = itertools.count()
READY_S = 420.0  # a cold cache compiles every kernel first
LOOK_S = 0.05
PROCESSES = ("feed", "estimator", "quoter", "gateway", "watchdog")


class Ran(NamedTuple):
    """What a verb ended with."""

    code: int
    out: str
    err: str


def until(condition: Callable[[], Any], deadline_s: float, what: str) -> float:
    """Seconds until ``condition`` holds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < deadline_s, what
        time.sleep(0.01)
    return time.monotonic() - began


class EngineProcess:
    """``with EngineProcess(folder, "--coin", "BTC") as engine``: an engine that is ready, and never outlives it."""

    def __init__(self, folder: Path, *options: str, program: tuple[str, ...] = ("mmfast.cli.main", "start"),
                 environ: dict[str, str] | None = None) -> None:
        self.name = f"e{os.getpid()}-{next(SERIAL)}"
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        self.state = self.folder / "state"
        self.report_path, self.truth_path = self.folder / "report.json", self.folder / "truth.jsonl"
        self.shm = Path(f"/dev/shm/mmfast-{self.name}")
        self.command = [sys.executable, "-m", *program, "--name", self.name, "--report", str(self.report_path),
                        *options]
        if "start" in program:
            self.command += ["--truth", str(self.truth_path)]
        self.environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
                         "MMFAST_ENGINE__STATE_DIR": str(self.state), **(environ or {})}
        self.pids: set[int] = set()
        self.monitor = Monitor(self.name, self.state / self.name)

    # ---- life

    def launch(self) -> EngineProcess:
        """Start the program and return at once."""
        self._stderr = (self.folder / "stderr.txt").open("ab")
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=self._stderr, cwd=self.folder,
                                        env=self.environ, start_new_session=True)
        return self

    def __enter__(self) -> EngineProcess:
        try:
            self.launch()
            self.wait(lambda: "watch" in self.said, READY_S, "the engine did not come up")
        except BaseException:
            self.close()
            raise
        self.remember_pids()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def remember_pids(self) -> None:
        """Take down every process of the engine, so that none can hide later."""
        with suppress(psutil.Error):
            self.pids |= {child.pid for child in psutil.Process(self.process.pid).children(recursive=True)}

    def close(self) -> None:
        """End everything by force and take its shared memory away."""
        self.remember_pids()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for pid in self.pids:
            with suppress(psutil.Error):
                if "mmfast" in " ".join(psutil.Process(pid).cmdline()):
                    psutil.Process(pid).kill()
        self.process.wait(10.0)
        self._stderr.close()
        self.shm.unlink(missing_ok=True)

    def send(self, number: int) -> None:
        """A signal to the supervisor."""
        os.kill(self.process.pid, number)

    def end(self, number: int = signal.SIGINT, deadline_s: float = 30.0) -> int:
        """Ask it to end with a signal; its exit code."""
        self.remember_pids()
        self.send(number)
        return self.ended(deadline_s)

    def ended(self, deadline_s: float = 30.0) -> int:
        """Wait until it has ended; its exit code."""
        return self.process.wait(deadline_s)

    def left_alive(self) -> list[str]:
        """Processes of this engine that still run."""
        left = []
        for pid in self.pids:
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    left.append(f"{pid} {process.name()}")
        return left

    # ---- looking

    @property
    def said(self) -> str:
        """Everything it wrote on standard error so far."""
        return (self.folder / "stderr.txt").read_text("utf-8", "replace")

    def look(self) -> dict[str, Any]:
        """One snapshot."""
        return self.monitor.snapshot()

    def pid(self, process: str) -> int:
        """Process id of one of the engine's processes."""
        return next(row["pid"] for row in self.look()["processes"] if row["process"] == process)

    def exchange_pid(self) -> int:
        """Process id of the exchange that it started."""
        return int(self.said.split("(pid ", 1)[1].split(")", 1)[0])

    def restarts(self, process: str) -> int:
        """How often the supervisor has started it again."""
        return next(row["restarts"] for row in self.look()["processes"] if row["process"] == process)

    def quotes_both_sides(self) -> bool:
        """Whether every process runs and an order that nobody takes back is open on both sides of every coin."""
        seen = self.look()
        return (seen["state"] == RUNNING
                and all(row["alive"] and row["state"] == "running" for row in seen["processes"])
                and all({order["side"] for order in coin["orders"] if order["state"] == "open"} == {"bid", "ask"}
                        for coin in seen["coins"]))

    def live_orders(self) -> int:
        """Orders that may rest, by the shared table."""
        return sum(len(coin["orders"]) for coin in self.look().get("coins", ()))

    def wait(self, condition: Callable[[], Any], deadline_s: float, what: str) -> float:
        """Look until ``condition`` holds; the seconds it took. Otherwise an AssertionError with all that is known."""
        began = time.monotonic()
        while not condition():
            if self.process.poll() is not None and not condition():
                raise AssertionError(f"{what}: it ended with {self.process.returncode}:\n{self.said}")
            if time.monotonic() - began > deadline_s:
                raise AssertionError(f"{what} within {deadline_s:g} s:\n{self.said}\n{self._state()}")
            time.sleep(LOOK_S)
        return time.monotonic() - began

    def wait_quoting(self, deadline_s: float = 30.0) -> float:
        """Wait until every coin has an open order on both sides."""
        return self.wait(self.quotes_both_sides, deadline_s, "no two-sided quotes")

    def _state(self) -> str:
        seen = self.look()
        return json.dumps({k: seen.get(k) for k in ("state", "latch", "control", "processes", "errors")}, indent=1)

    # ---- verbs and files

    def verb(self, *words: str) -> Ran:
        """A verb of the command line about this engine, run in this process."""
        folder = ["--name", self.name, "--state-dir", str(self.state)]
        result = CliRunner().invoke(app, [*words, *folder])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    def report(self) -> dict[str, Any]:
        """The run's report."""
        return json.loads(self.report_path.read_text())

    def owner_lives(self) -> bool | None:
        """As the lock on the shared memory has it."""
        return owner_lives(f"/mmfast-{self.name}")
