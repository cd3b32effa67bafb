"""Claims about what a user's own file must say before real orders."""

import pytest

from mmfast.config.agreement import TO_STATE, disagreements
from mmfast.config.load import load

ACCOUNT = "0x" + "ab" * 20
STATED = {"venue.kind": '"testnet"', "venue.live": "true", "venue.account_address": f'"{ACCOUNT}"',
          "venue.gateway_key_file": '"/k/a"', "venue.watchdog_key_file": '"/k/b"', "engine.coins": '["BTC"]',
          "risk.equity_usd": "25_000.0", "risk.max_position_usd": "20_000.0", "risk.max_order_usd": "5_000.0",
          "risk.max_open_orders": "60", "risk.max_fills_per_min": "240", "risk.max_loss_usd": "100",
          "risk.max_drawdown_usd": "100.0", "risk.price_collar_bps": "100.0", "risk.max_leverage": "3.0"}


@pytest.fixture
def write(tmp_path):
    """``write(values)``: a file that states them."""
    def made(values):
        path = tmp_path / "mine.toml"
        path.write_text("".join(f"{key} = {value}\n" for key, value in values.items()))
        return path
    return made


def agreed(file, environ=None, **overrides):
    return disagreements(load("testnet", file=file, environ=environ or {}, **overrides), file)


def test_a_file_that_states_everything_agrees(write):
    assert set(STATED) == set(TO_STATE)
    assert agreed(write(STATED)) == []


@pytest.mark.parametrize("key", [k for k in TO_STATE if k not in ("venue.live", "venue.account_address")
                                 and not k.endswith("key_file")])
def test_each_value_that_is_left_to_the_shipped_files_is_told(write, key):
    [fault] = agreed(write({k: v for k, v in STATED.items() if k != key}))
    assert fault.key == key
    assert "mine.toml" in fault.remedy


def test_a_file_that_is_not_live_does_not_agree(write):
    [fault] = agreed(write({**STATED, "venue.live": "false"}))
    assert (fault.key, fault.remedy) == ("venue.live", "set it to true, or start with --paper")


def test_the_file_must_name_the_venue_of_the_command_line(write):
    [fault] = agreed(write({**STATED, "venue.kind": '"mainnet"'}))
    assert fault.key == "venue.kind"
    assert "'mainnet'" in fault.problem


def test_a_limit_that_a_variable_or_a_flag_changed_is_told_with_where_it_was_changed(write):
    file = write(STATED)
    [fault] = agreed(file, {"MMFAST_RISK__MAX_LOSS_USD": "400"})
    assert (fault.key, fault.value) == ("risk.max_loss_usd", 400)
    assert "MMFAST_RISK__MAX_LOSS_USD" in fault.origin
    [fault] = agreed(file, overrides={"risk.max_leverage": 2.0})
    assert (fault.key, fault.origin) == ("risk.max_leverage", "command line")


def test_without_a_file_nothing_agrees():
    [fault] = agreed(None)
    assert "file of your own" in fault.problem
