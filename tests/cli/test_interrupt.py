"""Claims about signals that come while an engine starts."""

import contextlib
import os
import signal

import pytest

from mmfast.cli.interrupt import Interrupts
from mmfast.cli.outcome import Exit


@pytest.fixture
def interrupts():
    return Interrupts()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)])
def test_a_signal_interrupts_at_once_and_gives_the_code(interrupts, number, code):
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert interrupts.code == code


def test_an_interrupt_that_is_swallowed_comes_again_at_the_next_check(interrupts):
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupts.check()


def test_a_held_interrupt_waits_for_the_check(interrupts):
    interrupts.hold()
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        interrupts.check()
    assert interrupts.code == Exit.TERMINATED


def test_without_a_signal_a_check_is_silent(interrupts):
    interrupts.check()
    assert interrupts.code == Exit.OK
