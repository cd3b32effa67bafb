"""Claims about who can read a key."""

import ctypes
import os
import secrets
import signal

import pytest

from mmfast.runtime.secret import KEY_BYTES, Secret

PR_SET_DUMPABLE = 4
CHUNK = 1 << 20


def in_child(body):
    """What ``body`` returns in a forked child: the exit code, at most 127. Ends within a few seconds."""
    pid = os.fork()
    if pid == 0:
        code = 127
        try:
            signal.alarm(20)
            code = int(body())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def occurrences(masked, mask):
    """
    How often the key ``masked`` xor ``mask`` stands in this process's memory.

    The key is put together in a buffer of its own, whose own hit is not counted; bytes read go through one buffer.
    """
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)
    found, window = 0, bytearray(CHUNK + KEY_BYTES)
    places = []
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw") and "[v" not in line and end - start < 1 << 30:
                places.append((start, end))
    descriptor = os.open("/proc/self/mem", os.O_RDONLY)
    own = ctypes.addressof(ctypes.c_char.from_buffer(window))
    for start, end in places:
        for at in range(start, end, CHUNK):
            try:
                size = os.preadv(descriptor, [window], at)
            except OSError:
                continue
            found += sum(1 for hit in matches(window, size, masked, mask) if hit < CHUNK and at + hit < end
                         and not own - KEY_BYTES < at + hit < own + len(window))
    return found


def matches(window, size, masked, mask):
    """Places in ``window`` where the masked key stands, never holding the key itself: four bytes lead, then compare."""
    lead = bytes(a ^ b for a, b in zip(masked[:4], mask[:4]))
    at = window.find(lead, 0, size)
    while at >= 0:
        if all(window[at + k] ^ mask[k] == masked[k] for k in range(min(KEY_BYTES, size - at))) and at + KEY_BYTES <= size:
            yield at
        at = window.find(lead, at + 1, size)


def a_masked_key():
    """A key as (masked, mask): neither of the two is the key."""
    return secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)


def unmask(masked, mask):
    """The key, in a buffer that is its only copy."""
    key = bytearray(KEY_BYTES)
    for k in range(KEY_BYTES):
        key[k] = masked[k] ^ mask[k]
    return key


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
