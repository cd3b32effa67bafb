"""An engine at an exchange where things go wrong: its books stay the exchange's, it quotes on nothing stale."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from support.books import Books, wrong
from support.engine import EAGER, EngineProcess

from mmfast.cli.outcome import Exit

# Each fault has passed before the next one begins; what the feed is told stands still for long twice.
SCRIPT = """
seed = 11
[[fault]]
kind = "duplicate"
at_s = 6
for_s = 34
channels = ["market", "account"]
share = 0.3
[[fault]]
kind = "reorder"
at_s = 7
for_s = 4
channels = ["account", "post"]
ms = 300
share = 0.5
[[fault]]
kind = "drop"
at_s = 12
for_s = 5
channels = ["market"]
[[fault]]
kind = "lie"
at_s = 20
for_s = 3
channels = ["post"]
share = 0.5
[[fault]]
kind = "lose"
at_s = 23
for_s = 3
channels = ["post"]
share = 0.3
[[fault]]
kind = "half_open"
at_s = 27
[[fault]]
kind = "absurd"
at_s = 40
for_s = 4
channels = ["bbo", "l2Book"]
share = 0.2
[[fault]]
kind = "disconnect"
at_s = 34
[[fault]]
kind = "drop"
at_s = 36
for_s = 3
channels = ["userFills", "user", "orderUpdates"]
share = 0.5
"""
STALE_S = 2.0  # feed.stale_bbo_or_book_s
PULL_S = 1.0  # a tick, a block, a busy core
RUN_S = 50


class Run(NamedTuple):
    """What is left of a run among faults."""

    code: int
    report: dict[str, Any]
    books: Books
    left: list[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    script = folder / "faults.toml"
    script.write_text(SCRIPT)
    with EngineProcess(folder, "--coin", "ETH,SOL", "--faults", str(script), "--for", f"{RUN_S}s",
                       environ=EAGER) as engine:
        code = engine.ended(RUN_S + 60)
        return Run(code, engine.report(), Books(engine.truth_path), engine.left_alive())


def spans(books, kind):
    """(begin, end) in ns of each fault of a kind."""
    lines = [line for line in books.lines if line["k"] == "fault" and line["fault"] == kind]
    return list(zip([line["ns"] for line in lines if line["phase"] == "begin"],
                    [line["ns"] for line in lines if line["phase"] == "end"]))


def test_every_fault_has_struck(run):
    ended = [line for line in run.books.lines if line["k"] == "fault" and line["phase"] == "end"]
    struck = {line["fault"]: line["count"] for line in ended}
    assert set(struck) == {"duplicate", "reorder", "drop", "lie", "lose", "half_open", "disconnect", "absurd"}
    assert all(struck.values()), struck


def test_position_and_fills_and_profit_are_those_of_the_exchange(run):
    assert wrong(run.report, run.books) == []
    assert run.report["fills"] > 0


def test_nothing_rests_at_the_end_and_nothing_was_placed_twice(run):
    assert run.code == Exit.OK
    assert run.books.resting() == []
    assert run.books.never_texts() == []
    placed = [line["cloid"] for line in run.books.orders if line["status"] == "open"]
    assert len(placed) == len(set(placed))
    assert run.left == []


def test_nothing_is_quoted_on_a_feed_that_stands_still(run):
    begin, end = spans(run.books, "drop")[0]
    late_ns = begin + round((STALE_S + PULL_S) * 1e9)
    assert late_ns < end
    placed = [line for line in run.books.orders if line["status"] == "open" and late_ns < line["ns"] < end]
    assert placed == []
    assert run.books.resting(late_ns) == []


def test_quoting_is_resumed_after_each_fault(run):
    opened = [line["ns"] for line in run.books.orders if line["status"] == "open"]
    for kind in ("drop", "lie", "lose", "half_open", "disconnect"):
        _, end = spans(run.books, kind)[0]
        assert any(end < ns < end + 10e9 for ns in opened), kind
