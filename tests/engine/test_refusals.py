"""Bad input: one message that names the value and the remedy, the right exit code, and no socket was opened."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmfast.cli import local_venue
from mmfast.cli.main import app
from mmfast.cli.outcome import Exit
from mmfast.hosts import engine as engines
from mmfast.records.control import KILL_MANUAL
from mmfast.rings.region import House
from mmfast.rings.segment import owner_lives
from mmfast.runtime.latch import Latch
from mmfast.topology import house_name, regions

SERIAL = itertools.count()


@pytest.fixture
def name(monkeypatch, tmp_path):
    """A name of our own; whoever opens an exchange or a connection fails the test."""
    def opened(*_, **__):
        raise AssertionError("an exchange was started")
    name = f"r{os.getpid()}-{next(SERIAL)}"
    monkeypatch.setattr(local_venue.subprocess, "Popen", opened)
    monkeypatch.setattr(engines, "fetch_listed", opened)
    monkeypatch.setenv("MMFAST_ENGINE__STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")
    yield name
    Path(f"/dev/shm{house_name(name)}").unlink(missing_ok=True)


@pytest.fixture
def start(name, capfd):
    """``start(*options)``: the exit code and what was said."""
    def run(*options):
        result = CliRunner().invoke(app, ["start", "--name", name, "--for", "1s", *options])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output + capfd.readouterr().err
    return run


@pytest.fixture
def toml(tmp_path):
    """``toml(text)``: options that name a file of the user's with that text."""
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return "--config", str(path)
    return write


@pytest.mark.parametrize(("text", "words"), [
    ("[risk]\nmax_loss_usdd = 5", ("risk.max_loss_usdd", "unknown key", "did you mean max_loss_usd?")),
    ("[risk]\nmax_loss_usd = nan", ("risk.max_loss_usd = nan", "finite", "dollars")),
    ("[risk]\nmax_loss_usd = -1", ("risk.max_loss_usd = -1", "greater than 0", "dollars")),
    ('[risk]\nmax_position_usd = "25k"', ("risk.max_position_usd = '25k'", "valid number", "dollars")),
    ("[feed]\ntimer_ms = -5", ("feed.timer_ms = -5", "milliseconds")),
    ("[riks]\nmax_loss_usd = 1", ("riks", "did you mean risk?")),
    ("not toml [", ("is not TOML", "key = value")),
])
def test_a_bad_file_is_refused_with_key_value_and_remedy(start, toml, text, words):
    code, said = start(*toml(text))
    assert code == Exit.CONFIG_INVALID
    for word in words:
        assert word in said


def test_all_faults_are_told_at_once(start, toml):
    code, said = start(*toml("[risk]\nmax_loss_usd = nan\nmax_order_usd = -1\n[feed]\nnonsense = 1"))
    assert code == Exit.CONFIG_INVALID
    assert "3 faults" in said


def test_a_limit_that_is_missing_is_told(start, name, monkeypatch, tmp_path):
    folder = tmp_path / "config"
    shipped = Path(engines.__file__).parents[2] / "config"
    for path in shipped.rglob("*.toml"):
        target = folder / path.relative_to(shipped)
        target.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines()
        target.write_text("\n".join(line for line in lines if not line.startswith("max_loss_usd")))
    monkeypatch.setenv("MMFAST_CONFIG_DIR", str(folder))
    code, said = start()
    assert code == Exit.CONFIG_INVALID
    assert "risk.max_loss_usd" in said


@pytest.mark.parametrize(("options", "code", "words"), [
    (("--market", "recording"), Exit.CONFIG_INVALID, ("market.data", "--data")),
    (("--market", "recording", "--data", "/nowhere"), Exit.CONFIG_INVALID, ("/nowhere", "does not exist")),
    (("--market", "recordng"), Exit.CONFIG_INVALID, ("recordng", "'recording'")),
    (("--speed", "-1"), Exit.CONFIG_INVALID, ("-1", "positive")),
    (("--speed", "nan"), Exit.CONFIG_INVALID, ("nan", "positive")),
    (("--speed", "fast"), Exit.USAGE, ("'fast'", "number nor max")),
    (("--venue", "moon"), Exit.CONFIG_INVALID, ("moon", "'testnet'")),
    (("--venue", "mainnet"), Exit.CONFIG_INVALID, ("mainnet",)),
    (("--coin", "BTC,BTC"), Exit.CONFIG_INVALID, ("BTC", "twice")),
    (("--coin", ","), Exit.USAGE, ("','", "BTC,ETH")),
    (("--coin", "XYZ"), Exit.CONFIG_INVALID, ("XYZ", "Known: AVAX")),
    (("--coin", "btc"), Exit.CONFIG_INVALID, ("btc", "did you mean BTC?")),
    (("--coin", "XYZ,BTC"), Exit.CONFIG_INVALID, ("XYZ", "Known: AVAX")),
    (("--for", "0s"), Exit.USAGE, ("'0s'", "90s, 5m or 1h")),
    (("--for", "soon"), Exit.USAGE, ("'soon'", "90s, 5m or 1h")),
    (("--report", "/nowhere/r.json"), Exit.USAGE, ("/nowhere/r.json", "no folder /nowhere")),
    (("--config", "/nowhere.toml"), Exit.CONFIG_INVALID, ("/nowhere.toml", "cannot be read")),
    (("--bogus",), Exit.USAGE, ("--bogus",)),
])
def test_a_bad_option_is_refused_with_the_value_and_the_remedy(start, options, code, words):
    ended, said = start(*options)
    assert ended == code, said
    for word in words:
        assert word in said


def test_a_name_that_is_no_file_name_is_refused(start):
    code, said = start("--name", "Bad Name")
    assert code == Exit.CONFIG_INVALID
    assert "lower-case letters" in said


def test_a_latched_kill_switch_refuses_the_start(start, name, tmp_path):
    Latch(tmp_path / "state" / name).set(KILL_MANUAL, "broken cable")
    code, said = start()
    assert code == Exit.KILL_LATCHED
    assert "broken cable" in said
    assert f"mmfast kill --clear --reason WHY --name {name}" in said


def test_a_latch_that_cannot_be_read_refuses_the_start(start, name, tmp_path):
    folder = tmp_path / "state" / name
    folder.mkdir(parents=True)
    (folder / "kill.json").write_text("{")
    code, said = start()
    assert code == Exit.KILL_LATCHED
    assert "cannot be read" in said


def test_a_state_folder_that_cannot_be_made_refuses_the_start(start, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MMFAST_ENGINE__STATE_DIR", str(tmp_path / "file" / "below"))
    code, said = start()
    assert code == Exit.CONFIG_INVALID
    assert "state_dir" in said
    assert str(tmp_path / "file" / "below") in said


def test_an_engine_that_runs_refuses_a_second_of_its_name(start, name):
    house = House.create(house_name(name), "run", regions(1))
    house.ready()
    try:
        code, said = start()
        assert code == Exit.FAILURE
        assert f"an engine named {name!r} runs already" in said
        assert "--name" in said
        assert owner_lives(house_name(name))
    finally:
        house.segment.disown()


def test_what_a_dead_run_left_is_cleared_with_a_word(start, name):
    House.create(house_name(name), "run", regions(1)).segment.disown()
    with pytest.raises(AssertionError, match="an exchange was started"):  # it went on to the next step
        start()
    assert owner_lives(house_name(name)) is None
