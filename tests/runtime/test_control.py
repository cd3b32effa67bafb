"""Claims about the control words."""

import multiprocessing
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmfast.kernel import kernel
from mmfast.records.control import (
    CONTROL,
    KILL_LOSS,
    KILL_MANUAL,
    KILL_NAMES,
    PAUSE_GATEWAY,
    PAUSE_NAMES,
    PAUSE_OPERATOR,
    PAUSE_WATCHDOG,
)
from mmfast.rings.atomics import load_unordered, store_unordered
from mmfast.runtime import control
from mmfast.runtime.control import Control, keep_bits, latch_word, read_word, set_bits, write_word
from mmfast.runtime.wake import bell_address

ROUNDS = 1_000_000  # a few time slices, so that they really meet
VERBS = {"pause": lambda c, bit: c.pause(bit), "resume": lambda c, bit: c.resume(bit)}


@pytest.fixture
def words(house):
    return Control(house)


def test_a_new_engine_trades(words):
    assert words.trading
    assert (words.stopping, words.kill_reason, words.pauses, words.flattening) == (False, 0, 0, False)


def test_trading_needs_no_stop_no_kill_and_no_pause(words):
    words.pause(PAUSE_OPERATOR)
    assert not words.trading
    words.resume(PAUSE_OPERATOR)
    assert words.trading
    words.kill(KILL_LOSS)
    assert not words.trading
    words.rearm()
    assert words.trading
    words.ask_stop()
    assert not words.trading


@pytest.mark.parametrize("reason", [0, -1, len(KILL_NAMES)])
def test_a_kill_without_a_reason_is_refused_and_latches_nothing(words, reason):
    with pytest.raises(ValueError, match="no code of a kill"):
        words.kill(reason)
    assert words.kill_reason == 0


def test_flattening_is_not_stopping(words):
    words.flatten()
    assert words.flattening
    assert words.trading


def test_a_pause_lasts_until_everybody_who_wanted_it_resumes(words):
    words.pause(PAUSE_OPERATOR)
    words.pause(PAUSE_WATCHDOG)
    words.pause(PAUSE_WATCHDOG)
    words.resume(PAUSE_GATEWAY)
    assert words.pause_names == ["operator", "watchdog"]
    words.resume(PAUSE_WATCHDOG)
    assert (words.pause_names, words.trading) == (["operator"], False)
    words.resume(PAUSE_OPERATOR)
    assert words.trading


@given(st.lists(st.tuples(st.sampled_from(["pause", "resume"]), st.sampled_from(sorted(PAUSE_NAMES))), max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pauses_are_a_set_of_those_who_want_one(words, steps):
    wanted = {bit for bit in PAUSE_NAMES if words.pauses & bit}
    for verb, bit in steps:
        VERBS[verb](words, bit)
        wanted = wanted | {bit} if verb == "pause" else wanted - {bit}
        assert words.pauses == sum(wanted)


def test_the_first_kill_stays_and_opens_one_epoch(house, words):
    before = time.monotonic_ns()
    assert words.kill(KILL_LOSS)
    first_ns = house.table("control")["kill_ns"][0]
    assert not words.kill(KILL_MANUAL)
    assert words.kill_reason == KILL_LOSS
    assert house.table("control")["epoch"][0] == 1
    assert before <= first_ns == house.table("control")["kill_ns"][0]


def test_a_kill_after_rearming_opens_another_epoch(house, words):
    words.kill(KILL_LOSS)
    words.rearm()
    assert words.kill(KILL_MANUAL)
    assert house.table("control")["epoch"][0] == 2


def test_a_clear_market_is_stated_after_the_kill(house, words):
    words.kill(KILL_LOSS)
    words.mark_clear()
    word = house.table("control")[0]
    assert word["clear_ns"] >= word["kill_ns"] > 0


def test_every_word_is_where_the_record_says_and_touches_no_other(house, words):
    raw = house.table("control")[0]
    for act, field, value in ((words.ask_stop, "stop", 1), (words.flatten, "flatten", 1),
                              (lambda: words.pause(2), "pause", 2)):
        before = raw.copy()
        act()
        assert raw[field] == value
        assert [n for n in CONTROL.names if (raw[n] != before[n]).any()] == [field]
    assert all(CONTROL.fields[name][1] % 8 == 0 for name in CONTROL.names)


def test_words_that_are_read_before_every_send_share_no_line_with_those_that_others_write():
    line = {name: CONTROL.fields[name][1] // 64 for name in ("stop", "kill", "pause", "flatten")}
    assert len(set(line.values())) == 4


@kernel
def hammer(pause: int, kill: int, epoch: int, mine: int, tally: int, rounds: int) -> int:
    """
    Set and clear our bit, and try to latch; whoever latches adds one to ``tally`` with a plain load and store and
    takes the latch back. Returns how often we latched, or -1 if our bit was not as we had left it.
    """
    won = 0
    for _ in range(rounds):
        if set_bits(pause, mine) & mine != 0 or keep_bits(pause, ~mine) & mine == 0:
            return -1
        if latch_word(kill, epoch, mine):
            won += 1
            store_unordered(tally, load_unordered(tally) + 1)
            write_word(kill, 0)
    set_bits(pause, mine)
    return won


def race(house, mine, barrier, rounds, won):
    """Another process."""
    words = Control(house)
    at = words.address
    barrier.wait(timeout=20)
    won.value = hammer(at + control.O_PAUSE, at + control.O_KILL, at + control.O_EPOCH, mine,
                       bell_address(house, "supervisor") + 64, rounds)


def test_many_processes_set_their_words_without_losing_any(house, words):
    """Four processes on one word: no bit is lost, and no two of them hold the latch at once."""
    fork = multiprocessing.get_context("fork")
    hammer(words.address + control.O_PAUSE, words.address + control.O_KILL, words.address + control.O_EPOCH, 1,
           bell_address(house, "supervisor") + 64, 0)  # compiled before forking
    words.resume(1)
    barrier, bits = fork.Barrier(4), (1, 2, 4, 8)
    won = [fork.Value("q", -2) for _ in bits]
    children = [fork.Process(target=race, args=(house, bit, barrier, ROUNDS, mine), daemon=True)
                for bit, mine in zip(bits, won)]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=30)
        assert child.exitcode == 0
    wins = [value.value for value in won]
    assert min(wins) >= 0
    assert words.pauses == sum(bits)
    assert house.table("control")["epoch"][0] == sum(wins)
    assert read_word(bell_address(house, "supervisor") + 64) == sum(wins)


def test_what_one_process_says_another_reads(house, words):
    pid = os.fork()
    if pid == 0:
        try:
            other = Control(house)
            other.pause(PAUSE_WATCHDOG)
            other.kill(KILL_MANUAL)
        finally:
            os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert words.pause_names == ["watchdog"]
    assert KILL_NAMES[words.kill_reason] == "manual"
