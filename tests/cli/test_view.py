"""Claims about the picture of a snapshot."""

import io

import pytest
from rich.console import Console
from support.house import fill_channels, put_quote, release

from mmfast.cli.view import money, number, view
from mmfast.records.control import CHANNEL_COUNT, CHANNEL_REFERENCE, PAUSE_GATEWAY
from mmfast.records.quote import SIDE_NO_EDGE
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import ErrorLog
from mmfast.runtime.snapshot import Monitor


def drawn(engine, folder):
    console = Console(file=io.StringIO(), width=160, color_system=None)
    console.print(view(Monitor(engine, folder).snapshot()))
    return console.file.getvalue()


def test_what_keeps_an_engine_from_trading_is_in_the_headline(engine, house, state):
    Control(house).pause(PAUSE_GATEWAY)
    Control(house).flatten()
    put_quote(house, 0, bid_reason=SIDE_NO_EDGE)
    text = drawn(engine, state)
    for words in ("paused by: gateway", "closing the position", "no edge after costs"):
        assert words in text


def test_the_headline_says_when_the_address_budget_runs_out(engine, house, state):
    counters = Counters(house, "gateway")
    counters.put("address_used", 1234)
    counters.put("address_cap", 10_000)
    counters.put("address_left_s", 3 * 3600)
    assert "requests 1,234 of 10,000, lasts 3h 00m 00s" in drawn(engine, state)
    counters.put("address_left_s", -1)
    assert "requests 1,234 of 10,000, does not run out" in drawn(engine, state)


def test_somebody_else_on_the_account_is_an_alarm_in_the_headline(engine, house, state):
    assert "somebody else" not in drawn(engine, state)
    Counters(house, "gateway").add("foreign_count", 3)
    assert "somebody else trades on this account: 3 orders or fills are not ours" in drawn(engine, state)


def test_a_dead_process_is_marked(engine, house, state):
    house.table("heartbeat")["beat_ns"][3] -= 60 * 10**9
    assert "DEAD (running)" in drawn(engine, state)


def test_feeds_and_errors_are_drawn_and_brackets_are_text(engine, house, state):
    fill_channels(house, 0.1, 2.0)
    ErrorLog(house, "feed").record("the venue says [red]no[/red]")
    text = drawn(engine, state)
    assert "[red]no[/red]" in text
    assert "book slow" in text


def test_a_reference_that_nobody_chose_is_off(engine, house, state):
    fill_channels(house, 0.1, 2.0)
    assert " off " not in drawn(engine, state)
    house.table("channel")["limit_ns"][CHANNEL_REFERENCE::CHANNEL_COUNT] = 0
    assert drawn(engine, state).count(" off ") == house.table("channel").size // CHANNEL_COUNT


def test_every_state_can_be_drawn(engine, house, state):
    assert "ABSENT" in drawn(engine + "-none", state)
    release(house)
    assert "DEAD" in drawn(engine, state)


@pytest.mark.parametrize(("usd", "text"), [(0.0, "$0.00"), (-0.001, "$0.00"), (1234.5, "+$1,234.50"), (-2.0, "-$2.00")])
def test_money_has_a_sign_unless_it_is_nothing(usd, text):
    assert money(usd) == text


def test_unknown_is_a_dash():
    assert number(None) == "–"
    assert number(1234.5678, 1) == "1,234.6"
    assert number(100000.0) == "100,000"
