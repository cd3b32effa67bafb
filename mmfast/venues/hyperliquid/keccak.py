"""
Keccak-256, the hash in everything the venue signs.

In      bytes.
Out     32 bytes.
Source  Bertoni et al., "The Keccak reference" (2011): padding 0x01, unlike SHA-3; pycryptodome does the work.
"""

from __future__ import annotations

from typing import Any

from Crypto.Hash import keccak as _keccak
from Crypto.Util import _raw_api

_raw: Any = _raw_api
_library: Any = _keccak

DIGEST_BYTES = 32
EMPTY = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")


def keccak256(data: bytes) -> bytes:
    """Hash of ``data``."""
    return bytes(_keccak.new(data=data, digest_bits=8 * DIGEST_BYTES).digest())


class Sponge:
    """
    A hash state that is kept and reset, where ``keccak256`` makes a new one for every hash.

    Belongs to one thread. It calls the same compiled functions as pycryptodome's own class; that they still
    behave as expected is checked when a sponge is made.
    """

    def __init__(self) -> None:
        self._owner = _library.new(digest_bits=8 * DIGEST_BYTES)
        self._state = self._owner._state.get()
        self._reset = _library._raw_keccak_lib.keccak_reset
        self._absorb = _library._raw_keccak_lib.keccak_absorb
        self._digest = _library._raw_keccak_lib.keccak_digest
        self._out = _raw.create_string_buffer(DIGEST_BYTES)
        self._size, self._padding = _raw.c_size_t(DIGEST_BYTES), _raw.c_ubyte(1)
        if self.hash(b"") != EMPTY or self.hash(b"") != EMPTY:
            raise RuntimeError("pycryptodome's keccak changed inside: install the version of the lock file")

    def hash(self, data: bytes) -> bytes:
        """Hash of ``data``."""
        failed = self._reset(self._state)
        failed |= self._absorb(self._state, _raw.c_uint8_ptr(data), _raw.c_size_t(len(data)))
        failed |= self._digest(self._state, self._out, self._size, self._padding)
        if failed:
            raise RuntimeError(f"keccak failed with code {failed}")
        return bytes(_raw.get_raw_buffer(self._out))
