"""
Keys: the account we trade for and the two agents that sign for it.

In      an address and two keys, or the names of two files.
Out     Keys, whose text shows addresses only; each child drops what it does not sign with.
Source  one agent for each process that signs, so that their nonces never meet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from mmfast.runtime.keyfile import Ask, KeyRefused, read_key, refuse_exposed
from mmfast.runtime.locked import seal, wipe
from mmfast.runtime.secret import Key, Secret
from mmfast.venues.hyperliquid.signing import address_of


class Keys:
    """``account`` is the master's address; ``gateway`` and ``watchdog`` are the keys of its agents."""

    def __init__(self, account: str, gateway: Key, watchdog: Key) -> None:
        self.account = account.lower()
        self.gateway_address = address_of(gateway)
        self.watchdog_address = address_of(watchdog)
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


def load_keys(account: str, gateway_name: str, watchdog_name: str, ask: Ask,
              environ: Mapping[str, str] = os.environ) -> Keys:
    """
    The keys that the configuration names; this process leaves no core file from here on.

    Raises
    ------
    KeyRefused
        If a file is not fit for a key, if a key stands in an argument or a variable, if it is the account's own, or
        if both are the same.
    NotLocked
        If this process may not lock memory.
    """
    seal()
    taken: list[memoryview] = []
    try:
        for name in (gateway_name, watchdog_name):
            taken.append(read_key(name, ask, environ))
        refuse_exposed(map(address_of, taken), environ=environ)
        return Keys(account, *taken)
    except ValueError as error:
        raise error if isinstance(error, KeyRefused) else KeyRefused(str(error)) from None
    finally:
        for key in taken:
            wipe(key)
