"""Fields of requests: read, missing, of another type, of what is not there."""

from __future__ import annotations

import pytest
from support.venue import Venue

from mmfast.sim.asked import NotServed, Unanswerable, address_of, coin_of, known_coin, main_dex, moment, user_of


def test_a_stranger_has_an_empty_account_of_his_own_address():
    account = user_of(Venue().exchange, {"user": "0x" + "AB" * 20})
    assert (account.address, account.raw_uusd, account.owner) == ("0x" + "ab" * 20, 0, 0)


@pytest.mark.parametrize("user", [None, 3, "0x12", "ab" * 20, ["0x" + "ab" * 20]])
def test_what_is_no_address_is_not_served(user):
    with pytest.raises(NotServed, match="is not an address"):
        address_of({"user": user})


def test_a_coin_must_be_a_text_and_may_have_to_be_there():
    exchange = Venue().exchange
    assert coin_of(exchange, {"coin": "BTC"}).name == "BTC"
    assert coin_of(exchange, {"coin": "DOGE"}) is None
    with pytest.raises(NotServed):
        coin_of(exchange, {"coin": 1})
    with pytest.raises(Unanswerable):
        known_coin(exchange, {"coin": "DOGE"})


def test_only_the_first_dex_is_there():
    for dex in ({}, {"dex": None}, {"dex": ""}):
        main_dex(dex)
    with pytest.raises(Unanswerable):
        main_dex({"dex": "xyz"})


def test_a_moment_is_a_whole_number_or_its_default():
    assert moment({"t": 5}, "t") == 5
    assert moment({"t": None}, "t", 7) == 7
    for wrong in ({}, {"t": 1.0}, {"t": "1"}, {"t": True}):
        with pytest.raises(NotServed):
            moment(wrong, "t")
