"""
`mmfast keys`: an agent's key into a keystore, and the address of one.

In      a key and a passphrase, typed unseen at the terminal.
Out     a new keystore of mode 0400; addresses, never keys.
Source  the venue lets an account approve agents that trade for it and cannot move its money: only theirs belong here.
"""

from __future__ import annotations

import os
from pathlib import Path

from mmfast.cli.ask import ask_secret
from mmfast.cli.outcome import Exit, Refusal, say
from mmfast.runtime.keyfile import KeyRefused, plain_key, read_key
from mmfast.runtime.keystore import encrypt
from mmfast.runtime.locked import NotLocked, check, key_memory, seal, wipe
from mmfast.venues.hyperliquid.errors import LocalError
from mmfast.venues.hyperliquid.signing import address_of

PASSPHRASE_MIN = 8


def import_key(path: Path) -> str:
    """Ask for a key and a passphrase, write the keystore, and give back the key's address."""
    if path.exists():
        raise Refusal(Exit.USAGE, f"{path} exists", "name a new file: a keystore is never overwritten")
    try:
        seal()
        check()
        key = key_memory()
        typed = ask_secret("key of the agent wallet, 64 hex digits, not shown: ")
        try:
            plain_key(typed, key, "what was typed")
            address = address_of(key)
            _write(path, encrypt(key, _new_passphrase(), address))
        finally:
            wipe(typed)
            wipe(key)
    except (KeyRefused, LocalError, NotLocked) as error:
        raise Refusal(Exit.FAILURE, str(error)) from None
    say(f"{path} holds the key of this agent; approve it at the venue as an API wallet of the account")
    return address


def show_address(name: str) -> str:
    """The address of the key behind ``name``."""
    try:
        seal()
        key = read_key(name, ask_secret)
    except (KeyRefused, NotLocked) as error:
        raise Refusal(Exit.FAILURE, str(error)) from None
    address = address_of(key)
    wipe(key)
    return address


def _new_passphrase() -> bytearray:
    first, second = ask_secret("new passphrase: "), ask_secret("the same again: ")
    same = first == second
    wipe(second)
    if not same or len(first) < PASSPHRASE_MIN:
        wipe(first)
        raise Refusal(Exit.USAGE, "the two passphrases differ" if not same else
                      f"a passphrase has at least {PASSPHRASE_MIN} characters", "try again: nothing was written")
    return first


def _write(path: Path, text: bytes) -> None:
    """A new file that only we can read, whole or not at all."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o400)
    except OSError as error:
        raise Refusal(Exit.FAILURE, f"{path} cannot be written: {error.strerror}", "choose another folder") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
