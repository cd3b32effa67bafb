"""Claims about which engine a command means."""

import re

import pytest
from support.house import a_house, beat, release

from mmfast.cli.outcome import Exit, Refusal
from mmfast.cli.target import DEFAULT_ENGINE, DEFAULT_STATE_DIR, living, target
from mmfast.config.fault import ConfigError
from mmfast.config.load import load


def test_the_default_is_the_configurations(monkeypatch):
    for name in ("MMFAST_ENGINE__NAME", "MMFAST_ENGINE__STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    config = load(environ={})
    assert (config.engine.name, config.engine.state_dir) == (DEFAULT_ENGINE, DEFAULT_STATE_DIR)
    assert target(None, None, None).folder == config.state_path


def test_an_option_wins_over_the_environment_and_that_over_a_file(monkeypatch, tmp_path):
    monkeypatch.delenv("MMFAST_ENGINE__NAME", raising=False)
    monkeypatch.delenv("MMFAST_ENGINE__STATE_DIR", raising=False)
    file = tmp_path / "mine.toml"
    file.write_text(f'[engine]\nname = "fromfile"\nstate_dir = "{tmp_path}"\n[nonsense]\nx = 1\n')
    assert target(None, None, file) == ("fromfile", tmp_path / "fromfile")
    monkeypatch.setenv("MMFAST_ENGINE__NAME", "fromenv")
    assert target(None, None, file).engine == "fromenv"
    assert target("option", tmp_path / "s", file) == ("option", tmp_path / "s" / "option")


@pytest.mark.parametrize("content", [None, "a = = b"])
def test_a_file_that_cannot_be_used_is_exit_4(tmp_path, content):
    file = tmp_path / "mine.toml"
    if content:
        file.write_text(content)
    with pytest.raises(Refusal) as caught:
        target(None, None, file)
    assert caught.value.code == Exit.CONFIG_INVALID


def test_a_dead_engine_is_told_from_one_that_never_was(engine, house):
    beat(house, age_s=5.0)
    release(house)
    with pytest.raises(Refusal, match=re.compile(r"is dead, last seen \d+\.\d s ago")) as caught:
        living(engine)
    assert caught.value.code == Exit.NOT_RUNNING
    with pytest.raises(Refusal, match="no engine named") as caught:
        living(engine + "-other")
    assert engine in caught.value.remedy


def test_an_engine_that_is_starting_is_asked_again_later(engine):
    house = a_house(engine, ready=False)
    with pytest.raises(Refusal, match="not ready") as caught:
        living(engine)
    assert caught.value.code == Exit.NOT_RUNNING
    release(house)


@pytest.mark.parametrize("name", ["../x", "Bad Name", "x" * 32, "a/b", "-x"])
def test_a_name_that_is_no_part_of_a_path_is_refused(tmp_path, name):
    with pytest.raises(Refusal, match="no name of an engine") as caught:
        target(name, tmp_path, None)
    assert caught.value.code == Exit.USAGE
    with pytest.raises(ConfigError):
        load(environ={}, overrides={"engine.name": name})
