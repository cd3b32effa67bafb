"""What is left of a coin's past."""

from __future__ import annotations

from support.venue import Venue, order


def test_public_trades_of_the_exchange_become_candles():
    venue = Venue()
    client = venue.client()
    for _ in range(3):
        client.place(order("B", "100001", "0.1", "Ioc"))
    candle = venue.exchange.history.candles[0].latest("1m")
    assert (candle.trades, candle.lots, candle.open, candle.close) == (3, 30_000, 1_000_010, 1_000_010)


def test_every_hour_leaves_its_funding_rate():
    venue = Venue()
    for _ in range(3):
        venue.block(after_ms=3_600_000)
    kept = venue.exchange.history.fundings[0]
    assert [one.rate_h for one in kept] == [1.25e-5] * 3
    assert all(b.time_ms - a.time_ms == 3_600_000 for a, b in zip(kept, list(kept)[1:]))
