"""Instruments and their prices."""

from __future__ import annotations

import math

from support.venue import Venue

from mmfast.sim.universe import instruments


def test_asset_ids_follow_the_order_of_the_coins():
    exchange = Venue(coins=("SOL", "BTC", "NEWCOIN")).exchange
    assert [(i.asset, i.name, i.max_leverage) for i in exchange.instruments] == [
        (0, "SOL", 20), (1, "BTC", 40), (2, "NEWCOIN", 10)]


def test_unknown_price_keeps_its_last_value():
    venue = Venue()
    (instrument,) = instruments({"BTC": venue.exchange.instruments[0].market})
    assert (instrument.mark_ticks, instrument.oracle_ticks) == (1_000_000, 1_000_000)
    venue.source.px = math.nan
    instrument.refresh(0)
    assert (instrument.mark_ticks, instrument.oracle_ticks) == (1_000_000, 1_000_000)


def test_reference_is_the_mid_where_neither_oracle_nor_mark_is_known():
    venue = Venue()
    (instrument,) = venue.exchange.instruments
    instrument.mark_ticks = instrument.oracle_ticks = 0
    assert instrument.reference_ticks() == 1_000_000
