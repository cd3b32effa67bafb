"""Claims about the keys of an engine."""

import os
import resource

import pytest
from eth_account import Account
from support.confinement import a_masked_key, in_child, occurrences, unmask

from mmfast.hosts.keys import Keys, load_keys
from mmfast.runtime.keyfile import KeyRefused

ACCOUNT = "0x" + "AB" * 20


def key(number):
    return bytearray(bytes(31) + bytes([number]))


@pytest.fixture
def keys():
    made = Keys(ACCOUNT, key(1), key(2))
    yield made
    made.gateway.forget()
    made.watchdog.forget()


def test_addresses_are_those_of_the_ethereum_library(keys):
    assert keys.gateway_address == Account.from_key(bytes(key(1))).address.lower()
    assert keys.watchdog_address == Account.from_key(bytes(key(2))).address.lower()
    assert keys.account == ACCOUNT.lower()


def test_the_bytes_that_came_in_are_wiped():
    mine, yours = key(1), key(2)
    keys = Keys(ACCOUNT, mine, yours)
    assert mine == yours == bytes(32)
    assert (keys.gateway.take(), keys.watchdog.take()) == (key(1), key(2))
    keys.keep_only("nobody")


@pytest.mark.parametrize(("process", "gateway", "watchdog"), [
    ("gateway", True, False), ("watchdog", False, True), ("feed", False, False), ("estimator", False, False),
    ("quoter", False, False)])
def test_a_process_keeps_the_key_it_signs_with_and_no_other(keys, process, gateway, watchdog):
    keys.keep_only(process)
    for secret, kept, want in ((keys.gateway, gateway, key(1)), (keys.watchdog, watchdog, key(2))):
        if kept:
            assert secret.take() == want
        else:
            with pytest.raises(OSError, match="Bad file descriptor"):
                secret.take()


def test_the_key_of_the_account_itself_is_refused():
    master = Account.from_key(bytes(key(7))).address
    for gateway, watchdog in ((key(7), key(2)), (key(1), key(7))):
        with pytest.raises(ValueError, match="keys of its agents only") as refusal:
            Keys(master, gateway, watchdog)
        assert master.lower() in str(refusal.value)


def test_one_key_for_both_is_refused():
    with pytest.raises(ValueError, match="each needs an agent of its own"):
        Keys(ACCOUNT, key(3), key(3))


def test_the_text_shows_addresses_only(keys):
    text = f"{keys!r} {keys} {vars(keys)}"
    assert keys.gateway_address in text
    assert bytes(key(1)).hex() not in text
    assert "bytearray" not in text


def test_a_child_that_does_not_sign_has_no_key_in_its_memory():
    halves = [a_masked_key() for _ in range(2)]
    keys = Keys(ACCOUNT, unmask(*halves[0]), unmask(*halves[1]))

    def child(process):
        keys.keep_only(process)
        return sum(occurrences(*half) for half in halves)

    assert [in_child(lambda name=name: child(name)) for name in ("feed", "quoter", "gateway")] == [0, 0, 0]
    keys.keep_only("nobody")


# ---- from files

@pytest.fixture
def files(tmp_path):
    """``files(one, two)``: names of two files that hold these keys."""
    def write(*keys):
        for name, content in zip(("one", "two"), keys):
            (tmp_path / name).write_text(content.hex())
            (tmp_path / name).chmod(0o400)
        return str(tmp_path / "one"), str(tmp_path / "two")
    return write


def nobody(question):
    raise AssertionError(question)


def test_keys_are_loaded_from_the_files_and_no_core_file_is_left_from_then_on(files):
    names = files(key(1), key(2))

    def child():
        keys = load_keys(ACCOUNT, *names, nobody, {})
        return (keys.gateway.take() == key(1)) + 2 * (resource.getrlimit(resource.RLIMIT_CORE) == (0, 0))

    assert in_child(child) == 3


@pytest.mark.parametrize(("one", "two", "said"), [
    (key(7), key(2), "keys of its agents only"), (key(3), key(3), "agent of its own"),
    (bytes(32), key(2), "no secp256k1 key"), (b"", key(2), "64 hex digits")])
def test_files_with_the_wrong_keys_are_refused_by_one_kind_of_error(files, monkeypatch, one, two, said):
    monkeypatch.setattr("mmfast.hosts.keys.seal", lambda: None)
    with pytest.raises(KeyRefused, match=said):
        load_keys(Account.from_key(bytes(key(7))).address, *files(one, two), nobody, {})


def test_a_key_that_stands_in_a_variable_too_is_refused(files, monkeypatch):
    monkeypatch.setattr("mmfast.hosts.keys.seal", lambda: None)
    with pytest.raises(KeyRefused, match="variable LEAK"):
        load_keys(ACCOUNT, *files(key(1), key(2)), nobody, {"LEAK": key(2).hex()})


def test_a_loaded_key_stands_nowhere_but_in_its_pinned_page(tmp_path):
    halves = [a_masked_key() for _ in range(2)]

    def write(name, half):
        with open(os.open(tmp_path / name, os.O_CREAT | os.O_WRONLY, 0o400), "wb", buffering=0) as out:
            for byte in unmask(*half):
                out.write(b"%02x" % byte)

    def loads():
        keys = load_keys(ACCOUNT, str(tmp_path / "a"), str(tmp_path / "b"), nobody, {})
        mine = [occurrences(*half) for half in halves]
        later = in_child(lambda: sum(occurrences(*half) for half in halves))
        return 0 if (mine, later) == ([1, 1], 0) and keys else 10 * sum(mine) + later

    for name, half in zip("ab", halves):
        assert in_child(lambda name=name, half=half: write(name, half) or 0) == 0
    assert in_child(loads) == 0
