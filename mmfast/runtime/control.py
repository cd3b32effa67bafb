"""
The control words: how anyone with the house's keys steers the engine with single stores.

In      a verb.
Out     words of the CONTROL record that every process reads before it acts.
Source  kill, pause and stop are different words because they are different promises.
"""

from __future__ import annotations

import time

from mmfast.kernel import kernel
from mmfast.records.control import CONTROL, KILL_NAMES, PAUSE_NAMES
from mmfast.rings.atomics import compare_swap, fetch_add, fetch_and, fetch_or, load_acquire, store_release
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House

O_STOP = CONTROL.fields["stop"][1]  # type: ignore[index]
O_KILL = CONTROL.fields["kill"][1]  # type: ignore[index]
O_EPOCH = CONTROL.fields["epoch"][1]  # type: ignore[index]
O_KILL_NS = CONTROL.fields["kill_ns"][1]  # type: ignore[index]
O_CLEAR_NS = CONTROL.fields["clear_ns"][1]  # type: ignore[index]
O_PAUSE = CONTROL.fields["pause"][1]  # type: ignore[index]
O_FLATTEN = CONTROL.fields["flatten"][1]  # type: ignore[index]


@kernel
def read_word(address: int) -> int:
    """The word at ``address``, acquired."""
    return load_acquire(address)


@kernel
def write_word(address: int, value: int) -> None:
    """Release ``value`` into the word at ``address``."""
    store_release(address, value)


@kernel
def set_bits(address: int, bits: int) -> int:
    """Set bits in one step; returns the word before."""
    return fetch_or(address, bits)


@kernel
def keep_bits(address: int, bits: int) -> int:
    """Clear all but ``bits`` in one step; returns the word before."""
    return fetch_and(address, bits)


@kernel
def latch_word(address: int, epoch: int, reason: int) -> bool:
    """Latch ``reason`` if nothing is latched, and open a new epoch; true if this call did it."""
    if compare_swap(address, 0, reason):
        fetch_add(epoch, 1)
        return True
    return False


class Control:
    """The CONTROL record of a house, word by word."""

    def __init__(self, house: House) -> None:
        self.address = house.address["control"] + HEADER_BYTES

    @property
    def stopping(self) -> bool:
        """The engine is ending."""
        return read_word(self.address + O_STOP) != 0

    @property
    def kill_reason(self) -> int:
        """Reason code of the latched kill switch, 0 when trading is allowed."""
        return read_word(self.address + O_KILL)

    @property
    def kill_ns(self) -> int:
        """When the kill switch was latched last."""
        return read_word(self.address + O_KILL_NS)

    @property
    def clear_ns(self) -> int:
        """When it was last stated that the venue shows no order of ours."""
        return read_word(self.address + O_CLEAR_NS)

    @property
    def pauses(self) -> int:
        """Bits of those who want the quotes pulled."""
        return read_word(self.address + O_PAUSE)

    @property
    def pause_names(self) -> list[str]:
        """Names of those who want the quotes pulled."""
        return [name for bit, name in PAUSE_NAMES.items() if self.pauses & bit]

    @property
    def flattening(self) -> bool:
        """The position is being closed."""
        return read_word(self.address + O_FLATTEN) != 0

    @property
    def trading(self) -> bool:
        """Orders may be placed."""
        return not (self.stopping or self.kill_reason or self.pauses)

    def ask_stop(self) -> None:
        """Ask every process to end."""
        write_word(self.address + O_STOP, 1)

    def pause(self, who: int) -> None:
        """Have the quotes pulled until ``who`` resumes."""
        set_bits(self.address + O_PAUSE, who)

    def resume(self, who: int) -> None:
        """Withdraw one's own wish for a pause."""
        keep_bits(self.address + O_PAUSE, ~who)

    def flatten(self) -> None:
        """Have the position closed with reduce-only orders."""
        write_word(self.address + O_FLATTEN, 1)

    def kill(self, reason: int) -> bool:
        """
        Latch the kill word; true if it was not latched before.

        Raises
        ------
        ValueError
            If ``reason`` is none of KILL_NAMES: 0 would latch nothing and say that it did.
        """
        if not 0 < reason < len(KILL_NAMES):
            raise ValueError(f"reason={reason} is no code of a kill: use one of records/control.py, 1 to "
                             f"{len(KILL_NAMES) - 1}")
        first = latch_word(self.address + O_KILL, self.address + O_EPOCH, reason)
        if first:
            write_word(self.address + O_KILL_NS, time.monotonic_ns())
        return first

    def mark_clear(self) -> None:
        """State that the venue shows no order of ours, and that none is under way: it is latched, or ending."""
        write_word(self.address + O_CLEAR_NS, time.monotonic_ns())

    def rearm(self) -> None:
        """Take the kill word back: only for a human with a reason. What was confirmed is no word on the next kill."""
        write_word(self.address + O_CLEAR_NS, 0)
        write_word(self.address + O_KILL, 0)
