"""Claims about memory that holds a key."""

import ctypes
import os
import resource

import pytest
from support.confinement import in_child

from mmfast.runtime import locked

KEY = bytes(range(32))


def smaps_of(view):
    """What the system says about the page of a view."""
    return smaps_at(ctypes.addressof(ctypes.c_char.from_buffer(view)))


def smaps_at(at):
    """What the system says about the page at an address."""
    lines, inside = [], False
    with open("/proc/self/smaps") as file:
        for line in file:
            head = line.split()[0]
            if "-" in head and ":" not in head:
                start, end = (int(part, 16) for part in head.split("-"))
                inside = start <= at < end
            elif inside:
                lines.append(line)
    return dict(line.split(":", 1) for line in lines)


def test_a_key_lies_on_a_locked_page_that_is_in_no_core_file_and_in_no_child():
    key = locked.key_memory()
    key[:] = KEY
    facts = smaps_of(key)
    assert int(facts["Locked"].split()[0]) >= 4
    assert {"lo", "dd", "wf"} <= set(facts["VmFlags"].split())
    assert in_child(lambda: int(any(key))) == 0
    assert key == KEY


def test_an_anonymous_file_is_locked_too_and_unmapped_in_a_child():
    descriptor = os.memfd_create("test")
    os.ftruncate(descriptor, 4096)
    files = len(os.listdir("/proc/self/fd"))
    pinned = locked.Pinned(descriptor)
    assert len(os.listdir("/proc/self/fd")) == files
    assert {"lo", "dd", "dc"} <= set(smaps_at(pinned._address)["VmFlags"].split())
    assert in_child(lambda: len(smaps_at(pinned._address))) == 0
    assert in_child(lambda: pinned.release() or 5) == 5
    os.pwrite(descriptor, KEY, 0)
    pinned.release()
    pinned.release()
    assert os.pread(descriptor, 32, 0) == KEY
    os.close(descriptor)


def test_what_cannot_be_mapped_is_an_error():
    with pytest.raises(OSError, match="Bad file descriptor"):
        locked.Pinned(-1)


def test_a_process_that_may_not_lock_memory_is_told_so():
    def child():
        os.setresuid(65534, 65534, 65534) if os.geteuid() == 0 else None
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
        try:
            locked.check()
        except locked.NotLocked as refusal:
            return 7 if "ulimit -l" in str(refusal) else 8
        return 9

    assert in_child(child) == 7
    locked.check()


def test_a_sealed_process_leaves_no_core_file_and_cannot_be_attached_to():
    def child():
        locked.seal()
        with open("/proc/self/status") as file:
            status = file.read()
        dumpable = os.stat("/proc/self").st_uid == os.geteuid() != 0
        return (resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)) + 2 * bool(status) + 4 * dumpable

    assert in_child(child) == 3


def test_wiping_leaves_zeros():
    for secret in (bytearray(KEY), memoryview(bytearray(KEY))):
        locked.wipe(secret)
        assert not any(secret)


@pytest.mark.parametrize("size", [32])
def test_a_new_key_is_zeros_of_its_size(size):
    assert bytes(locked.key_memory()) == bytes(size)
