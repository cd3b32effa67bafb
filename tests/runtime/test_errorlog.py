"""Claims about the distinct error log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmfast.records.control import ERROR_SLOTS
from mmfast.runtime.errorlog import OVERFLOW, ErrorLog, fault_hash, read_errors, redact


def test_a_storm_is_one_line_with_a_count_and_two_times(house):
    log = ErrorLog(house, "feed")
    for number in range(1000):
        log.record(f"frame {number} cannot be decoded at byte {number * 7}")
    (line,) = read_errors(house)
    assert (line.process, line.times) == ("feed", 1000)
    assert line.text == "frame 0 cannot be decoded at byte 0"
    assert 0 < line.first_ns <= line.last_ns


def test_different_faults_and_different_processes_have_lines_of_their_own(house):
    ErrorLog(house, "gateway").record("refused: tick")
    ErrorLog(house, "feed").record("refused: tick")
    ErrorLog(house, "gateway").record("refused: margin")
    assert [(e.process, e.text) for e in read_errors(house)] == [
        ("feed", "refused: tick"), ("gateway", "refused: tick"), ("gateway", "refused: margin")]


def test_a_restarted_process_goes_on_counting(house):
    ErrorLog(house, "feed").record("lost")
    ErrorLog(house, "feed").record("lost")
    assert read_errors(house)[0].times == 2


def test_a_full_log_counts_the_rest_and_touches_nobody_else(house):
    log = ErrorLog(house, "feed")
    ErrorLog(house, "estimator").record("mine")
    for number in range(40):
        log.record("fault " + "x" * (number + 1))
    lines = [e for e in read_errors(house) if e.process == "feed"]
    assert len(lines) == ERROR_SLOTS
    assert lines[-1].text == OVERFLOW
    assert sum(e.times for e in lines) == 40
    assert [e.text for e in read_errors(house) if e.process == "estimator"] == ["mine"]


KEY = "4f" * 32


@pytest.mark.parametrize("text", [f"key 0x{KEY} refused", f"key={KEY}", f"'{KEY.upper()}'", f"{KEY}{KEY}1b"])
def test_nothing_that_could_be_a_key_gets_in(house, text):
    ErrorLog(house, "gateway").record(text)
    (line,) = read_errors(house)
    assert KEY not in line.text.lower()
    assert "[redacted]" in line.text


def test_an_address_is_no_secret():
    assert redact("account 0x" + "ab" * 20) == "account 0x" + "ab" * 20


@given(st.text(max_size=400))
def test_any_text_has_a_positive_63_bit_hash(text):
    assert 0 < fault_hash(text) < 2**63


def test_long_and_strange_texts_are_kept_as_far_as_they_fit(house):
    ErrorLog(house, "feed").record("ü" * 300)
    ErrorLog(house, "quoter").record("lone \ud800 surrogate")
    first, second = read_errors(house)
    assert first.text == "ü" * 112
    assert second.text.startswith("lone")


def test_a_reader_of_read_only_memory_can_read(house, engine):
    from mmfast.runtime.attach import attach
    ErrorLog(house, "feed").record("seen from outside")
    assert read_errors(attach(engine))[0].text == "seen from outside"
