"""
Outcomes: the exit codes of the command line, and how a command refuses.

In      what went wrong.
Out     one message on standard error, one code.
Source  2 is the parser's own code; 128 + number of the signal as shells have it.
"""

from __future__ import annotations

import sys
from enum import IntEnum


class Exit(IntEnum):
    """What a command can end with."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_RUNNING = 3
    CONFIG_INVALID = 4
    TIMEOUT = 5
    VENUE = 6
    KILL_LATCHED = 7
    INCOMPLETE = 8
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS = {
    Exit.OK: "done",
    Exit.FAILURE: "failed, or a check of doctor failed",
    Exit.USAGE: "wrong use of the command line",
    Exit.NOT_RUNNING: "no engine of that name runs",
    Exit.CONFIG_INVALID: "the configuration is refused",
    Exit.TIMEOUT: "the engine did not do it in time",
    Exit.VENUE: "the exchange cannot be reached, or refused",
    Exit.KILL_LATCHED: "the kill switch is latched",
    Exit.INCOMPLETE: "orders or positions may be left: not confirmed",
    Exit.INTERRUPTED: "ended by Ctrl-C (SIGINT)",
    Exit.TERMINATED: "ended by SIGTERM",
}

EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code.value:>3}  {text}" for code, text in MEANINGS.items())


class Refusal(Exception):
    """A command that cannot be done: what is in the way, and what to do about it."""

    def __init__(self, code: Exit, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.remedy = remedy


def say(text: str) -> None:
    """A message for the human: standard error, so that standard output stays data."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def tell(text: str) -> None:
    """Data: standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
