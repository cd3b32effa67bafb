"""Claims about `config check` and `config show`."""

import json

import pytest

from mmfast.config.load import load


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("MMFAST_ENGINE__NAME", "MMFAST_ENGINE__STATE_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_a_valid_configuration_is_exit_0_with_its_hash(mmfast):
    code, out, err = mmfast("config", "check")
    assert (code, out) == (0, "")
    assert load(environ={}).hash in err


def test_every_fault_is_told_at_once_with_exit_4(mmfast):
    words = ("config", "check", "--set", "risk.max_loss_usd=-1", "--set", "risk.max_los_usd=1", "--set", "nonsense",
             "--coin", "BTC,BTD")
    code, _, err = mmfast(*words)
    assert code == 4
    for word in ("4 faults", "risk.max_loss_usd = -1", "risk.max_los_usd", "BTD", "SECTION.KEY=VALUE"):
        assert word in err
    code, out, _ = mmfast(*words, "--json")
    assert code == 4
    assert len(json.loads(out)["faults"]) == 4


def test_nan_is_a_fault_and_still_json(mmfast):
    code, out, _ = mmfast("config", "check", "--json", "--set", "risk.max_loss_usd=nan")
    assert code == 4
    assert json.loads(out)["faults"][0]["value"] == "nan"


def test_show_prints_every_value_with_its_origin(mmfast, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[risk]\nmax_loss_usd = 123\n")
    code, out, _ = mmfast("config", "show", "--config", str(file), "--coin", "ETH")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "123.0" in lines["risk.max_loss_usd"]
    assert str(file) in lines["risk.max_loss_usd"]
    assert "config/markets/ETH.toml" in lines["coins.ETH.clip_usd"]
    assert "command line" in lines["engine.coins"]


def test_show_as_json_has_value_and_origin(mmfast):
    code, out, _ = mmfast("config", "show", "--json", "--host", "fused", "--set", "host.feed.core=-1")
    shown = json.loads(out)["values"]
    assert code == 0
    assert shown["host.fused"] == {"value": True, "origin": "config/hosts/fused.toml"}
    assert shown["host.feed.core"] == {"value": -1, "origin": "command line"}


def test_show_of_a_refused_configuration_is_exit_4(mmfast):
    code, out, err = mmfast("config", "show", "--venue", "mars")
    assert (code, out) == (4, "")
    assert "venue.kind" in err
