"""Claims about changes while the engine runs: checked as at the start, all or nothing, and only what may change."""

from __future__ import annotations

import pytest

from mmfast.config.change import changed, is_live
from mmfast.config.fault import ConfigError
from mmfast.config.load import load
from mmfast.config.model import FIXED, Coin


@pytest.fixture(scope="module")
def before():
    return load(environ={}, coins=["BTC", "ETH"])


@pytest.fixture(scope="module")
def tables(before):
    return before.model_dump(mode="json")


def test_nothing_changed_is_the_configuration_that_was_in_force(before, tables):
    assert changed(tables, {}).flat() == before.flat()
    assert changed(tables, {}).hash == before.hash


def test_a_change_of_the_model_goes_to_every_coin_and_one_of_a_coin_to_that_coin(before, tables):
    after = changed(tables, {"model.kappa_per_bp": 0.7, "coins.ETH.level_max": 2})
    assert (after.coins["BTC"].kappa_per_bp, after.coins["ETH"].kappa_per_bp) == (0.7, 0.7)
    assert (after.coins["BTC"].level_max, after.coins["ETH"].level_max) == (before.coins["BTC"].level_max, 2)
    assert after.coins["BTC"].model_copy(update={"kappa_per_bp": before.coins["BTC"].kappa_per_bp}) == (
        before.coins["BTC"])


def test_a_second_change_rests_on_the_first(tables):
    first = changed(tables, {"coins.ETH.level_max": 2})
    second = changed(first.model_dump(mode="json"), {"model.mode_gamma": [1.0, 2.0, 5.0]})
    assert second.coins["ETH"].level_max == 2
    assert second.coins["BTC"].mode_gamma == (1.0, 2.0, 5.0)


@pytest.mark.parametrize(("key", "value", "words"), [
    ("kappa_per_bp", 0.5, "write model.kappa_per_bp for all coins, or coins.BTC.kappa_per_bp"),
    ("model.kapa_per_bp", 0.5, "did you mean kappa_per_bp"),
    ("model.kappa_per_bp", -1.0, "greater than or equal to 0.01"),
    ("model.kappa_per_bp", float("nan"), "finite"),
    ("model.mode_gamma", [1.0, 2.0], "item 3 is missing"),
    ("coins.SOL.kappa_per_bp", 0.5, "SOL is not traded by this engine"),
    ("coins.BTC.clip_usd", 500.0, "inventory is counted in clips"),
    ("coins.BTC.max_position_usd", 500.0, "hold this limit from the start"),
    ("risk.max_loss_usd", 1.0, "only parameters of the model change"),
    ("model.size_max_clips", 1000.0, "such quotes would be blocked"),
    ("model.sources_off", ["tea leaves"], "'tea leaves'")])
def test_what_cannot_be_is_refused_and_says_what_to_do(tables, key, value, words):
    with pytest.raises(ConfigError) as refused:
        changed(tables, {key: value})
    assert words in str(refused.value)
    assert key.rpartition(".")[2] in str(refused.value)


def test_all_faults_are_told_at_once(tables):
    with pytest.raises(ConfigError) as refused:
        changed(tables, {"model.kapa": 1, "risk.max_loss_usd": 1.0, "model.theta_per_s": 1.0})
    assert len(refused.value.faults) == 3


def test_what_is_fixed_are_parameters_and_the_rest_is_live():
    assert set(FIXED) < set(Coin.model_fields)
    assert {key for key in Coin.model_fields if is_live(key)} == set(Coin.model_fields) - set(FIXED)
    assert not is_live("tea_leaves")
