"""Claims about the names of streams."""

import pytest

from mmfast.venues.binance.streams import TICKERS, stream_path, symbol


@pytest.mark.parametrize(("coin", "name"), [("BTC", "BTCUSDT"), ("kPEPE", "1000PEPEUSDT"), ("HYPE", "HYPEUSDT")])
def test_a_coin_has_the_references_name(coin, name):
    assert symbol(coin, "USDT") == name


def test_one_connection_carries_all_streams_of_all_symbols():
    assert stream_path(["BTCUSDT", "ETHUSDT"], TICKERS) == (
        "/stream?streams=btcusdt@bookTicker/btcusdt@depth20@100ms/ethusdt@bookTicker/ethusdt@depth20@100ms")
