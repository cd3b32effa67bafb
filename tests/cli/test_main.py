"""Claims about the command line as a whole."""

import os
import subprocess
import sys
import types

import pytest

from mmfast.cli.main import app
from mmfast.cli.outcome import MEANINGS

HEAVY = ("numba", "numpy", "pydantic", "rich", "psutil", "aiohttp", "mmfast.kernel", "mmfast.config")


def test_help_waits_for_nothing_heavy():
    code = f"import sys, mmfast.cli.main; sys.exit(', '.join(m for m in {HEAVY!r} if m in sys.modules) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0


def test_help_documents_every_verb_and_every_exit_code(mmfast):
    code, out, _ = mmfast("--help")
    assert code == 0
    for verb in ("start", "exchange", "status", "pause", "resume", "stop", "flatten", "kill", "config", "doctor",
                 "warmup"):
        assert f"\n  {verb} " in out
    for meaning in MEANINGS.values():
        assert meaning in out


def test_every_verb_says_what_it_does():
    assert all(command.callback.__doc__ for command in app.registered_commands)


@pytest.mark.parametrize("words", [("stauts",), ("status", "--jsno"), ("kill", "--clear"), ("pause", "--timeout", "-1"),
                                   ("kill", "--clear", "--reason", " ")])
def test_wrong_use_is_exit_2(mmfast, engine, words):
    code, _, err = mmfast(*words)
    assert code == 2
    assert err


def test_arguments_of_start_reach_start(monkeypatch, mmfast):
    def pretended(coin: str, quick: bool = False) -> None:
        """Pretended start."""
        raise SystemExit(40 + len(coin) + quick)

    module = types.ModuleType("mmfast.cli.start")
    module.start = pretended
    monkeypatch.setitem(sys.modules, "mmfast.cli.start", module)
    assert mmfast("start", "BTC", "--quick")[0] == 44
    assert "Pretended start." in mmfast("start", "--help")[1]
    assert mmfast("start", "--nonsense")[0] == 2


def test_the_installed_program_ends_with_the_code_of_the_verb(engine):
    program = [sys.executable, "-m", "mmfast.cli.main"]
    done = subprocess.run([*program, "pause"], capture_output=True, text=True, timeout=60, env=dict(os.environ))
    assert done.returncode == 3
    assert done.stdout == ""
    assert engine in done.stderr
