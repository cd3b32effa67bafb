"""
The cycle: sense, believe, govern, confine, price, allocate. All that is decided is decided here.

In      a market record; the belief, our position, PARAMETERS.
Out     features and a belief; a mandate, a surface and quotes.
Source  each step is the kernel of its stage, a pure function of records and time. The live estimator and quoter call
        these functions, and so does virtual time: what was tested on one is what runs in the other.
"""

from __future__ import annotations

from typing import Any

from mmfast.actuary.price import price
from mmfast.executor.allocate import allocate
from mmfast.filter.believe import believe
from mmfast.governor import portfolio
from mmfast.governor.govern import govern
from mmfast.kernel import kernel
from mmfast.records.belief import BELIEF_OK, BELIEF_WARMING
from mmfast.records.feature import SOURCE_MICROPRICE
from mmfast.records.market import (
    BBO,
    BOOK,
    CTX,
    GAP,
    KIND_BBO,
    KIND_BOOK,
    KIND_CTX,
    KIND_GAP,
    KIND_REFERENCE_BBO,
    KIND_REFERENCE_BOOK,
    KIND_REFERENCE_TRADE,
    KIND_TIMER,
    KIND_TRADE,
    MARKET,
    TIMER,
    TRADE,
)
from mmfast.rings.atomics import as_record
from mmfast.sensor import sense

__all__ = ["believe", "decide", "observe"]


@kernel
def decide(book: Any, coins: int, inst: int, belief: Any, position_lots: int, params: Any, mandate: Any, surface: Any,
           quote: Any) -> None:
    """
    From a belief to the quotes wanted: how much risk, what each quote is worth, which quotes.

    ``book`` is the PORTFOLIO of all ``coins``, of which ``inst`` is one.
    """
    govern(belief, position_lots, params, mandate)
    if coins > 1:
        _confine(book, inst, belief, position_lots, params, mandate)
    price(belief, mandate, params, surface)
    allocate(belief, mandate, surface, params, quote)


@kernel
def _confine(book: Any, inst: int, belief: Any, position_lots: int, params: Any, mandate: Any) -> None:
    """Leave a coin only the room that the other coins have not used."""
    px = belief["mid_px"]
    held_usd = position_lots / max(params["lots_per_coin"], 1) * px
    is_heard = belief["status"] in (BELIEF_OK, BELIEF_WARMING)
    portfolio.see(book, inst, px, is_heard, belief["sigma_bps"], held_usd, belief["ts_recv_ns"])
    long_usd, short_usd = portfolio.caps_usd(book, inst, params["equity_usd"], params["leverage_max"])
    portfolio.confine(mandate, position_lots, long_usd, short_usd, px, params)


@kernel
def observe(message: int, sensor: Any, features: Any, params: Any) -> bool:
    """Sense the market record at address ``message``; True if a belief should follow: more of its frame may come."""
    kind = as_record(message, MARKET)["kind"]
    if kind == KIND_BBO:
        sense.on_bbo(sensor, as_record(message, BBO), features, params)
    elif kind == KIND_TRADE:
        trade = as_record(message, TRADE)
        sense.on_trade(sensor, trade, features, params)
        return trade["batch_index"] + 1 == trade["batch_count"]
    elif kind == KIND_BOOK:
        sense.on_book(sensor, as_record(message, BOOK), features, params)
    elif kind == KIND_CTX:
        sense.on_ctx(sensor, as_record(message, CTX), features, params)
        return False
    elif kind == KIND_TIMER:
        sense.on_timer(sensor, as_record(message, TIMER), features, params)
    elif kind == KIND_GAP:
        sense.on_gap(sensor, as_record(message, GAP), features, params)
    else:
        return _observe_reference(message, kind, sensor, features, params)
    return True


@kernel
def _observe_reference(message: int, kind: int, sensor: Any, features: Any, params: Any) -> bool:
    """Sense a record of the reference venue; True if a belief should follow: it has moved the value."""
    before = features["obs_serial"][SOURCE_MICROPRICE]
    if kind == KIND_REFERENCE_BBO:
        sense.on_reference_bbo(sensor, as_record(message, BBO), features, params)
    elif kind == KIND_REFERENCE_TRADE:
        sense.on_reference_trade(sensor, as_record(message, TRADE), features, params)
    elif kind == KIND_REFERENCE_BOOK:
        sense.on_reference_book(sensor, as_record(message, BOOK), features, params)
    return bool(features["obs_serial"][SOURCE_MICROPRICE] != before)
