"""
Encrypted keystore, version 3: one key in a JSON file behind a passphrase.

In      the text of a keystore and its passphrase; or a key and a passphrase.
Out     the key, decrypted straight into memory of the caller's; or the text.
Source  Ethereum's Web3 Secret Storage Definition; RFC 7914 (scrypt), RFC 8018 (PBKDF2), AES-128 in counter mode.

The libraries that do this return the key as ``bytes``, which cannot be wiped; here it never is one.
"""

from __future__ import annotations

import ctypes
import hashlib
import hmac
import secrets
import uuid
from typing import Any, Literal

import msgspec
from Crypto.Cipher import AES
from msgspec import Struct

from mmfast.runtime.locked import KEY_BYTES
from mmfast.venues.hyperliquid.keccak import keccak256

VERSION, CIPHER = 3, "aes-128-ctr"
SCRYPT_N, SCRYPT_R, SCRYPT_P, DERIVED_BYTES = 1 << 17, 8, 1, 32
MEMORY_MAX = 1 << 30  # of scrypt; a file that asks for more is refused, not obeyed
ROUNDS_MAX = 100_000_000


class KeystoreError(ValueError):
    """A keystore that cannot be opened; the message never holds anything of the key or the passphrase."""


class _Cipher(Struct):
    iv: str


class _Crypto(Struct):
    cipher: Literal["aes-128-ctr"]
    ciphertext: str
    cipherparams: _Cipher
    kdf: Literal["scrypt", "pbkdf2"]
    kdfparams: dict[str, int | str]
    mac: str


class _Keystore(Struct):
    version: Literal[3]
    crypto: _Crypto
    address: str = ""


_DECODER = msgspec.json.Decoder(_Keystore)


def _forget(derived: bytes) -> None:
    """Zeros over bytes that nobody else holds: what was derived from the passphrase opens the file as well."""
    ctypes.memset(id(derived) + bytes.__basicsize__ - 1, 0, len(derived))


def _hex(text: str, count: int, what: str) -> bytes:
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != count:
        raise KeystoreError(f"{what} of the keystore is not {2 * count} hex digits")
    return raw


def _derive(kdf: str, given: dict[str, int | str], passphrase: bytearray) -> bytes:
    """What the passphrase becomes; KeystoreError for parameters that are missing or beyond reason."""
    asked = {name: given.get(name) for name in ("n", "r", "p", "c", "dklen")}
    salt, numbers = given.get("salt"), {name: value for name, value in asked.items() if isinstance(value, int)}
    wanted = {"scrypt": {"n", "r", "p", "dklen"}, "pbkdf2": {"c", "dklen"}}[kdf]
    if not isinstance(salt, str) or not wanted <= numbers.keys() or numbers["dklen"] != DERIVED_BYTES:
        raise KeystoreError(f"the keystore's parameters of {kdf} are not {', '.join(sorted(wanted))} = 32 and salt")
    salt_bytes = _hex(salt, len(salt.removeprefix("0x")) // 2, "the salt")
    try:
        if kdf == "pbkdf2":
            if given.get("prf") != "hmac-sha256" or not 0 < numbers["c"] <= ROUNDS_MAX:
                raise ValueError("only hmac-sha256, with up to 10^8 rounds")
            return hashlib.pbkdf2_hmac("sha256", passphrase, salt_bytes, numbers["c"], DERIVED_BYTES)
        return hashlib.scrypt(passphrase, salt=salt_bytes, n=numbers["n"], r=numbers["r"], p=numbers["p"],
                              maxmem=MEMORY_MAX, dklen=DERIVED_BYTES)
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        raise KeystoreError(f"the keystore's parameters of {kdf} are refused: {error}") from None


def decrypt(text: bytes, passphrase: bytearray, key: memoryview) -> None:
    """
    Write the key of a keystore into ``key``, 32 bytes; the passphrase is left as it is.

    Raises
    ------
    KeystoreError
        If this is no keystore of version 3, if its parameters are out of reach, or if the passphrase is wrong.
    """
    try:
        crypto = _DECODER.decode(text).crypto
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise KeystoreError(f"not a keystore of version 3: {error}") from None
    sealed = _hex(crypto.ciphertext, KEY_BYTES, "the ciphertext")
    iv, mac = _hex(crypto.cipherparams.iv, AES.block_size, "the iv"), _hex(crypto.mac, 32, "the mac")
    derived = _derive(crypto.kdf, crypto.kdfparams, passphrase)
    try:
        if not hmac.compare_digest(keccak256(derived[16:] + sealed), mac):
            raise KeystoreError("wrong passphrase, or the keystore is damaged: its mac does not fit")
        _counter(derived, iv).decrypt(sealed, output=key)
    finally:
        _forget(derived)


def encrypt(key: memoryview, passphrase: bytearray, address: str, scrypt_n: int = SCRYPT_N) -> bytes:
    """The text of a new keystore; ``key`` and passphrase are left as they are."""
    salt, iv, sealed = secrets.token_bytes(32), secrets.token_bytes(AES.block_size), bytearray(KEY_BYTES)
    given: dict[str, int | str] = {"n": scrypt_n, "r": SCRYPT_R, "p": SCRYPT_P, "dklen": DERIVED_BYTES,
                                   "salt": salt.hex()}
    derived = _derive("scrypt", given, passphrase)
    _counter(derived, iv).encrypt(key, output=sealed)
    mac = keccak256(derived[16:] + bytes(sealed))
    _forget(derived)
    crypto = {"cipher": CIPHER, "ciphertext": sealed.hex(), "cipherparams": {"iv": iv.hex()}, "kdf": "scrypt",
              "kdfparams": given, "mac": mac.hex()}
    return msgspec.json.encode({"version": VERSION, "id": str(uuid.uuid4()),
                                "address": address.lower().removeprefix("0x"), "crypto": crypto})


def _counter(derived: bytes, iv: bytes) -> Any:
    return AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=iv)
