"""Keystores against the Ethereum library, both ways, and every way in which one can be wrong."""

import json

import pytest
from eth_account import Account
from support.confinement import a_masked_key, in_child, occurrences, unmask

from mmfast.runtime.keystore import KeystoreError, decrypt, encrypt
from mmfast.runtime.locked import key_memory

SECRET = bytes(range(1, 33))
PASSPHRASE = "correct horse"
ADDRESS = Account.from_key(SECRET).address
LIGHT = 1 << 12


def opened(text, passphrase=PASSPHRASE):
    key = key_memory()
    decrypt(text if isinstance(text, bytes) else json.dumps(text).encode(), bytearray(passphrase.encode()), key)
    return bytes(key)


def made(passphrase=PASSPHRASE):
    return json.loads(encrypt(memoryview(bytearray(SECRET)), bytearray(passphrase.encode()), ADDRESS, LIGHT))


@pytest.mark.parametrize(("kdf", "work"), [("scrypt", LIGHT), ("pbkdf2", 1000)])
def test_what_the_ethereum_library_wrote_is_read(kdf, work):
    assert opened(Account.encrypt(SECRET, PASSPHRASE, kdf=kdf, iterations=work)) == SECRET


def test_what_we_write_is_read_by_the_ethereum_library_and_by_us():
    assert bytes(Account.decrypt(made(), PASSPHRASE)) == SECRET
    assert opened(made()) == SECRET
    assert made()["address"] == ADDRESS[2:].lower()


def test_no_two_keystores_are_alike_and_none_holds_the_key():
    one, two = made()["crypto"], made()["crypto"]
    assert one["ciphertext"] != two["ciphertext"]
    assert one["kdfparams"]["salt"] != two["kdfparams"]["salt"]
    assert SECRET.hex() not in json.dumps(one)


def test_a_passphrase_may_hold_any_letters():
    assert opened(made("größe ☃"), "größe ☃") == SECRET
    assert bytes(Account.decrypt(made("größe ☃"), "größe ☃")) == SECRET


@pytest.mark.parametrize("wrong", ["", "Correct horse", "correct horse "])
def test_a_wrong_passphrase_is_refused_without_telling_it(wrong):
    with pytest.raises(KeystoreError, match="wrong passphrase") as refusal:
        opened(made(), wrong)
    assert PASSPHRASE not in str(refusal.value)


def changed(*path, to):
    """A keystore in which one value is another."""
    whole = made()
    holder = whole
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = to
    return whole


@pytest.mark.parametrize(("path", "value", "said"), [
    (("version",), 1, "version 3"), (("version",), "3", "version 3"), (("crypto",), [], "version 3"),
    (("crypto", "cipher"), "aes-256-gcm", "version 3"), (("crypto", "kdf"), "argon2", "version 3"),
    (("crypto", "ciphertext"), "00", "ciphertext"), (("crypto", "ciphertext"), "zz" * 32, "ciphertext"),
    (("crypto", "ciphertext"), "00" * 32, "mac does not fit"), (("crypto", "mac"), "", "mac"),
    (("crypto", "mac"), "00" * 32, "mac does not fit"), (("crypto", "cipherparams", "iv"), "00", "iv"),
    (("crypto", "kdfparams"), {}, "parameters"), (("crypto", "kdfparams", "dklen"), 16, "parameters"),
    (("crypto", "kdfparams", "n"), 1 << 40, "refused"), (("crypto", "kdfparams", "n"), 3, "refused"),
    (("crypto", "kdfparams", "n"), -1, "refused"), (("crypto", "kdfparams", "p"), 10**30, "refused|version 3"),
    (("crypto", "kdfparams", "n"), "many", "parameters"), (("crypto", "kdfparams", "salt"), "xyz", "salt"),
    (("crypto", "kdfparams", "salt"), 5, "parameters"),
])
def test_a_damaged_or_greedy_keystore_is_refused_by_name(path, value, said):
    with pytest.raises(KeystoreError, match=said):
        opened(changed(*path, to=value))


@pytest.mark.parametrize("given", [{"c": 10**12, "prf": "hmac-sha256"}, {"c": 0, "prf": "hmac-sha256"},
                                   {"c": 1000, "prf": "hmac-md5"}])
def test_pbkdf2_beyond_reason_is_refused(given):
    whole = changed("crypto", "kdf", to="pbkdf2")
    whole["crypto"]["kdfparams"] = {**given, "dklen": 32, "salt": "00" * 16}
    with pytest.raises(KeystoreError, match="refused"):
        opened(whole)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 5000])
def test_what_is_no_keystore_is_refused_by_name(text):
    with pytest.raises(KeystoreError):
        opened(text)


def test_the_key_is_decrypted_into_the_callers_memory_and_nowhere_else():
    masked, mask = a_masked_key()
    key = unmask(masked, mask)
    text = encrypt(memoryview(key), bytearray(b"passphrase"), ADDRESS, LIGHT)
    key[:] = bytes(32)

    def child():
        memory = key_memory()
        decrypt(text, bytearray(b"passphrase"), memory)
        return occurrences(masked, mask)

    assert in_child(lambda: occurrences(masked, mask)) == 0
    assert in_child(child) == 1
