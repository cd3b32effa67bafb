"""Claims about who can read a key."""

import os

import pytest
from support.confinement import a_masked_key, in_child, occurrences, unmask

from mmfast.runtime.secret import KEY_BYTES, Secret


def test_the_bytes_that_came_in_are_wiped():
    key = bytearray(range(32))
    secret = Secret(key)
    assert key == bytes(KEY_BYTES)
    assert secret.take() == bytes(range(32))
    secret.forget()


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_is_refused_without_telling_it(size):
    with pytest.raises(ValueError, match=f"32 bytes, not {size}") as refusal:
        Secret(bytearray(b"\xab" * size))
    assert "ab" not in str(refusal.value).replace("bytes", "")


def test_it_can_be_taken_again_after_a_restart():
    secret = Secret(bytearray(b"k" * 32))
    for _ in range(2):
        taken = secret.take()
        assert taken == b"k" * 32
        taken[:] = bytes(32)
    secret.forget()


def test_what_is_forgotten_cannot_be_taken():
    secret = Secret(bytearray(b"k" * 32))
    secret.forget()
    secret.forget()
    with pytest.raises(OSError, match="Bad file descriptor"):
        secret.take()


def test_its_text_never_shows_it():
    secret = Secret(bytearray(b"k" * 32))
    assert {repr(secret), str(secret), f"{secret}"} == {"Secret(***)"}
    secret.forget()


def test_it_is_no_file_and_is_not_inherited_by_programs():
    secret = Secret(bytearray(b"k" * 32))
    link = f"/proc/self/fd/{secret._descriptor}"
    assert "memfd" in os.readlink(link)
    assert not os.get_inheritable(secret._descriptor)
    secret.forget()


def test_it_has_one_descriptor_and_none_when_it_is_forgotten():
    def held():
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        return sum("mmfast-key" in os.readlink(link) for link in links if os.path.lexists(link))

    before = held()
    secret = Secret(bytearray(b"k" * 32))
    assert held() == before + 1
    secret.forget()
    assert held() == before


def test_the_child_that_signs_takes_it_and_one_that_forgot_cannot():
    secret = Secret(bytearray(b"k" * 32))

    def other():
        secret.forget()
        try:
            secret.take()
        except OSError:
            return 7
        return 8

    assert in_child(lambda: secret.take() == b"k" * 32) == 1
    assert in_child(other) == 7
    assert secret.take() == b"k" * 32  # the parent keeps it for a restart
    secret.forget()


def test_the_scan_finds_a_key_that_is_there():
    masked, mask = a_masked_key()
    kept = unmask(masked, mask)
    assert in_child(lambda: occurrences(masked, mask)) >= 1
    assert len(kept) == KEY_BYTES


def test_the_key_is_in_no_memory_but_that_of_the_child_that_takes_it():
    masked, mask = a_masked_key()
    secret = Secret(unmask(masked, mask))

    def signer():
        taken = secret.take()
        return occurrences(masked, mask) + 100 * (len(taken) != KEY_BYTES)

    assert in_child(lambda: occurrences(masked, mask)) == 0
    assert 1 <= in_child(signer) < 100
    secret.forget()
