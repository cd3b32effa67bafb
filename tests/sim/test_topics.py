"""Subscriptions in their normalised form."""

from __future__ import annotations

import pytest

from mmfast.sim.topics import Fatal, TopicError, key, normalised, user_keys

COINS = {"BTC", "ETH"}
USER = "0x" + "aB" * 20


@pytest.mark.parametrize(("asked", "text"), [
    ({"type": "l2Book", "coin": "BTC"},
     '{"type":"l2Book","coin":"BTC","nSigFigs":null,"mantissa":null,"fast":false}'),
    ({"type": "l2Book", "coin": "BTC", "fast": True, "nSigFigs": 5, "mantissa": 2},
     '{"type":"l2Book","coin":"BTC","nSigFigs":5,"mantissa":2,"fast":true}'),
    ({"type": "bbo", "coin": "ETH", "more": 1}, '{"type":"bbo","coin":"ETH"}'),
    ({"type": "userFills", "user": USER},
     '{"type":"userFills","user":"' + USER.lower() + '","aggregateByTime":false}'),
    ({"type": "orderUpdates", "user": USER}, '{"type":"orderUpdates","user":"' + USER.lower() + '"}'),
    ({"type": "openOrders", "user": USER}, '{"type":"openOrders","user":"' + USER.lower() + '","dex":""}'),
    ({"type": "allMids"}, '{"type":"allMids","dex":null}'),
    ({"type": "fastAssetCtxs", "coin": "BTC"}, '{"type":"fastAssetCtxs"}'),
])
def test_defaults_are_filled_in_and_addresses_lowered(asked, text):
    assert key(normalised(asked, COINS)) == text


@pytest.mark.parametrize("asked", [
    None, 3, {}, {"type": "noSuchType"}, {"type": "bbo"}, {"type": "bbo", "coin": ["BTC", "ETH"]},
    {"type": "webData2", "user": USER}, {"type": "userFills"}, {"type": "userFills", "user": "0x12"},
    {"type": "userFills", "user": USER, "aggregateByTime": 1}, {"type": "openOrders", "user": USER, "dex": 3},
    {"type": "l2Book", "coin": "BTC", "fast": "yes"}, {"type": "l2Book", "coin": "btc", "nSigFigs": "5"},
    {"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 2.0},
    {"type": "candle", "coin": "BTC", "interval": "2m"},
])
def test_nonsense_is_answered_and_forgiven(asked):
    with pytest.raises(TopicError) as caught:
        normalised(asked, COINS)
    assert not isinstance(caught.value, Fatal)


@pytest.mark.parametrize("asked", [
    {"type": "allMids", "dex": "xyz"}, {"type": "openOrders", "user": USER, "dex": "xyz"},
    {"type": "bbo", "coin": "btc"}, {"type": "trades", "coin": "DOGE"},
    {"type": "l2Book", "coin": "BTC", "nSigFigs": 6}, {"type": "l2Book", "coin": "BTC", "mantissa": 2},
    {"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 3},
    {"type": "l2Book", "coin": "BTC", "nSigFigs": 4, "mantissa": 2}])
def test_bad_coin_or_precision_is_fatal(asked):
    with pytest.raises(Fatal):
        normalised(asked, COINS)


def test_fills_of_a_user_go_to_both_kinds_of_subscribers():
    assert set(user_keys("userFills", USER.lower())) == {
        key(normalised({"type": "userFills", "user": USER, "aggregateByTime": flag}, COINS)) for flag in (True, False)}
