"""
Interrupt: a signal that comes while the engine starts ends the start, whatever code it lands in.

In      SIGINT, SIGTERM.
Out     KeyboardInterrupt at once, and once more at the next `check` where a callback or a library swallowed it.
Source  exceptions of signal handlers are raised between any two bytecodes, those of callbacks and finalizers among
        them, which cannot pass them on: docs.python.org/3/library/signal.html#note-on-signal-handlers-and-exceptions
"""

from __future__ import annotations

import signal

from mmfast.cli.outcome import Exit

CODES = {signal.SIGINT: Exit.INTERRUPTED, signal.SIGTERM: Exit.TERMINATED}


class Interrupts:
    """Takes SIGINT and SIGTERM from now on, until somebody else does."""

    def __init__(self) -> None:
        self.code = Exit.OK
        self.is_held = False
        for number in CODES:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        self.code = CODES[signal.Signals(number)]
        if not self.is_held:
            raise KeyboardInterrupt

    def hold(self) -> None:
        """What comes now must not be left half done: a signal is only noted, for the next `check`."""
        self.is_held = True

    def check(self) -> None:
        """Raises KeyboardInterrupt if there was a signal."""
        if self.code != Exit.OK:
            raise KeyboardInterrupt
