"""Claims about loading: precedence, all faults at once, and nothing started without its limits."""

import math
import re
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmfast.config.fault import ConfigError
from mmfast.config.load import SHIPPED, config_folder, load, shipped
from mmfast.config.risk import Risk
from mmfast.config.root import EngineConfig, flatten


def faults(**arguments):
    with pytest.raises(ConfigError) as caught:
        load(**{"environ": {}, **arguments})
    return {f.key: f for f in caught.value.faults}


def user_file(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("venue", shipped(SHIPPED, "venues"))
@pytest.mark.parametrize("host", [*shipped(SHIPPED, "hosts"), "auto"])
@pytest.mark.parametrize("coin", shipped(SHIPPED, "markets"))
def test_every_shipped_file_is_valid(venue, host, coin):
    config = load(venue, coins=[coin], host=host, environ={}, core_count=8)
    assert config.venue.kind == venue
    assert list(config.coins) == [coin]
    assert set(config.origins) == set(config.flat())


def test_each_layer_wins_over_the_one_below(tmp_path):
    mine = user_file(tmp_path, "[risk]\nmax_loss_usd = 400\nmax_drawdown_usd = 400\nmax_order_usd = 4000\n")
    environ = {"MMFAST_RISK__MAX_DRAWDOWN_USD": "300", "MMFAST_RISK__MAX_ORDER_USD": "3000"}
    config = load(file=mine, environ=environ, overrides={"risk.max_order_usd": 2_500.0})
    assert (config.risk.max_loss_usd, config.risk.max_drawdown_usd, config.risk.max_order_usd) == (400, 300, 2500)
    assert config.origins["risk.max_loss_usd"] == str(mine)
    assert config.origins["risk.max_drawdown_usd"] == "environment MMFAST_RISK__MAX_DRAWDOWN_USD"
    assert config.origins["risk.max_order_usd"] == "command line"
    assert config.origins["risk.equity_usd"] == "config/default.toml"
    assert config.origins["venue.http_url"] == "config/venues/local.toml"
    assert config.origins["coins.BTC.clip_usd"] == "config/markets/BTC.toml"
    assert config.origins["coins.BTC.life_s"] == "config/default.toml"


def test_the_users_file_chooses_venue_coins_and_host(tmp_path):
    mine = user_file(tmp_path, '[venue]\nkind = "testnet"\n[engine]\ncoins = ["ETH"]\nhost = "fused"\n')
    config = load(file=mine, environ={}, core_count=2)
    assert "testnet" in config.venue.http_url
    assert list(config.coins) == ["ETH"]
    assert config.host.fused


@pytest.mark.parametrize(("cores", "pinned"), [(2, False), (5, False), (6, True), (64, True)])
def test_auto_pins_only_where_every_process_has_a_core_and_the_system_too(cores, pinned):
    config = load(environ={}, core_count=cores)
    assert (config.host.gateway.core >= 0) is pinned
    assert (config.watchdog.heartbeat_limit_ms.gateway < 1000) is pinned


def test_all_faults_come_at_once_each_with_its_origin(tmp_path):
    mine = user_file(tmp_path, "[risk]\nmax_loss_usd = -5\nmax_los_usd = 3\n[modle]\nx = 1\n[feed]\ntimer_ms = nan\n")
    found = faults(file=mine, environ={"MMFAST_MODEL__THETA_PER_S": "inf"}, coins=["BTD"])
    assert set(found) == {"risk.max_loss_usd", "risk.max_los_usd", "modle", "feed.timer_ms", "model.theta_per_s",
                          "engine.coins"}
    assert found["risk.max_loss_usd"].origin == str(mine)
    assert found["risk.max_loss_usd"].value == -5
    assert "max_loss_usd" in found["risk.max_los_usd"].remedy
    assert "model" in found["modle"].remedy
    assert "BTC" in found["engine.coins"].remedy
    assert all(f.remedy and f.problem for f in found.values())


@pytest.mark.parametrize("wrong", ["max_loss", "max_loss_bps"])
def test_a_wrong_unit_is_told_the_right_one(tmp_path, wrong):
    found = faults(file=user_file(tmp_path, f"[risk]\n{wrong} = 5\n"))
    assert "max_loss_usd" in found[f"risk.{wrong}"].remedy


@pytest.mark.parametrize("limit", list(Risk.model_fields))
def test_a_limit_that_no_file_states_is_a_fault(tmp_path, limit):
    folder = tmp_path / "config"
    for path in SHIPPED.rglob("*.toml"):
        copy = folder / path.relative_to(SHIPPED)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text()
        copy.write_text(re.sub(rf"(?m)^{limit} = .*$", "", text) if path.name == "default.toml" else text)
    assert "not stated" in faults(folder=folder)[f"risk.{limit}"].problem


def test_a_fault_of_the_model_is_not_told_once_more_for_every_coin():
    assert set(faults(coins=["BTC", "ETH"], overrides={"model.theta_per_s": -1.0})) == {"model.theta_per_s"}


def test_a_fault_of_a_coin_names_the_coin():
    assert set(faults(coins=["BTC", "ETH"], overrides={"coins.ETH.kappa_per_bp": -1.0})) == {"coins.ETH.kappa_per_bp"}


def test_a_coin_without_a_file_can_be_stated_whole(tmp_path):
    mine = user_file(tmp_path, "[coins.PEPE]\nclip_usd = 100\nmax_position_usd = 1000\n")
    assert load(file=mine, coins=["PEPE"], environ={}).coins["PEPE"].clip_usd == 100
    half = user_file(tmp_path, "[coins.PEPE]\nclip_usd = 100\n")
    assert set(faults(file=half, coins=["PEPE"])) == {"coins.PEPE.max_position_usd"}


def test_a_coin_that_is_not_traded_is_left_out_but_its_keys_are_looked_at(tmp_path):
    mine = user_file(tmp_path, "[coins.ETH]\nclip_usd = 100\n")
    assert list(load(file=mine, environ={}).coins) == ["BTC"]
    assert set(faults(file=user_file(tmp_path, "[coins.ETH]\nclip = 1\n"))) == {"coins.ETH.clip"}
    assert "BTC" in faults(file=user_file(tmp_path, "[coins.btc]\nclip_usd = 100\n"))["coins.btc"].remedy


@pytest.mark.parametrize(("key", "value"), [("venue.kind", "mars"), ("engine.host", "cloud"), ("engine.coins", []),
                                            ("engine.coins", 5), ("market.speed", "fast"), ("market.speed", 0),
                                            ("venue.live", "yes"), ("engine.name", "a/b"),
                                            ("model.mode_sigma", [1, 2])])
def test_a_value_that_cannot_be_is_a_fault_of_its_key(key, value):
    assert set(faults(overrides={key: value})) == {key}


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    assert any("absent.toml" in key for key in faults(file=tmp_path / "absent.toml"))


def test_the_folder_can_be_named_by_the_environment(tmp_path):
    assert config_folder({"MMFAST_CONFIG_DIR": str(tmp_path)}) == tmp_path
    assert config_folder({}) == SHIPPED


SHIPPED_VALUES = flatten(tomllib.loads((SHIPPED / "default.toml").read_text()))
MUTANTS = st.one_of(st.floats(), st.integers(-10**12, 10**12), st.booleans(), st.text(max_size=5), st.none(),
                    st.lists(st.floats(), max_size=4), st.just({}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(SHIPPED_VALUES)), MUTANTS, min_size=1, max_size=4))
def test_a_mutated_configuration_is_refused_or_has_every_limit(changes):
    try:
        config = load(environ={}, overrides=changes, core_count=2)
    except ConfigError as error:
        told = error.faults
        config = None
    if config is None:
        assert told
        assert all(f.key and f.problem and f.remedy for f in told)
        return
    risk = config.risk.model_dump()
    assert set(risk) == set(Risk.model_fields)
    assert all(math.isfinite(v) and v > 0 for v in risk.values())
    assert risk["max_loss_usd"] <= risk["equity_usd"]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(EngineConfig.model_fields)), st.from_regex(r"[a-z_]{1,14}", fullmatch=True))
def test_a_key_that_nobody_reads_is_never_accepted(section, name):
    key = f"{section}.{name}"
    if section == "coins" or key in load(environ={}).flat():
        return
    with pytest.raises(ConfigError):
        load(environ={}, overrides={key: 1})
