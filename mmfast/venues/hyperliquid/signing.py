"""
Signatures of actions: hash, sign, recover.

In      the msgpack of an action, nonce, vault, expiry; a secret key.
Out     r, s, v; or the address that signed.
Source  the venue's signing page and the official SDK; EIP-712 for the typed data; RFC 6979 for the number
        inside a signature, so the same action always gets the same one.

    connection id = keccak(msgpack | nonce | 00, or 01 and the vault | 00 and the expiry, if there is one)
    digest        = keccak(19 01 | domain | keccak(type of Agent | keccak("a" or "b") | connection id))

"a" is the main network; the test network and every other address, a local exchange too, use "b".
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from coincurve import PublicKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from mmfast.kernel import kernel
from mmfast.venues.hyperliquid.errors import LocalError, RemoteError
from mmfast.venues.hyperliquid.keccak import DIGEST_BYTES, LANES, hash_into, keccak256

SECRET_BYTES, ADDRESS_BYTES = 32, 20

# What a trading key may sign. Transfers, withdrawals and approvals are not among them.
SIGNABLE = frozenset({"order", "cancel", "cancelByCloid", "modify", "batchModify", "scheduleCancel", "noop",
                      "updateLeverage"})

DOMAIN_TYPE = keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
AGENT_TYPE = keccak256(b"Agent(string source,bytes32 connectionId)")


def domain_separator(name: str, chain_id: int) -> bytes:
    """The EIP-712 domain ``name``, version 1, without a contract."""
    parts = DOMAIN_TYPE, keccak256(name.encode()), keccak256(b"1"), chain_id.to_bytes(32, "big"), bytes(32)
    return keccak256(b"".join(parts))


_BEFORE_STRUCT = b"\x19\x01" + domain_separator("Exchange", 1337)
_BEFORE_ID = {True: AGENT_TYPE + keccak256(b"a"), False: AGENT_TYPE + keccak256(b"b")}


def address_bytes(address: str) -> bytes:
    """The 20 bytes of ``0x`` and 40 hex digits."""
    try:
        raw = bytes.fromhex(address[2:]) if address[:2] == "0x" else b""
    except ValueError:
        raw = b""
    if len(raw) != ADDRESS_BYTES:
        raise LocalError(f"address {address!r} is not 0x and 40 hex digits")
    return raw


def hashed_bytes(msgpack: bytes, nonce: int, vault: str | None = None,
                 expires_after: int | None = None) -> bytes:
    """What is hashed for an action: nonce and expiry in ms, the vault as 0x and 40 hex digits."""
    data = msgpack + nonce.to_bytes(8, "big") + (b"\x00" if vault is None else b"\x01" + address_bytes(vault))
    return data if expires_after is None else data + b"\x00" + expires_after.to_bytes(8, "big")


def action_hash(msgpack: bytes, nonce: int, vault: str | None = None,
                expires_after: int | None = None) -> bytes:
    """The connection id: hash of an action with its nonce, vault and expiry."""
    return keccak256(hashed_bytes(msgpack, nonce, vault, expires_after))


# What is hashed around a connection id, on a page: agent type, source, id; prefix, domain, hash of those; digest.
_ID, _STRUCT = 2 * DIGEST_BYTES, 3 * DIGEST_BYTES
_HASH = _STRUCT + len(_BEFORE_STRUCT)
_DIGEST = _HASH + DIGEST_BYTES


def _page(mainnet: bool) -> np.ndarray:
    empty = bytes(DIGEST_BYTES)
    return np.frombuffer(bytearray(_BEFORE_ID[mainnet] + empty + _BEFORE_STRUCT + empty + empty), np.uint8)


@kernel
def digest_on(page: np.ndarray, hashed: bytes, state: np.ndarray) -> None:
    """The digest of ``hashed_bytes`` at the end of a page, in one call. ``state``: scratch of LANES."""
    hash_into(hashed, 0, len(hashed), state, page, _ID)
    hash_into(page, 0, _STRUCT, state, page, _HASH)
    hash_into(page, _STRUCT, _DIGEST - _STRUCT, state, page, _DIGEST)


def digest(connection_id: bytes, mainnet: bool) -> bytes:
    """What is signed for an action on the main network, or on any other."""
    return keccak256(_BEFORE_STRUCT + keccak256(_BEFORE_ID[mainnet] + connection_id))


def action_type(msgpack: bytes) -> str:
    """The ``type`` that a packed action starts with."""
    is_map = len(msgpack) > 6 and msgpack[0] & 0xF0 == 0x80 and msgpack[1:6] == b"\xa4type"
    if not is_map or msgpack[6] & 0xE0 != 0xA0:
        raise LocalError(f"not a packed action with its type in front: {msgpack[:40]!r}")
    return msgpack[7 : 7 + (msgpack[6] & 0x1F)].decode("ascii", "replace")


def _address_of_point(point: bytes) -> str:
    return "0x" + keccak256(point[1:])[-ADDRESS_BYTES:].hex()


class _Key:
    """A key in memory of its own: its address, and signatures of digests. Only its children know what is signed."""

    def __init__(self, secret: bytearray | memoryview) -> None:
        if not isinstance(secret, bytearray) and (not isinstance(secret, memoryview) or secret.readonly):
            raise LocalError("a secret must come as a bytearray or in memory that can be wiped")
        if len(secret) != SECRET_BYTES:
            secret[:] = bytes(len(secret))
            raise LocalError(f"a secret has {SECRET_BYTES} bytes, this one {len(secret)}")
        if isinstance(secret, memoryview):
            # By its address: a memoryview that still lends its buffer crashes the garbage collector of Python 3.11.
            self._memory = secret
            self._key = ffi.cast("unsigned char *", ffi.cast("uintptr_t", ffi.from_buffer(secret)))
        else:
            self._key = ffi.new("unsigned char[32]")
            ffi.memmove(self._key, secret, SECRET_BYTES)
            secret[:] = bytes(SECRET_BYTES)
        self._context = GLOBAL_CONTEXT.ctx
        if not lib.secp256k1_ec_seckey_verify(self._context, self._key):
            self.wipe()
            raise LocalError("this secret is no secp256k1 key: it is zero or too large")
        self._signature = ffi.new("secp256k1_ecdsa_recoverable_signature *")
        self._compact, self._recovery = ffi.new("unsigned char[64]"), ffi.new("int *")
        self._bytes = ffi.buffer(self._compact, 64)
        self.address = self._address()

    def _address(self) -> str:
        point = ffi.new("secp256k1_pubkey *")
        out, size = ffi.new("unsigned char[65]"), ffi.new("size_t *", 65)
        lib.secp256k1_ec_pubkey_create(self._context, point, self._key)
        lib.secp256k1_ec_pubkey_serialize(self._context, out, size, point, lib.SECP256K1_EC_UNCOMPRESSED)
        return _address_of_point(bytes(ffi.buffer(out, 65)))

    def _sign(self, digest: bytes) -> tuple[bytes, bytes, int]:
        if len(digest) != 32:
            raise LocalError(f"a digest has 32 bytes, this one {len(digest)}")
        if not lib.secp256k1_ecdsa_sign_recoverable(
            self._context, self._signature, digest, self._key, ffi.NULL, ffi.NULL
        ):
            raise LocalError("this signer has been wiped")
        lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(
            self._context, self._compact, self._recovery, self._signature)
        raw = self._bytes[:]
        return raw[:32], raw[32:], 27 + self._recovery[0]

    def wipe(self) -> None:
        """Forget the key; nothing can be signed afterwards."""
        ffi.memmove(self._key, bytes(SECRET_BYTES), SECRET_BYTES)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer is not pickled or copied: its key stays in one process")


class Signer(_Key):
    """
    A key that signs trading actions and nothing else: it has no way to sign anything but what SIGNABLE names.

    A bytearray is copied into memory of the signer's own and wiped where it came from; a memoryview, of locked
    memory for instance, is used where it is. The key is never printed, never pickled, and gone after ``wipe``.
    One signer belongs to one process and one thread.
    """

    def __init__(self, secret: bytearray | memoryview) -> None:
        super().__init__(secret)
        self._pages, self._state = {mainnet: _page(mainnet) for mainnet in (False, True)}, np.zeros(LANES, np.uint64)

    def sign_action(self, msgpack: bytes, nonce: int, mainnet: bool, vault: str | None = None,
                    expires_after: int | None = None) -> tuple[bytes, bytes, int]:
        """r and s, 32 bytes each, and v, 27 or 28, of a packed action; LocalError if its type is not in SIGNABLE."""
        kind = action_type(msgpack)
        if kind not in SIGNABLE:
            raise LocalError(f"a trading key does not sign {kind!r}; it signs {sorted(SIGNABLE)}")
        page = self._pages[mainnet]
        digest_on(page, hashed_bytes(msgpack, nonce, vault, expires_after), self._state)
        return self._sign(page[_DIGEST:].tobytes())


class DigestSigner(_Key):
    """A key that signs whatever digest it is given: for an account's own tool and for tests, never in the engine."""

    def sign(self, digest: bytes) -> tuple[bytes, bytes, int]:
        """r and s, 32 bytes each, and v, 27 or 28, of a 32-byte digest."""
        return self._sign(digest)


def address_of(secret: bytes | bytearray | memoryview) -> str:
    """The address, in lower case, of a secret; the secret is left as it is and, where it can be written, uncopied."""
    if isinstance(secret, memoryview):
        return DigestSigner(secret).address
    signer = DigestSigner(bytearray(secret))
    signer.wipe()
    return signer.address


def recover(digest: bytes, r: bytes, s: bytes, v: int) -> str:
    """The address that signed ``digest``; RemoteError if there is none."""
    try:
        compact = r.rjust(32, b"\0") + s.rjust(32, b"\0") + bytes([v - 27])
        point = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except Exception as error:  # the library raises bare Exception for a point that is not on the curve
        raise RemoteError(f"no key gives this signature (v {v}): {error}", r + s) from error
    return _address_of_point(point.format(compressed=False))


def parse_signature(signature: Any) -> tuple[bytes, bytes, int]:
    """r, s, v of a signature as it stands in JSON, zero-padded or not; RemoteError if it is none."""
    try:
        r, s = (int(signature[part], 16).to_bytes(32, "big") for part in ("r", "s"))
        v = signature["v"]
        if v not in (27, 28):
            raise ValueError(f"v is {v}")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RemoteError(f"not a signature: {error}", str(signature).encode()) from error
    return r, s, v
