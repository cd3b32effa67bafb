"""
The kill switch by hand: latch, wait until nothing rests, and take it back with a reason.

In      an engine, running or not.
Out     the kill word, the latch on disk, an audit line; then no live order, or exit code 8.
Source  the word comes first because it blocks at once; the file comes second because it outlives everything.
"""

from __future__ import annotations

from mmfast.cli.outcome import Exit, Refusal, say
from mmfast.cli.steer import until
from mmfast.cli.target import Target, last_seen
from mmfast.records.control import KILL_MANUAL
from mmfast.rings.region import House
from mmfast.rings.segment import SegmentError
from mmfast.runtime.attach import ABSENT, DEAD, attach, engine_state
from mmfast.runtime.control import Control
from mmfast.runtime.holdings import resting_count
from mmfast.runtime.latch import Latch


def kill(target: Target, reason: str, timeout_s: float) -> str:
    """Cancel everything and trade no more until cleared; latches even when no engine runs."""
    state, house = _latch_word(target.engine)
    latch = Latch(target.folder)
    try:
        first = latch.set(KILL_MANUAL, reason)
    except OSError as error:
        raise Refusal(Exit.FAILURE, f"the latch {latch.path} cannot be written: {error.strerror}; a running engine "
                      "is latched, a restart would not be", "make the folder writable and kill again") from None
    say(f"kill switch {'latched' if first else 'was latched already'}: {latch.path}")
    if house is None:  # one that has come up meanwhile may have looked for the file before it was there
        state, house = _latch_word(target.engine)
    if house is None and state == ABSENT:
        return f"no engine named {target.engine!r} runs; it cannot start until the latch is cleared"
    if house is None:
        raise Refusal(Exit.INCOMPLETE, "the engine's memory cannot be read: its orders may still rest",
                      "look at the venue")
    if state == DEAD:
        return _dead(target, house)
    if not until(house, lambda: resting_count(house) == 0, timeout_s):
        raise Refusal(Exit.INCOMPLETE, f"{resting_count(house)} orders may still rest after {timeout_s:g} s",
                      "the watchdog goes on canceling; look with: mmfast status, and at the venue")
    return "no order rests; clear with: mmfast kill --clear --reason WHY"


def clear(target: Target, reason: str) -> str:
    """Take the kill switch back, on disk and in a running engine."""
    latch = Latch(target.folder)
    try:
        was = latch.clear(reason)
    except OSError as error:
        raise Refusal(Exit.FAILURE, f"the kill switch stays as it is: {latch.folder} cannot be written: "
                      f"{error.strerror}", "make room there: what is cleared has to be in the log") from None
    state = engine_state(target.engine)
    house = _house(target.engine, writable=True) if state not in (ABSENT, DEAD) else None
    if house is not None and Control(house).kill_reason:
        Control(house).rearm()
        was = True
    return "kill switch cleared" if was else "the kill switch was not latched"


def _latch_word(engine: str) -> tuple[str, House | None]:
    """State of the engine, and its house if it can be read; one that lives is latched."""
    state = engine_state(engine)
    house = _house(engine, writable=state != DEAD) if state != ABSENT else None
    if house is not None and state != DEAD:
        Control(house).kill(KILL_MANUAL)
    return state, house


def _dead(target: Target, house: House) -> str:
    left = resting_count(house)
    if left:
        raise Refusal(Exit.INCOMPLETE, f"the engine is dead{last_seen(target.engine)}; its table has {left} orders "
                      "that may still rest", "look at the venue and cancel them there")
    return f"the engine is dead{last_seen(target.engine)}; its table has no live order"


def _house(engine: str, writable: bool) -> House | None:
    try:
        return attach(engine, writable)
    except SegmentError as error:
        say(str(error))
        return None
