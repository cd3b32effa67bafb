"""
Strictly increasing nonces.

In      the time [ms since 1970] and the highest nonce ever used by this key.
Out     max(last + 1, now), which the venue takes within two days behind and one day ahead of its clock.
Source  the venue's nonces and API wallets page. One key belongs to one process, or nonces collide.
"""

from __future__ import annotations

BEHIND_MS_MAX = 2 * 86_400_000
AHEAD_MS_MAX = 86_400_000


class Nonces:
    """The nonces of one key; ``last`` is the high-water mark that the caller keeps over restarts."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def take(self, now_ms: int) -> int:
        """The next nonce: the time, or one more than the last if the clock stood still or went back."""
        self.last = max(self.last + 1, now_ms)
        return self.last

    def raise_to(self, nonce: int) -> None:
        """Never give a nonce of ``nonce`` or below again, for instance after a restart."""
        self.last = max(self.last, nonce)


def is_acceptable(nonce: int, now_ms: int) -> bool:
    """True if the venue would take a nonce this far from its clock."""
    return now_ms - BEHIND_MS_MAX < nonce < now_ms + AHEAD_MS_MAX
