"""
Questions to the human at the terminal: a word to confirm, a secret that is not shown.

In      a question; a terminal on standard input.
Out     the typed line; a secret in a buffer that can be wiped.
Source  termios(3). Without a terminal nobody is there who could have meant it: refused, never assumed.
"""

from __future__ import annotations

import os
import sys
import termios

from mmfast.cli.outcome import Exit, Refusal, say

LINE_MAX = 4096  # what a terminal keeps of one line


def need_terminal(what: str) -> int:
    """The descriptor of the terminal; Refusal if standard input is none."""
    try:
        descriptor = sys.stdin.fileno()
        there = os.isatty(descriptor)
    except (OSError, ValueError):
        there = False
    if not there:
        raise Refusal(Exit.USAGE, f"{what} must be typed at a terminal, and standard input is none",
                      "start from a terminal; as a service: systemd-run --pty …")
    return descriptor


def ask_line(question: str) -> str:
    """The line that was typed, without white space around it; empty at the end of the input."""
    descriptor = need_terminal("a confirmation")
    termios.tcflush(descriptor, termios.TCIFLUSH)  # what was typed before the question is no answer to it
    _write(question)
    return os.read(descriptor, LINE_MAX).decode("utf-8", "replace").strip()


def ask_secret(question: str) -> bytearray:
    """What was typed, unseen, without its line end; the caller wipes it."""
    descriptor = need_terminal("a secret")
    before = termios.tcgetattr(descriptor)
    unseen = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    typed = bytearray(LINE_MAX)
    try:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, unseen)  # before the question: whoever reads it may type
        _write(question)
        count = os.readv(descriptor, [typed])
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
        say("")
    while count and typed[count - 1] in b"\r\n":
        count -= 1
    secret = typed[:count]
    typed[:] = bytes(len(typed))
    return secret


def _write(question: str) -> None:
    sys.stderr.write(question)
    sys.stderr.flush()
