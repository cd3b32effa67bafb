"""Claims about what a refused configuration says."""

import pytest

from mmfast.config.fault import ConfigError, Fault, closest, stem, unit_of, unknown_key
from mmfast.config.load import load


@pytest.mark.parametrize(("name", "bare"), [("max_loss_usd", "max_loss"), ("kappa_per_bp", "kappa"),
                                            ("gamma_budget_share_per_h", "gamma_budget"), ("level_max", "level_max"),
                                            ("drift_sd_bps_per_s", "drift_sd"), ("seed", "seed")])
def test_the_stem_is_the_name_without_units(name, bare):
    assert stem(name) == bare


@pytest.mark.parametrize("wrong", ["max_loss", "max_loss_bps", "max_loss_pct", "max_los_usd", "MAX_LOSS_USD"])
def test_another_unit_or_a_slip_finds_the_key(wrong):
    assert closest(wrong, ["max_drawdown_usd", "max_loss_usd", "equity_usd"]) == "max_loss_usd"


def test_nothing_near_suggests_nothing():
    assert closest("zebra", ["max_loss_usd", "equity_usd"]) == ""


def test_an_unknown_key_with_another_unit_is_told_the_unit():
    fault = unknown_key("risk.max_loss_bps", 5, "my.toml", ["max_loss_usd", "equity_usd"])
    assert "max_loss_usd" in fault.remedy
    assert "dollars" in fault.remedy


def test_units_are_read_from_names():
    assert unit_of("timer_ms") == "milliseconds"
    assert unit_of("theta_per_s") == "per second"
    assert unit_of("seed") == ""


def test_the_message_names_key_value_origin_and_remedy_of_every_fault():
    error = ConfigError([Fault("risk.a", -1, "my.toml", "is negative", "raise it"),
                         Fault("risk.b", None, "", "not stated", "add it")])
    text = str(error)
    assert "2 faults" in text
    for part in ("risk.a = -1 (my.toml): is negative", "raise it", "risk.b: not stated", "add it"):
        assert part in text


@pytest.mark.parametrize("key", ["venue.account_address", "venue.private_key", "venue.gateway_key_file", "engine.name"])
def test_what_looks_like_a_key_is_never_shown(key):
    secret = "0x" + "4c" * 32
    with pytest.raises(ConfigError) as caught:
        load("testnet", environ={}, overrides={key: secret})
    assert "4c4c" not in str(caught.value) + repr(caught.value.faults)
    assert "hidden" in str(caught.value)
