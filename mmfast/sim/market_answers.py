"""
Market answers: replies of /info about a coin's past and its prospects.

In      a request object, the exchange's history.
Out     JSON-ready answers in the venue's shapes.
Source  recorded answers of candleSnapshot and fundingHistory; predictedFundings as clients describe it: the hour that
        it calls next was the past one when it was measured.
"""

from __future__ import annotations

from typing import Any

from mmfast.sim import wire
from mmfast.sim.asked import Json, NotServed, Unanswerable, known_coin, moment
from mmfast.sim.candles import INTERVALS, KEPT, Candle, end_of
from mmfast.sim.exchange import HOUR_MS, Exchange
from mmfast.sim.universe import MARGIN_TIERS, Instrument

FUNDING_PAGE = 500


def candle(instrument: Instrument, interval: str, made: Candle) -> Json:
    """One candle as the candle channel writes it."""
    px, sz = instrument.px_decimals, instrument.sz_decimals
    return {
        "t": made.start_ms,
        "T": end_of(interval, made.start_ms),
        "s": instrument.name,
        "i": interval,
        "o": wire.decimal(made.open, px),
        "c": wire.decimal(made.close, px),
        "h": wire.decimal(made.high, px),
        "l": wire.decimal(made.low, px),
        "v": wire.decimal(made.lots, sz),
        "n": made.trades,
    }


def candle_snapshot(exchange: Exchange, asked: Json) -> list[Json]:
    """Candles of a span, oldest first."""
    wanted = asked.get("req")
    if not isinstance(wanted, dict) or wanted.get("interval") not in INTERVALS:
        raise NotServed(f"req {wanted!r} has no interval of the venue")
    instrument, interval = known_coin(exchange, wanted), wanted["interval"]
    start, end = moment(wanted, "startTime"), moment(wanted, "endTime", exchange.now_ms)
    made = exchange.history.candles[instrument.asset].span(interval, start, end)[-KEPT:]
    return [candle(instrument, interval, one) for one in made]


def funding_history(exchange: Exchange, asked: Json) -> list[Json]:
    """Hourly funding rates of a span, oldest first, one page."""
    instrument = known_coin(exchange, asked)
    start, end = moment(asked, "startTime"), moment(asked, "endTime", 2**63)
    known = [one for one in exchange.history.fundings[instrument.asset] if start <= one.time_ms <= end]
    return [
        {
            "coin": instrument.name,
            "fundingRate": wire.real(one.rate_h) or "0.0",
            "premium": wire.real(one.premium) or "0.0",
            "time": one.time_ms,
        }
        for one in known[:FUNDING_PAGE]
    ]


def predicted_fundings(exchange: Exchange, asked: Json) -> list[Any]:
    """The running hourly estimate of each coin; other venues are not known here."""
    hour_ms = exchange.now_ms // HOUR_MS * HOUR_MS

    def here(instrument: Instrument) -> Json:
        return {"fundingRate": wire.real(instrument.funding_rate_h), "nextFundingTime": hour_ms,
                "fundingIntervalHours": 1}

    return [[one.name, [["BinPerp", None], ["HlPerp", here(one)], ["BybitPerp", None]]]
            for one in exchange.instruments]


def margin_tables(exchange: Exchange) -> list[Any]:
    """Pairs of a margin table's id and the table."""
    return [
        [
            table,
            {
                "description": f"tiered {MARGIN_TIERS[table][0][1]}x" if len(MARGIN_TIERS[table]) > 1 else "",
                "marginTiers": [
                    {"lowerBound": wire.usd(lower_uusd), "maxLeverage": greatest}
                    for lower_uusd, greatest in MARGIN_TIERS[table]
                ],
            },
        ]
        for table in sorted({i.margin_table for i in exchange.instruments})
    ]


def margin_table(exchange: Exchange, asked: Json) -> Json:
    """One margin table."""
    number = asked.get("id")
    if type(number) is not int:
        raise NotServed("id is missing or not a number")
    for known, table in margin_tables(exchange):
        if known == number:
            return dict(table)
    raise Unanswerable(f"there is no margin table {number}")
