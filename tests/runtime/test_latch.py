"""Claims about the kill latch on disk."""

import errno
import json
import multiprocessing
import os
import stat
import sys

import pytest

import mmfast.runtime.latch as latch_module
from mmfast.records.control import KILL_LOSS, KILL_MANUAL
from mmfast.runtime.latch import Latch, operator


def test_what_was_set_is_read_by_another_process_of_the_same_folder(tmp_path):
    assert Latch(tmp_path / "main").read() is None
    assert Latch(tmp_path / "main").set(KILL_LOSS, "lost 501 USD", "watchdog")
    latched = Latch(tmp_path / "main").read()
    assert latched[:4] == (KILL_LOSS, "loss limit", "lost 501 USD", "watchdog")
    assert latched.at.endswith("Z")


def test_the_first_reason_stays_and_the_second_is_in_the_log(tmp_path):
    latch = Latch(tmp_path)
    assert latch.set(KILL_LOSS, "first", "watchdog")
    assert not latch.set(KILL_MANUAL, "second", "hand")
    assert latch.read().text == "first"
    assert [(line["event"], line["text"]) for line in latch.audit()] == [("set", "first"), ("set again", "second")]


def test_of_many_at_once_exactly_one_is_first(tmp_path):
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(4)
    children = [fork.Process(target=_set, args=(tmp_path, barrier, n), daemon=True) for n in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=30)
    assert sorted(child.exitcode for child in children) == [0, 0, 0, 1]
    assert Latch(tmp_path).read().code == KILL_MANUAL
    assert len(Latch(tmp_path).audit()) == 20
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kill.json", "kill.log"]


def _set(folder, barrier, number):
    """Five times; the exit code says how often it was first."""
    barrier.wait(timeout=20)
    sys.exit(sum(Latch(folder).set(KILL_MANUAL, f"n {number}, time {k}") for k in range(5)))


def test_clearing_needs_a_reason_and_leaves_a_trace(tmp_path):
    latch = Latch(tmp_path)
    latch.set(KILL_LOSS, "x")
    for nothing in ("", "  "):
        with pytest.raises(ValueError, match="reason"):
            latch.clear(nothing)
    assert latch.read() is not None
    assert latch.clear("limit raised after review", "anna")
    assert latch.read() is None
    assert not latch.clear("again")
    assert [line["event"] for line in latch.audit()] == ["set", "clear", "clear"]
    assert latch.audit()[1]["who"] == "anna"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"code": 1}', '{"code": "x", "reason": 1}', "\x00"])
def test_a_latch_that_cannot_be_read_counts_as_latched(tmp_path, content):
    (tmp_path / "kill.json").write_text(content)
    latched = Latch(tmp_path).read()
    assert latched.code == KILL_MANUAL
    assert "cannot be read" in latched.text


def test_bytes_that_are_no_text_count_as_latched(tmp_path):
    (tmp_path / "kill.json").write_bytes(b"\xff\xfe\x00")
    assert Latch(tmp_path).read() is not None


def test_files_are_private(tmp_path):
    latch = Latch(tmp_path / "main")
    latch.set(KILL_LOSS, "x")
    assert stat.S_IMODE(latch.folder.stat().st_mode) == 0o700
    for path in latch.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_is_plain_json_for_a_human(tmp_path):
    Latch(tmp_path).set(KILL_LOSS, "x")
    assert json.loads((tmp_path / "kill.json").read_text())["reason"] == "loss limit"
    assert str(os.getpid()) in operator()


def full(monkeypatch):
    """A disk without a free block: what is written into place that was taken before still finds room."""
    write = latch_module._write

    def refuse(path, content, flags):
        if path.exists() and not flags & os.O_TRUNC and len(content) <= path.stat().st_size:
            write(path, content, flags)
        else:
            path.touch()
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(latch_module, "_write", refuse)


def test_a_disk_that_has_filled_up_does_not_keep_a_prepared_switch_from_being_latched(tmp_path, monkeypatch):
    latch = Latch(tmp_path)
    latch.prepare()
    with monkeypatch.context() as disk:
        full(disk)
        assert latch.set(KILL_LOSS, "x" * 10_000, "watchdog")
        assert latch.read()[:2] == (KILL_LOSS, "loss limit")
        assert not latch.set(KILL_MANUAL, "second", "hand")
        assert latch.keep(KILL_MANUAL, "third", "hand") == ""
        with pytest.raises(OSError, match="No space"):
            latch.clear("nobody would know why")
        assert latch.read().reason == "loss limit"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kill.json", "kill.log"]
    assert latch.clear("room was made", "anna")
    [line] = latch.audit()
    assert (line["event"], line["was"]["reason"], line["was"]["who"]) == ("clear", "loss limit", "watchdog")
    with monkeypatch.context() as disk:
        full(disk)
        assert latch.set(KILL_MANUAL, "again")
    assert latch.read().text == "again"


def test_a_latch_that_finds_no_room_at_all_is_told_and_leaves_nothing_behind(tmp_path, monkeypatch):
    full(monkeypatch)
    latch = Latch(tmp_path)
    with pytest.raises(OSError, match="No"):
        latch.set(KILL_LOSS, "x")
    assert "a restart would trade again" in latch.keep(KILL_LOSS, "x", "watchdog")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="No space"):
        latch.prepare()
