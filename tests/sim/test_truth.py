"""The truth log on disk."""

from __future__ import annotations

from mmfast.sim.truth import FLUSH_NS, Truth, read


def test_lines_come_back_as_they_were_written(tmp_path):
    path = tmp_path / "deep" / "truth.jsonl"
    log = Truth(path)
    log.write("fill", {"user": "0x01", "lots": 2**60})
    log.write("order", {"status": "open"})
    log.close()
    first, second = read(path)
    assert (first["k"], first["n"], first["user"], first["lots"]) == ("fill", 1, "0x01", 2**60)
    assert (second["k"], second["n"]) == ("order", 2)
    assert first["ns"] <= second["ns"]
    assert first["wall_ns"] > 10**18


def test_second_run_appends(tmp_path):
    path = tmp_path / "truth.jsonl"
    for _ in range(2):
        log = Truth(path)
        log.write("deposit", {})
        log.close()
    assert len(read(path)) == 2


def test_a_beat_flushes_after_a_second_and_not_before(tmp_path):
    path = tmp_path / "truth.jsonl"
    log = Truth(path)
    log.write("order", {})
    log.beat(log._flushed_ns + FLUSH_NS - 1)
    assert read(path) == []
    log.beat(log._flushed_ns + FLUSH_NS)
    assert len(read(path)) == 1
    log.close()


def test_line_cut_short_by_a_crash_is_left_out(tmp_path):
    path = tmp_path / "truth.jsonl"
    path.write_bytes(b'{"k":"order"}\n{"k":"fi')
    assert read(path) == [{"k": "order"}]


def test_without_a_path_lines_are_only_counted():
    log = Truth()
    log.write("order", {})
    log.beat(10**20)
    log.close()
    assert log.count == 1
