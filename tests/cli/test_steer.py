"""Claims about pause, resume, stop and flatten, on a pretended engine that obeys or does not."""

import pytest
from support.house import MID_PX, put_order, release

from mmfast.records.control import KILL_LOSS, PAUSE_GATEWAY, PAUSE_OPERATOR
from mmfast.runtime.attach import ABSENT, attach, engine_state
from mmfast.runtime.control import Control
from mmfast.runtime.latch import Latch
from mmfast.units import BID


def test_pause_returns_when_nothing_rests_and_keeps_the_position(mmfast, owner, engine):
    owner()
    code, _, err = mmfast("pause")
    assert code == 0
    assert "BTC +0.05" in err
    assert Control(attach(engine)).pauses == PAUSE_OPERATOR


def test_pause_that_is_not_obeyed_is_exit_8(mmfast, owner):
    owner("stubborn")
    code, _, err = mmfast("pause", "--timeout", "0.2")
    assert code == 8
    assert "2 orders" in err


def test_pause_does_not_wait_for_an_engine_that_dies_meanwhile(mmfast, owner, engine):
    process = owner("stubborn")
    process.kill()
    process.wait()
    code, _, err = mmfast("pause", "--timeout", "30")
    assert code == 3
    assert "is dead, last seen" in err


def test_resume_takes_back_the_operators_pause_only(mmfast, house):
    control = Control(house)
    control.pause(PAUSE_OPERATOR | PAUSE_GATEWAY)
    code, _, err = mmfast("resume")
    assert code == 0
    assert "still paused by: gateway" in err
    assert control.pauses == PAUSE_GATEWAY


@pytest.mark.parametrize("where", ["word", "file"])
@pytest.mark.parametrize("verb", ["resume", "flatten"])
def test_a_latched_switch_refuses_with_exit_7(mmfast, house, state, verb, where):
    control = Control(house)
    control.pause(PAUSE_OPERATOR)
    if where == "word":
        control.kill(KILL_LOSS)
    else:
        Latch(state).set(KILL_LOSS, "lost too much")
    code, _, err = mmfast(verb, "--timeout", "1") if verb == "flatten" else mmfast(verb)
    assert code == 7
    assert "loss limit" in err
    assert "--clear --reason" in err
    assert control.pauses == PAUSE_OPERATOR
    assert not control.flattening


def test_stop_ends_the_engine_and_keeps_the_position(mmfast, owner, engine):
    process = owner()
    code, _, err = mmfast("stop")
    assert code == 0
    assert "position kept (BTC +0.05)" in err
    assert process.wait(10) == 0
    assert engine_state(engine) == ABSENT


def test_stop_that_is_not_obeyed_is_exit_5(mmfast, owner):
    owner("stubborn")
    code, _, err = mmfast("stop", "--timeout", "0.2")
    assert code == 5
    assert "still runs" in err


def test_flatten_returns_when_flat_and_ended(mmfast, owner, engine):
    owner()
    assert mmfast("flatten")[0] == 0
    assert engine_state(engine) == ABSENT


def test_flatten_that_does_not_become_flat_is_exit_8(mmfast, owner):
    owner("stubborn")
    code, _, err = mmfast("flatten", "--timeout", "0.2")
    assert code == 8
    assert "BTC +0.05" in err


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "flatten"])
def test_no_engine_is_exit_3_and_a_dead_one_too(mmfast, engine, verb):
    assert mmfast(verb)[0] == 3


@pytest.mark.parametrize("verb", ["pause", "resume", "stop", "flatten"])
def test_a_dead_engine_is_not_steered(mmfast, house, verb):
    put_order(house, 0, 0, BID, MID_PX, 1)
    release(house)
    code, _, err = mmfast(verb)
    assert code == 3
    assert "is dead" in err
    assert Control(house).pauses == 0


def test_a_fill_after_it_was_flat_is_told(mmfast, owner, engine):
    owner("filled")
    code, _, err = mmfast("flatten")
    assert code == 8
    assert "has ended with BTC -0.03" in err


def test_a_flatten_that_the_kill_switch_ends_is_exit_7(mmfast, owner, engine, state):
    owner("killed")
    code, _, err = mmfast("flatten", "--timeout", "0.5")
    assert code == 7
    assert "latched" in err


def test_stop_believes_the_venue_that_the_engine_has_asked_before_the_table(mmfast, owner, engine):
    owner("confirmed")
    code, _, err = mmfast("stop")
    assert code == 0
    assert "no order rests" in err
