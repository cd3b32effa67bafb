"""
Keys: the account we trade for and the two agents that sign for it.

In      an address and two keys.
Out     Keys, whose text shows addresses only; each child drops what it does not sign with.
Source  one agent for each process that signs, so that their nonces never meet.
"""

from __future__ import annotations

from mmfast.runtime.secret import Secret
from mmfast.venues.hyperliquid.signing import Signer


def _address(key: bytearray) -> str:
    """The address of a key, whose copy is wiped: what stands in this memory now stands in that of every child."""
    signer = Signer(bytearray(key))
    signer.wipe()
    return signer.address.lower()


class Keys:
    """``account`` is the master's address; ``gateway`` and ``watchdog`` are the keys of its agents."""

    def __init__(self, account: str, gateway: bytearray, watchdog: bytearray) -> None:
        self.account = account.lower()
        self.gateway_address = _address(gateway)
        self.watchdog_address = _address(watchdog)
        if self.account in (self.gateway_address, self.watchdog_address):
            raise ValueError(f"the key of account {self.account} itself was given: give keys of its agents only")
        if self.gateway_address == self.watchdog_address:
            raise ValueError("gateway and watchdog have the same key: each needs an agent of its own")
        self.gateway = Secret(gateway)
        self.watchdog = Secret(watchdog)

    def keep_only(self, process: str) -> None:
        """In a child: forget every key that ``process`` does not sign with."""
        if process != "gateway":
            self.gateway.forget()
        if process != "watchdog":
            self.watchdog.forget()

    def __repr__(self) -> str:
        return f"Keys(account={self.account}, gateway={self.gateway_address}, watchdog={self.watchdog_address})"
