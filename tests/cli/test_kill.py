"""Claims about the kill switch by hand."""

import pytest
from support.house import MID_PX, a_house, put_order, release

from mmfast.records.control import KILL_LOSS, KILL_MANUAL
from mmfast.runtime.attach import attach
from mmfast.runtime.control import Control
from mmfast.runtime.latch import Latch
from mmfast.units import BID


def test_kill_latches_word_and_file_and_returns_when_nothing_rests(mmfast, owner, engine, state):
    owner()
    code, _, err = mmfast("kill", "--reason", "drill")
    assert code == 0
    assert "no order rests" in err
    assert Control(attach(engine)).kill_reason == KILL_MANUAL
    assert Latch(state).read().text == "drill"


def test_kill_that_is_not_obeyed_latches_and_is_exit_8(mmfast, owner, engine, state):
    owner("stubborn")
    code, _, err = mmfast("kill", "--timeout", "0.2")
    assert code == 8
    assert "2 orders may still rest" in err
    assert Control(attach(engine)).kill_reason == KILL_MANUAL
    assert Latch(state).read() is not None


def test_kill_without_an_engine_latches_the_next_start(mmfast, engine, state):
    code, _, err = mmfast("kill")
    assert code == 0
    assert "cannot start" in err
    assert Latch(state).read().code == KILL_MANUAL


def test_the_first_reason_stays_when_the_watchdog_was_quicker(mmfast, house, state):
    Control(house).kill(KILL_LOSS)
    Latch(state).set(KILL_LOSS, "lost too much", "watchdog")
    code, _, err = mmfast("kill", "--reason", "me too")
    assert code == 0
    assert "was latched already" in err
    assert Control(house).kill_reason == KILL_LOSS
    assert Latch(state).read().code == KILL_LOSS


def test_the_epoch_grows_once_with_a_kill(mmfast, house):
    epochs = house.table("control")["epoch"]
    mmfast("kill")
    mmfast("kill")
    assert epochs[0] == 1


@pytest.mark.parametrize(("orders", "expected"), [(0, 0), (3, 8)])
def test_a_dead_engine_is_latched_and_its_orders_are_not_called_gone(mmfast, house, state, orders, expected):
    for slot in range(orders):
        put_order(house, slot, 0, BID, MID_PX, 1)
    release(house)
    code, _, err = mmfast("kill")
    assert code == expected
    assert "is dead" in err
    assert Latch(state).read() is not None


def test_an_engine_that_is_starting_is_latched_on_disk_and_not_confirmed(mmfast, engine, state):
    house = a_house(engine, ready=False)
    assert mmfast("kill")[0] == 8
    assert Latch(state).read() is not None
    release(house)


def test_clear_takes_back_word_and_file_and_leaves_the_reason_in_the_log(mmfast, house, state):
    mmfast("kill", "--reason", "drill")
    code, _, err = mmfast("kill", "--clear", "--reason", "drill is over")
    assert code == 0
    assert "cleared" in err
    assert Control(house).kill_reason == 0
    assert Latch(state).read() is None
    assert [(a["event"], a["text"]) for a in Latch(state).audit()] == [("set", "drill"), ("clear", "drill is over")]


def test_clear_works_without_an_engine_and_without_a_latch(mmfast, engine, state):
    mmfast("kill")
    assert mmfast("kill", "--clear", "--reason", "ok")[0] == 0
    assert "was not latched" in mmfast("kill", "--clear", "--reason", "ok")[2]


def test_a_latch_that_cannot_be_written_is_exit_1_and_the_word_is_set(mmfast, house, state):
    state.write_text("a file where the folder should be")
    code, _, err = mmfast("kill")
    assert code == 1
    assert "cannot be written" in err
    assert Control(house).kill_reason == KILL_MANUAL


def test_an_engine_that_comes_up_while_the_latch_is_written_is_latched_too(mmfast, engine, state, monkeypatch):
    made = []
    written = Latch.set

    def come_up(latch, code, text, who=""):
        made.append(a_house(engine))  # it had looked for the file just before
        return written(latch, code, text, who)

    monkeypatch.setattr(Latch, "set", come_up)
    code, _, err = mmfast("kill")
    assert Control(made[0]).kill_reason == KILL_MANUAL
    assert (code, "no order rests" in err) == (0, True)
    release(made[0])


def test_what_cannot_be_logged_is_not_cleared(mmfast, engine, state):
    mmfast("kill")
    (state / "kill.log").unlink()
    (state / "kill.log").mkdir()
    code, _, err = mmfast("kill", "--clear", "--reason", "ok")
    assert code == 1
    assert "stays as it is" in err
    assert Latch(state).read() is not None


def test_what_the_venue_has_confirmed_counts_more_than_the_table_of_a_frozen_gateway(mmfast, house):
    put_order(house, 0, 0, BID, MID_PX, 1)
    control = Control(house)
    control.kill(KILL_LOSS)
    control.mark_clear()
    control.rearm()  # an earlier confirmation says nothing of this kill
    assert mmfast("kill", "--timeout", "0.1")[0] == 8
    control.mark_clear()
    code, _, err = mmfast("kill", "--timeout", "0.1")
    assert code == 0
    assert "no order rests" in err
