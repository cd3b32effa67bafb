"""The command line on engines that are not there: real shared memory, pretended owners, a folder for state."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.house import a_house
from typer.testing import CliRunner

from mmfast.cli.main import app

SERIAL = itertools.count()
TESTS = Path(__file__).parents[1]


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """A name that no other engine has, and a state folder of its own, both in the environment."""
    name = f"cli-{os.getpid()}-{next(SERIAL)}"
    monkeypatch.setenv("MMFAST_ENGINE__NAME", name)
    monkeypatch.setenv("MMFAST_ENGINE__STATE_DIR", str(tmp_path))
    yield name
    Path(f"/dev/shm/mmfast-{name}").unlink(missing_ok=True)


@pytest.fixture
def state(engine, tmp_path):
    """Folder of the engine's state."""
    return tmp_path / engine


@pytest.fixture
def house(engine):
    """The house of a healthy engine, owned by this process."""
    made = a_house(engine)
    yield made
    made.segment.disown()


@pytest.fixture
def owner(engine):
    """``owner(*words)``: a process that owns the engine's house; see support/owner.py."""
    started = []

    def start(*words):
        process = subprocess.Popen([sys.executable, "-m", "support.owner", engine, *words], cwd=TESTS,
                                   stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


@pytest.fixture
def mmfast():
    """``mmfast(*words)``: run a command here; its exit code, standard output and standard error."""
    def run(*words):
        result = CliRunner().invoke(app, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr
    return run
