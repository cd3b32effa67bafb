"""
Where an agent's key comes from: a systemd credential, an encrypted keystore, or a file that only we can read.

In      the name in the configuration: ``credential:NAME`` or a path; a way to ask for a passphrase.
Out     the key in locked memory; or KeyRefused, which names the file, what is wrong and the remedy.
Source  systemd.exec(5), LoadCredential=: a folder of its own in $CREDENTIALS_DIRECTORY, owned by root or by the
        service's user. A key is never taken from an argument or a variable: others can read those.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from mmfast.runtime import locked
from mmfast.runtime.keystore import KeystoreError, decrypt
from mmfast.runtime.locked import KEY_BYTES, key_memory, wipe
from mmfast.venues.hyperliquid.errors import LocalError
from mmfast.venues.hyperliquid.signing import address_of

CREDENTIAL = "credential:"
SIZE_MAX = 4096
OPENING_BRACE = ord("{")
LOOKS_LIKE_A_KEY = re.compile(r"(?<![0-9a-fA-F])(?:0x)?([0-9a-fA-F]{64})(?![0-9a-fA-F])")

Ask = Callable[[str], bytearray]


class KeyRefused(ValueError):
    """A key that is not used; the message says why and what to do, and never what the key is."""


def read_key(name: str, ask: Ask, environ: Mapping[str, str] = os.environ) -> memoryview:
    """
    The key that ``name`` leads to, in 32 bytes of locked memory; ``ask(question)`` gives the passphrase of a keystore.

    Raises
    ------
    KeyRefused
        If others can read the file, if it is no key and no keystore, or if the passphrase is wrong.
    NotLocked
        If this process may not lock memory.
    """
    locked.check()
    path = path_of(name, environ)
    content = _content(path, name.startswith(CREDENTIAL))
    key = key_memory()
    try:
        if content[:1] == b"{":
            passphrase = ask(f"passphrase of {path}: ")
            try:
                decrypt(bytes(content), passphrase, key)
            finally:
                wipe(passphrase)
        else:
            plain_key(content, key, str(path))
        address_of(key)
    except (KeystoreError, LocalError) as error:
        wipe(key)
        raise KeyRefused(f"{path}: {error}") from None
    finally:
        wipe(content)
    return key


def path_of(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The file behind ``credential:NAME`` or a path."""
    if LOOKS_LIKE_A_KEY.search(name):
        raise KeyRefused("a key itself was given where the name of a file belongs: whoever saw it has the key. Approve "
                         "a new agent, and put its key into a credential, a keystore or a 0400 file")
    if not name.startswith(CREDENTIAL):
        return Path(name).expanduser()
    wanted, folder = name.removeprefix(CREDENTIAL), environ.get("CREDENTIALS_DIRECTORY")
    if not wanted or "/" in wanted or wanted in (".", ".."):
        raise KeyRefused(f"{name!r} names no credential: write {CREDENTIAL}NAME as in LoadCredentialEncrypted=NAME:…")
    if not folder:
        raise KeyRefused(f"{name!r}: there is no $CREDENTIALS_DIRECTORY; start with systemd "
                         f"(systemd-run --pty -p LoadCredentialEncrypted={wanted}:FILE …), or name a file")
    return Path(folder) / wanted


def _content(path: Path, credential: bool) -> bytearray:
    """The file, in a buffer that can be wiped, once it is known that nobody else can read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyRefused(f"{path} cannot be read: {error.strerror}; it must be a file of this user") from None
    try:
        facts = os.fstat(descriptor)
        content = bytearray(min(facts.st_size, SIZE_MAX + 1))
        del content[os.readv(descriptor, [content]) if stat.S_ISREG(facts.st_mode) and content else 0 :]
    finally:
        os.close(descriptor)
    problem = _problem(facts, credential, content[:1] == b"{")
    if problem:
        wipe(content)
        raise KeyRefused(f"{path} {problem}")
    return content


def _problem(facts: os.stat_result, credential: bool, keystore: bool) -> str:
    """What is wrong with a file that should hold a key, and the remedy; empty if nothing is."""
    mode = stat.S_IMODE(facts.st_mode)
    if not stat.S_ISREG(facts.st_mode):
        return "is no file"
    if facts.st_uid != os.geteuid() and not (credential and facts.st_uid == 0):
        return f"belongs to user {facts.st_uid}, not to this one ({os.geteuid()}): chown it"
    # The group's bits of a credential are the mask of the access list by which systemd lets the service read it.
    others = 0o037 if credential and facts.st_uid == 0 else 0o077
    if mode & others:
        return f"can be read or written by others (mode {mode:04o}): chmod 400, and approve a new agent"
    if not keystore and mode & 0o300:
        return f"holds a bare key and can be changed (mode {mode:04o}): chmod 400, or `mmfast keys import` it"
    if facts.st_size > SIZE_MAX:
        return f"has {facts.st_size} bytes: a key has 64 hex digits, a keystore less than {SIZE_MAX} bytes"
    return ""


def plain_key(content: bytearray, key: memoryview, origin: str) -> None:
    """64 hex digits, with or without 0x, into ``key``; digit by digit, so that no other copy is made."""
    start, end = 0, len(content)
    while end > 0 and content[end - 1] in b" \r\n\t":
        end -= 1
    if content[:2] in (b"0x", b"0X"):
        start = 2
    if end - start != 2 * KEY_BYTES:
        raise KeyRefused(f"{origin} holds {end - start} characters, not the 64 hex digits of a key, and is no keystore")
    for index in range(KEY_BYTES):
        high, low = (_digit(content[start + 2 * index + k]) for k in range(2))
        if high < 0 or low < 0:
            wipe(key)
            raise KeyRefused(f"{origin} does not hold 64 hex digits")
        key[index] = high << 4 | low


def _digit(byte: int) -> int:
    if 48 <= byte <= 57:
        return byte - 48
    return (byte | 32) - 87 if 97 <= byte | 32 <= 102 else -1


def refuse_exposed(addresses: Iterable[str], arguments: Iterable[str] | None = None,
                   environ: Mapping[str, str] = os.environ) -> None:
    """
    Raise KeyRefused if the key of one of ``addresses`` stands in an argument or in the environment.

    Whatever looks like a key there is turned into its address: the real key is never written out to be compared.
    """
    ours = {address.lower() for address in addresses}
    places = [(f"argument {number}", text) for number, text in enumerate(sys.argv if arguments is None else arguments)]
    places += [(f"the variable {name}", text) for name, text in environ.items()]
    for place, text in places:
        for digits in LOOKS_LIKE_A_KEY.findall(text):
            try:
                found = address_of(bytes.fromhex(digits))
            except LocalError:
                continue
            if found in ours:
                raise KeyRefused(f"the key of {found} stands in {place}, where every program of this host can read it: "
                                 "approve a new agent, and keep its key in a file")
