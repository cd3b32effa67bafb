"""Claims about values that must fit together: each relation has a configuration that breaks it and it alone."""

import pytest

from mmfast.config.fault import ConfigError
from mmfast.config.load import load
from mmfast.config.relation import RELATIONS, breaches

BREAKS = {
    "risk.max_loss_usd": {"risk.max_loss_usd": 25_001.0},
    "risk.max_drawdown_usd": {"risk.max_drawdown_usd": 25_001.0},
    "coins.BTC.clip_usd": {"coins.BTC.clip_usd": 26_000.0, "risk.max_order_usd": 60_000.0},
    "coins.BTC.depth_max_bps": {"risk.price_collar_bps": 5.0, "gateway.flatten_slippage_bps": 4.0},
    "gateway.flatten_slippage_bps": {"gateway.flatten_slippage_bps": 100.0},
    "risk.max_position_usd": {"risk.max_leverage": 0.1},
    "risk.max_open_orders": {"risk.max_open_orders": 5},
    "model.maker_fee_bps": {"model.maker_fee_bps": 5.0},
    "model.hawkes_decay_per_s": {"model.hawkes_decay_per_s": 0.7},
    "coins.BTC.hawkes_decay_per_s": {"coins.BTC.hawkes_decay_per_s": 0.7},
    "model.sources_off": {"model.sources_off": ["basis", "microprice"]},
    "coins.BTC.sources_off": {"coins.BTC.sources_off": ["microprice"]},
    "venue.mainnet": {"venue.mainnet": True},
    "venue.http_url": {"venue.http_url": "https://api.hyperliquid.xyz"},
    "venue.ws_url": {"venue.ws_url": "ws://10.0.0.1:3001/ws"},
    "venue.live": {"venue.live": True},
    "venue.watchdog_key_file": {"venue.watchdog_key_file": "0x" + "1c" * 32},
    "market.data": {"market.kind": "recording"},
    "engine.coins": {"engine.coins": ["BTC", "BTC"]},
    "feed.timer_ms": {"feed.timer_ms": 1_500.0},
    "feed.reconnect_first_s": {"feed.reconnect_first_s": 9.0},
    "watchdog.heartbeat_limit_ms.quoter": {"watchdog.heartbeat_limit_ms.quoter": 39.0},
    "host.feed.core": {"host.feed.core": 64},
}


@pytest.mark.parametrize("key", BREAKS)
def test_a_broken_relation_is_told_with_its_key(key):
    with pytest.raises(ConfigError) as caught:
        load(environ={}, overrides=BREAKS[key], core_count=6, host="shared")
    assert [f.key for f in caught.value.faults] == [key]
    assert caught.value.faults[0].remedy


def test_every_order_that_would_be_blocked_is_told_before_it_is_sent():
    with pytest.raises(ConfigError, match="would be blocked"):
        load(environ={}, overrides={"coins.BTC.size_max_clips": 6.0})


def test_all_shipped_coins_fit_under_the_shipped_leverage():
    from mmfast.config.load import SHIPPED, shipped
    load(environ={}, coins=shipped(SHIPPED, "markets"))


def test_two_processes_cannot_have_one_core_unless_they_are_fused():
    cores = {"host.feed.core": 1, "host.quoter.core": 1}
    with pytest.raises(ConfigError, match="also the core of feed"):
        load(environ={}, host="shared", overrides=cores, core_count=8)
    load(environ={}, host="fused", overrides=cores, core_count=8)


def test_live_needs_an_account_and_two_wallets():
    live = {"venue.live": True}
    with pytest.raises(ConfigError) as caught:
        load("testnet", environ={}, overrides=live)
    keys = {f.key for f in caught.value.faults}
    assert keys == {"venue.account_address", "venue.gateway_key_file", "venue.watchdog_key_file"}
    account = {**live, "venue.account_address": "0x" + "ab" * 20, "venue.gateway_key_file": "/k/a"}
    with pytest.raises(ConfigError, match="second agent wallet"):
        load("testnet", environ={}, overrides={**account, "venue.watchdog_key_file": "/k/a"})
    assert load("testnet", environ={}, overrides={**account, "venue.watchdog_key_file": "/k/b"}).venue.live


@pytest.mark.parametrize("url", ["http://api.hyperliquid.xyz", "https://api.hyperliquid.xyz.evil.example",
                                 "https://api.hyperliquid-testnet.xyz", "https://api.hyperliquid.xyz:8443",
                                 "https://someone@api.hyperliquid.xyz", "http://127.0.0.1:3001"])
def test_mainnet_is_one_address_and_encrypted(url):
    with pytest.raises(ConfigError, match="is not mainnet"):
        load("mainnet", environ={}, overrides={"venue.http_url": url})


def test_a_relation_is_left_out_while_a_section_of_it_is_invalid():
    assert breaches({}) == []
    assert all(needs for _, needs in RELATIONS)


@pytest.mark.parametrize("kind", ["testnet", "mainnet"])
def test_a_stand_in_for_a_venue_is_on_this_host_with_both_of_its_addresses(kind):
    here = {"venue.http_url": "http://127.0.0.1:3001", "venue.ws_url": "ws://localhost:3001/ws"}
    assert load(kind, environ={}, overrides=here).venue.http_url == here["venue.http_url"]
    for away in ({"venue.ws_url": "ws://10.0.0.1:3001/ws"}, {"venue.http_url": "http://127.0.0.1.example:3001"},
                 {"venue.http_url": "https://127.0.0.1:3001"}):
        with pytest.raises(ConfigError, match=f"is not {kind}"):
            load(kind, environ={}, overrides={**here, **away})
