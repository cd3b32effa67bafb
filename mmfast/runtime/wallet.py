"""
A wallet: one agent's key with its nonces, turning actions into signed frames.

In      an action in both its forms, the wall clock, the high-water mark that an earlier run left.
Out     the bytes of a `post` request; its nonce and expiry.
Source  the venue's advice: one agent wallet for each process that signs, nonces from its clock in milliseconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mmfast.runtime.highwater import HighWater
from mmfast.runtime.secret import Key
from mmfast.venues.hyperliquid.actions import Action
from mmfast.venues.hyperliquid.encode import post_frame
from mmfast.venues.hyperliquid.nonce import Nonces
from mmfast.venues.hyperliquid.signing import Signer


class Signed(NamedTuple):
    """A frame ready to be written; its expiry is 0 if it has none."""

    frame: bytes
    nonce: int
    expires_after_ms: int


class Wallet:
    """
    Signs for one process. ``key`` is taken over: a bytearray is wiped, locked memory is used until `wipe`. Nonces are
    kept over restarts in ``path``, if given.
    """

    def __init__(self, key: Key, mainnet: bool, path: Path | None = None, now_ms: int = 0) -> None:
        self._signer = Signer(key)
        self._mainnet = mainnet
        self._mark = HighWater(path, self.address) if path else None
        self._nonces = Nonces(self._mark.begin(now_ms) if self._mark else 0)

    @property
    def address(self) -> str:
        """The agent's address."""
        return self._signer.address

    def sign(self, request_id: int, action: Action, now_ms: int, expires_in_ms: int | None = None) -> Signed:
        """
        The signed request; the venue refuses it when it arrives later than ``expires_in_ms`` from now. Without, as for
        cancels, it is right however late it comes, and a clock that is wrong does not keep it from being taken.
        """
        nonce, expires = self._nonces.take(now_ms), None if expires_in_ms is None else now_ms + expires_in_ms
        if self._mark and nonce >= self._mark.mark:  # the clock has jumped since `keep`
            self._mark.keep(nonce, now_ms)
        r, s, v = self._signer.sign_action(action.msgpack, nonce, self._mainnet, None, expires)
        return Signed(post_frame(request_id, action.json, nonce, r, s, v, None, expires), nonce, expires or 0)

    def rehearse(self, action: Action) -> None:
        """Go the way of `sign` for nothing: no nonce is taken, and the frame, long expired, goes nowhere."""
        r, s, v = self._signer.sign_action(action.msgpack, 1, self._mainnet, None, 1)
        post_frame(0, action.json, 1, r, s, v, None, 1)

    def keep(self, now_ms: int) -> str:
        """Have the mark on disk well ahead of the clock: call it now and then. What went wrong, if anything."""
        return self._mark.keep(self._nonces.last, now_ms) if self._mark else ""

    def wipe(self) -> None:
        """Forget the key."""
        self._signer.wipe()

    def __repr__(self) -> str:
        return f"Wallet({self.address})"
