"""Claims about what status says and with which code."""

import json
import threading

import pytest
from support.house import beat, put_belief, put_order, put_quote, release

from mmfast.cli import status as module
from mmfast.records.control import KILL_LOSS
from mmfast.runtime.control import Control
from mmfast.runtime.latch import Latch
from mmfast.units import ASK, BID


def test_json_is_one_object_on_standard_output(mmfast, house):
    put_order(house, 1, 0, BID, 99_960.0, 1000)
    code, out, err = mmfast("status", "--json")
    assert code == 0
    assert err == ""
    seen = json.loads(out)
    assert seen["state"] == "running"
    assert seen["coins"][0]["orders"][0]["px"] == 99_960.0


def test_tables_name_what_matters(mmfast, house):
    put_belief(house, 0)
    put_quote(house, 0)
    put_order(house, 1, 0, ASK, 100_040.0, 1000)
    code, out, _ = mmfast("status")
    assert code == 0
    for word in ("RUNNING", "gateway", "BTC", "100,040", "P&L", "4.00"):
        assert word in out
    assert "\x1b[" not in out


def test_a_dead_engine_is_never_shown_as_running(mmfast, house):
    beat(house, age_s=9.0)
    release(house)
    code, out, _ = mmfast("status")
    assert code == 3
    assert "DEAD, last seen 9." in out
    assert "RUNNING" not in out
    code, out, _ = mmfast("status", "--json")
    assert code == 3
    assert json.loads(out)["state"] == "dead"


def test_no_engine_is_exit_3(mmfast, engine):
    code, out, _ = mmfast("status", "--json")
    assert code == 3
    assert json.loads(out)["state"] == "absent"


@pytest.mark.parametrize("where", ["word", "file"])
def test_a_latched_engine_is_exit_7(mmfast, house, state, where):
    if where == "word":
        Control(house).kill(KILL_LOSS)
    else:
        Latch(state).set(KILL_LOSS, "lost too much", "watchdog")
    code, out, _ = mmfast("status")
    assert code == 7
    assert "KILL SWITCH LATCHED" in out
    assert "loss limit" in out


def test_watch_looks_again_until_the_engine_is_gone(mmfast, house, monkeypatch):
    monkeypatch.setattr(module, "INTERVAL_S", 0.05)
    timer = threading.Timer(0.3, lambda: release(house))
    timer.start()
    code, out, _ = mmfast("status", "--watch", "--json")
    timer.join()
    states = [json.loads(line)["state"] for line in out.splitlines()]
    assert code == 3
    assert states[0] == "running"
    assert states[-1] == "dead"
    assert len(states) > 2
