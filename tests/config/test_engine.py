"""Claims about [engine], [venue], [market] and [host]."""

import pytest
from pydantic import ValidationError

from mmfast.config.engine import HOST_PROCESSES, Engine, Host, Place, Venue
from mmfast.topology import ENGINE_PROCESSES

ENGINE = {"name": "main", "coins": ("BTC",), "state_dir": "/tmp/x", "host": "auto"}
VENUE = {"kind": "local", "http_url": "http://127.0.0.1:1", "ws_url": "ws://127.0.0.1:1/ws", "mainnet": False,
         "live": False, "account_address": "", "gateway_key_file": "", "watchdog_key_file": ""}


@pytest.mark.parametrize("name", ["", "a/b", "../x", "A", "a b", "-a", "a" * 32, "a\n", "ä"])
def test_a_name_that_is_no_file_name_is_refused(name):
    with pytest.raises(ValidationError):
        Engine(**{**ENGINE, "name": name})


@pytest.mark.parametrize("coin", ["BTC", "kPEPE", "xyz:XYZ100"])
def test_names_of_coins_are_the_venues(coin):
    assert Engine(**{**ENGINE, "coins": (coin,)}).coins == (coin,)


def test_an_engine_without_coins_is_refused():
    with pytest.raises(ValidationError):
        Engine(**{**ENGINE, "coins": ()})


@pytest.mark.parametrize("address", ["0x", "0x" + "1" * 39, "1" * 40, "0x" + "g" * 40])
def test_an_address_has_forty_hex_digits(address):
    with pytest.raises(ValidationError):
        Venue(**{**VENUE, "account_address": address})


def test_every_process_of_the_engine_has_a_place():
    place = Place(core=-1, idle="sleep")
    host = Host(fused=False, **dict.fromkeys(HOST_PROCESSES, place))
    assert tuple(host.places) == ENGINE_PROCESSES
