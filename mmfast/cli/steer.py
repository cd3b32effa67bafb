"""
Steering a running engine: pause, resume, stop, flatten.

In      the engine's house.
Out     a control word or a signal, then waiting until the engine has done it, at most until a deadline.
Source  what each verb promises stands in its function; none returns success before it is so.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from mmfast.cli.outcome import Exit, Refusal
from mmfast.cli.target import Target, living
from mmfast.records.control import KILL_NAMES, PAUSE_OPERATOR
from mmfast.rings.region import House
from mmfast.rings.segment import owner_lives
from mmfast.runtime.control import Control
from mmfast.runtime.holdings import positions, resting_count
from mmfast.runtime.latch import Latch

LOOK_S = 0.02
# An order under decision when the word was set reaches the table within this time.
SETTLE_S = 0.1


def pause(target: Target, timeout_s: float) -> str:
    """Pull the quotes; the engine keeps running and keeps its position. Returns when nothing rests."""
    house = living(target.engine)
    Control(house).pause(PAUSE_OPERATOR)
    if not until(house, lambda: resting_count(house) == 0, timeout_s, SETTLE_S):
        raise Refusal(Exit.INCOMPLETE, f"{resting_count(house)} orders may still rest after {timeout_s:g} s",
                      f"look with: mmfast status --name {target.engine}; cancel everything with: mmfast kill")
    return f"paused: no order rests, position kept ({held(house)})"


def resume(target: Target) -> str:
    """Quote again; refused while the kill switch is latched."""
    house = living(target.engine)
    control = Control(house)
    refuse_latched(target, control)
    control.resume(PAUSE_OPERATOR)
    others = control.pause_names
    return "resumed" + (f"; still paused by: {', '.join(others)}" if others else "")


def stop(target: Target, timeout_s: float) -> str:
    """End the engine: quotes pulled and confirmed, position kept. Returns when the supervisor has ended."""
    house = living(target.engine)
    asked_ns = time.monotonic_ns()
    _terminate(target.engine, house)
    if not _ended(house, timeout_s):
        raise Refusal(Exit.TIMEOUT, f"engine {target.engine!r} (pid {house.segment.owner_pid}) still runs after "
                      f"{timeout_s:g} s", "look with: mmfast status; cancel everything with: mmfast kill")
    left = resting_count(house, asked_ns)
    if left:
        raise Refusal(Exit.INCOMPLETE, f"the engine has ended, but {left} orders may still rest",
                      "look at the venue; they are ours by their cloid")
    return f"stopped: no order rests, position kept ({held(house)})"


def flatten(target: Target, timeout_s: float) -> str:
    """Close every position with reduce-only orders, then end the engine. Returns when both are so."""
    house = living(target.engine)
    control = Control(house)
    refuse_latched(target, control)
    asked_ns = time.monotonic_ns()
    control.flatten()
    flat = until(house, lambda: not any(positions(house).values()), timeout_s)
    if not flat:
        refuse_latched(target, control)  # meanwhile: then nobody goes on trying
        raise Refusal(Exit.INCOMPLETE, f"not flat after {timeout_s:g} s: {held(house)}",
                      "it goes on trying; look with: mmfast status")
    if not _ended(house, timeout_s):
        raise Refusal(Exit.TIMEOUT, f"flat, but the engine has not ended after {timeout_s:g} s",
                      "end it with: mmfast stop")
    left = resting_count(house, asked_ns)
    if left or any(positions(house).values()):
        raise Refusal(Exit.INCOMPLETE, f"the engine has ended with {held(house)} and {left} orders that may still rest",
                      "look at the venue")
    return "flat and ended"


def refuse_latched(target: Target, control: Control) -> None:
    """
    Refuse what must not be done while the kill switch is latched.

    Raises
    ------
    Refusal
        With the reason of the latch.
    """
    latched = Latch(target.folder).read()
    if latched is not None or control.kill_reason:
        why = (f"{latched.reason}: {latched.text}, by {latched.who} at {latched.at}" if latched
               else _word(control))
        raise Refusal(Exit.KILL_LATCHED, f"the kill switch is latched ({why})",
                      "find out why, then: mmfast kill --clear --reason WHY")


def _word(control: Control) -> str:
    code = control.kill_reason
    return KILL_NAMES[code] if 0 <= code < len(KILL_NAMES) else f"code {code}"


def until(house: House, done: Callable[[], bool], timeout_s: float, settle_s: float = 0.0) -> bool:
    """Look until ``done`` has held for ``settle_s``; false when time is up or the owner has died before."""
    deadline = time.monotonic() + timeout_s
    since: float | None = None
    while True:
        now = time.monotonic()
        since = (since or now) if done() else None
        if since is not None and now - since >= settle_s:
            return True
        if now > deadline or not owner_lives(house.segment.name):
            return since is not None
        time.sleep(LOOK_S)


def held(house: House) -> str:
    """Positions in words."""
    return ", ".join(f"{coin} {size:+g}" for coin, size in positions(house).items() if size) or "flat"


def _terminate(engine: str, house: House) -> None:
    # The lock proves that the pid is still the owner's: a pid alone could be somebody else's by now.
    if owner_lives(house.segment.name):
        with suppress(ProcessLookupError):
            os.kill(house.segment.owner_pid, signal.SIGTERM)


def _ended(house: House, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while owner_lives(house.segment.name):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)
    return True
