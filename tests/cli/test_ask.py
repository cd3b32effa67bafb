"""Claims about what is asked at a terminal."""

import os
import sys
from pathlib import Path

import pytest
from support.terminal import Terminal

from mmfast.cli import ask
from mmfast.cli.outcome import Refusal

ROOT = Path(__file__).parents[2]
PROGRAM = """
from mmfast.cli.ask import ask_line, ask_secret
secret = ask_secret("secret? ")
print(len(secret), secret.decode())
line = ask_line("line? ")
print(line)
"""


@pytest.fixture
def terminal(tmp_path):
    with Terminal([sys.executable, "-c", PROGRAM], {**os.environ, "PYTHONPATH": str(ROOT)}, tmp_path) as made:
        yield made


def test_a_secret_is_taken_and_not_shown_and_the_next_line_is_shown_again(terminal):
    terminal.type("hush hush ☃", after="secret? ")
    terminal.type(" mainnet abc ", after="line? ")
    assert terminal.ended() == 0
    assert terminal.printed() == "13 hush hush ☃\nmainnet abc\n"
    assert "hush" not in terminal.shown
    assert "mainnet abc" in terminal.shown


def test_what_was_typed_before_the_question_is_no_answer(terminal):
    terminal.type("hush\nmainnet abc", after="secret? ")
    terminal.wait("line? ")
    terminal.type("no", after="line? ")
    assert terminal.ended() == 0
    assert terminal.printed() == "4 hush\nno\n"


@pytest.mark.parametrize("question", [ask.ask_line, ask.ask_secret])
def test_without_a_terminal_it_is_refused_not_assumed(monkeypatch, question):
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(Refusal, match="must be typed at a terminal"):
            question("?")
